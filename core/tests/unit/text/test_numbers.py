"""Numbers are exact, and rounded once."""

from __future__ import annotations

from fractions import Fraction
from struct import pack, unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purewasm.text.numbers import F32, F64, FloatFormat, NotANumberError, is_number, parse_float, parse_integer, parse_unsigned


@pytest.mark.parametrize(
    ("token", "value"),
    [("0", 0), ("00", 0), ("1_000", 1000), ("0xff", 255), ("0xF_f", 255), ("-1", 2**32 - 1), ("+7", 7), ("-0x8000_0000", 2**31)],
)
def test_integers(token: str, value: int) -> None:
    assert parse_integer(token, 32) == value


@pytest.mark.parametrize("token", ["4294967296", "-2147483649", "0x1_0000_0000", "1" * 5000, "-0x" + "f" * 5000])
def test_integers_out_of_range(token: str) -> None:
    with pytest.raises(ValueError, match=r"\Aconstant out of range") as caught:
        parse_integer(token, 32)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("token", ["", "-", "+", "0x", "1_", "_1", "1__0", "0x_1", "0X1", "1.0", "nan", "a", "\u0661", " 1"])
def test_what_is_no_integer(token: str) -> None:
    with pytest.raises(NotANumberError):
        parse_integer(token, 32)


def test_an_unsigned_integer_has_no_sign_and_names_its_type() -> None:
    assert parse_unsigned("0" * 5000 + "255", 8) == 255
    with pytest.raises(ValueError, match=r"\Ai8 constant out of range: 256"):
        parse_unsigned("256", 8)
    for token in ("-1", "+1"):
        with pytest.raises(NotANumberError):
            parse_unsigned(token, 8)


@pytest.mark.parametrize("token", ["1", "-1.5", "1.", "1e5", "1.e-5", "0x1p3", "0x1.8p+3", "inf", "-inf", "nan", "+nan:0x1", "1_0.0_1e1_0"])
def test_these_are_numbers(token: str) -> None:
    assert is_number(token)


@pytest.mark.parametrize("token", ["", ".5", "1e", "0x.8", "0x1p", "nan:1", "nan:0x", "infinity", "1_.0", "e5", "NaN", "nan:canonical"])
def test_these_are_not(token: str) -> None:
    assert not is_number(token)
    with pytest.raises(ValueError):
        parse_float(token or "x", F64)


@pytest.mark.parametrize(
    ("token", "form", "bits"),
    [
        ("0", F32, 0),
        ("-0", F32, 0x8000_0000),
        ("1", F32, 0x3F80_0000),
        ("0x1.8p1", F32, 0x4040_0000),
        ("inf", F32, 0x7F80_0000),
        ("-inf", F64, 0xFFF0_0000_0000_0000),
        ("nan", F32, 0x7FC0_0000),
        ("-nan:0x1", F32, 0xFF80_0001),
        ("nan:0xf_ffff_ffff_ffff", F64, 0x7FFF_FFFF_FFFF_FFFF),
        ("0x1p-149", F32, 1),
        ("0x1p-150", F32, 0),  # a tie goes to the even one
        ("0x1.000001p-150", F32, 1),
        ("0x1p-1074", F64, 1),
        ("0x1.fffffefffffff8000000p127", F32, 0x7F7F_FFFF),
        ("340282356779733661637539395458142568447", F32, 0x7F7F_FFFF),
        ("0x0p999999999999999999999", F64, 0),
        ("0x1p-999999999999999999999", F64, 0),
        ("1e-999999999999999999999", F64, 0),
        ("0x" + "0" * 5000 + "1", F64, 0x3FF0_0000_0000_0000),
        # above and below the middle of two f32s, by less than an f64 can tell
        ("1.00000005960464477539062500000000000000000000000001", F32, 0x3F80_0001),
        ("1.000000059604644775390625", F32, 0x3F80_0000),
        ("1.00000017881393432617187499999999999999999999999999", F32, 0x3F80_0001),
        ("1.000000178813934326171875", F32, 0x3F80_0002),
    ],
)
def test_floats(token: str, form: FloatFormat, bits: int) -> None:
    assert parse_float(token, form) == bits


@pytest.mark.parametrize(
    ("token", "form"),
    [
        ("0x1p128", F32), ("1e39", F32), ("340282356779733661637539395458142568448", F32), ("0x1.ffffffp127", F32),
        ("0x1p1024", F64), ("1e309", F64), ("-0x1p99999999999999999999", F64), ("nan:0x0", F32), ("nan:0x80_0000", F32),
        ("nan:0x10_0000_0000_0000", F64),
    ],
)  # fmt: skip
def test_floats_out_of_range(token: str, form: FloatFormat) -> None:
    with pytest.raises(ValueError, match=r"\Aconstant out of range"):
        parse_float(token, form)


@given(st.integers(0, 2**64 - 1))
def test_every_f64_is_read_back_from_its_decimal_and_hexadecimal_text(bits: int) -> None:
    value = unpack("<d", pack("<Q", bits))[0]
    if abs(value) < float("inf"):
        assert parse_float(repr(value), F64) == bits
        assert parse_float(value.hex(), F64) == bits


@given(st.integers(0, 0x7F7F_FFFE), st.integers(-1, 1), st.integers(30, 200))
def test_an_f32_is_rounded_once_however_near_the_middle_it_is(bits: int, side: int, digits: int) -> None:
    low, high = (Fraction(unpack("<f", pack("<I", b))[0]) for b in (bits, bits + 1))
    middle = (low + high) / 2
    # the middle has a finite decimal text: its denominator is a power of two
    shift = middle.denominator.bit_length() - 1
    scaled = middle.numerator * 5**shift * 10**digits + side
    expected = bits + (bits & 1 if side == 0 else side > 0)
    assert parse_float(f"{scaled}e-{shift + digits}", F32) == expected
