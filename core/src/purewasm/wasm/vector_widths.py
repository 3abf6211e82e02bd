"""Integer lanes whose width changes: pairwise sums, products of twice the width, dot products, narrowing (spec: vector operations).

Relaxed dot products take the signed interpretation of both operands, and saturate each sum of two products to 16 bits, as the
deterministic profile says: on x86 that is `pmovsxbw` of both operands, `pmaddwd`, `packssdw`.
"""

from __future__ import annotations

from struct import Struct

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.vector_bits import highs, lows, ones, to_int

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.wasm.vector_bits import Binary, Unary

_S8, _U8 = Struct("8b"), Struct("8B")
_S16, _U16 = Struct("<8h"), Struct("<8H")
_S32, _U32 = Struct("<4i"), Struct("<4I")
_S64, _U64 = Struct("<2q"), Struct("<2Q")
_HALF_S16, _HALF_U16 = Struct("<4h"), Struct("<4H")
_HALF_S32, _HALF_U32 = Struct("<2i"), Struct("<2I")
_unpack_s8 = Struct("16b").unpack
_unpack_s16, _pack_s16 = _S16.unpack, _S16.pack
_unpack_u32, _pack_u32 = _U32.unpack, _U32.pack


def _extadd_pairwise_u(width: int) -> Unary:
    """Sums of neighbours; `width` is that of the operand's lanes."""
    even = ones(2 * width) * ((1 << width) - 1)

    def extadd_pairwise_u(a: bytes) -> bytes:
        x = to_int(a, "little")
        return ((x & even) + (x >> width & even)).to_bytes(16, "little")

    return extadd_pairwise_u


def _extadd_pairwise_s(width: int) -> Unary:
    """The same with the sign bits flipped, which adds 2**width to each sum. It is taken off by an addition that cannot carry out
    of the lane, and the sign bit."""
    even = ones(2 * width) * ((1 << width) - 1)
    signs, result_signs = highs(width), highs(2 * width)
    correction = result_signs - (ones(2 * width) << width)

    def extadd_pairwise_s(a: bytes) -> bytes:
        x = to_int(a, "little") ^ signs
        return ((x & even) + (x >> width & even) + correction ^ result_signs).to_bytes(16, "little")

    return extadd_pairwise_s


def _extmul_8(operand: Struct, result: Struct, first: int) -> Binary:
    unpack, pack = operand.unpack_from, result.pack

    def extmul(a: bytes, b: bytes) -> bytes:
        a0, a1, a2, a3, a4, a5, a6, a7 = unpack(a, first)
        b0, b1, b2, b3, b4, b5, b6, b7 = unpack(b, first)
        return pack(a0 * b0, a1 * b1, a2 * b2, a3 * b3, a4 * b4, a5 * b5, a6 * b6, a7 * b7)

    return extmul


def _extmul_16(operand: Struct, result: Struct, first: int) -> Binary:
    unpack, pack = operand.unpack_from, result.pack

    def extmul(a: bytes, b: bytes) -> bytes:
        a0, a1, a2, a3 = unpack(a, first)
        b0, b1, b2, b3 = unpack(b, first)
        return pack(a0 * b0, a1 * b1, a2 * b2, a3 * b3)

    return extmul


def _extmul_32(operand: Struct, result: Struct, first: int) -> Binary:
    unpack, pack = operand.unpack_from, result.pack

    def extmul(a: bytes, b: bytes) -> bytes:
        a0, a1 = unpack(a, first)
        b0, b1 = unpack(b, first)
        return pack(a0 * b0, a1 * b1)

    return extmul


def i32x4_dot_i16x8_s(a: bytes, b: bytes) -> bytes:
    a0, a1, a2, a3, a4, a5, a6, a7 = _unpack_s16(a)
    b0, b1, b2, b3, b4, b5, b6, b7 = _unpack_s16(b)
    return _pack_u32(
        a0 * b0 + a1 * b1 & 0xFFFF_FFFF,
        a2 * b2 + a3 * b3 & 0xFFFF_FFFF,
        a4 * b4 + a5 * b5 & 0xFFFF_FFFF,
        a6 * b6 + a7 * b7 & 0xFFFF_FFFF,
    )


def _clamped(values: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(min(value, 0x7FFF) for value in values)


def i16x8_q15mulr_sat_s(a: bytes, b: bytes) -> bytes:
    a0, a1, a2, a3, a4, a5, a6, a7 = _unpack_s16(a)
    b0, b1, b2, b3, b4, b5, b6, b7 = _unpack_s16(b)
    products = (
        a0 * b0 + 0x4000 >> 15,
        a1 * b1 + 0x4000 >> 15,
        a2 * b2 + 0x4000 >> 15,
        a3 * b3 + 0x4000 >> 15,
        a4 * b4 + 0x4000 >> 15,
        a5 * b5 + 0x4000 >> 15,
        a6 * b6 + 0x4000 >> 15,
        a7 * b7 + 0x4000 >> 15,
    )
    return _pack_s16(*(_clamped(products) if 0x8000 in products else products))  # -1.0 times -1.0 is one too large


def _dots(a: bytes, b: bytes) -> tuple[int, ...]:
    """Sums of two products of signed bytes, saturated to i16: 0x8000, which is twice -128 times -128, is the one that can pass it."""
    a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15 = _unpack_s8(a)
    b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15 = _unpack_s8(b)
    dots = (
        a0 * b0 + a1 * b1,
        a2 * b2 + a3 * b3,
        a4 * b4 + a5 * b5,
        a6 * b6 + a7 * b7,
        a8 * b8 + a9 * b9,
        a10 * b10 + a11 * b11,
        a12 * b12 + a13 * b13,
        a14 * b14 + a15 * b15,
    )
    return _clamped(dots) if 0x8000 in dots else dots


def i16x8_relaxed_dot_i8x16_i7x16_s(a: bytes, b: bytes) -> bytes:
    return _pack_s16(*_dots(a, b))


def i32x4_relaxed_dot_i8x16_i7x16_add_s(a: bytes, b: bytes, c: bytes) -> bytes:
    d0, d1, d2, d3, d4, d5, d6, d7 = _dots(a, b)
    c0, c1, c2, c3 = _unpack_u32(c)
    return _pack_u32(
        d0 + d1 + c0 & 0xFFFF_FFFF,
        d2 + d3 + c1 & 0xFFFF_FFFF,
        d4 + d5 + c2 & 0xFFFF_FFFF,
        d6 + d7 + c3 & 0xFFFF_FFFF,
    )


# Narrowing: both operands as one integer of 256 bits with lanes of `width`; the result is the lower half of each lane.


def _lower_halves(width: int) -> bytes:
    half = width // 16
    return b"".join(bytes(range(at, at + half)) for at in range(0, 32, 2 * half))


def _narrow_s(width: int) -> Binary:
    half = width // 2
    one, high, low = ones(width, 256), highs(width, 256), lows(width, 256)
    bias = one << half - 1  # makes what fits 0 … 2**half - 1
    upper = high - (one << half)  # the upper half of a lane, less its sign bit
    greatest = bias - one
    halves = _lower_halves(width)
    sign, above = width - 1, width - half - 1

    def narrow_s(a: bytes, b: bytes) -> bytes:
        x = to_int(a + b, "little")
        s = (x & low) + bias ^ x & high
        c = ((s & upper) + upper | s) & high  # something in the upper half: does not fit
        if c:
            limit = (x >> sign & one) + greatest
            x ^= (x ^ limit) & (c >> above) - (c >> sign)
        return halves.translate(x.to_bytes(32, "little").ljust(256))

    return narrow_s


def _narrow_u(width: int) -> Binary:
    half = width // 2
    one, high = ones(width, 256), highs(width, 256)
    full = (1 << half) - 1
    upper = high - (one << half)
    halves = _lower_halves(width)
    sign = width - 1

    def narrow_u(a: bytes, b: bytes) -> bytes:
        x = to_int(a + b, "little")
        if x & (high | upper):
            over = ((x & upper) + upper >> sign & one) * full
            negative = (x >> sign & one) * full
            x = (x | over | negative) ^ negative
        return halves.translate(x.to_bytes(32, "little").ljust(256))

    return narrow_u


WIDTHS: Final[dict[str, Callable[..., bytes]]] = {
    "i16x8.extadd_pairwise_i8x16_s": _extadd_pairwise_s(8),
    "i16x8.extadd_pairwise_i8x16_u": _extadd_pairwise_u(8),
    "i32x4.extadd_pairwise_i16x8_s": _extadd_pairwise_s(16),
    "i32x4.extadd_pairwise_i16x8_u": _extadd_pairwise_u(16),
    "i16x8.extmul_low_i8x16_s": _extmul_8(_S8, _S16, 0),
    "i16x8.extmul_high_i8x16_s": _extmul_8(_S8, _S16, 8),
    "i16x8.extmul_low_i8x16_u": _extmul_8(_U8, _U16, 0),
    "i16x8.extmul_high_i8x16_u": _extmul_8(_U8, _U16, 8),
    "i32x4.extmul_low_i16x8_s": _extmul_16(_HALF_S16, _S32, 0),
    "i32x4.extmul_high_i16x8_s": _extmul_16(_HALF_S16, _S32, 8),
    "i32x4.extmul_low_i16x8_u": _extmul_16(_HALF_U16, _U32, 0),
    "i32x4.extmul_high_i16x8_u": _extmul_16(_HALF_U16, _U32, 8),
    "i64x2.extmul_low_i32x4_s": _extmul_32(_HALF_S32, _S64, 0),
    "i64x2.extmul_high_i32x4_s": _extmul_32(_HALF_S32, _S64, 8),
    "i64x2.extmul_low_i32x4_u": _extmul_32(_HALF_U32, _U64, 0),
    "i64x2.extmul_high_i32x4_u": _extmul_32(_HALF_U32, _U64, 8),
    "i32x4.dot_i16x8_s": i32x4_dot_i16x8_s,
    "i16x8.q15mulr_sat_s": i16x8_q15mulr_sat_s,
    "i16x8.relaxed_q15mulr_s": i16x8_q15mulr_sat_s,
    "i16x8.relaxed_dot_i8x16_i7x16_s": i16x8_relaxed_dot_i8x16_i7x16_s,
    "i32x4.relaxed_dot_i8x16_i7x16_add_s": i32x4_relaxed_dot_i8x16_i7x16_add_s,
    "i8x16.narrow_i16x8_s": _narrow_s(16),
    "i8x16.narrow_i16x8_u": _narrow_u(16),
    "i16x8.narrow_i32x4_s": _narrow_s(32),
    "i16x8.narrow_i32x4_u": _narrow_u(32),
}
"""Function of each instruction that changes the width of integer lanes and is no plain extension, by its name."""
