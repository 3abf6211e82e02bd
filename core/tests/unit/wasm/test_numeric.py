from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tests.unit.wasm.operands import operands
from purewasm.errors import Trap
from purewasm.wasm.float_bits import f32_from_bytes, f32_to_bytes
from purewasm.wasm.numeric import NUMERIC
from purewasm.wasm.opcodes import BY_CODE, CODE, FAMILIES
from purewasm.wasm.opcodes.immediates import NONE

ROWS = FAMILIES["numeric"]


def is_raw(letter: str, value: object) -> bool:
    """Whether a value is in the one form that raw values of this type have."""
    if letter in "iI":
        return type(value) is int and 0 <= value < 1 << (32 if letter == "i" else 64)
    if letter == "f":
        # The bits of an f32 NaN and of its raw form differ, so compare with repr, which tells -0.0 from 0.0.
        return type(value) is float and repr(f32_from_bytes(f32_to_bytes(value))) == repr(value)
    if letter == "F":
        return type(value) is float
    return type(value) is bytes and len(value) == 16


def test_every_row_of_the_family_has_a_function_and_nothing_else_has() -> None:
    assert set(NUMERIC) == {row[0] for row in ROWS}


@pytest.mark.parametrize("code", [row[0] for row in ROWS if row[2] == NONE], ids=lambda code: BY_CODE[code][1])
@settings(max_examples=20)
@given(data=st.data())
def test_results_are_raw_values(code: int, data: st.DataObject) -> None:
    _, name, _, signature, _, _ = BY_CODE[code]
    params, _, results = signature.partition(">")
    try:
        result = NUMERIC[code](*data.draw(operands(name, params)))
    except Trap:
        return
    values = result if isinstance(result, tuple) else (result,)
    assert len(values) == len(results)
    assert all(map(is_raw, results, values))


def test_constants_take_the_immediate_that_the_decoder_makes() -> None:
    assert NUMERIC[CODE["i32.const"]](0xFFFF_FFFF) == 0xFFFF_FFFF
    assert NUMERIC[CODE["i64.const"]](1 << 63) == 1 << 63
    assert NUMERIC[CODE["f32.const"]](b"\0\0\x80\x3f") == 1.0
    assert NUMERIC[CODE["f64.const"]](b"\0\0\0\0\0\0\xf0\xbf") == -1.0
