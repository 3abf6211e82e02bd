"""Vector instructions. Relaxed ones become those whose results they share (`wasm.vectors`)."""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.wasm import opcodes
from purewasm.wasm.opcodes import CODE
from purewasm.wasm.opcodes import immediates as kinds

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.frontend.state import Builder

NO = ops.NO
_SAME_AS: Final = {
    "i8x16.relaxed_swizzle": "i8x16.swizzle",
    "i32x4.relaxed_trunc_f32x4_s": "i32x4.trunc_sat_f32x4_s", "i32x4.relaxed_trunc_f32x4_u": "i32x4.trunc_sat_f32x4_u",
    "i32x4.relaxed_trunc_f64x2_s_zero": "i32x4.trunc_sat_f64x2_s_zero",
    "i32x4.relaxed_trunc_f64x2_u_zero": "i32x4.trunc_sat_f64x2_u_zero",
    "f32x4.relaxed_min": "f32x4.min", "f32x4.relaxed_max": "f32x4.max",
    "f64x2.relaxed_min": "f64x2.min", "f64x2.relaxed_max": "f64x2.max",
    "i16x8.relaxed_q15mulr_s": "i16x8.q15mulr_sat_s",
}  # fmt: skip
_SPLATTED_BYTES: Final = {
    CODE["i8x16.splat"]: 1, CODE["i16x8.splat"]: 2, CODE["i32x4.splat"]: 4, CODE["i64x2.splat"]: 8, CODE["f32x4.splat"]: 4,
    CODE["f64x2.splat"]: 8,
}  # fmt: skip
RELAXED: Final = {CODE[name]: CODE[same] for name, same in _SAME_AS.items()}


def constant(b: Builder, op: int, imm: Any) -> bool:
    b.stack.append(b.constant(imm))
    return False


def one(b: Builder, op: int, imm: Any) -> bool:
    """One operand, with or without an immediate (a lane)."""
    op = RELAXED.get(op, op)
    if b.stack[-1] < 0 and op in _SPLATTED_BYTES:
        b.stack[-1] = _splat(b, b.stack[-1], _SPLATTED_BYTES[op])
        return False
    b.stack[-1] = b.pure((ops.number_of(op), b.stack[-1], NO, 0 if imm is None else imm))
    return False


def _splat(b: Builder, operand: int, lane_bytes: int) -> int:
    """The vector that has this constant in every lane."""
    lane = b.constants[~operand]
    if isinstance(lane, int):
        lane = lane.to_bytes(8, "little")[:lane_bytes]
    return b.constant(lane * (16 // lane_bytes))


def two(b: Builder, op: int, imm: Any) -> bool:
    op = RELAXED.get(op, op)
    y = b.stack.pop()
    b.stack[-1] = b.pure((ops.number_of(op), b.stack[-1], y, 0 if imm is None else imm))
    return False


def bitselect(b: Builder, op: int, imm: Any) -> bool:
    x, y, mask = b.pop_many(3)
    b.stack.append(b.pure((ops.BITSELECT, x, y, mask)))
    return False


def multiply_add(b: Builder, op: int, imm: Any) -> bool:
    """Product and sum are rounded each; the negative form subtracts the product."""
    x, y, z = b.pop_many(3)
    name = opcodes.NAME[op]
    shape = name[:5]
    product = b.pure((ops.number_of(CODE[f"{shape}.mul"]), x, y, 0))
    last = CODE[f"{shape}.sub" if "nmadd" in name else f"{shape}.add"]
    b.stack.append(b.pure((ops.number_of(last), z, product, 0)) if "nmadd" in name else b.pure((ops.number_of(last), product, z, 0)))
    return False


def dot_add(b: Builder, op: int, imm: Any) -> bool:
    """i32x4.relaxed_dot_i8x16_i7x16_add_s: the 16-bit sums of products, added in pairs, plus the third operand."""
    x, y, z = b.pop_many(3)
    sums = b.pure((ops.number_of(CODE["i16x8.relaxed_dot_i8x16_i7x16_s"]), x, y, 0))
    pairs = b.pure((ops.number_of(CODE["i32x4.extadd_pairwise_i16x8_s"]), sums, NO, 0))
    b.stack.append(b.pure((ops.number_of(CODE["i32x4.add"]), pairs, z, 0)))
    return False


def _handler(code: int, name: str, immediate: int, text: str) -> Callable[[Builder, int, Any], bool] | None:
    if immediate == kinds.V128_CONST:
        return constant
    operands = len(text.partition(">")[0])
    if operands < 3:
        return (one, two)[operands - 1]
    if "madd" in name:
        return multiply_add
    if "laneselect" in name or name == "v128.bitselect":
        return bitselect
    return dot_add


HANDLERS: dict[int, Callable[[Builder, int, Any], bool]] = {}
for _code, _name, _immediate, _text, _, _ in opcodes.FAMILIES["vector"]:
    _made = _handler(_code, _name, _immediate, _text)
    if _made is not None:
        HANDLERS[_code] = _made
