"""Module → the functions that references can be made of (spec: validation, contexts, `refs`).

Validation lets `ref.func` name only functions that occur in exports, element segments or constant expressions. Together with the start
function these are all that an engine is ever asked for by index, so an instance needs a record of no other: in a large module of a
C compiler a quarter of all.
"""

from __future__ import annotations

from purewasm.binary.body import decode_const
from purewasm.binary.leb import u32
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.module import FUNC
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purewasm.wasm.module import ConstExpr, WasmModule

_REF_FUNC: Final = CODE["ref.func"]
_NUMBERS: Final = frozenset((CODE["i32.const"], CODE["i64.const"], CODE["f32.const"], CODE["f64.const"], CODE["ref.null"]))


def declared_functions(module: WasmModule) -> list[int]:
    """Indices of those functions, imported ones included, each once. Functions of a segment stand in its order, as far as no other use
    came before."""
    found: dict[int, None] = {}
    for segment in module.elements:
        for item in segment.items:
            if isinstance(item, int):
                found[item] = None
            else:
                found.update(dict.fromkeys(_named_by(module, item)))
    for export in module.exports:
        if export.kind == FUNC:
            found[export.index] = None
    for variable in module.globals:
        found.update(dict.fromkeys(_named_by(module, variable.init)))
    for table in module.tables:
        if table.init is not None:
            found.update(dict.fromkeys(_named_by(module, table.init)))
    if module.start is not None:
        found[module.start] = None
    return list(found)


def _named_by(module: WasmModule, expression: ConstExpr) -> Iterator[int]:
    source, start = module.source, expression.start
    first = source[start]
    if first == _REF_FUNC:
        yield u32(iter(source[start + 1 : expression.end]))
    elif first not in _NUMBERS:
        body = decode_const(module, expression)
        for op, immediate in zip(body.ops, body.imms, strict=True):
            if op == _REF_FUNC:
                yield immediate  # type: ignore[misc]
