"""Which modules this compiler takes. The others run on the interpreter as a whole, so references look the same everywhere in an instance.

Types say nearly everything. A body can use an instruction that is not compiled without naming such a type, so bodies that
hold bytes which could be one are decoded; the rest is not looked at.
"""

from __future__ import annotations

from purewasm.binary.body import decode_body
from purewasm.frontend.build import SUPPORTED
from purewasm.frontend.size import is_too_large
from purewasm.isa.x64.cpu import format_features
from purewasm.isa.x64.machine import NEEDED_FEATURES
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import FuncType
from purewasm.wasm.opcodes import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purewasm.wasm.module import WasmModule

_HEAPS: Final = frozenset((vt.FUNC, vt.NOFUNC, vt.EXTERN, vt.NOEXTERN, vt.EXN, vt.NOEXN))
# As a regular expression: where a live instruction can be that is not compiled, in a module whose types name nothing of it: casts of
# functions and host references, and what makes other references: conversion, `ref.i31`, and nulls of heap types that are not compiled.
_SUSPICIOUS: Final = (
    # A number may be longer than it needs to be: `call` with an index in five bytes often looks like it.
    rb"\xfb(?:[\x14-\x17][\x00-\x3f\x69\x6f\x70\x72-\x74\x80-\xff]|[\x18\x19][\x00-\x03]|[\x1a\x1c]|[\x94-\x9c]\x80{0,3}\0)"
    rb"|\xd0[\x6a-\x6e\x71]"
)

_LARGE: Final = 60_000_000
"""Bytes of a body times its locals: up to this nothing grows beyond measure; above it the body is looked at."""


def unsupported(module: WasmModule, cpu: int = NEEDED_FEATURES) -> str | None:
    """Why a validated module cannot be compiled for a processor with these features, or None."""
    missing = NEEDED_FEATURES & ~cpu
    if missing:
        return f"the processor lacks {format_features(missing).removeprefix('x86-64,')}"
    if not all(isinstance(deftype.composite, FuncType) for deftype in module.types):
        return "structures and arrays are not compiled yet"
    for valtype in _types(module):
        if valtype >= vt.REF_BASE and (heap := vt.heap_of(valtype)) < 0 and heap not in _HEAPS:
            return f"references of type {vt.format_type(valtype)} are not compiled yet"
    for index, code in enumerate(module.codes, module.imported_functions):
        local_count = sum(count for count, _ in code.locals) + len(module.func_types[index].func.params)
        if (code.end - code.start) * local_count > _LARGE and is_too_large(decode_body(module, code), local_count):
            return f"function {index} is too large: {code.end - code.start} bytes with {local_count} locals"
    return _unsupported_instruction(module)


def _types(module: WasmModule) -> Iterator[int]:
    for deftype in module.types:
        yield from deftype.func.params
        yield from deftype.func.results
    for table in module.table_types:
        yield table.reftype
    for variable in module.global_types:
        yield variable.valtype
    for segment in module.elements:
        yield segment.reftype
    for code in module.codes:
        for _, valtype in code.locals:
            yield valtype


def _unsupported_instruction(module: WasmModule) -> str | None:
    import re  # not at the top: only a process that compiles needs it

    suspicious = re.compile(_SUSPICIOUS, re.DOTALL)
    for code in module.codes:
        if suspicious.search(module.source, code.start, code.end):
            for op in decode_body(module, code).ops:
                if op not in SUPPORTED:
                    return f"{NAME[op]} is not compiled yet"
    return None
