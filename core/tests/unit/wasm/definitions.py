"""Definitions of the specification in exact or plain arithmetic, for tests to compare with."""

from __future__ import annotations

import struct
from fractions import Fraction
from math import copysign, inf, isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_CODES = {8: "B", 16: "H", 32: "I", 64: "Q"}
_F32_LEAST_EXPONENT = -149
_F64_LEAST_EXPONENT = -1074


def nearest_float(exact: Fraction, precision: int, least_exponent: int, overflow: int) -> float:
    """The number with so many bits that is nearest to a rational, ties to even: the definition, in exact arithmetic."""
    if not exact:
        return 0.0
    magnitude = abs(exact)
    exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length() - precision - 1
    while magnitude / Fraction(2) ** exponent >= 1 << precision:
        exponent += 1
    exponent = max(exponent, least_exponent)
    mantissa = round(magnitude / Fraction(2) ** exponent)  # Python rounds ties of rationals to even
    rounded = mantissa * Fraction(2) ** exponent
    result = inf if rounded >= 1 << overflow else float(rounded)
    return -result if exact < 0 else result


def nearest_f32(exact: Fraction) -> float:
    return nearest_float(exact, 24, _F32_LEAST_EXPONENT, 128)


def nearest_f64(exact: Fraction) -> float:
    return nearest_float(exact, 53, _F64_LEAST_EXPONENT, 1024)


def same(a: float, b: float) -> bool:
    """Equal, or both NaN; 0.0 and -0.0 are different."""
    return (isnan(a) and isnan(b)) or (a == b and copysign(1, a) == copysign(1, b))


def signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value


def saturated(value: int, bits: int, is_signed: bool) -> int:
    least, greatest = (-(1 << bits - 1), (1 << bits - 1) - 1) if is_signed else (0, (1 << bits) - 1)
    return min(max(value, least), greatest)


def lanes_of(vector: bytes, bits: int) -> tuple[int, ...]:
    """Lanes as unsigned integers."""
    return struct.unpack(f"<{128 // bits}{_CODES[bits]}", vector)


def vector_of(lanes: Sequence[int], bits: int) -> bytes:
    """A vector, or half of one, of integers modulo 2**bits."""
    return struct.pack(f"<{len(lanes)}{_CODES[bits]}", *(lane % (1 << bits) for lane in lanes))
