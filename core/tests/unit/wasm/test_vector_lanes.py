from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tests.unit.wasm.definitions import lanes_of, signed, vector_of
from core.tests.unit.wasm.operands import f32_bits, f64_bits, i32, i64
from purewasm.wasm.float_bits import f32_from_bits, f32_to_bits, f64_from_bits, f64_to_bits
from purewasm.wasm.vector_lanes import LANES

vectors = st.binary(min_size=16, max_size=16)


@given(vectors, vectors, st.lists(st.integers(0, 31), min_size=16, max_size=16))
def test_shuffle(a: bytes, b: bytes, lanes: list[int]) -> None:
    assert LANES["i8x16.shuffle"](a, b, bytes(lanes)) == bytes((a + b)[lane] for lane in lanes)


@pytest.mark.parametrize("name", ["i8x16.swizzle", "i8x16.relaxed_swizzle"])
@given(vectors, vectors | st.binary(min_size=16, max_size=16).map(lambda b: bytes(x & 0x1F for x in b)))
def test_swizzle_gives_zero_for_an_index_above_15(name: str, a: bytes, indices: bytes) -> None:
    assert LANES[name](a, indices) == bytes(a[index] if index < 16 else 0 for index in indices)


@given(i32, i64)
def test_splat_of_integers_takes_the_lower_bits(a: int, b: int) -> None:
    assert LANES["i8x16.splat"](a) == vector_of([a] * 16, 8)
    assert LANES["i16x8.splat"](a) == vector_of([a] * 8, 16)
    assert LANES["i32x4.splat"](a) == vector_of([a] * 4, 32)
    assert LANES["i64x2.splat"](b) == vector_of([b] * 2, 64)


@given(f32_bits, f64_bits)
def test_floats_go_into_lanes_and_out_bit_by_bit(bits32: int, bits64: int) -> None:
    single, double = f32_from_bits(bits32), f64_from_bits(bits64)
    assert LANES["f32x4.splat"](single) == vector_of([bits32] * 4, 32)
    assert LANES["f64x2.splat"](double) == vector_of([bits64] * 2, 64)
    for lane in range(4):
        replaced = LANES["f32x4.replace_lane"](bytes(range(16)), single, lane)
        assert isinstance(replaced, bytes)
        extracted = LANES["f32x4.extract_lane"](replaced, lane)
        assert isinstance(extracted, float)
        assert f32_to_bits(extracted) == bits32 == lanes_of(replaced, 32)[lane]
    for lane in range(2):
        replaced = LANES["f64x2.replace_lane"](bytes(range(16)), double, lane)
        assert isinstance(replaced, bytes)
        extracted = LANES["f64x2.extract_lane"](replaced, lane)
        assert isinstance(extracted, float)
        assert f64_to_bits(extracted) == bits64 == lanes_of(replaced, 64)[lane]


@pytest.mark.parametrize(("shape", "bits"), [("i8x16", 8), ("i16x8", 16), ("i32x4", 32), ("i64x2", 64), ("f32x4", 32), ("f64x2", 64)])
@given(vector=vectors, number=i64)
def test_replace_leaves_the_other_lanes(shape: str, bits: int, vector: bytes, number: int) -> None:
    for lane in range(128 // bits):
        lanes = list(lanes_of(vector, bits))
        lanes[lane] = number
        value = number if bits == 64 else number & 0xFFFF_FFFF
        raw = value if shape[0] == "i" else f32_from_bits(value) if bits == 32 else f64_from_bits(value)
        assert LANES[f"{shape}.replace_lane"](vector, raw, lane) == vector_of(lanes, bits)


@given(vectors)
def test_extract_of_integers(a: bytes) -> None:
    for lane in range(16):
        assert LANES["i8x16.extract_lane_u"](a, lane) == a[lane]
        assert LANES["i8x16.extract_lane_s"](a, lane) == signed(a[lane], 8) & 0xFFFF_FFFF
    for lane, value in enumerate(lanes_of(a, 16)):
        assert LANES["i16x8.extract_lane_u"](a, lane) == value
        assert LANES["i16x8.extract_lane_s"](a, lane) == signed(value, 16) & 0xFFFF_FFFF
    for lane, value in enumerate(lanes_of(a, 32)):
        assert LANES["i32x4.extract_lane"](a, lane) == value
    for lane, value in enumerate(lanes_of(a, 64)):
        assert LANES["i64x2.extract_lane"](a, lane) == value


@pytest.mark.parametrize(("narrow", "wide", "bits"), [("i8x16", "i16x8", 8), ("i16x8", "i32x4", 16), ("i32x4", "i64x2", 32)])
@given(a=vectors)
def test_extension(narrow: str, wide: str, bits: int, a: bytes) -> None:
    lanes = lanes_of(a, bits)
    half = len(lanes) // 2
    for part, chosen in (("low", lanes[:half]), ("high", lanes[half:])):
        assert LANES[f"{wide}.extend_{part}_{narrow}_u"](a) == vector_of(chosen, 2 * bits)
        assert LANES[f"{wide}.extend_{part}_{narrow}_s"](a) == vector_of([signed(lane, bits) for lane in chosen], 2 * bits)
