"""Memory access that the loop of `build` does not do itself, sizes, and bulk operations."""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.ir.builtins import BUILTINS, NUMBER
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.wasm import opcodes
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.frontend.state import Builder

NO = ops.NO
_WIDTH_BYTES: Final = {code: 1 << row[5] for code, row in opcodes.BY_CODE.items() if row[2] in (17, 18)}


LOAD_OF_STORE: Final = {CODE[f"{type}.store"]: ops.number_of(CODE[f"{type}.load"]) for type in ("i32", "i64", "f32", "f64", "v128")}
"""Stores of all of a value: the same place is loaded with it until the next write."""


def emit_builtin(b: Builder, name: str, *args: int) -> int:
    """Append a call of the engine's builtin; its result."""
    number = NUMBER[name]
    _, count, result = BUILTINS[number]
    return b.effect((ops.BUILTIN + result, NO, NO, (args, number, ((ops.INT,) * count, (result,) if result else ()))))


def address(b: Builder, index: int, offset: int, memory: int, width_bytes: int) -> tuple[int, int]:
    """Operand and displacement of an access: a displacement below 0 goes with the end of the access as a checked address."""
    context = b.context
    if memory == 0 and context.guard_bytes:
        if index >= 0:
            if offset < context.guard_bytes:
                return index, offset
        else:
            constant = b.constants[~index]
            if isinstance(constant, int) and constant + offset + width_bytes <= min(context.memory_bytes, 0x7FFF_0000):
                return b.constant(constant + offset), 0
    return b.effect((ops.CHECK, index, NO, (memory, offset, width_bytes))), -width_bytes


def load(b: Builder, op: int, imm: Any) -> bool:
    """Any load, of any memory. What is at a constant address is loaded once until the next write, as in `build`."""
    base, displacement = address(b, b.stack[-1], imm[0], imm[1], _WIDTH_BYTES[op])
    number = ops.number_of(op)
    if displacement < 0:
        b.stack[-1] = b.effect((number, base, NO, displacement))
        return False
    key = number, base, b.writes, displacement
    known = b.numbering.get(key)
    if known is None:
        known = b.numbering[key] = len(b.insts)
        b.places[known] = b.place
        b.insts.append((number, base, NO, displacement))
    b.stack[-1] = known
    return False


def store(b: Builder, op: int, imm: Any) -> bool:
    value = b.stack.pop()
    base, displacement = address(b, b.stack.pop(), imm[0], imm[1], _WIDTH_BYTES[op])
    loaded_by = LOAD_OF_STORE.get(op, NO)
    if displacement >= 0 and b.numbering.get((loaded_by, base, b.writes, displacement)) == value:
        return False
    b.effect((ops.number_of(op), base, value, displacement))
    if displacement >= 0 and loaded_by != NO:
        b.numbering[loaded_by, base, b.writes, displacement] = value
    return False


def load_lane(b: Builder, op: int, imm: Any) -> bool:
    vector = b.stack.pop()
    base, displacement = address(b, b.stack.pop(), imm[0], imm[1], _WIDTH_BYTES[op])
    b.stack.append(b.effect((ops.LOAD_LANE, base, vector, (op, displacement, imm[3]))))
    return False


def store_lane(b: Builder, op: int, imm: Any) -> bool:
    vector = b.stack.pop()
    base, displacement = address(b, b.stack.pop(), imm[0], imm[1], _WIDTH_BYTES[op])
    b.effect((ops.STORE_LANE, base, vector, (op, displacement, imm[3])))
    return False


def memory_size(b: Builder, op: int, imm: Any) -> bool:
    b.stack.append(len(b.insts))
    b.insts.append((ops.MEMORY_SIZE, NO, NO, (imm, b.context.page_size_log2[imm])))
    return False


def narrow(b: Builder, value: int, is_64: bool) -> int:
    """The result of a `grow` in the width of the address type."""
    return value if is_64 else b.pure((CODE["i32.wrap_i64"], value, NO, 0))


def memory_grow(b: Builder, op: int, imm: Any) -> bool:
    old = emit_builtin(b, "memory_grow", b.constant(imm), b.stack.pop())
    b.stack.append(narrow(b, old, b.context.memory_is_64[imm]))
    return False


def memory_copy(b: Builder, op: int, imm: Any) -> bool:
    emit_builtin(b, "memory_copy", b.constant(imm[0]), b.constant(imm[1]), *b.pop_many(3))
    return False


def memory_fill(b: Builder, op: int, imm: Any) -> bool:
    emit_builtin(b, "memory_fill", b.constant(imm), *b.pop_many(3))
    return False


def memory_init(b: Builder, op: int, imm: Any) -> bool:
    emit_builtin(b, "memory_init", b.constant(imm[0]), b.constant(imm[1]), *b.pop_many(3))
    return False


def data_drop(b: Builder, op: int, imm: Any) -> bool:
    emit_builtin(b, "data_drop", b.constant(imm))
    return False


HANDLERS: dict[int, Callable[[Builder, int, Any], bool]] = {
    0x3F: memory_size, 0x40: memory_grow, 0xFC008: memory_init, 0xFC009: data_drop, 0xFC00A: memory_copy, 0xFC00B: memory_fill,
}  # fmt: skip
for _row in opcodes.FAMILIES["memory"]:
    _code = _row[0]
    if _code in _WIDTH_BYTES:
        _lane = 0xFD054 <= _code <= 0xFD05B
        if _row[3].endswith(">"):
            HANDLERS[_code] = store_lane if _lane else store
        else:
            HANDLERS[_code] = load_lane if _lane else load
