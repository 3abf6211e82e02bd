from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import F32, F64, I32, I64, V128, signed
from core.tests.unit.validate.bodies import accept, malformed, needs, refuse
from purewasm.wasm import opcodes
from purewasm.wasm.opcodes import immediates as imm

TYPES = {"i": I32, "I": I64, "f": F32, "F": F64, "V": V128}
OTHER = {"i": I64, "I": I32, "f": F64, "F": F32, "V": I32}
ROWS = [row for family in ("numeric", "vector") for row in opcodes.FAMILIES[family] if row[2] == imm.NONE]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_operands_and_results_are_those_of_the_signature(row: opcodes.Row) -> None:
    name = row[1]
    params, _, results = row[3].partition(">")
    wanted, made = b"".join([TYPES[c] for c in params]), b"".join([TYPES[c] for c in results])
    read = tuple(item for index in range(len(params)) for item in ("local.get", index))
    accept(*read, name, params=wanted, results=made)
    accept("unreachable", name, results=made)
    refuse("type mismatch", *read[2:], name, params=wanted, results=made)
    refuse("type mismatch", *read, name, params=wanted, results=b"".join([OTHER[c] for c in results]))
    for index, letter in enumerate(params):
        wrong = wanted[:index] + OTHER[letter] + wanted[index + 1 :]
        refuse("type mismatch", *read, name, params=wrong, results=made)


def test_constants() -> None:
    for value in (0, -1, 63, -64, 64, 1 << 30, (1 << 31) - 1, -(1 << 31)):
        accept("i32.const", signed(value), results=I32)
    for value in (0, -1, 1 << 40, (1 << 63) - 1, -(1 << 63)):
        accept("i64.const", signed(value), results=I64)
    accept("f32.const", bytes(4), results=F32)
    accept("f64.const", bytes(8), results=F64)


@pytest.mark.parametrize("length", range(1, 6))
def test_constants_may_be_longer_than_needed(length: int) -> None:
    accept("i32.const", b"\xff" * (length - 1) + b"\x7f", results=I32)
    accept("i32.const", b"\x80" * (length - 1) + b"\0", results=I32)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x80\x80\x80\x80\x80\0", "integer representation too long"),
        (b"\xff\xff\xff\xff\xff\x7f", "integer representation too long"),
        (b"\x80\x80\x80\x80\x08", "integer too large"),
        (b"\x80\x80\x80\x80\x70", "integer too large"),
        (b"\xff\xff\xff\xff\x0f", "integer too large"),
        (b"\xff\xff\xff\xff\x4f", "integer too large"),
    ],
)
def test_malformed_constants(content: bytes, message: str) -> None:
    malformed(message, "i32.const", content, "drop")
    malformed(message, "unreachable", "block", b"\x40", "i32.const", content, "drop", "end")


def test_malformed_long_constants() -> None:
    malformed("integer too large", "i64.const", b"\x80" * 9 + b"\x01", "drop")
    malformed("integer representation too long", "i64.const", b"\x80" * 10 + b"\0", "drop")


def test_constants_cut_short() -> None:
    for name in ("f32.const", "f64.const", "v128.const"):
        malformed("unexpected end of section or function", name)
    malformed("unexpected end of section or function", "f64.const", bytes(6))
    malformed("END opcode expected", "i32.const")  # the END is the integer then


@pytest.mark.parametrize(
    ("feature", "name"),
    [
        ("sign-extension", "i32.extend8_s"),
        ("saturating-float-to-int", "i64.trunc_sat_f64_u"),
        ("simd", "i8x16.add"),
        ("relaxed-simd", "i8x16.relaxed_swizzle"),
        ("wide-arithmetic", "i64.mul_wide_u"),
    ],
)
def test_proposals_that_are_off(feature: str, name: str) -> None:
    needs(feature, "unreachable", name, "drop")
