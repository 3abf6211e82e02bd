"""Selects of the operands of their own compare: minimum and maximum as C writes them, with signed zeros and NaNs of both kinds."""

from __future__ import annotations

import struct
from itertools import product
from typing import Final

import pytest

from core.tests.unit.isa.x64.loaded_code import CAN_RUN, LoadedCode
from purewasm.wasm.numeric import NUMERIC
from purewasm.wasm.opcodes import CODE

pytestmark = pytest.mark.skipif(not CAN_RUN, reason="needs Linux on an x86-64 processor with AVX2 and BMI2")

_VALUES: Final = {
    "f32": (0, 0x8000_0000, 0x3F80_0000, 0xBF80_0000, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0x7FA0_0001, 0xFFC0_0005),
    "f64": (0, 1 << 63, 0x3FF0 << 48, 0xBFF0 << 48, 0x7FF0 << 48, 0xFFF0 << 48, 0x7FF8 << 48, (0x7FF4 << 48) + 1, (0xFFF8 << 48) + 5),
}


def _number(shape: str, bits: int) -> float:
    return float(struct.unpack("<f", struct.pack("<I", bits))[0] if shape == "f32" else struct.unpack("<d", struct.pack("<Q", bits))[0])


@pytest.mark.parametrize("shape", ["f32", "f64"])
@pytest.mark.parametrize("negated", [False, True])
def test_a_select_by_its_own_compare_picks_the_bits_of_one_operand(shape: str, negated: bool, cpu: int) -> None:
    size = 4 if shape == "f32" else 8
    load = (f"({shape}.load (local.get 0))", f"({shape}.load offset=8 (local.get 0))")
    cases = list(product(("lt", "gt", "le", "ge", "eq", "ne"), (0, 1), (0, 1)))
    functions = []
    for number, (name, first, flip) in enumerate(cases):
        condition = f"({shape}.{name} (local.get {1 + first}) (local.get {2 - first}))"
        if negated:
            condition = f"(i32.eqz {condition})"
        select = f"(select (local.get {1 + flip}) (local.get {2 - flip}) {condition})"
        functions.append(
            f'(func (export "f{number}") (param i32) (local {shape} {shape}) (local.set 1 {load[0]}) (local.set 2 {load[1]})'
            f" ({shape}.store offset=16 (local.get 0) {select}))"
        )
    loaded = LoadedCode(f"(module (memory 1) {' '.join(functions)})", cpu)
    for number, (name, first, flip) in enumerate(cases):
        compare = NUMERIC[CODE[f"{shape}.{name}"]]
        for pair in product(_VALUES[shape], repeat=2):
            loaded.memory[:16] = pair[0].to_bytes(8, "little") + pair[1].to_bytes(8, "little")
            loaded.run(f"f{number}", 0)
            holds = bool(compare(_number(shape, pair[first]), _number(shape, pair[1 - first]))) != negated
            expected = pair[flip if holds else 1 - flip]
            assert expected == int.from_bytes(loaded.memory[16 : 16 + size], "little"), (name, first, flip, pair)
