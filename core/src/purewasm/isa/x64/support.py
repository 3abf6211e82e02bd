"""Which modules this compiler takes: all of them, on processors that have what its code uses, but for absurdly large functions."""

from __future__ import annotations

from purewasm.binary.body import decode_body
from purewasm.frontend.size import is_too_large
from purewasm.isa.x64.cpu import NEEDED_FEATURES, format_features, usable
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.deftypes import FuncType
from purewasm.wasm.limits import MAX_LOCALS, MAX_PARAMS

if TYPE_CHECKING:
    from purewasm.wasm.module import WasmModule

_LARGE: Final = 10_000_000
"""Bytes of a body times its locals, or the results that a call may have: up to this nothing grows beyond measure; above it the body is
looked at."""
_LEAST_BYTES: Final = _LARGE // (MAX_LOCALS + MAX_PARAMS)
"""A body of less is never large."""


def unsupported(module: WasmModule, cpu: int = NEEDED_FEATURES) -> str | None:
    """Why a validated module cannot be compiled for a processor with these features, or None."""
    missing = NEEDED_FEATURES & ~usable(cpu)
    if missing:
        return f"the processor lacks {format_features(missing).removeprefix('x86-64,')}"
    most_results = max([len(deftype.composite.results) for deftype in module.types if isinstance(deftype.composite, FuncType)], default=0)
    for index, code in enumerate(module.codes, module.imported_functions):
        if code.end - code.start < _LEAST_BYTES:
            continue
        local_count = sum(count for count, _ in code.locals) + len(module.func_types[index].func.params)
        factor = max(local_count, most_results)
        if (code.end - code.start) * factor > _LARGE and is_too_large(module, decode_body(module, code), local_count):
            return f"function {index} is too large: {code.end - code.start} bytes with {local_count} locals"
    return None
