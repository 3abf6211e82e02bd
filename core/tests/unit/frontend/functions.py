"""IR of the functions of a module in text."""

from __future__ import annotations

from purewasm.binary.decoder import decode_module
from purewasm.frontend.build import build_function
from purewasm.frontend.context import ModuleContext
from purewasm.ir.function import Function
from purewasm.text.assembler import assemble
from purewasm.validate.module import validate_module
from purewasm.wasm.features import Features
from purewasm.wasm.module import WasmModule


def module_of(text: str) -> WasmModule:
    module = decode_module(assemble(text, Features.all()), Features.all())
    validate_module(module, Features.all())
    return module


def build(text: str, *, explicit_checks: bool = False, fuel: bool = False) -> Function:
    """The last function of the module."""
    module = module_of(text)
    return build_function(ModuleContext(module, explicit_checks, fuel), len(module.func_types) - 1)
