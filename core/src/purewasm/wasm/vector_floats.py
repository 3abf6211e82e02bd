"""Arithmetic on floating-point lanes, and rounding (spec: vector operations).

The lanes of an f32x4 are unpacked to Python floats, which makes a signalling NaN quiet: right for arithmetic, while the
instructions that must keep bits (`neg`, `abs`, `pmin`, `pmax`) work on integers where it matters. The f32 arithmetic of `floats`
applies: f64 arithmetic, rounded when the lanes are packed. An f64x2 keeps every bit.

Relaxed instructions do what the deterministic profile says: `relaxed_madd` rounds the product and the sum (`mulps`, `addps`;
it is not fused), `relaxed_nmadd` takes the rounded product from the third operand, `relaxed_min` and `relaxed_max` are `min` and
`max`.
"""

from __future__ import annotations

from math import sqrt
from struct import Struct

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import floats
from purewasm.wasm.float_bits import f32_packer
from purewasm.wasm.vector_bits import to_int

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.wasm.vector_bits import Binary, Unary

_unpack_f32 = Struct("<4f").unpack
_pack_f32 = f32_packer(4)
_unpack_u32 = Struct("<4I").unpack
_pack_u32 = Struct("<4I").pack
_unpack_f64 = Struct("<2d").unpack
_pack_f64 = Struct("<2d").pack

_SIGNS_32: Final = 0x80000000_80000000_80000000_80000000
_SIGNS_64: Final = 0x80000000_00000000_80000000_00000000
_REST_32: Final = 0x7FFFFFFF_7FFFFFFF_7FFFFFFF_7FFFFFFF
_REST_64: Final = 0x7FFFFFFF_FFFFFFFF_7FFFFFFF_FFFFFFFF


# Signs


def f32x4_neg(a: bytes) -> bytes:
    return (to_int(a, "little") ^ _SIGNS_32).to_bytes(16, "little")


def f64x2_neg(a: bytes) -> bytes:
    return (to_int(a, "little") ^ _SIGNS_64).to_bytes(16, "little")


def f32x4_abs(a: bytes) -> bytes:
    return (to_int(a, "little") & _REST_32).to_bytes(16, "little")


def f64x2_abs(a: bytes) -> bytes:
    return (to_int(a, "little") & _REST_64).to_bytes(16, "little")


# Arithmetic


def f32x4_add(a: bytes, b: bytes) -> bytes:
    a0, a1, a2, a3 = _unpack_f32(a)
    b0, b1, b2, b3 = _unpack_f32(b)
    return _pack_f32(a0 + b0, a1 + b1, a2 + b2, a3 + b3)


def f64x2_add(a: bytes, b: bytes) -> bytes:
    a0, a1 = _unpack_f64(a)
    b0, b1 = _unpack_f64(b)
    return _pack_f64(a0 + b0, a1 + b1)


def f32x4_sub(a: bytes, b: bytes) -> bytes:
    a0, a1, a2, a3 = _unpack_f32(a)
    b0, b1, b2, b3 = _unpack_f32(b)
    return _pack_f32(a0 - b0, a1 - b1, a2 - b2, a3 - b3)


def f64x2_sub(a: bytes, b: bytes) -> bytes:
    a0, a1 = _unpack_f64(a)
    b0, b1 = _unpack_f64(b)
    return _pack_f64(a0 - b0, a1 - b1)


def f32x4_mul(a: bytes, b: bytes) -> bytes:
    a0, a1, a2, a3 = _unpack_f32(a)
    b0, b1, b2, b3 = _unpack_f32(b)
    return _pack_f32(a0 * b0, a1 * b1, a2 * b2, a3 * b3)


def f64x2_mul(a: bytes, b: bytes) -> bytes:
    a0, a1 = _unpack_f64(a)
    b0, b1 = _unpack_f64(b)
    return _pack_f64(a0 * b0, a1 * b1)


def f32x4_div(a: bytes, b: bytes) -> bytes:
    a0, a1, a2, a3 = _unpack_f32(a)
    b0, b1, b2, b3 = _unpack_f32(b)
    try:
        return _pack_f32(a0 / b0, a1 / b1, a2 / b2, a3 / b3)
    except ZeroDivisionError:
        return _f32x4_div_by_zero(a, b)


def f64x2_div(a: bytes, b: bytes) -> bytes:
    a0, a1 = _unpack_f64(a)
    b0, b1 = _unpack_f64(b)
    try:
        return _pack_f64(a0 / b0, a1 / b1)
    except ZeroDivisionError:
        return _f64x2_div_by_zero(a, b)


def f32x4_sqrt(a: bytes) -> bytes:
    a0, a1, a2, a3 = _unpack_f32(a)
    try:
        return _pack_f32(sqrt(a0), sqrt(a1), sqrt(a2), sqrt(a3))
    except ValueError:
        return _f32x4_sqrt_of_negative(a)


def f64x2_sqrt(a: bytes) -> bytes:
    a0, a1 = _unpack_f64(a)
    try:
        return _pack_f64(sqrt(a0), sqrt(a1))
    except ValueError:
        return _f64x2_sqrt_of_negative(a)


def f32x4_relaxed_madd(a: bytes, b: bytes, c: bytes) -> bytes:
    return f32x4_add(f32x4_mul(a, b), c)


def f64x2_relaxed_madd(a: bytes, b: bytes, c: bytes) -> bytes:
    return f64x2_add(f64x2_mul(a, b), c)


def f32x4_relaxed_nmadd(a: bytes, b: bytes, c: bytes) -> bytes:
    return f32x4_sub(c, f32x4_mul(a, b))


def f64x2_relaxed_nmadd(a: bytes, b: bytes, c: bytes) -> bytes:
    return f64x2_sub(c, f64x2_mul(a, b))


# Lane by lane, with the functions of `floats`


def _f32x4_unary(function: Callable[[float], float]) -> Unary:
    def unary(a: bytes) -> bytes:
        a0, a1, a2, a3 = _unpack_f32(a)
        return _pack_f32(function(a0), function(a1), function(a2), function(a3))

    return unary


def _f64x2_unary(function: Callable[[float], float]) -> Unary:
    def unary(a: bytes) -> bytes:
        a0, a1 = _unpack_f64(a)
        return _pack_f64(function(a0), function(a1))

    return unary


def _f32x4_binary(function: Callable[[float, float], float]) -> Binary:
    def binary(a: bytes, b: bytes) -> bytes:
        a0, a1, a2, a3 = _unpack_f32(a)
        b0, b1, b2, b3 = _unpack_f32(b)
        return _pack_f32(function(a0, b0), function(a1, b1), function(a2, b2), function(a3, b3))

    return binary


def _f64x2_binary(function: Callable[[float, float], float]) -> Binary:
    def binary(a: bytes, b: bytes) -> bytes:
        a0, a1 = _unpack_f64(a)
        b0, b1 = _unpack_f64(b)
        return _pack_f64(function(a0, b0), function(a1, b1))

    return binary


_f32x4_div_by_zero = _f32x4_binary(floats.f64_div)
_f64x2_div_by_zero = _f64x2_binary(floats.f64_div)
_f32x4_sqrt_of_negative = _f32x4_unary(floats.f64_sqrt)
_f64x2_sqrt_of_negative = _f64x2_unary(floats.f64_sqrt)
_f32x4_min = _f32x4_binary(floats.minimum)
_f32x4_max = _f32x4_binary(floats.maximum)
_f64x2_min = _f64x2_binary(floats.minimum)
_f64x2_max = _f64x2_binary(floats.maximum)


# Pseudo-minimum and -maximum: one of the operands, bit for bit. The second one only where it is less (more), so it is no NaN there.


def f32x4_pmin(a: bytes, b: bytes) -> bytes:
    a0, a1, a2, a3 = _unpack_f32(a)
    b0, b1, b2, b3 = _unpack_f32(b)
    i0, i1, i2, i3 = _unpack_u32(a)
    j0, j1, j2, j3 = _unpack_u32(b)
    return _pack_u32(j0 if b0 < a0 else i0, j1 if b1 < a1 else i1, j2 if b2 < a2 else i2, j3 if b3 < a3 else i3)


def f32x4_pmax(a: bytes, b: bytes) -> bytes:
    a0, a1, a2, a3 = _unpack_f32(a)
    b0, b1, b2, b3 = _unpack_f32(b)
    i0, i1, i2, i3 = _unpack_u32(a)
    j0, j1, j2, j3 = _unpack_u32(b)
    return _pack_u32(j0 if a0 < b0 else i0, j1 if a1 < b1 else i1, j2 if a2 < b2 else i2, j3 if a3 < b3 else i3)


def f64x2_pmin(a: bytes, b: bytes) -> bytes:
    a0, a1 = _unpack_f64(a)
    b0, b1 = _unpack_f64(b)
    return _pack_f64(b0 if b0 < a0 else a0, b1 if b1 < a1 else a1)


def f64x2_pmax(a: bytes, b: bytes) -> bytes:
    a0, a1 = _unpack_f64(a)
    b0, b1 = _unpack_f64(b)
    return _pack_f64(b0 if a0 < b0 else a0, b1 if a1 < b1 else a1)


FLOAT_LANES: Final[dict[str, Callable[..., bytes]]] = {
    "f32x4.neg": f32x4_neg,
    "f64x2.neg": f64x2_neg,
    "f32x4.abs": f32x4_abs,
    "f64x2.abs": f64x2_abs,
    "f32x4.add": f32x4_add,
    "f64x2.add": f64x2_add,
    "f32x4.sub": f32x4_sub,
    "f64x2.sub": f64x2_sub,
    "f32x4.mul": f32x4_mul,
    "f64x2.mul": f64x2_mul,
    "f32x4.div": f32x4_div,
    "f64x2.div": f64x2_div,
    "f32x4.sqrt": f32x4_sqrt,
    "f64x2.sqrt": f64x2_sqrt,
    "f32x4.ceil": _f32x4_unary(floats.ceil),
    "f64x2.ceil": _f64x2_unary(floats.ceil),
    "f32x4.floor": _f32x4_unary(floats.floor),
    "f64x2.floor": _f64x2_unary(floats.floor),
    "f32x4.trunc": _f32x4_unary(floats.trunc),
    "f64x2.trunc": _f64x2_unary(floats.trunc),
    "f32x4.nearest": _f32x4_unary(floats.nearest),
    "f64x2.nearest": _f64x2_unary(floats.nearest),
    "f32x4.min": _f32x4_min,
    "f32x4.relaxed_min": _f32x4_min,
    "f64x2.min": _f64x2_min,
    "f64x2.relaxed_min": _f64x2_min,
    "f32x4.max": _f32x4_max,
    "f32x4.relaxed_max": _f32x4_max,
    "f64x2.max": _f64x2_max,
    "f64x2.relaxed_max": _f64x2_max,
    "f32x4.pmin": f32x4_pmin,
    "f64x2.pmin": f64x2_pmin,
    "f32x4.pmax": f32x4_pmax,
    "f64x2.pmax": f64x2_pmax,
    "f32x4.relaxed_madd": f32x4_relaxed_madd,
    "f64x2.relaxed_madd": f64x2_relaxed_madd,
    "f32x4.relaxed_nmadd": f32x4_relaxed_nmadd,
    "f64x2.relaxed_nmadd": f64x2_relaxed_nmadd,
}
"""Function of each instruction on floating-point lanes that is no conversion, by its name."""
