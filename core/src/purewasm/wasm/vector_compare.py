"""Comparison of lanes, of integers and of floating-point numbers (spec: vector operations): all bits of a lane, or none.

Lanes of 8 and 16 bits are compared all at once; `vector_bits` explains the masks. `x` and `y` are the operands as ints, `t = x ^ y`
says where they differ. `d = (x | high) - (y & low)` has at `high` a 1 where the lower bits of x are not below those of y. Where
the sign bits are equal (t = 0 there) `d` decides the order, else the sign bit of one operand does: that of x if the lanes are
unsigned, that of y if they are signed. `d ^ t & (d ^ decider)` chooses.

Lanes of 32 and 64 bits are few enough to be compared one by one, integers and floating-point numbers alike.
"""

from __future__ import annotations

from struct import Struct

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.vector_bits import highs, lows, to_int

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.wasm.vector_bits import Binary

_pack_4 = Struct("<4i").pack
_pack_2 = Struct("<2q").pack


# All at once


def _eq(width: int) -> Binary:
    high, low, last = highs(width), lows(width), width - 1

    def eq(a: bytes, b: bytes) -> bytes:
        t = to_int(a, "little") ^ to_int(b, "little")
        c = ((t & low) + low | t) & high ^ high
        return ((c << 1) - (c >> last)).to_bytes(16, "little")

    return eq


def _ne(width: int) -> Binary:
    high, low, last = highs(width), lows(width), width - 1

    def ne(a: bytes, b: bytes) -> bytes:
        t = to_int(a, "little") ^ to_int(b, "little")
        c = ((t & low) + low | t) & high
        return ((c << 1) - (c >> last)).to_bytes(16, "little")

    return ne


def _ge_u(width: int) -> Binary:
    high, low, last = highs(width), lows(width), width - 1

    def ge_u(a: bytes, b: bytes) -> bytes:
        x, y = to_int(a, "little"), to_int(b, "little")
        d = (x | high) - (y & low)
        c = (d ^ (x ^ y) & (d ^ x)) & high
        return ((c << 1) - (c >> last)).to_bytes(16, "little")

    return ge_u


def _ge_s(width: int) -> Binary:
    high, low, last = highs(width), lows(width), width - 1

    def ge_s(a: bytes, b: bytes) -> bytes:
        x, y = to_int(a, "little"), to_int(b, "little")
        d = (x | high) - (y & low)
        c = (d ^ (x ^ y) & (d ^ y)) & high
        return ((c << 1) - (c >> last)).to_bytes(16, "little")

    return ge_s


def _lt_u(width: int) -> Binary:
    high, low, last = highs(width), lows(width), width - 1

    def lt_u(a: bytes, b: bytes) -> bytes:
        x, y = to_int(a, "little"), to_int(b, "little")
        d = (x | high) - (y & low)
        c = (d ^ (x ^ y) & (d ^ x)) & high ^ high
        return ((c << 1) - (c >> last)).to_bytes(16, "little")

    return lt_u


def _lt_s(width: int) -> Binary:
    high, low, last = highs(width), lows(width), width - 1

    def lt_s(a: bytes, b: bytes) -> bytes:
        x, y = to_int(a, "little"), to_int(b, "little")
        d = (x | high) - (y & low)
        c = (d ^ (x ^ y) & (d ^ y)) & high ^ high
        return ((c << 1) - (c >> last)).to_bytes(16, "little")

    return lt_s


def _swapped(function: Binary) -> Binary:
    """a > b is b < a."""

    def swapped(a: bytes, b: bytes) -> bytes:
        return function(b, a)

    return swapped


# One by one: four lanes, two lanes


def _eq_4(lanes: Struct) -> Binary:
    unpack = lanes.unpack

    def eq(a: bytes, b: bytes) -> bytes:
        a0, a1, a2, a3 = unpack(a)
        b0, b1, b2, b3 = unpack(b)
        return _pack_4(-1 if a0 == b0 else 0, -1 if a1 == b1 else 0, -1 if a2 == b2 else 0, -1 if a3 == b3 else 0)

    return eq


def _ne_4(lanes: Struct) -> Binary:
    unpack = lanes.unpack

    def ne(a: bytes, b: bytes) -> bytes:
        a0, a1, a2, a3 = unpack(a)
        b0, b1, b2, b3 = unpack(b)
        return _pack_4(-1 if a0 != b0 else 0, -1 if a1 != b1 else 0, -1 if a2 != b2 else 0, -1 if a3 != b3 else 0)

    return ne


def _lt_4(lanes: Struct) -> Binary:
    unpack = lanes.unpack

    def lt(a: bytes, b: bytes) -> bytes:
        a0, a1, a2, a3 = unpack(a)
        b0, b1, b2, b3 = unpack(b)
        return _pack_4(-1 if a0 < b0 else 0, -1 if a1 < b1 else 0, -1 if a2 < b2 else 0, -1 if a3 < b3 else 0)

    return lt


def _gt_4(lanes: Struct) -> Binary:
    unpack = lanes.unpack

    def gt(a: bytes, b: bytes) -> bytes:
        a0, a1, a2, a3 = unpack(a)
        b0, b1, b2, b3 = unpack(b)
        return _pack_4(-1 if a0 > b0 else 0, -1 if a1 > b1 else 0, -1 if a2 > b2 else 0, -1 if a3 > b3 else 0)

    return gt


def _le_4(lanes: Struct) -> Binary:
    unpack = lanes.unpack

    def le(a: bytes, b: bytes) -> bytes:
        a0, a1, a2, a3 = unpack(a)
        b0, b1, b2, b3 = unpack(b)
        return _pack_4(-1 if a0 <= b0 else 0, -1 if a1 <= b1 else 0, -1 if a2 <= b2 else 0, -1 if a3 <= b3 else 0)

    return le


def _ge_4(lanes: Struct) -> Binary:
    unpack = lanes.unpack

    def ge(a: bytes, b: bytes) -> bytes:
        a0, a1, a2, a3 = unpack(a)
        b0, b1, b2, b3 = unpack(b)
        return _pack_4(-1 if a0 >= b0 else 0, -1 if a1 >= b1 else 0, -1 if a2 >= b2 else 0, -1 if a3 >= b3 else 0)

    return ge


def _eq_2(lanes: Struct) -> Binary:
    unpack = lanes.unpack

    def eq(a: bytes, b: bytes) -> bytes:
        a0, a1 = unpack(a)
        b0, b1 = unpack(b)
        return _pack_2(-1 if a0 == b0 else 0, -1 if a1 == b1 else 0)

    return eq


def _ne_2(lanes: Struct) -> Binary:
    unpack = lanes.unpack

    def ne(a: bytes, b: bytes) -> bytes:
        a0, a1 = unpack(a)
        b0, b1 = unpack(b)
        return _pack_2(-1 if a0 != b0 else 0, -1 if a1 != b1 else 0)

    return ne


def _lt_2(lanes: Struct) -> Binary:
    unpack = lanes.unpack

    def lt(a: bytes, b: bytes) -> bytes:
        a0, a1 = unpack(a)
        b0, b1 = unpack(b)
        return _pack_2(-1 if a0 < b0 else 0, -1 if a1 < b1 else 0)

    return lt


def _gt_2(lanes: Struct) -> Binary:
    unpack = lanes.unpack

    def gt(a: bytes, b: bytes) -> bytes:
        a0, a1 = unpack(a)
        b0, b1 = unpack(b)
        return _pack_2(-1 if a0 > b0 else 0, -1 if a1 > b1 else 0)

    return gt


def _le_2(lanes: Struct) -> Binary:
    unpack = lanes.unpack

    def le(a: bytes, b: bytes) -> bytes:
        a0, a1 = unpack(a)
        b0, b1 = unpack(b)
        return _pack_2(-1 if a0 <= b0 else 0, -1 if a1 <= b1 else 0)

    return le


def _ge_2(lanes: Struct) -> Binary:
    unpack = lanes.unpack

    def ge(a: bytes, b: bytes) -> bytes:
        a0, a1 = unpack(a)
        b0, b1 = unpack(b)
        return _pack_2(-1 if a0 >= b0 else 0, -1 if a1 >= b1 else 0)

    return ge


_AT_ONCE: Final[dict[str, Callable[[int], Binary]]] = {
    "eq": _eq,
    "ne": _ne,
    "lt_s": _lt_s,
    "lt_u": _lt_u,
    "gt_s": lambda width: _swapped(_lt_s(width)),
    "gt_u": lambda width: _swapped(_lt_u(width)),
    "le_s": lambda width: _swapped(_ge_s(width)),
    "le_u": lambda width: _swapped(_ge_u(width)),
    "ge_s": _ge_s,
    "ge_u": _ge_u,
}
_FOUR: Final[dict[str, Callable[[Struct], Binary]]] = {"eq": _eq_4, "ne": _ne_4, "lt": _lt_4, "gt": _gt_4, "le": _le_4, "ge": _ge_4}
_TWO: Final[dict[str, Callable[[Struct], Binary]]] = {"eq": _eq_2, "ne": _ne_2, "lt": _lt_2, "gt": _gt_2, "le": _le_2, "ge": _ge_2}


def _signed_name(name: str) -> str:
    """Equality is the same for signed and unsigned integers, and has no suffix."""
    return name if name in ("eq", "ne") else f"{name}_s"


COMPARISONS: Final[dict[str, Binary]] = {
    **{f"i8x16.{name}": make(8) for name, make in _AT_ONCE.items()},
    **{f"i16x8.{name}": make(16) for name, make in _AT_ONCE.items()},
    **{f"i32x4.{_signed_name(name)}": make(Struct("<4i")) for name, make in _FOUR.items()},
    **{f"i32x4.{name}_u": make(Struct("<4I")) for name, make in _FOUR.items() if name not in ("eq", "ne")},
    **{f"i64x2.{_signed_name(name)}": make(Struct("<2q")) for name, make in _TWO.items()},
    **{f"f32x4.{name}": make(Struct("<4f")) for name, make in _FOUR.items()},
    **{f"f64x2.{name}": make(Struct("<2d")) for name, make in _TWO.items()},
}
"""Function of each comparison of vectors, by its name."""
