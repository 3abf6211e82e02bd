"""Each instruction against the definition of one lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tests.unit.wasm.definitions import lanes_of, saturated, signed, vector_of
from core.tests.unit.wasm.operands import v128
from purewasm.wasm.vector_bits import INTEGER_SHAPES
from purewasm.wasm.vector_integers import INTEGER_LANES

if TYPE_CHECKING:
    from collections.abc import Callable

UNARY: dict[str, Callable[[int, int], int]] = {
    "neg": lambda a, _: -a,
    "abs": lambda a, bits: abs(signed(a, bits)),
    "popcnt": lambda a, _: bin(a).count("1"),
}
BINARY: dict[str, Callable[[int, int, int], int]] = {
    "add": lambda a, b, _: a + b,
    "sub": lambda a, b, _: a - b,
    "mul": lambda a, b, _: a * b,
    "add_sat_s": lambda a, b, bits: saturated(signed(a, bits) + signed(b, bits), bits, is_signed=True),
    "add_sat_u": lambda a, b, bits: saturated(a + b, bits, is_signed=False),
    "sub_sat_s": lambda a, b, bits: saturated(signed(a, bits) - signed(b, bits), bits, is_signed=True),
    "sub_sat_u": lambda a, b, bits: saturated(a - b, bits, is_signed=False),
    "min_s": lambda a, b, bits: min(signed(a, bits), signed(b, bits)),
    "min_u": lambda a, b, _: min(a, b),
    "max_s": lambda a, b, bits: max(signed(a, bits), signed(b, bits)),
    "max_u": lambda a, b, _: max(a, b),
    "avgr_u": lambda a, b, _: (a + b + 1) // 2,
}
SHIFTS: dict[str, Callable[[int, int, int], int]] = {
    "shl": lambda a, count, _: a << count,
    "shr_s": lambda a, count, bits: signed(a, bits) >> count,
    "shr_u": lambda a, count, _: a >> count,
}

few = settings(max_examples=40)


def of_kind(kind: set[str]) -> list[str]:
    return [name for name in INTEGER_LANES if name.partition(".")[2] in kind]


def test_each_instruction_is_tested_here() -> None:
    assert {name.partition(".")[2] for name in INTEGER_LANES} == {*UNARY, *BINARY, *SHIFTS, "all_true", "bitmask"}


@pytest.mark.parametrize("name", of_kind({*UNARY}))
@few
@given(data=st.data())
def test_unary(name: str, data: st.DataObject) -> None:
    shape, _, operation = name.partition(".")
    bits = INTEGER_SHAPES[shape]
    a = data.draw(v128(shape))
    assert INTEGER_LANES[name](a) == vector_of([UNARY[operation](lane, bits) for lane in lanes_of(a, bits)], bits)


@pytest.mark.parametrize("name", of_kind({*BINARY}))
@few
@given(data=st.data())
def test_binary(name: str, data: st.DataObject) -> None:
    shape, _, operation = name.partition(".")
    bits = INTEGER_SHAPES[shape]
    a, b = data.draw(v128(shape)), data.draw(v128(shape))
    lanes = [BINARY[operation](x, y, bits) for x, y in zip(lanes_of(a, bits), lanes_of(b, bits), strict=True)]
    assert INTEGER_LANES[name](a, b) == vector_of(lanes, bits)


@pytest.mark.parametrize("operation", ["add_sat_s", "add_sat_u", "sub_sat_s", "sub_sat_u", "min_s", "min_u", "max_s", "max_u", "avgr_u"])
def test_every_pair_of_bytes(operation: str) -> None:
    expected = [BINARY[operation](a, b, 8) % 256 for a in range(256) for b in range(256)]
    function = INTEGER_LANES[f"i8x16.{operation}"]
    right = [bytes(range(at, at + 16)) for at in range(0, 256, 16)]
    actual = b"".join(part for a in range(256) for b in right if isinstance(part := function(bytes((a,)) * 16, b), bytes))
    assert bytes(expected) == actual


@pytest.mark.parametrize("name", of_kind({*SHIFTS}))
@few
@given(data=st.data())
def test_shifts_take_the_count_modulo_the_width(name: str, data: st.DataObject) -> None:
    shape, _, operation = name.partition(".")
    bits = INTEGER_SHAPES[shape]
    a = data.draw(v128(shape))
    for count in (*range(bits + 2), 0x7FFF_FFFF, 0xFFFF_FFFF, 0x8000_0000):
        lanes = [SHIFTS[operation](lane, count % bits, bits) for lane in lanes_of(a, bits)]
        assert INTEGER_LANES[name](a, count) == vector_of(lanes, bits)


@pytest.mark.parametrize("shape", INTEGER_SHAPES)
@few
@given(data=st.data())
def test_reductions(shape: str, data: st.DataObject) -> None:
    a = data.draw(v128(shape) | v128("i8x16"))
    bits = INTEGER_SHAPES[shape]
    lanes = lanes_of(a, bits)
    assert INTEGER_LANES[f"{shape}.all_true"](a) == int(all(lanes))
    assert INTEGER_LANES[f"{shape}.bitmask"](a) == sum((lane >> bits - 1) << place for place, lane in enumerate(lanes))


def test_every_bitmask_of_bytes() -> None:
    bitmask = INTEGER_LANES["i8x16.bitmask"]
    for mask in range(1 << 16):
        if mask != bitmask(bytes(0xFF if mask >> lane & 1 else 0x7F for lane in range(16))):
            pytest.fail(f"mask {mask:016b}")
