"""Conversions between integer and floating-point lanes (spec: vector operations).

The relaxed truncations do what the deterministic profile says: they saturate like the others, and make 0 of a NaN.
"""

from __future__ import annotations

from struct import Struct

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.conversions import saturating_truncation
from purewasm.wasm.float_bits import f32_packer

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.wasm.vector_bits import Unary

_unpack_f32 = Struct("<4f").unpack
_pack_f32 = f32_packer(4)
_unpack_f32_low = Struct("<2f8x").unpack
_unpack_f64 = Struct("<2d").unpack
_pack_f64 = Struct("<2d").pack
_unpack_u32 = Struct("<4I").unpack
_unpack_s32 = Struct("<4i").unpack
_unpack_u32_low = Struct("<2I8x").unpack
_unpack_s32_low = Struct("<2i8x").unpack
_pack_u32 = Struct("<4I").pack


def _i32x4_trunc_f32x4(truncate: Callable[[float], int]) -> Unary:
    def trunc(a: bytes) -> bytes:
        a0, a1, a2, a3 = _unpack_f32(a)
        return _pack_u32(truncate(a0), truncate(a1), truncate(a2), truncate(a3))

    return trunc


def _i32x4_trunc_f64x2_zero(truncate: Callable[[float], int]) -> Unary:
    def trunc_zero(a: bytes) -> bytes:
        a0, a1 = _unpack_f64(a)
        return _pack_u32(truncate(a0), truncate(a1), 0, 0)

    return trunc_zero


_trunc_s, _trunc_u = saturating_truncation(32, "s"), saturating_truncation(32, "u")
_trunc_f32x4_s, _trunc_f32x4_u = _i32x4_trunc_f32x4(_trunc_s), _i32x4_trunc_f32x4(_trunc_u)
_trunc_f64x2_s, _trunc_f64x2_u = _i32x4_trunc_f64x2_zero(_trunc_s), _i32x4_trunc_f64x2_zero(_trunc_u)


def f32x4_convert_i32x4_s(a: bytes) -> bytes:
    return _pack_f32(*_unpack_s32(a))


def f32x4_convert_i32x4_u(a: bytes) -> bytes:
    return _pack_f32(*_unpack_u32(a))


def f64x2_convert_low_i32x4_s(a: bytes) -> bytes:
    return _pack_f64(*_unpack_s32_low(a))


def f64x2_convert_low_i32x4_u(a: bytes) -> bytes:
    return _pack_f64(*_unpack_u32_low(a))


def f32x4_demote_f64x2_zero(a: bytes) -> bytes:
    a0, a1 = _unpack_f64(a)
    return _pack_f32(a0, a1, 0.0, 0.0)


def f64x2_promote_low_f32x4(a: bytes) -> bytes:
    return _pack_f64(*_unpack_f32_low(a))


VECTOR_CONVERSIONS: Final[dict[str, Unary]] = {
    "i32x4.trunc_sat_f32x4_s": _trunc_f32x4_s,
    "i32x4.trunc_sat_f32x4_u": _trunc_f32x4_u,
    "i32x4.relaxed_trunc_f32x4_s": _trunc_f32x4_s,
    "i32x4.relaxed_trunc_f32x4_u": _trunc_f32x4_u,
    "i32x4.trunc_sat_f64x2_s_zero": _trunc_f64x2_s,
    "i32x4.trunc_sat_f64x2_u_zero": _trunc_f64x2_u,
    "i32x4.relaxed_trunc_f64x2_s_zero": _trunc_f64x2_s,
    "i32x4.relaxed_trunc_f64x2_u_zero": _trunc_f64x2_u,
    "f32x4.convert_i32x4_s": f32x4_convert_i32x4_s,
    "f32x4.convert_i32x4_u": f32x4_convert_i32x4_u,
    "f64x2.convert_low_i32x4_s": f64x2_convert_low_i32x4_s,
    "f64x2.convert_low_i32x4_u": f64x2_convert_low_i32x4_u,
    "f32x4.demote_f64x2_zero": f32x4_demote_f64x2_zero,
    "f64x2.promote_low_f32x4": f64x2_promote_low_f32x4,
}
"""Function of each conversion between vectors of integers and of floating-point numbers, by its name."""
