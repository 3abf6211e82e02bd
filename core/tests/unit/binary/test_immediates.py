from __future__ import annotations

import pytest

from core.tests.unit.binary.every_instruction import ROWS, immediate
from core.tests.unit.binary.module_bytes import opcode, unsigned
from purewasm.binary.immediates import READERS, read_opcode
from purewasm.binary.types import TypeSpace
from purewasm.errors import MalformedError, UnsupportedError
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import ArrayType, FieldType, FuncType, SubType, define_group, func_type
from purewasm.wasm.features import Features
from purewasm.wasm.limits import MAX_BR_TABLE_LABELS
from purewasm.wasm.opcodes import BY_CODE, CODE, Row
from purewasm.wasm.opcodes import immediates as imm

FUNCTION = func_type((vt.I32,), (vt.I64,))
ARRAY = define_group((SubType(True, (), ArrayType(FieldType(vt.I32, True))),))[0]
SPACE = TypeSpace([FUNCTION, ARRAY], Features.all().bits)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_every_opcode_and_its_immediate_are_read_to_the_last_byte(row: Row) -> None:
    code = iter(opcode(row[1]) + immediate(row) + b"\x2a")
    assert row[0] == read_opcode(code)
    READERS[row[2]](code, TypeSpace([FUNCTION] * 6, Features.all().bits))
    assert [0x2A] == list(code)


@pytest.mark.parametrize("byte", [byte for byte in range(256) if byte not in BY_CODE and byte not in (0xFB, 0xFC, 0xFD, 0xFE)])
def test_bytes_that_are_no_opcode(byte: int) -> None:
    with pytest.raises(MalformedError, match=f"^illegal opcode {byte:02x}$"):
        read_opcode(iter(bytes((byte, 0, 0))))


@pytest.mark.parametrize("text", ["fb 1f", "fc 12", "fc 80 10", "fd 9a 01", "fe 80 80 04", "fb ff ff ff ff 0f"])
def test_opcodes_behind_a_prefix_that_are_none(text: str) -> None:
    with pytest.raises(MalformedError, match=f"^illegal opcode {text[:2]} "):
        read_opcode(iter(bytes.fromhex(text)))


def test_an_opcode_behind_a_prefix_may_be_longer_than_needed() -> None:
    assert CODE["i32.trunc_sat_f32_s"] == read_opcode(iter(b"\xfc\x80\x80\x80\x80\0"))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (imm.NONE, "", None),
        (imm.BLOCK, "40", ((), ())),
        (imm.BLOCK, "7d", ((), (vt.F32,))),
        (imm.BLOCK, "00", FuncType((vt.I32,), (vt.I64,))),
        (imm.LABELS, "02 05 81 01 03", (5, 129, 3)),
        (imm.LABELS, "00 07", (7,)),
        (imm.TYPE_TABLE, "05 80 01", (5, 128)),
        (imm.MEMARG, "02 10", (16, 0, 2)),
        (imm.MEMARG, "42 03 80 80 80 80 10", (1 << 32, 3, 2)),
        (imm.MEMARG_LANE, "00 01 0f", (1, 0, 0, 15)),
        (imm.LANE, "ff", 255),
        (imm.I32_CONST, "7f", 0xFFFF_FFFF),
        (imm.I32_CONST, "80 80 80 80 78", 0x8000_0000),
        (imm.I64_CONST, "7f", 0xFFFF_FFFF_FFFF_FFFF),
        (imm.F32_CONST, "01 00 80 7f", b"\1\0\x80\x7f"),
        (imm.HEAP, "70", vt.FUNC),
        (imm.HEAP, "00", FUNCTION.id),
        (imm.TYPES, "02 7f 70", (vt.I32, vt.FUNCREF)),
        (imm.TRY_TABLE, "40 04 00 05 01 01 06 02 02 07 03 08", ((), (), ((0, 5, 1), (1, 6, 2), (2, -1, 7), (3, -1, 8)))),
        (imm.CAST_LABEL, "02 03 6e 01", (3, vt.ref_type(vt.ANY, False), vt.ref_type(ARRAY.id, True))),
        (imm.TYPE_COUNT, "01 04", (1, 4)),
        (imm.ZERO_BYTE, "00", None),
    ],
)
def test_values(kind: int, text: str, value: object) -> None:
    assert value == READERS[kind](iter(bytes.fromhex(text)), SPACE)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (imm.MEMARG, "80 01 00", "malformed memop flags 0x80"),
        (imm.TRY_TABLE, "40 01 04 00", "malformed catch clause 0x04"),
        (imm.CAST_LABEL, "04 00 6e 6e", "malformed br_on_cast flags 0x04"),
        (imm.ZERO_BYTE, "01", "zero byte expected"),
        (imm.LABELS, "7f 00", "length out of bounds: 127 labels"),
        (imm.TYPES, "01 40", "malformed value type 0x40"),
        (imm.HEAP, "7f", "malformed heap type 0x7f"),
    ],
)
def test_malformed_values(kind: int, text: str, message: str) -> None:
    with pytest.raises(MalformedError, match=f"^{message}"):
        READERS[kind](iter(bytes.fromhex(text)), SPACE)


@pytest.mark.parametrize("row", [row for row in ROWS if immediate(row)], ids=lambda row: row[1])
def test_immediates_cut_short_are_a_stop_iteration(row: Row) -> None:
    space = TypeSpace([FUNCTION] * 6, Features.all().bits)
    content = immediate(row)
    for length in range(len(content)):
        with pytest.raises((StopIteration, MalformedError)):
            READERS[row[2]](iter(content[:length]), space)


def test_labels_have_a_limit() -> None:
    number = MAX_BR_TABLE_LABELS + 1
    with pytest.raises(UnsupportedError, match="labels in a br_table"):
        READERS[imm.LABELS](iter(unsigned(number) + bytes(number + 1)), SPACE)
