"""Arguments and results on the command line."""

from __future__ import annotations

import math

import pytest

from purewasm.cli.values import format_result, parse_argument
from purewasm.store.values import to_raw
from purewasm.wasm import valtypes as vt
from purewasm.wasm.float_bits import f32_to_bits, f64_to_bits, round_f32


@pytest.mark.parametrize(
    ("word", "valtype", "value"),
    [
        ("42", vt.I32, 42), ("-1", vt.I32, -1), ("0xff", vt.I32, 255), ("-0x80000000", vt.I32, -(2**31)), ("4294967295", vt.I32, 2**32 - 1),
        ("0b11", vt.I32, 3), ("0o17", vt.I64, 15), ("1_000", vt.I64, 1000), ("007", vt.I32, 7), ("+5", vt.I32, 5),
        ("1.5", vt.F64, 1.5), ("-1e9", vt.F64, -1e9), ("0x1.8p3", vt.F64, 12.0), ("inf", vt.F64, math.inf), ("-inf", vt.F32, -math.inf),
        ("5", vt.F32, 5.0), (".5", vt.F64, 0.5), ("0.1", vt.F32, 0.10000000149011612), ("infinity", vt.F64, math.inf),
        ("000102030405060708090a0b0c0d0e0f", vt.V128, bytes(range(16))), ("0x" + "ff" * 16, vt.V128, b"\xff" * 16),
        ("null", vt.EXTERNREF, None), ("text", vt.EXTERNREF, "text"), ("null", vt.FUNCREF, None), ("null", vt.ANYREF, None),
    ],
)  # fmt: skip
def test_arguments(word: str, valtype: int, value: object) -> None:
    assert parse_argument(word, valtype) == value


@pytest.mark.parametrize(
    ("word", "valtype", "bits"),
    [("nan", vt.F64, 0x7FF8 << 48), ("-nan", vt.F64, 0xFFF8 << 48), ("nan:0x123", vt.F64, (0x7FF << 52) | 0x123)],
)
def test_nans(word: str, valtype: int, bits: int) -> None:
    value = parse_argument(word, valtype)
    assert isinstance(value, float)
    assert f64_to_bits(value) == bits
    assert format_result(value, valtype) == word


def test_a_nan_of_f32() -> None:
    value = parse_argument("nan:0x200000", vt.F32)
    raw = to_raw(vt.F32)(value)
    assert isinstance(raw, float)
    assert f32_to_bits(raw) == 0x7FA00000
    assert format_result(raw, vt.F32) == "nan:0x200000"


@pytest.mark.parametrize(
    ("word", "valtype"),
    [("", vt.I32), ("1.5", vt.I32), ("x", vt.I64), ("", vt.F64), ("one", vt.F32), ("00", vt.V128), ("zz" * 16, vt.V128), ("f", vt.FUNCREF)],
)
def test_words_that_are_no_value(word: str, valtype: int) -> None:
    with pytest.raises(ValueError, match=r"expected .*, got"):
        parse_argument(word, valtype)


@pytest.mark.parametrize(("word", "valtype"), [("4294967296", vt.I32), ("-2147483649", vt.I32), ("1e400", vt.F64), ("1e39", vt.F32)])
def test_numbers_that_do_not_fit(word: str, valtype: int) -> None:
    with pytest.raises(OverflowError):
        parse_argument(word, valtype)


def test_null_where_it_is_not_allowed() -> None:
    with pytest.raises(TypeError, match="expected"):
        parse_argument("null", vt.ref_type(vt.FUNC, False))


@pytest.mark.parametrize(
    ("value", "valtype", "text"),
    [
        (-1, vt.I32, "-1"), (0.1, vt.F64, "0.1"), (round_f32(0.1), vt.F32, "0.1"), (round_f32(1 / 3), vt.F32, "0.33333334"),
        (1.0, vt.F32, "1.0"), (3.4028234663852886e38, vt.F32, "3.4028235e+38"), (-0.0, vt.F32, "-0.0"), (-math.inf, vt.F32, "-inf"),
        (16777216.0, vt.F32, "16777216.0"), (bytes(range(16)), vt.V128, "000102030405060708090a0b0c0d0e0f"), (None, vt.EXTERNREF, "null"),
        ("text", vt.EXTERNREF, "'text'"), (b"ab", vt.EXTERNREF, "b'ab'"),
    ],
)  # fmt: skip
def test_results(value: object, valtype: int, text: str) -> None:
    assert format_result(value, valtype) == text
