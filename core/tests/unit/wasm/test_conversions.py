from __future__ import annotations

from fractions import Fraction
from math import inf, isfinite, isnan, nan

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.tests.unit.wasm.definitions import nearest_f32, nearest_f64, signed
from core.tests.unit.wasm.operands import f64, i32, i64
from purewasm import traps
from purewasm.errors import Trap
from purewasm.wasm.conversions import CONVERSIONS
from purewasm.wasm.float_bits import f32_from_bits, f32_to_bits, f64_from_bits, f64_to_bits, round_f32


def limits(bits: int, sign: str) -> tuple[int, int]:
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if sign == "s" else (0, (1 << bits) - 1)


@pytest.mark.parametrize("kind", ["f32", "f64"])
@pytest.mark.parametrize("sign", ["s", "u"])
@pytest.mark.parametrize("bits", [32, 64])
@given(value=f64)
@example(value=-0.9999999999999999)
@example(value=-1.0)
@example(value=-2147483648.9)
@example(value=2147483647.9)
@example(value=-2147483649.0)
@example(value=4294967295.9)
@example(value=-(2.0**63))
@example(value=-(2.0**63) - 2048)
def test_truncation(bits: int, sign: str, kind: str, value: float) -> None:
    if kind == "f32":
        value = round_f32(value)
    least, greatest = limits(bits, sign)
    trapping, saturating = CONVERSIONS[f"i{bits}.trunc_{kind}_{sign}"], CONVERSIONS[f"i{bits}.trunc_sat_{kind}_{sign}"]
    mask = (1 << bits) - 1
    exact = Fraction(value).__trunc__() if isfinite(value) else None
    if exact is not None and least <= exact <= greatest:
        assert exact & mask == trapping(value) == saturating(value)
        return
    with pytest.raises(Trap, match=traps.INVALID_CONVERSION if isnan(value) else traps.INTEGER_OVERFLOW):
        trapping(value)
    assert (0 if isnan(value) else greatest if value > 0 else least) & mask == saturating(value)


@given(i32)
def test_i32_to_floats(a: int) -> None:
    assert CONVERSIONS["f64.convert_i32_s"](a) == signed(a, 32)
    assert CONVERSIONS["f64.convert_i32_u"](a) == a
    assert CONVERSIONS["f32.convert_i32_s"](a) == nearest_f32(Fraction(signed(a, 32)))
    assert CONVERSIONS["f32.convert_i32_u"](a) == nearest_f32(Fraction(a))


# Integers just beside the middle of two f32 numbers, where rounding to f64 first goes wrong.
near_ties = st.builds(
    lambda mantissa, shift, low: ((mantissa << 1 | 1) << shift) + low,
    st.integers(1 << 23, (1 << 24) - 1),
    st.integers(0, 38),
    st.integers(-2, 2),
)


@given(i64 | near_ties.map(lambda n: n % (1 << 64)) | near_ties.map(lambda n: -n % (1 << 64)))
@example(9007199791611905)  # 2**53 + 2**29 + 1
@example(0x7FFF_FF40_0000_0001)
def test_i64_to_floats(a: int) -> None:
    assert CONVERSIONS["f64.convert_i64_s"](a) == nearest_f64(Fraction(signed(a, 64)))
    assert CONVERSIONS["f64.convert_i64_u"](a) == nearest_f64(Fraction(a))
    assert CONVERSIONS["f32.convert_i64_s"](a) == nearest_f32(Fraction(signed(a, 64)))
    assert CONVERSIONS["f32.convert_i64_u"](a) == nearest_f32(Fraction(a))


def test_demotion_and_promotion_of_nan() -> None:
    demote, promote = CONVERSIONS["f32.demote_f64"], CONVERSIONS["f64.promote_f32"]
    assert f32_to_bits(demote(nan)) == 0x7FC0_0000
    assert f32_to_bits(demote(f64_from_bits(0x7FF0_0000_0000_0001))) & 0x7FC0_0000 == 0x7FC0_0000
    assert f64_to_bits(promote(f32_from_bits(0xFFC0_0000))) == 0xFFF8_0000_0000_0000
    assert f64_to_bits(promote(f32_from_bits(0x7F80_0001))) & 0x7FF8_0000_0000_0000 == 0x7FF8_0000_0000_0000
    assert (demote(1e300), demote(-inf), promote(-inf)) == (inf, -inf, -inf)
    assert str(promote(-0.0)) == str(demote(-0.0)) == str(demote(-1e-300)) == "-0.0"


@given(i32, i64)
def test_reinterpretation_is_exact(a: int, b: int) -> None:
    assert a == CONVERSIONS["i32.reinterpret_f32"](CONVERSIONS["f32.reinterpret_i32"](a))
    assert b == CONVERSIONS["i64.reinterpret_f64"](CONVERSIONS["f64.reinterpret_i64"](b))
