"""Arithmetic on integer lanes (spec: vector operations), all lanes at once.

Each `_name(width)` makes the function of one instruction for lanes of `width` bits; `vector_bits` explains the masks. In the
functions `x` and `y` are the operands as ints and `t = x ^ y` says where they differ. `(x & low) + (y & low)` has at `high` the carry
into the sign bit; what is said in `vector_compare` about `d` and order holds here too.

Lanes of 8 bits go through `bytes.translate` where one operand, or nothing but the other one's shift count, matters.
"""

from __future__ import annotations

from struct import Struct

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.vector_bits import INTEGER_SHAPES, highs, lows, ones, to_int

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.wasm.vector_bits import Binary, Shift, Test, Unary

_U16: Final = Struct("<8H")
_U32: Final = Struct("<4I")
_U64: Final = Struct("<2Q")
_unpack_u16, _pack_u16 = _U16.unpack, _U16.pack
_unpack_u32, _pack_u32 = _U32.unpack, _U32.pack
_unpack_u64, _pack_u64 = _U64.unpack, _U64.pack


def _table(function: Callable[[int], int]) -> Unary:
    """Applies a function to each byte."""
    table = bytes(function(byte) & 0xFF for byte in range(256))

    def translate(a: bytes) -> bytes:
        return a.translate(table)

    return translate


def _signed(byte: int) -> int:
    return (byte ^ 0x80) - 0x80


# Sums


def _add(width: int) -> Binary:
    high, low = highs(width), lows(width)

    def add(a: bytes, b: bytes) -> bytes:
        x, y = to_int(a, "little"), to_int(b, "little")
        return ((x & low) + (y & low) ^ (x ^ y) & high).to_bytes(16, "little")

    return add


def _sub(width: int) -> Binary:
    high, low = highs(width), lows(width)

    def sub(a: bytes, b: bytes) -> bytes:
        x, y = to_int(a, "little"), to_int(b, "little")
        return ((x | high) - (y & low) ^ (x ^ y) & high ^ high).to_bytes(16, "little")

    return sub


def _add_sat_u(width: int) -> Binary:
    high, low, last = highs(width), lows(width), width - 1

    def add_sat_u(a: bytes, b: bytes) -> bytes:
        x, y = to_int(a, "little"), to_int(b, "little")
        t = x ^ y
        s = (x & low) + (y & low)
        c = (x & y | t & s) & high  # carry out of the lane
        return (s ^ t & high | (c << 1) - (c >> last)).to_bytes(16, "little")

    return add_sat_u


def _sub_sat_u(width: int) -> Binary:
    high, low, last = highs(width), lows(width), width - 1

    def sub_sat_u(a: bytes, b: bytes) -> bytes:
        x, y = to_int(a, "little"), to_int(b, "little")
        t = x ^ y
        d = (x | high) - (y & low)
        c = (d ^ t & (d ^ x)) & high  # x >= y
        return ((d ^ t & high ^ high) & (c << 1) - (c >> last)).to_bytes(16, "little")

    return sub_sat_u


def _add_sat_s(width: int) -> Binary:
    high, low, last = highs(width), lows(width), width - 1

    def add_sat_s(a: bytes, b: bytes) -> bytes:
        x, y = to_int(a, "little"), to_int(b, "little")
        h = (x ^ y) & high
        r = (x & low) + (y & low) ^ h
        c = (x ^ r) & (h ^ high)  # signs were equal, and the sum's is another one
        if not c:
            return r.to_bytes(16, "little")
        limit = ((x & high) >> last) + low  # greatest, or least where x is negative
        return (r ^ (r ^ limit) & (c << 1) - (c >> last)).to_bytes(16, "little")

    return add_sat_s


def _sub_sat_s(width: int) -> Binary:
    high, low, last = highs(width), lows(width), width - 1

    def sub_sat_s(a: bytes, b: bytes) -> bytes:
        x, y = to_int(a, "little"), to_int(b, "little")
        h = (x ^ y) & high
        r = (x | high) - (y & low) ^ h ^ high
        c = (x ^ r) & h  # signs were different, and the difference has not that of x
        if not c:
            return r.to_bytes(16, "little")
        limit = ((x & high) >> last) + low
        return (r ^ (r ^ limit) & (c << 1) - (c >> last)).to_bytes(16, "little")

    return sub_sat_s


def _avgr_u(width: int) -> Binary:
    low = lows(width)

    def avgr_u(a: bytes, b: bytes) -> bytes:
        x, y = to_int(a, "little"), to_int(b, "little")
        return ((x | y) - ((x ^ y) >> 1 & low)).to_bytes(16, "little")

    return avgr_u


def _neg(width: int) -> Unary:
    if width == 8:
        return _table(lambda byte: -byte)
    high, low = highs(width), lows(width)

    def neg(a: bytes) -> bytes:
        x = to_int(a, "little")
        return (high - (x & low) ^ x & high ^ high).to_bytes(16, "little")

    return neg


def _abs(width: int) -> Unary:
    if width == 8:
        return _table(lambda byte: abs(_signed(byte)))
    one, all_of_lane, last = ones(width), (1 << width) - 1, width - 1

    def abs_(a: bytes) -> bytes:
        x = to_int(a, "little")
        s = x >> last & one
        return ((x ^ s * all_of_lane) + s).to_bytes(16, "little")

    return abs_


# Minimum and maximum


def _min_u(width: int) -> Binary:
    high, low, last = highs(width), lows(width), width - 1

    def min_u(a: bytes, b: bytes) -> bytes:
        x, y = to_int(a, "little"), to_int(b, "little")
        t = x ^ y
        d = (x | high) - (y & low)
        c = (d ^ t & (d ^ x)) & high
        return (x ^ t & (c << 1) - (c >> last)).to_bytes(16, "little")

    return min_u


def _min_s(width: int) -> Binary:
    high, low, last = highs(width), lows(width), width - 1

    def min_s(a: bytes, b: bytes) -> bytes:
        x, y = to_int(a, "little"), to_int(b, "little")
        t = x ^ y
        d = (x | high) - (y & low)
        c = (d ^ t & (d ^ y)) & high
        return (x ^ t & (c << 1) - (c >> last)).to_bytes(16, "little")

    return min_s


def _max_u(width: int) -> Binary:
    high, low, last = highs(width), lows(width), width - 1

    def max_u(a: bytes, b: bytes) -> bytes:
        x, y = to_int(a, "little"), to_int(b, "little")
        t = x ^ y
        d = (x | high) - (y & low)
        c = (d ^ t & (d ^ x)) & high
        return (y ^ t & (c << 1) - (c >> last)).to_bytes(16, "little")

    return max_u


def _max_s(width: int) -> Binary:
    high, low, last = highs(width), lows(width), width - 1

    def max_s(a: bytes, b: bytes) -> bytes:
        x, y = to_int(a, "little"), to_int(b, "little")
        t = x ^ y
        d = (x | high) - (y & low)
        c = (d ^ t & (d ^ y)) & high
        return (y ^ t & (c << 1) - (c >> last)).to_bytes(16, "little")

    return max_s


def _min_32(lanes: Struct) -> Binary:
    """Lanes of 32 bits are few enough to be compared one by one."""
    unpack, pack = lanes.unpack, lanes.pack

    def minimum(a: bytes, b: bytes) -> bytes:
        a0, a1, a2, a3 = unpack(a)
        b0, b1, b2, b3 = unpack(b)
        return pack(a0 if a0 < b0 else b0, a1 if a1 < b1 else b1, a2 if a2 < b2 else b2, a3 if a3 < b3 else b3)

    return minimum


def _max_32(lanes: Struct) -> Binary:
    unpack, pack = lanes.unpack, lanes.pack

    def maximum(a: bytes, b: bytes) -> bytes:
        a0, a1, a2, a3 = unpack(a)
        b0, b1, b2, b3 = unpack(b)
        return pack(a0 if a0 > b0 else b0, a1 if a1 > b1 else b1, a2 if a2 > b2 else b2, a3 if a3 > b3 else b3)

    return maximum


# Shifts: the count is taken modulo the width of a lane.


def _byte_shift(function: Callable[[int, int], int]) -> Shift:
    tables = [bytes(function(byte, count) & 0xFF for byte in range(256)) for count in range(8)]

    def shift(a: bytes, count: int) -> bytes:
        return a.translate(tables[count & 7])

    return shift


def _shl(width: int) -> Shift:
    if width == 8:
        return _byte_shift(lambda byte, count: byte << count)
    # What is left of a lane, before it moves.
    kept = [ones(width) * ((1 << width - count) - 1) for count in range(width)]
    last = width - 1

    def shl(a: bytes, count: int) -> bytes:
        count &= last
        return ((to_int(a, "little") & kept[count]) << count).to_bytes(16, "little")

    return shl


def _shr_u(width: int) -> Shift:
    if width == 8:
        return _byte_shift(lambda byte, count: byte >> count)
    kept = [ones(width) * ((1 << width - count) - 1) for count in range(width)]
    last = width - 1

    def shr_u(a: bytes, count: int) -> bytes:
        count &= last
        return (to_int(a, "little") >> count & kept[count]).to_bytes(16, "little")

    return shr_u


def _shr_s(width: int) -> Shift:
    if width == 8:
        return _byte_shift(lambda byte, count: _signed(byte) >> count)
    one, last = ones(width), width - 1
    kept = [one * ((1 << width - count) - 1) for count in range(width)]
    filled = [(1 << width) - (1 << width - count) for count in range(width)]

    def shr_s(a: bytes, count: int) -> bytes:
        count &= last
        x = to_int(a, "little")
        return (x >> count & kept[count] | (x >> last & one) * filled[count]).to_bytes(16, "little")

    return shr_s


# Products: nothing is gained by one big integer.


def i16x8_mul(a: bytes, b: bytes) -> bytes:
    a0, a1, a2, a3, a4, a5, a6, a7 = _unpack_u16(a)
    b0, b1, b2, b3, b4, b5, b6, b7 = _unpack_u16(b)
    return _pack_u16(
        a0 * b0 & 0xFFFF,
        a1 * b1 & 0xFFFF,
        a2 * b2 & 0xFFFF,
        a3 * b3 & 0xFFFF,
        a4 * b4 & 0xFFFF,
        a5 * b5 & 0xFFFF,
        a6 * b6 & 0xFFFF,
        a7 * b7 & 0xFFFF,
    )


def i32x4_mul(a: bytes, b: bytes) -> bytes:
    a0, a1, a2, a3 = _unpack_u32(a)
    b0, b1, b2, b3 = _unpack_u32(b)
    return _pack_u32(a0 * b0 & 0xFFFF_FFFF, a1 * b1 & 0xFFFF_FFFF, a2 * b2 & 0xFFFF_FFFF, a3 * b3 & 0xFFFF_FFFF)


def i64x2_mul(a: bytes, b: bytes) -> bytes:
    a0, a1 = _unpack_u64(a)
    b0, b1 = _unpack_u64(b)
    return _pack_u64(a0 * b0 & 0xFFFF_FFFF_FFFF_FFFF, a1 * b1 & 0xFFFF_FFFF_FFFF_FFFF)


# Reductions


def i8x16_all_true(a: bytes) -> int:
    return 0 if 0 in a else 1


def _all_true(width: int) -> Test:
    high, low = highs(width), lows(width)

    def all_true(a: bytes) -> int:
        x = to_int(a, "little")
        return 1 if ((x & low) + low | x) & high == high else 0

    return all_true


_GATHER: Final = sum(1 << 49 - 7 * lane for lane in range(8))
"""Multiplied with bits at 7, 15, … 63, brings them together at 56 … 63: bit 8 n + 7 gets there by a shift of 49 - 7 n."""
_HIGH_64: Final = highs(8, 64)


def i8x16_bitmask(a: bytes) -> int:
    x = to_int(a, "little")
    return (x & _HIGH_64) * _GATHER >> 56 & 0xFF | (x >> 64 & _HIGH_64) * _GATHER >> 48 & 0xFF00


def i16x8_bitmask(a: bytes) -> int:
    return (to_int(a[1::2], "little") & _HIGH_64) * _GATHER >> 56 & 0xFF


def i32x4_bitmask(a: bytes) -> int:
    return a[3] >> 7 | a[7] >> 7 << 1 | a[11] >> 7 << 2 | a[15] >> 7 << 3


def i64x2_bitmask(a: bytes) -> int:
    return a[7] >> 7 | a[15] >> 7 << 1


_EVERY_SHAPE: Final[dict[str, Callable[[int], Unary | Binary | Shift]]] = {
    "add": _add,
    "sub": _sub,
    "neg": _neg,
    "abs": _abs,
    "shl": _shl,
    "shr_s": _shr_s,
    "shr_u": _shr_u,
}
_SMALL: Final[dict[str, Callable[[int], Unary | Binary | Shift]]] = {
    "min_s": _min_s,
    "min_u": _min_u,
    "max_s": _max_s,
    "max_u": _max_u,
    "add_sat_s": _add_sat_s,
    "add_sat_u": _add_sat_u,
    "sub_sat_s": _sub_sat_s,
    "sub_sat_u": _sub_sat_u,
    "avgr_u": _avgr_u,
}


def _instances(makers: dict[str, Callable[[int], Unary | Binary | Shift]], widest: int) -> dict[str, Unary | Binary | Shift]:
    shapes = [(shape, width) for shape, width in INTEGER_SHAPES.items() if width <= widest]
    return {f"{shape}.{name}": make(width) for name, make in makers.items() for shape, width in shapes}


INTEGER_LANES: Final[dict[str, Callable[..., bytes | int]]] = {
    **_instances(_EVERY_SHAPE, 64),
    **_instances(_SMALL, 16),
    "i32x4.min_s": _min_32(Struct("<4i")),
    "i32x4.min_u": _min_32(_U32),
    "i32x4.max_s": _max_32(Struct("<4i")),
    "i32x4.max_u": _max_32(_U32),
    "i8x16.popcnt": _table(int.bit_count),
    "i16x8.mul": i16x8_mul,
    "i32x4.mul": i32x4_mul,
    "i64x2.mul": i64x2_mul,
    "i8x16.all_true": i8x16_all_true,
    "i16x8.all_true": _all_true(16),
    "i32x4.all_true": _all_true(32),
    "i64x2.all_true": _all_true(64),
    "i8x16.bitmask": i8x16_bitmask,
    "i16x8.bitmask": i16x8_bitmask,
    "i32x4.bitmask": i32x4_bitmask,
    "i64x2.bitmask": i64x2_bitmask,
}
"""Function of each instruction on integer lanes that keeps the width of a lane, by its name."""
