"""Finding what a module imports, checking that it fits, and binding it (spec: validation, import matching; instantiation)."""

from __future__ import annotations

import weakref
from collections.abc import Iterable

from purewasm.errors import LinkError
from purewasm.light_typing import TYPE_CHECKING, NamedTuple, TypeAlias
from purewasm.runtime.allocation import new_memory, new_table
from purewasm.runtime.hostmodule import GlobalDefinition, HostModule
from purewasm.store.descriptors import format_extern_type
from purewasm.store.function import Function
from purewasm.store.global_ import Global
from purewasm.store.host import HostFunction, wants_caller
from purewasm.store.instance import Instance
from purewasm.store.memory import Memory
from purewasm.store.table import Table
from purewasm.store.tag import Tag
from purewasm.wasm import module as wm
from purewasm.wasm.deftypes import DefType, is_heap_subtype, is_subtype

if TYPE_CHECKING:
    from collections.abc import Mapping

    from purewasm.engine.protocol import Engine

    Provider: TypeAlias = HostModule | Instance | Mapping[str, object]
    Imports: TypeAlias = Mapping[str, Provider] | HostModule | Iterable[HostModule] | None

Definition = object


class Resolved(NamedTuple):
    """What an import is linked to, and who gave it."""

    extern: Function | HostFunction | Memory | Table | Global | Tag
    provider: Provider


def provider_map(imports: Imports) -> dict[str, Provider]:
    """Import module name -> provider, of everything that `instantiate(imports=…)` accepts. `TypeError` for anything else."""
    if imports is None:
        return {}
    if isinstance(imports, HostModule):
        imports = (imports,)
    found: dict[str, Provider] = {}
    if hasattr(imports, "items"):
        for name, provider in imports.items():
            if not isinstance(provider, (HostModule, Instance)) and not hasattr(provider, "items"):
                raise TypeError(f"imports[{name!r}] is a HostModule, an Instance or a dict of names, not {provider!r}")
            found[name] = provider
        return found
    if not isinstance(imports, Iterable):
        raise TypeError(f"imports are HostModule objects or a dict of modules, not {imports!r}")
    for host in imports:
        if not isinstance(host, HostModule):
            raise TypeError(f"imports are HostModule objects or a dict of modules, not {host!r}")
        found.update(dict.fromkeys((host.name, *host.aliases), host))
    return found


class Linker:
    """Resolves imports for one runtime: per-instance providers first, then what is registered."""

    def __init__(self, engine: Engine, memory_limit_pages: int | None, registered: Mapping[str, Provider]) -> None:
        self._engine, self._memory_limit_pages, self._registered = engine, memory_limit_pages, registered
        self._made: weakref.WeakKeyDictionary[HostModule, dict[str, Memory | Table | Global]] = weakref.WeakKeyDictionary()

    def link(self, instance: Instance, own: Mapping[str, Provider]) -> list[HostModule]:
        """Put what the module imports at the front of the instance's lists; returns the host modules among the providers.

        Everything is resolved before anything is bound: a missing import leaves no trace.
        """
        hosts: dict[int, HostModule] = {}
        for found in [self.resolve(wanted, own) for wanted in instance.wasm.imports]:
            self._bind(instance, found)
            if isinstance(found.provider, HostModule):
                hosts[id(found.provider)] = found.provider
        return list(hosts.values())

    def resolve(self, wanted: wm.Import, own: Mapping[str, Provider]) -> Resolved:
        """What `wanted` is linked to. `LinkError` where nobody has it, or it has another type."""
        provider = own.get(wanted.module)
        found = self._lookup(provider, wanted) if provider is not None else None
        if found is None and (fallback := self._registered.get(wanted.module)) is not None:
            provider, found = fallback, self._lookup(fallback, wanted)
        if found is None or provider is None:
            raise LinkError(self._unknown(wanted, provider))
        self._check(found, wanted)
        return Resolved(found, provider)

    def _lookup(self, provider: Provider, wanted: wm.Import) -> Function | HostFunction | Memory | Table | Global | Tag | None:
        if isinstance(provider, Instance):
            export = provider.export_index.get(wanted.name)
            return None if export is None else provider.extern(export)
        definitions = provider.definitions if isinstance(provider, HostModule) else provider
        if wanted.name not in definitions:
            return None
        return self._extern(definitions[wanted.name], wanted, provider)

    def _extern(
        self, definition: object, wanted: wm.Import, provider: HostModule | Mapping[str, object]
    ) -> Function | HostFunction | Memory | Table | Global | Tag:
        if isinstance(definition, HostFunction | Memory | Table | Global | Tag):
            return definition
        if isinstance(definition, Function):
            return definition if self._engine.accepts(definition) else HostFunction(definition, definition.deftype)
        if isinstance(definition, (wm.MemoryType, wm.TableType, GlobalDefinition)):
            return self._make_once(definition, wanted.name, provider)
        if callable(definition):
            if not isinstance(wanted.type, DefType) or wanted.kind != wm.FUNC:
                raise LinkError(self._mismatch(wanted, "a Python callable"))
            return HostFunction(definition, wanted.type, wants_caller=wants_caller(definition), module=wanted.module, name=wanted.name)
        raise LinkError(self._mismatch(wanted, f"the Python object {definition!r}"))

    def _make_once(
        self, definition: wm.MemoryType | wm.TableType | GlobalDefinition, name: str, provider: HostModule | Mapping[str, object]
    ) -> Memory | Table | Global:
        """What a host module only describes, made once for the runtime."""
        if not isinstance(provider, HostModule):
            return self._make(definition)
        made = self._made.setdefault(provider, {})
        found = made.get(name)
        return found if found is not None else made.setdefault(name, self._make(definition))

    def _make(self, definition: wm.MemoryType | wm.TableType | GlobalDefinition) -> Memory | Table | Global:
        if isinstance(definition, wm.MemoryType):
            return new_memory(self._engine, definition, self._memory_limit_pages)
        if isinstance(definition, wm.TableType):
            return new_table(self._engine, definition, None, None)
        return self._engine.new_global(definition.type, definition.raw, None)

    def _check(self, found: Function | HostFunction | Memory | Table | Global | Tag, wanted: wm.Import) -> None:
        if not _fits(found, wanted):
            raise LinkError(self._mismatch(wanted, _describe(found)))
        if not isinstance(found, HostFunction) and not self._engine.accepts(found):
            raise LinkError(f"incompatible import: {wanted.module}.{wanted.name} belongs to a runtime with another engine")

    def _bind(self, instance: Instance, found: Resolved) -> None:
        extern = found.extern
        if isinstance(extern, HostFunction):
            instance.functions[len(instance.functions)] = self._engine.bind_host(extern, instance)
        elif isinstance(extern, Function):
            instance.functions[len(instance.functions)] = extern
            if extern.instance is not None and extern.instance is not instance:
                _share_meter(instance, extern.instance)
        elif isinstance(extern, Memory):
            instance.memories.append(extern)
        elif isinstance(extern, Table):
            instance.tables.append(extern)
        elif isinstance(extern, Global):
            instance.globals.append(extern)
        else:
            instance.tags.append(extern)
        if isinstance(found.provider, Instance) and not isinstance(extern, Memory):
            _share_meter(instance, found.provider)

    @staticmethod
    def _mismatch(wanted: wm.Import, actual: str) -> str:
        expected = format_extern_type(wanted.kind, wanted.type)
        return f"incompatible import type for {wanted.module}.{wanted.name}: expected {expected}, got {actual}"

    def _unknown(self, wanted: wm.Import, provider: Provider | None) -> str:
        expected = format_extern_type(wanted.kind, wanted.type)
        text = f"unknown import {wanted.module}.{wanted.name}: expected {expected}, "
        if provider is not None:
            return text + f"but module {wanted.module!r} has no such name"
        from purewasm.runtime.discovery import other_majors  # few imports are missing

        others = other_majors(wanted.module, self._registered)
        if others:
            there = ", ".join(map(repr, others))
            return text + f"but the major version differs: the guest asks for {wanted.module!r}, and {there} is registered"
        known = ", ".join(map(repr, self._registered)) or "none"
        return text + f"but no module {wanted.module!r} is registered (registered: {known})"


def _share_meter(instance: Instance, other: Instance) -> None:
    """Instances that can call each other are limited together. A memory in common does not make them so: they may run side by side."""
    if instance.meter is not other.meter:
        other.meter.join(instance.meter)


def _describe(found: Function | HostFunction | Memory | Table | Global | Tag) -> str:
    if isinstance(found, (Function, HostFunction)):
        return format_extern_type(wm.FUNC, found.deftype)
    if isinstance(found, Tag):
        return format_extern_type(wm.TAG, found.deftype)
    if isinstance(found, (Memory, Table)):
        return format_extern_type(-1, found.type._replace(limits=_present_limits(found)))
    return format_extern_type(wm.GLOBAL, found.type)


def _present_limits(found: Memory | Table) -> wm.Limits:
    return wm.Limits(found.pages if isinstance(found, Memory) else found.size, found.type.limits.max)


def _fits(found: Function | HostFunction | Memory | Table | Global | Tag, wanted: wm.Import) -> bool:
    type_ = wanted.type
    if wanted.kind == wm.FUNC:
        return isinstance(found, (Function, HostFunction)) and isinstance(type_, DefType) and is_heap_subtype(found.deftype.id, type_.id)
    if wanted.kind == wm.TAG:
        return isinstance(found, Tag) and found.deftype is type_
    if isinstance(type_, wm.MemoryType):
        return isinstance(found, Memory) and found.type[1:] == type_[1:] and _limits_fit(_present_limits(found), type_.limits)
    if isinstance(type_, wm.TableType):
        return (
            isinstance(found, Table)
            and (found.type.reftype, found.type.is_64) == (type_.reftype, type_.is_64)
            and _limits_fit(_present_limits(found), type_.limits)
        )
    if not isinstance(found, Global) or not isinstance(type_, wm.GlobalType) or found.type.mutable != type_.mutable:
        return False
    return found.type.valtype == type_.valtype if type_.mutable else is_subtype(found.type.valtype, type_.valtype)


def _limits_fit(actual: wm.Limits, wanted: wm.Limits) -> bool:
    if actual.min < wanted.min:
        return False
    return wanted.max is None or (actual.max is not None and actual.max <= wanted.max)
