"""Each instruction against the scalar one, and what is not lane by lane against its definition."""

from __future__ import annotations

import struct
from math import isnan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tests.unit.wasm.definitions import lanes_of, vector_of
from core.tests.unit.wasm.operands import v128
from purewasm.wasm.float_bits import f32_from_bits, f32_to_bits, f64_from_bits, f64_to_bits
from purewasm.wasm.floats import FLOATS
from purewasm.wasm.vector_floats import FLOAT_LANES

UNARY = ("abs", "neg", "sqrt", "ceil", "floor", "trunc", "nearest")
BINARY = ("add", "sub", "mul", "div", "min", "max")
shapes = pytest.mark.parametrize("shape", ["f32x4", "f64x2"])

few = settings(max_examples=40)


def numbers(vector: bytes, shape: str) -> list[float]:
    return list(map(f32_from_bits, lanes_of(vector, 32)) if shape == "f32x4" else map(f64_from_bits, lanes_of(vector, 64)))


def packed(values: list[float], shape: str) -> bytes:
    return vector_of(list(map(f32_to_bits, values)), 32) if shape == "f32x4" else vector_of(list(map(f64_to_bits, values)), 64)


def is_same(expected: list[float], actual: list[float]) -> bool:
    """Bit for bit; a NaN may be another NaN."""
    return all(f64_to_bits(a) == f64_to_bits(b) or (isnan(a) and isnan(b)) for a, b in zip(expected, actual, strict=True))


def test_each_instruction_is_tested_here() -> None:
    rest = ("pmin", "pmax", "relaxed_min", "relaxed_max", "relaxed_madd", "relaxed_nmadd")
    assert {name.partition(".")[2] for name in FLOAT_LANES} == {*UNARY, *BINARY, *rest}


@shapes
@pytest.mark.parametrize("operation", UNARY)
@few
@given(data=st.data())
def test_unary(shape: str, operation: str, data: st.DataObject) -> None:
    a = data.draw(v128(shape))
    result = FLOAT_LANES[f"{shape}.{operation}"](a)
    scalar = [FLOATS[f"{shape[:3]}.{operation}"](lane) for lane in numbers(a, shape)]
    assert result == packed(scalar, shape) if operation in ("abs", "neg") else is_same(scalar, numbers(result, shape))


@shapes
@pytest.mark.parametrize("operation", [*BINARY, "relaxed_min", "relaxed_max"])
@few
@given(data=st.data())
def test_binary(shape: str, operation: str, data: st.DataObject) -> None:
    a, b = data.draw(v128(shape)), data.draw(v128(shape))
    function = FLOATS[f"{shape[:3]}.{operation.removeprefix('relaxed_')}"]
    scalar = [function(x, y) for x, y in zip(numbers(a, shape), numbers(b, shape), strict=True)]
    assert is_same(scalar, numbers(FLOAT_LANES[f"{shape}.{operation}"](a, b), shape))


@shapes
@few
@given(data=st.data())
def test_pseudo_minimum_and_maximum_are_one_of_the_operands(shape: str, data: st.DataObject) -> None:
    a, b = data.draw(v128(shape)), data.draw(v128(shape))
    pairs = list(zip(numbers(a, shape), numbers(b, shape), strict=True))
    assert FLOAT_LANES[f"{shape}.pmin"](a, b) == packed([y if y < x else x for x, y in pairs], shape)
    assert FLOAT_LANES[f"{shape}.pmax"](a, b) == packed([y if x < y else x for x, y in pairs], shape)


@shapes
@few
@given(data=st.data())
def test_relaxed_multiply_add_is_two_instructions(shape: str, data: st.DataObject) -> None:
    a, b, c = (data.draw(v128(shape)) for _ in range(3))
    mul, add = FLOATS[f"{shape[:3]}.mul"], FLOATS[f"{shape[:3]}.add"]
    lanes = list(zip(numbers(a, shape), numbers(b, shape), numbers(c, shape), strict=True))
    assert is_same([add(mul(x, y), z) for x, y, z in lanes], numbers(FLOAT_LANES[f"{shape}.relaxed_madd"](a, b, c), shape))
    assert is_same([add(mul(-x, y), z) for x, y, z in lanes], numbers(FLOAT_LANES[f"{shape}.relaxed_nmadd"](a, b, c), shape))


def test_lanes_too_large_for_f32_become_infinite() -> None:
    most = struct.pack("<4f", *[3e38] * 4)
    assert FLOAT_LANES["f32x4.add"](most, most) == struct.pack("<4f", *[float("inf")] * 4)


def test_one_lane_divided_by_zero_leaves_the_others() -> None:
    a, b = struct.pack("<4f", 1, -1, 0, 6), struct.pack("<4f", 0, 0, 0, 3)
    assert FLOAT_LANES["f32x4.div"](a, b)[:8] == struct.pack("<2f", float("inf"), float("-inf"))
    assert FLOAT_LANES["f32x4.div"](a, b)[12:] == struct.pack("<f", 2)


@shapes
def test_canonical_nan_stays_canonical(shape: str) -> None:
    bits, nan = (32, 0x7FC0_0000) if shape == "f32x4" else (64, 0x7FF8_0000_0000_0000)
    a, b = vector_of([nan] * (128 // bits), bits), packed([1.5] * (128 // bits), shape)
    for operation in BINARY:
        for x, y in ((a, b), (b, a), (a, a)):
            assert {lane & ~(1 << bits - 1) for lane in lanes_of(FLOAT_LANES[f"{shape}.{operation}"](x, y), bits)} == {nan}
