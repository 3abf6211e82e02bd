"""purewasm: a WebAssembly runtime in pure Python.

    from pathlib import Path
    from purewasm import Runtime

    with Runtime() as runtime:
        instance = runtime.instantiate(Path("add.wasm"))
        instance.exports.add(2, 3)

Everything public is in this module. What is behind a name is imported when the name is first used: `import purewasm` itself
costs a millisecond.
"""

from __future__ import annotations

from purewasm import import_order, light_importing

light_importing.install(__name__, import_order.ORDER)

from purewasm._version import __version__  # noqa: E402  # found by what has just been installed

TYPE_CHECKING = False  # what type checkers take for True; importing `typing` would cost more than all the rest

if TYPE_CHECKING:
    from purewasm.errors import (
        FuelExhausted,
        GuestException,
        GuestExit,
        InternalError,
        Interrupted,
        InvalidError,
        LinkError,
        MalformedError,
        MemoryAccessError,
        ModuleError,
        Trap,
        UnsupportedError,
        WasmError,
    )
    from purewasm.runtime.cache import CompilationCache
    from purewasm.runtime.config import RuntimeConfig
    from purewasm.runtime.file_storage import FileStorage
    from purewasm.runtime.hostmodule import HostModule, externref, f32, f64, i32, i64, v128
    from purewasm.runtime.module import ExportDescriptor, ImportDescriptor, Module
    from purewasm.runtime.runtime import Runtime
    from purewasm.store.descriptors import FunctionType
    from purewasm.store.function import Function
    from purewasm.store.gc import I31, ArrayObject, StructObject
    from purewasm.store.global_ import Global
    from purewasm.store.host import Caller
    from purewasm.store.instance import Exports, Instance
    from purewasm.store.memory import Memory
    from purewasm.store.table import Table
    from purewasm.store.tag import Tag
    from purewasm.traps import Frame
    from purewasm.wasm.features import Features

_HOME = {
    "purewasm.errors": (
        "FuelExhausted GuestException GuestExit InternalError Interrupted InvalidError "
        "LinkError MalformedError MemoryAccessError ModuleError Trap UnsupportedError WasmError"
    ),
    "purewasm.runtime.cache": "CompilationCache",
    "purewasm.runtime.config": "RuntimeConfig",
    "purewasm.runtime.file_storage": "FileStorage",
    "purewasm.runtime.hostmodule": "HostModule externref f32 f64 i32 i64 v128",
    "purewasm.runtime.module": "ExportDescriptor ImportDescriptor Module",
    "purewasm.runtime.runtime": "Runtime",
    "purewasm.store.descriptors": "FunctionType",
    "purewasm.store.function": "Function",
    "purewasm.store.gc": "I31 ArrayObject StructObject",
    "purewasm.store.global_": "Global",
    "purewasm.store.host": "Caller",
    "purewasm.store.instance": "Exports Instance",
    "purewasm.store.memory": "Memory",
    "purewasm.store.table": "Table",
    "purewasm.store.tag": "Tag",
    "purewasm.traps": "Frame",
    "purewasm.wasm.features": "Features",
}
"""Where the public names live: module, names."""
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = [
    "I31",
    "ArrayObject",
    "Caller",
    "CompilationCache",
    "ExportDescriptor",
    "Exports",
    "Features",
    "FileStorage",
    "Frame",
    "FuelExhausted",
    "Function",
    "FunctionType",
    "Global",
    "GuestException",
    "GuestExit",
    "HostModule",
    "ImportDescriptor",
    "Instance",
    "InternalError",
    "Interrupted",
    "InvalidError",
    "LinkError",
    "MalformedError",
    "Memory",
    "MemoryAccessError",
    "Module",
    "ModuleError",
    "Runtime",
    "RuntimeConfig",
    "StructObject",
    "Table",
    "Tag",
    "Trap",
    "UnsupportedError",
    "WasmError",
    "__version__",
    "externref",
    "f32",
    "f64",
    "i32",
    "i64",
    "v128",
]


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'purewasm' has no attribute {name!r}")
    value: object = getattr(light_importing.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
