"""Host modules: functions, memories, globals, tables and tags that Python offers to guests under an import module name."""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, TypeAlias, TypeVar, overload
from purewasm.runtime.annotations import signature_of
from purewasm.store.descriptors import parse_function_type, parse_valtype
from purewasm.store.host import HostFunction, wants_caller
from purewasm.store.tag import Tag
from purewasm.store.values import to_raw
from purewasm.wasm import module as wm
from purewasm.wasm.valtypes import is_ref

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Annotated

    from purewasm.runtime.runtime import Runtime
    from purewasm.store.instance import Instance

    _Fn = TypeVar("_Fn", bound=Callable[..., object])

    # Names for the annotations of host functions.
    i32: TypeAlias = Annotated[int, "i32"]  # noqa: PYI042 (the field's own names)
    i64: TypeAlias = Annotated[int, "i64"]  # noqa: PYI042
    f32: TypeAlias = Annotated[float, "f32"]  # noqa: PYI042
    f64: TypeAlias = Annotated[float, "f64"]  # noqa: PYI042
    v128: TypeAlias = Annotated[bytes, "v128"]  # noqa: PYI042
    externref: TypeAlias = Annotated[object, "externref"]  # noqa: PYI042
else:

    def __getattr__(name: str) -> object:
        """The same, made when one is used: a start without any does not import `typing`."""
        python_type = {"i32": int, "i64": int, "f32": float, "f64": float, "v128": bytes, "externref": object}.get(name)
        if python_type is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from typing import Annotated

        made = globals()[name] = Annotated[python_type, name]
        return made


class GlobalDefinition:
    """A global that a host module offers: each runtime that it is registered with makes its own."""

    __slots__ = ("raw", "type")

    def __init__(self, type: wm.GlobalType, raw: object) -> None:
        self.type, self.raw = type, raw


class HostModule:
    """An import module written in Python.

        math = HostModule("math")

        @math.function
        def power(base: f64, exponent: f64) -> f64:
            return base ** exponent

        math.register(runtime)

    A subclass may override `attach`, `detach` and `close` to keep state per instance.
    """

    name: str
    aliases: tuple[str, ...]

    def __init__(
        self,
        name: str,
        *,
        aliases: Iterable[str] = (),
        attach: Callable[[Instance], object] | None = None,
        detach: Callable[[object], object] | None = None,
    ) -> None:
        if not isinstance(name, str):
            raise TypeError(f"a host module's name is a str, not {name!r}")
        self.name = name
        self.aliases = tuple(aliases)
        self.definitions: dict[str, object] = {}
        """What it offers, by name: `HostFunction`, or a description that a runtime makes the thing of."""
        self._attach, self._detach = attach, detach

    # ---- functions

    @overload
    def function(self, fn: _Fn, /, *, name: str | None = None) -> _Fn: ...

    @overload
    def function(self, /, *, name: str | None = None) -> Callable[[_Fn], _Fn]: ...

    def function(self, fn: _Fn | None = None, /, *, name: str | None = None) -> _Fn | Callable[[_Fn], _Fn]:
        """Decorator: offer a function under its own name (or `name=`), with types from its annotations.

        `i32 i64 f32 f64 v128 externref`, the same as texts, `bool` (i32), `int` (i64), `float` (f64), a tuple of these or None for
        results. A first parameter annotated `Caller` gets the calling instance. `TypeError` for anything else.
        """
        if fn is None:
            return lambda inner: self.function(inner, name=name)
        params, results = signature_of(fn)
        self.add_function(name or fn.__name__, fn, params, results)
        return fn

    def add_function(self, name: str, fn: Callable[..., object], params: Iterable[str], results: Iterable[str]) -> None:
        """Offer `fn` under `name` with types given as names (`["i32", "i64"]`). `fn` gets public values, and a `Caller` first
        if its first parameter is annotated so."""
        if not callable(fn):
            raise TypeError(f"a host function is callable: {self.name}.{name} is {fn!r}")
        deftype = parse_function_type(params, results)
        host = HostFunction(fn, deftype, wants_caller=wants_caller(fn), module=self.name, name=name, owner=self)
        self._add(name, host)

    # ---- memories, globals, tables, tags

    def add_memory(self, name: str, min: int, max: int | None = None, *, is_64: bool = False, shared: bool = False) -> None:
        """Offer a memory of `min` pages of 64 KiB that can grow to `max`. Every runtime gets a memory of its own."""
        if shared and max is None:
            raise ValueError("a shared memory needs a maximum")
        self._add(name, wm.MemoryType(_limits(min, max), is_64, shared))

    def add_global(self, name: str, type: str, value: object, mutable: bool = False) -> None:
        """Offer a global. Every runtime gets one of its own, starting with `value`."""
        valtype = parse_valtype(type)
        self._add(name, GlobalDefinition(wm.GlobalType(valtype, mutable), to_raw(valtype)(value)))

    def add_table(self, name: str, reftype: str, min: int, max: int | None = None, *, is_64: bool = False) -> None:
        """Offer a table of `min` null references that can grow to `max`. Every runtime gets a table of its own."""
        valtype = parse_valtype(reftype)
        if not is_ref(valtype):
            raise ValueError(f"a table holds references, such as funcref and externref, not {reftype}")
        self._add(name, wm.TableType(valtype, _limits(min, max), is_64))

    def add_tag(self, name: str, params: Iterable[str] = ()) -> Tag:
        """Offer an exception tag, the same for every runtime, and return it: `raise tag.exception(…)` throws into the guest."""
        tag = Tag(parse_function_type(params, ()), name)
        self._add(name, tag)
        return tag

    def add(self, name: str, extern: object) -> None:
        """Offer a memory, table, global, function or tag that exists already (of the same runtime's engine)."""
        self._add(name, extern)

    def _add(self, name: str, definition: object) -> None:
        if name in self.definitions:
            raise ValueError(f"host module {self.name!r} offers {name!r} already")
        self.definitions[name] = definition

    # ---- life cycle

    def register(self, runtime: Runtime) -> None:
        """Let the instances of `runtime` import from this module, under its name and its aliases."""
        runtime.register_host_module(self)

    def attach(self, instance: Instance) -> object:
        """Called once for each instance that imports from this module, before any of its code runs; returns `caller.state`."""
        return self._attach(instance) if self._attach is not None else None

    def detach(self, state: object) -> None:
        """Called with that state when the instance is closed."""
        if self._detach is not None:
            self._detach(state)

    def close(self) -> None:
        """Called when a runtime that it is registered with is closed."""

    def __repr__(self) -> str:
        return f"<HostModule {self.name!r}: {', '.join(self.definitions) or 'empty'}>"


def _limits(min: int, max: int | None) -> wm.Limits:
    if min < 0 or (max is not None and max < min):
        raise ValueError(f"limits need 0 <= min <= max: min={min}, max={max}")
    return wm.Limits(min, max)
