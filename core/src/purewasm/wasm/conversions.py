"""Conversions between integers and floating-point numbers (spec: conversions).

The truncations raise `Trap` for what the integer type cannot hold; the saturating ones clamp, and make 0 of a NaN.
"""

from __future__ import annotations

from purewasm import traps
from purewasm.errors import Trap
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.float_bits import f32_from_bits, f32_to_bits, f64_from_bits, f64_to_bits, round_f32

if TYPE_CHECKING:
    from collections.abc import Callable

_S32: Final = 1 << 31
_S64: Final = 1 << 63
_F64_EXACT: Final = 1 << 53
"""Below this every integer is an f64."""

# (low, high) of each integer type: the f64 numbers strictly between them are those whose integer part fits. The low bound of
# i64 is the f64 below the least integer, the others are the integer below it.
_BOUNDS: Final = {
    (32, "s"): (-2147483649.0, 2147483648.0),
    (32, "u"): (-1.0, 4294967296.0),
    (64, "s"): (-9223372036854777856.0, 9223372036854775808.0),
    (64, "u"): (-1.0, 18446744073709551616.0),
}


def _truncation(bits: int, sign: str) -> Callable[[float], int]:
    low, high = _BOUNDS[bits, sign]
    mask = (1 << bits) - 1

    def truncate(a: float) -> int:
        if low < a < high:
            return int(a) & mask
        raise Trap(traps.INTEGER_OVERFLOW if a == a else traps.INVALID_CONVERSION)

    return truncate


def saturating_truncation(bits: int, sign: str) -> Callable[[float], int]:
    low, high = _BOUNDS[bits, sign]
    mask = (1 << bits) - 1
    least, greatest = (1 << bits - 1, mask >> 1) if sign == "s" else (0, mask)

    def truncate_saturating(a: float) -> int:
        if low < a < high:
            return int(a) & mask
        if a >= high:
            return greatest
        return least if a <= low else 0

    return truncate_saturating


def f32_convert_i32_s(a: int) -> float:
    return round_f32((a ^ _S32) - _S32)


def f32_convert_i32_u(a: int) -> float:
    return round_f32(a)


def _round_i64(a: int) -> float:
    """f32 of an integer of at most 64 bits. Rounding to f64 first would round twice: what f64 would cut off becomes one sticky
    bit (rounding to odd)."""
    if -_F64_EXACT <= a <= _F64_EXACT:
        return round_f32(a)
    return round_f32((a >> 11 | (1 if a & 0x7FF else 0)) << 11)


def f32_convert_i64_s(a: int) -> float:
    return _round_i64((a ^ _S64) - _S64)


def f32_convert_i64_u(a: int) -> float:
    return _round_i64(a)


def f32_demote_f64(a: float) -> float:
    return round_f32(a)


def f64_convert_i32_s(a: int) -> float:
    return float((a ^ _S32) - _S32)


def f64_convert_i64_s(a: int) -> float:
    return float((a ^ _S64) - _S64)


def f64_convert_u(a: int) -> float:
    return float(a)


def f64_promote_f32(a: float) -> float:
    return a * 1.0  # makes a NaN quiet


CONVERSIONS: Final[dict[str, Callable[..., int | float]]] = {
    **{f"i{bits}.trunc_{f}_{sign}": _truncation(bits, sign) for bits, sign in _BOUNDS for f in ("f32", "f64")},
    **{f"i{bits}.trunc_sat_{f}_{sign}": saturating_truncation(bits, sign) for bits, sign in _BOUNDS for f in ("f32", "f64")},
    "f32.convert_i32_s": f32_convert_i32_s,
    "f32.convert_i32_u": f32_convert_i32_u,
    "f32.convert_i64_s": f32_convert_i64_s,
    "f32.convert_i64_u": f32_convert_i64_u,
    "f32.demote_f64": f32_demote_f64,
    "f64.convert_i32_s": f64_convert_i32_s,
    "f64.convert_i32_u": f64_convert_u,
    "f64.convert_i64_s": f64_convert_i64_s,
    "f64.convert_i64_u": f64_convert_u,
    "f64.promote_f32": f64_promote_f32,
    "i32.reinterpret_f32": f32_to_bits,
    "i64.reinterpret_f64": f64_to_bits,
    "f32.reinterpret_i32": f32_from_bits,
    "f64.reinterpret_i64": f64_from_bits,
}
"""Function of each conversion from or to a floating-point type, by its name."""
