"""WebAssembly modules as Python modules: the finder and the loader that `purewasm.importer` installs.

A guest's imports are looked for, in this order: on the runtime (host modules, named instances); as a Python module beside the guest in
its package; as a Python module of that name. The last two offer their public names only, and modules of the standard library are never
taken: a guest gets what was written for it, not `os`.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from purewasm.errors import LinkError, ModuleError
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.store.instance import Instance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from purewasm.runtime.linker import Provider
    from purewasm.runtime.module import Module
    from purewasm.runtime.runtime import Runtime

ENDINGS: Final = (".wasm", ".wat")
INSTANCE: Final = "__instance__"
"""Attribute of an imported guest: its `Instance`."""


def is_reserved(name: str) -> bool:
    """True for names that Python gives a meaning to: an export of such a name does not become an attribute."""
    return name.startswith("__") and name.endswith("__")


@final
class WasmFinder:
    """Finds `name.wasm`, or else `name.wat`, where Python looks for modules. A Python module of the name goes first."""

    def __init__(self, get_runtime: Callable[[], Runtime]) -> None:
        self._get_runtime = get_runtime

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The import system's question."""
        file = _find_file(fullname.rpartition(".")[2], sys.path if path is None else path)
        if file is None:
            return None
        other = PathFinder.find_spec(fullname, path)
        if other is not None and other.loader is not None:
            return None  # a directory without code (a namespace package) does not count
        return ModuleSpec(fullname, WasmLoader(file, self._get_runtime), origin=file)

    def invalidate_caches(self) -> None:
        """There are none."""


def _find_file(name: str, path: Sequence[str]) -> str | None:
    for entry in path:
        for ending in ENDINGS:
            file = os.path.join(entry or os.getcwd(), name + ending)
            if os.path.isfile(file):
                return file
    return None


@final
class WasmLoader(Loader):
    """Instantiates a file and makes its exports the attributes of a Python module."""

    def __init__(self, file: str, get_runtime: Callable[[], Runtime]) -> None:
        self.file = file
        self._get_runtime = get_runtime

    def create_module(self, spec: ModuleSpec) -> None:
        """An ordinary module object will do."""

    def exec_module(self, module: ModuleType) -> None:
        """Compile, link, instantiate. ImportError for a file that is no module and for imports that nobody provides."""
        runtime = self._get_runtime()
        try:
            compiled = runtime.compile(Path(self.file))
            instance = runtime.instantiate(compiled, imports=_providers(runtime, compiled, module.__name__))
        except (ModuleError, LinkError) as error:
            raise ImportError(f"{self.file}: {error}", name=module.__name__, path=self.file) from error
        exports = {name: extern for name, extern in instance.exports.items() if not is_reserved(name)}
        module.__dict__.update(exports)
        module.__dict__.update({INSTANCE: instance, "__file__": self.file, "__all__": list(exports), "__doc__": _describe(compiled)})


def _describe(compiled: Module) -> str:
    """What `help(guest)` shows first."""
    exports = "".join(f"\n    {export.name}: {export.type}" for export in compiled.exports)
    return f"A WebAssembly module, instantiated by purewasm. Exports:\n{exports}\n"


def _providers(runtime: Runtime, compiled: Module, name: str) -> dict[str, Provider]:
    """Python modules for what the runtime does not provide; what is found nowhere is left for the linker to complain about."""
    wanted: dict[str, list[str]] = {}
    for item in compiled.imports:
        wanted.setdefault(item.module, []).append(item.name)
    found: dict[str, Provider] = {}
    for module_name, names in wanted.items():
        if not runtime.provides(module_name):
            module = _import(module_name, name.rpartition(".")[0])
            if module is not None:
                found[module_name] = _provider(module, names)
    return found


def _import(name: str, package: str) -> ModuleType | None:
    """The Python module that a guest in `package` means, or None."""
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    candidates = [f"{package}.{name}"] if package else []
    if name.partition(".")[0] not in sys.stdlib_module_names:
        candidates.append(name)
    for candidate in candidates:
        try:
            return import_module(candidate)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{candidate}.".startswith(f"{error.name}."):
                raise  # it is there, but something that it imports is not
    return None


def _provider(module: ModuleType, names: list[str]) -> Provider:
    instance = module.__dict__.get(INSTANCE)
    if isinstance(instance, Instance):
        return instance
    public = module.__dict__.get("__all__")
    return {
        name: getattr(module, name)
        for name in names
        if (name in public if public is not None else not name.startswith("_")) and hasattr(module, name)
    }
