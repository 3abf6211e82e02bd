"""purewasm: a WebAssembly runtime in pure Python.

    from pathlib import Path
    from purewasm import Runtime

    with Runtime() as runtime:
        instance = runtime.instantiate(Path("add.wasm"))
        instance.exports.add(2, 3)

Everything public is in this module.
"""

from __future__ import annotations

from purewasm._version import __version__
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

__all__ = [
    "I31",
    "ArrayObject",
    "Caller",
    "CompilationCache",
    "ExportDescriptor",
    "Exports",
    "Features",
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
