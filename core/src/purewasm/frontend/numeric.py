"""Numeric instructions: arithmetic on constants, and handlers for those behind a prefix. `actions` has what the loop of `build` does."""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.frontend.state import Builder

NO = ops.NO
M32: Final = 0xFFFF_FFFF
M64: Final = 0xFFFF_FFFF_FFFF_FFFF


def signed32(x: int) -> int:
    return x - (1 << 32) if x >> 31 else x


def signed64(x: int) -> int:
    return x - (1 << 64) if x >> 63 else x


FOLD: Final[dict[int, Callable[[int, int], int]]] = {
    0x6A: lambda x, y: x + y & M32, 0x6B: lambda x, y: x - y & M32, 0x6C: lambda x, y: x * y & M32,
    0x71: lambda x, y: x & y, 0x72: lambda x, y: x | y, 0x73: lambda x, y: x ^ y,
    0x74: lambda x, y: x << (y & 31) & M32, 0x75: lambda x, y: signed32(x) >> (y & 31) & M32, 0x76: lambda x, y: x >> (y & 31),
    0x7C: lambda x, y: x + y & M64, 0x7D: lambda x, y: x - y & M64, 0x7E: lambda x, y: x * y & M64,
    0x83: lambda x, y: x & y, 0x84: lambda x, y: x | y, 0x85: lambda x, y: x ^ y,
    0x86: lambda x, y: x << (y & 63) & M64, 0x87: lambda x, y: signed64(x) >> (y & 63) & M64, 0x88: lambda x, y: x >> (y & 63),
}  # fmt: skip
FOLD_UNARY: Final[dict[int, Callable[[int], int]]] = {
    0xA7: lambda x: x & M32, 0xAC: lambda x: signed32(x) & M64, 0xAD: lambda x: x,
}  # fmt: skip
FOLD_COMPARE: Final[dict[int, Callable[[int, int], bool]]] = {
    ops.CC_E: lambda x, y: x == y, ops.CC_NE: lambda x, y: x != y, ops.CC_L: lambda x, y: x < y, ops.CC_G: lambda x, y: x > y,
    ops.CC_LE: lambda x, y: x <= y, ops.CC_GE: lambda x, y: x >= y, ops.CC_B: lambda x, y: x < y, ops.CC_A: lambda x, y: x > y,
    ops.CC_BE: lambda x, y: x <= y, ops.CC_AE: lambda x, y: x >= y,
}  # fmt: skip


def fold_compare(compare: int, cc: int, x: int, y: int) -> int:
    """A compare of two constants."""
    if cc >= ops.CC_L:
        convert = signed32 if compare == ops.CMP32 else signed64
        x, y = convert(x), convert(y)
    return int(FOLD_COMPARE[cc](x, y))


_MOST: Final = {
    ops.CMP32: 1, ops.CMP64: 1, ops.FCMP32: 1, ops.FCMP64: 1,
    0x2D: 0xFF, 0x2F: 0xFFFF, 0x31: 0xFF, 0x33: 0xFFFF, 0x35: M32,
}  # fmt: skip
"""The bits that may be set in the results of compares and narrow loads."""


def simplify(b: Builder, op: int, x: int, y: int) -> int | tuple[int, int, int, int]:
    """A binary integer operation whose second operand is a constant: the value that it equals, or what to do instead."""
    value = b.constants[~y]
    if not isinstance(value, int):
        return op, x, y, 0
    if op == 0x6B or op == 0x7D:
        value = -value & (M32 if op == 0x6B else M64)
        y, op = b.constant(value), op - 1
    if op == 0x6A or op == 0x7C:
        if not value:
            return x
        if x >= 0:
            inner, p, q, _ = b.insts[x]
            if inner == op and q < 0:
                value = value + b.constants[~q] & (M32 if op == 0x6A else M64)  # type: ignore[operator]
                if not value:
                    return p
                return op, p, b.constant(value), 0
    elif op == 0x75 and x >= 0:
        inner, p, q, _ = b.insts[x]
        if inner == 0x74 and q == y and value in (16, 24):  # sign extension, written with shifts
            return 0xC1 if value == 16 else 0xC0, p, NO, 0
    elif op == 0x71 or op == 0x83:
        if x >= 0 and value & 1:  # compilers write masks that change nothing when they do not optimise
            most = _MOST.get(b.insts[x][0], -1)
            if value & most == most:
                return x
    elif not value and op in (0x72, 0x73, 0x74, 0x75, 0x76, 0x84, 0x85, 0x86, 0x87, 0x88):
        return x
    elif (op == 0x6C or op == 0x7E) and value and not value & (value - 1):
        shift = value.bit_length() - 1
        return (op + 8, x, b.constant(shift), 0) if shift else x
    return op, x, y, 0


def unary(b: Builder, op: int, imm: Any) -> bool:
    """Saturating conversions."""
    b.stack[-1] = b.pure((ops.number_of(op), b.stack[-1], NO, 0))
    return False


def wide_pair(b: Builder, op: int, imm: Any) -> bool:
    x, x_high, y, y_high = b.pop_many(4)
    low, high = (0x7C, ops.ADD128_HIGH) if op == 0xFC013 else (0x7D, ops.SUB128_HIGH)
    b.stack.append(b.pure((low, x, y, 0)))
    b.stack.append(b.pure((high, x, y, (x_high, y_high))))
    return False


def wide_product(b: Builder, op: int, imm: Any) -> bool:
    x, y = b.pop_many(2)
    b.stack.append(b.pure((0x7E, x, y, 0)))
    b.stack.append(b.pure((ops.MUL_HIGH_S if op == 0xFC015 else ops.MUL_HIGH_U, x, y, 0)))
    return False


HANDLERS: dict[int, Callable[[Builder, int, Any], bool]] = {
    **dict.fromkeys(range(0xFC000, 0xFC008), unary),
    0xFC013: wide_pair, 0xFC014: wide_pair, 0xFC015: wide_product, 0xFC016: wide_product,
}  # fmt: skip
