from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purewasm.wasm.vector_bits import BITS, highs, lows, ones

vectors = st.binary(min_size=16, max_size=16)


@pytest.mark.parametrize(("width", "total"), [(8, 128), (16, 128), (32, 128), (64, 128), (16, 256), (8, 64)])
def test_masks_say_what_they_should_of_each_lane(width: int, total: int) -> None:
    lanes = range(0, total, width)
    lane = (1 << width) - 1
    assert {ones(width, total) >> at & lane for at in lanes} == {1}
    assert {highs(width, total) >> at & lane for at in lanes} == {1 << width - 1}
    assert {lows(width, total) >> at & lane for at in lanes} == {(1 << width - 1) - 1}
    assert (highs(width, total) | lows(width, total)).bit_length() == total


@given(vectors, vectors, vectors)
def test_bitwise(a: bytes, b: bytes, c: bytes) -> None:
    assert BITS["v128.not"](a) == bytes(x ^ 0xFF for x in a)
    assert BITS["v128.and"](a, b) == bytes(x & y for x, y in zip(a, b, strict=True))
    assert BITS["v128.andnot"](a, b) == bytes(x & ~y for x, y in zip(a, b, strict=True))
    assert BITS["v128.or"](a, b) == bytes(x | y for x, y in zip(a, b, strict=True))
    assert BITS["v128.xor"](a, b) == bytes(x ^ y for x, y in zip(a, b, strict=True))
    assert BITS["v128.bitselect"](a, b, c) == bytes(x & m | y & ~m for x, y, m in zip(a, b, c, strict=True))
    assert BITS["v128.any_true"](a) == int(any(a))


def test_any_true_of_zero_and_of_a_single_bit() -> None:
    assert BITS["v128.any_true"](bytes(16)) == 0
    assert all(BITS["v128.any_true"]((1 << bit).to_bytes(16, "little")) == 1 for bit in range(128))
