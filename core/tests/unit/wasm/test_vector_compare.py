"""Each comparison against the definition of one lane."""

from __future__ import annotations

import operator
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tests.unit.wasm.definitions import lanes_of, signed, vector_of
from core.tests.unit.wasm.operands import v128
from purewasm.wasm.vector_compare import COMPARISONS

few = settings(max_examples=40)


def comparable(vector: bytes, shape: str, is_signed: bool) -> list[float]:
    bits = {"8": 8, "1": 16, "3": 32, "6": 64}[shape[1]]
    if shape[0] == "f":
        return list(struct.unpack("<4f" if bits == 32 else "<2d", vector))
    return [signed(lane, bits) if is_signed else lane for lane in lanes_of(vector, bits)]


@pytest.mark.parametrize("name", COMPARISONS)
@few
@given(data=st.data())
def test_comparison(name: str, data: st.DataObject) -> None:
    shape, _, rest = name.partition(".")
    relation, _, sign = rest.partition("_")
    a = data.draw(v128(shape))
    b = data.draw(v128(shape) | st.just(a))
    pairs = zip(comparable(a, shape, sign == "s"), comparable(b, shape, sign == "s"), strict=True)
    lanes = [-1 if getattr(operator, relation)(x, y) else 0 for x, y in pairs]
    assert COMPARISONS[name](a, b) == vector_of(lanes, 128 // len(lanes))


@pytest.mark.parametrize("name", [name for name in COMPARISONS if name.startswith("i8x16")])
def test_every_pair_of_bytes(name: str) -> None:
    relation, _, sign = name.partition(".")[2].partition("_")
    value = [signed(byte, 8) if sign == "s" else byte for byte in range(256)]
    compare = getattr(operator, relation)
    expected = bytes(0xFF if compare(value[a], value[b]) else 0 for a in range(256) for b in range(256))
    right = [bytes(range(at, at + 16)) for at in range(0, 256, 16)]
    assert expected == b"".join(COMPARISONS[name](bytes((a,)) * 16, b) for a in range(256) for b in right)
