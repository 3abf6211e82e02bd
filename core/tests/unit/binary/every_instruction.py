"""A module in which every instruction of the opcode table occurs once, valid as a whole: for decoder, validator and fuzzing.

Each instruction stands in unreachable code, where the stack has whatever is asked for, in a function of its own.
"""

from __future__ import annotations

from typing import Final

from core.tests.unit.binary.module_bytes import EMPTY_FUNCTION, END, assemble, body, module, name, opcode, section, vector
from purewasm.wasm.opcodes import BY_CODE, Row
from purewasm.wasm.opcodes import immediates as imm

# Types: 0 a function, 1 a structure of one mutable i32, 2 an array of mutable i32, 3 of mutable i8, 4 of mutable funcref,
# 5 a structure of one mutable i8.
_TYPES: Final = vector([EMPTY_FUNCTION, b"\x5f\1\x7f\1", b"\x5e\x7f\1", b"\x5e\x78\1", b"\x5e\x70\1", b"\x5f\1\x78\1"])
_BYTES: Final = {
    imm.NONE: "", imm.BLOCK: "40", imm.LABEL: "00", imm.LABELS: "02 00 00 00", imm.FUNC: "00", imm.TYPE: "02",
    imm.TYPE_TABLE: "00 00", imm.TABLE: "00", imm.TABLE_TABLE: "00 00", imm.ELEM_TABLE: "00 00", imm.ELEM: "00", imm.DATA: "00",
    imm.DATA_MEMORY: "00 00", imm.MEMORY: "00", imm.MEMORY_MEMORY: "00 00", imm.LOCAL: "00", imm.GLOBAL: "00",
    imm.LANE: "01", imm.LANES: "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 1f",
    imm.I32_CONST: "ff ff ff ff 7f", imm.I64_CONST: "80 80 80 80 80 80 80 80 80 7f", imm.F32_CONST: "00 00 c0 7f",
    imm.F64_CONST: "00 00 00 00 00 00 f8 7f", imm.V128_CONST: "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f",
    imm.HEAP: "6e", imm.TYPES: "01 7f", imm.TAG: "00", imm.TRY_TABLE: "40 02 00 00 00 02 00", imm.CAST_LABEL: "03 00 6e 6d",
    imm.TYPE_FIELD: "01 00", imm.TYPE_COUNT: "02 02", imm.TYPE_DATA: "02 00", imm.TYPE_ELEM: "04 00", imm.TYPE_TYPE: "02 02",
    imm.ZERO_BYTE: "00",
}  # fmt: skip
# Instructions that need another type than the kind of their immediate suggests.
_BYTES_BY_NAME: Final = {
    "call_ref": "00", "return_call_ref": "00", "struct.new": "01", "struct.new_default": "01", "struct.get_s": "05 00",
    "struct.get_u": "05 00", "array.get_s": "03", "array.get_u": "03",
}  # fmt: skip
# What must stand around an instruction that only has a meaning in a place of its own.
_AROUND: Final = {
    "block": (b"", END), "loop": (b"", END), "if": (b"", END), "try": (b"", END), "try_table": (b"", END),
    "else": (assemble("i32.const", 0, "if", b"\x40"), END),
    "end": (assemble("block", b"\x40"), b""),
    "catch": (assemble("try", b"\x40"), END), "catch_all": (assemble("try", b"\x40"), END), "delegate": (assemble("try", b"\x40"), b""),
    "rethrow": (assemble("try", b"\x40", "catch_all"), END),
    "br_on_cast": (assemble("block", b"\x6e"), END + b"\x1a"), "br_on_cast_fail": (assemble("block", b"\x6e"), END + b"\x1a"),
    "br_on_non_null": (assemble("block", b"\x6e"), END + b"\x1a"),
}  # fmt: skip


def immediate(row: Row) -> bytes:
    """Valid immediates of an instruction."""
    _, text, kind, _, _, width = row
    if kind == imm.MEMARG:
        return bytes((width, 5))
    if kind == imm.MEMARG_LANE:
        return bytes((width, 5, 1))
    return bytes.fromhex(_BYTES_BY_NAME.get(text, _BYTES[kind]))


def instruction(row: Row) -> bytes:
    """An instruction with what it needs around it, in unreachable code."""
    before, after = _AROUND.get(row[1], (b"", b""))
    return before + opcode("unreachable") + opcode(row[1]) + immediate(row) + opcode("unreachable") + after + opcode("unreachable")


def place(row: Row) -> int:
    """Where in its body the instruction begins."""
    before, _ = _AROUND.get(row[1], (b"", b""))
    return len(before) + 1


ROWS: Final = tuple(BY_CODE.values())


def every_instruction(rows: tuple[Row, ...] = ROWS) -> bytes:
    """The module; function i + 1 holds the instruction of row i. Function 0 is imported."""
    bodies = [body(instruction(row), [(2, b"\x7f")]) for row in rows]
    return module(
        section(1, _TYPES),
        section(2, vector([name("m") + name("f") + b"\0\0"])),
        section(3, vector([b"\0"] * len(bodies))),
        section(4, vector([b"\x70\0\1"])),
        section(5, vector([b"\0\1"])),
        section(13, vector([b"\0\0"])),
        section(6, vector([b"\x7f\1\x41\0\x0b"])),
        section(7, vector([name("f") + b"\0\0", name("g") + b"\0\1"])),
        section(9, vector([b"\1\0\1\0"])),
        section(12, b"\1"),
        section(10, vector(bodies)),
        section(11, vector([b"\1\3abc"])),
    )
