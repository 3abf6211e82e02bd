"""Tables and element segments."""

from __future__ import annotations

from purewasm.frontend.known_types import note
from purewasm.frontend.memory import emit_builtin, narrow
from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.frontend.state import Builder

NO = ops.NO


def table_get(b: Builder, op: int, imm: Any) -> bool:
    b.stack.append(b.effect((ops.TABLE_GET, b.stack.pop(), NO, imm)))
    if b.local_types is not None:
        note(b, b.stack[-1], b.context.module.table_types[imm].reftype)
    return False


def table_set(b: Builder, op: int, imm: Any) -> bool:
    value = b.stack.pop()
    b.effect((ops.TABLE_SET, b.stack.pop(), value, imm))
    return False


def table_size(b: Builder, op: int, imm: Any) -> bool:
    b.stack.append(len(b.insts))
    b.insts.append((ops.TABLE_SIZE, NO, NO, imm))
    return False


def table_grow(b: Builder, op: int, imm: Any) -> bool:
    old = emit_builtin(b, "table_grow", b.constant(imm), *b.pop_many(2))
    b.stack.append(narrow(b, old, b.context.module.table_types[imm].is_64))
    return False


def table_fill(b: Builder, op: int, imm: Any) -> bool:
    emit_builtin(b, "table_fill", b.constant(imm), *b.pop_many(3))
    return False


def table_copy(b: Builder, op: int, imm: Any) -> bool:
    emit_builtin(b, "table_copy", b.constant(imm[0]), b.constant(imm[1]), *b.pop_many(3))
    return False


def table_init(b: Builder, op: int, imm: Any) -> bool:
    emit_builtin(b, "table_init", b.constant(imm[0]), b.constant(imm[1]), *b.pop_many(3))
    return False


def elem_drop(b: Builder, op: int, imm: Any) -> bool:
    emit_builtin(b, "elem_drop", b.constant(imm))
    return False


HANDLERS: dict[int, Callable[[Builder, int, Any], bool]] = {
    0x25: table_get, 0x26: table_set, 0xFC010: table_size, 0xFC00F: table_grow, 0xFC011: table_fill, 0xFC00E: table_copy,
    0xFC00C: table_init, 0xFC00D: elem_drop,
}  # fmt: skip
