from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import V128
from core.tests.unit.validate.bodies import accept, malformed, refuse
from purewasm.wasm import opcodes
from purewasm.wasm.opcodes import immediates as imm

CONST = ("v128.const", bytes(16))
LANE_ROWS = [row for row in opcodes.FAMILIES["vector"] if row[2] == imm.LANE]
LANES = {"i8x16": 16, "i16x8": 8, "i32x4": 4, "f32x4": 4, "i64x2": 2, "f64x2": 2}


def test_constants() -> None:
    accept(*CONST, results=V128)
    malformed("unexpected end of section or function", "v128.const", bytes(14))


def test_shuffles() -> None:
    accept(*CONST, *CONST, "i8x16.shuffle", bytes(range(16, 32)), results=V128)
    refuse("invalid lane index 32", *CONST, *CONST, "i8x16.shuffle", bytes(15) + b"\x20", results=V128)
    refuse("type mismatch", *CONST, "i8x16.shuffle", bytes(16), results=V128)
    malformed("unexpected end of section or function", *CONST, *CONST, "i8x16.shuffle", bytes(14))


@pytest.mark.parametrize("row", LANE_ROWS, ids=lambda row: row[1])
def test_lanes_follow_from_the_shape(row: opcodes.Row) -> None:
    lanes = LANES[row[1].partition(".")[0]]
    accept("unreachable", row[1], lanes - 1, "drop")
    refuse(f"invalid lane index {lanes}: there are {lanes} lanes", "unreachable", row[1], lanes, "drop")
    refuse("invalid lane index 255", "unreachable", row[1], b"\xff", "drop")
    refuse("type mismatch", "i32.const", 0, "ref.null", b"\x70", row[1], 0, "drop")
