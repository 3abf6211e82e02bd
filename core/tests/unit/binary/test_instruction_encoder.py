"""Every instruction of the opcode table comes out as the bytes that it was decoded from."""

from __future__ import annotations

import pytest

from core.tests.unit.binary.every_instruction import ROWS, every_instruction
from purewasm.binary.body import decode_body
from purewasm.binary.decoder import decode_module
from purewasm.binary.instruction_encoder import ENCODERS, OPCODE_BYTES, TypeNumbering, encode_instruction
from purewasm.wasm import valtypes as vt
from purewasm.wasm.features import Features
from purewasm.wasm.opcodes import CODE, Row
from purewasm.wasm.opcodes import immediates as imm

MODULE = decode_module(every_instruction(), Features.all())
TYPES = TypeNumbering(MODULE.types)


@pytest.mark.parametrize("number", range(len(ROWS)), ids=[row[1] for row in ROWS])
def test_every_instruction(number: int) -> None:
    code = MODULE.codes[number]
    body = decode_body(MODULE, code)
    encoded = b"".join(encode_instruction(op, value, TYPES) for op, value in zip(body.ops, body.imms, strict=True))
    shortest = MODULE.source[code.start : code.end].replace(bytes.fromhex("41 ff ff ff ff 7f"), bytes.fromhex("41 7f"))
    assert encoded.hex(" ") == shortest.hex(" ")


def test_every_kind_of_immediate_has_an_encoder() -> None:
    assert len(ENCODERS) == imm.KINDS


def test_opcodes_behind_a_prefix() -> None:
    assert OPCODE_BYTES[CODE["memory.fill"]] == b"\xfc\x0b"
    assert OPCODE_BYTES[CODE["i8x16.relaxed_swizzle"]] == b"\xfd\x80\x02"


@pytest.mark.parametrize(
    ("name", "value", "encoded"),
    [
        ("block", ((), ()), "02 40"),
        ("block", ((), (vt.I32,)), "02 7f"),
        ("i32.load", (5, 0, 2), "28 02 05"),
        ("i32.load", (5, 3, 2), "28 42 03 05"),
        ("i32.load", (2**64 - 1, 0, 0), "28 00 ff ff ff ff ff ff ff ff ff 01"),
        ("v128.load8_lane", (5, 1, 0, 15), "fd 54 40 01 05 0f"),
        ("br_table", (1, 2, 300), "0e 02 01 02 ac 02"),
        ("i32.const", 2**32 - 1, "41 7f"),
        ("i64.const", 2**63, "42 80 80 80 80 80 80 80 80 80 7f"),
        ("ref.null", 7, "d0 07"),
        ("br_on_cast", (0, vt.ANYREF, vt.ref_type(3, False)), "fb 18 01 00 6e 03"),
        ("try_table", ((), (), ((imm.CATCH, 1, 2), (imm.CATCH_ALL, -1, 0))), "1f 40 02 00 01 02 02 00"),
    ],
)
def test_without_types_heap_types_are_indices(name: str, value: object, encoded: str) -> None:
    assert encode_instruction(CODE[name], value).hex(" ") == encoded


def test_a_block_type_that_the_module_does_not_have() -> None:
    with pytest.raises(ValueError, match=r"no type \[i32\] -> \[\]"):
        encode_instruction(CODE["block"], ((vt.I32,), ()), TYPES)


def test_an_opcode_that_nobody_knows() -> None:
    row: Row = max(ROWS)
    with pytest.raises(KeyError):
        encode_instruction(row[0] + 1)
