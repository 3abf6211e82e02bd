from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import I32, I64, assemble, body, function_type, module, section, vector
from core.tests.unit.validate.bodies import accept, around, malformed, refuse, validate
from purewasm.errors import InvalidError, MalformedError, UnsupportedError
from purewasm.wasm import opcodes
from purewasm.wasm.features import Features
from purewasm.wasm.opcodes import immediates as imm

ZERO = ("i32.const", 0)
ZERO64 = ("i64.const", 0)
FAMILY = opcodes.FAMILIES["memory"]
ACCESSES = [row for row in FAMILY if row[2] in (imm.MEMARG, imm.MEMARG_LANE)]
IN_64 = 0x40  # the flag that a memory index follows


def _operands(row: opcodes.Row, address: str) -> tuple[str | int | bytes, ...]:
    values: dict[str, tuple[str | int | bytes, ...]] = {
        "m": (address, 0), "i": ZERO, "I": ZERO64,
        "f": ("f32.const", bytes(4)), "F": ("f64.const", bytes(8)), "V": ("v128.const", bytes(16)),
    }  # fmt: skip
    return tuple(item for letter in row[3].partition(">")[0] for item in values[letter])


def _after(row: opcodes.Row) -> tuple[str | int, ...]:
    return (*((0,) if row[2] == imm.MEMARG_LANE else ()), *(("drop",) if not row[3].endswith(">") else ()))


@pytest.mark.parametrize("row", ACCESSES, ids=lambda row: row[1])
def test_every_load_and_store(row: opcodes.Row) -> None:
    name, width, after = row[1], row[5], _after(row)
    accept(*_operands(row, "i32.const"), name, width, 0, *after)
    accept(*_operands(row, "i32.const"), name, 0, 0xFFFF_FFFF, *after)
    accept(*_operands(row, "i64.const"), name, IN_64 | width, 1, 1 << 40, *after)
    accept("unreachable", name, width, 300, *after)
    refuse("alignment must not be larger than natural", *_operands(row, "i32.const"), name, width + 1, 0, *after)
    refuse("alignment must not be larger than natural", *_operands(row, "i64.const"), name, IN_64 | width + 1, 1, 0, *after)
    refuse("type mismatch", *_operands(row, "i64.const"), name, width, 0, *after)
    refuse("type mismatch", *_operands(row, "i32.const"), name, IN_64 | width, 1, 0, *after)
    refuse("type mismatch", *_operands(row, "i32.const")[2:], name, width, 0, *after)
    refuse(r"offset out of range: 4294967296 in a 32-bit memory", *_operands(row, "i32.const"), name, width, 1 << 32, *after)
    refuse("unknown memory 3", *_operands(row, "i32.const"), name, IN_64 | width, 3, 0, *after)


def test_a_value_of_the_wrong_type_is_not_stored() -> None:
    refuse("type mismatch", *ZERO, *ZERO64, "i32.store", 2, 0)
    refuse("type mismatch", *ZERO, *ZERO, "f64.store", 3, 0)


def test_malformed_memory_arguments() -> None:
    malformed("malformed memop flags 0x80", *ZERO, "i32.load", 0x80, 0, "drop")
    malformed("integer too large", *ZERO, "i32.load", 2, b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", "drop")
    malformed("integer representation too long", *ZERO, "i32.load", 2, b"\x80" * 10 + b"\0", "drop")
    malformed("integer representation too long", *ZERO, "i32.load", b"\x80" * 5 + b"\0", 0, "drop")


@pytest.mark.parametrize(("opcode", "lanes"), [("load8", 16), ("load16", 8), ("load32", 4), ("load64", 2)])
def test_lanes(opcode: str, lanes: int) -> None:
    for direction in ("load", "store"):
        name = f"v128.{opcode.replace('load', direction)}_lane"
        accept("unreachable", name, 0, 0, lanes - 1, "unreachable")
        refuse(f"invalid lane index {lanes}: there are {lanes} lanes", "unreachable", name, 0, 0, lanes, "unreachable")


def test_size_and_growth() -> None:
    accept("memory.size", 0, results=I32)
    accept("memory.size", 1, results=I64)
    accept(*ZERO, "memory.grow", 0, results=I32)
    accept(*ZERO64, "memory.grow", 1, results=I64)
    refuse("type mismatch", *ZERO, "memory.grow", 1, results=I64)
    refuse("unknown memory 3", "memory.size", 3, results=I32)


def test_bulk_operations() -> None:
    accept(*ZERO, *ZERO, *ZERO, "memory.fill", 0)
    accept(*ZERO64, *ZERO, *ZERO64, "memory.fill", 1)
    accept(*ZERO, *ZERO, *ZERO, "memory.init", 0, 0)
    accept(*ZERO64, *ZERO, *ZERO, "memory.init", 0, 1)
    accept(*ZERO, *ZERO, *ZERO, "memory.copy", 0, 0)
    accept(*ZERO64, *ZERO64, *ZERO64, "memory.copy", 1, 1)
    accept(*ZERO64, *ZERO, *ZERO, "memory.copy", 1, 0)
    accept(*ZERO, *ZERO64, *ZERO, "memory.copy", 0, 1)
    accept("data.drop", 0)
    refuse("type mismatch", *ZERO64, *ZERO, *ZERO64, "memory.copy", 1, 0)
    refuse("type mismatch", *ZERO, *ZERO64, *ZERO, "memory.fill", 0)
    refuse("unknown memory 3", "unreachable", "memory.copy", 0, 3)
    refuse("unknown memory 3", "unreachable", "memory.copy", 3, 0)
    refuse("unknown memory 3", "unreachable", "memory.fill", 3)
    refuse("unknown memory 3", "unreachable", "memory.init", 0, 3)
    refuse("unknown data segment 1", "unreachable", "memory.init", 1, 0)
    refuse("unknown data segment 1", "data.drop", 1)


@pytest.mark.parametrize("code", [("memory.init", 0, 0), ("data.drop", 0), ("array.new_data", 4, 0, "drop"), ("array.init_data", 4, 0)])
def test_bodies_that_name_data_need_the_count(code: tuple[str | int, ...]) -> None:
    source = around(assemble("unreachable", *code), signature=function_type(), data_count=False)
    with pytest.raises(MalformedError, match=r"^data count section required"):
        validate(source)


@pytest.mark.parametrize("code", [("i32.load", IN_64 | 2, 0, 0), ("memory.grow", 1)])
def test_naming_a_memory_needs_its_proposal(code: tuple[str | int, ...]) -> None:
    source = module(
        section(1, vector([function_type()])), section(3, b"\1\0"), section(5, b"\1\0\1"),
        section(10, vector([body(assemble("unreachable", *code, "drop"))])),
    )  # fmt: skip
    with pytest.raises(UnsupportedError, match="multi-memory"):
        validate(source, Features.WASM2)


def test_no_memory_at_all() -> None:
    source = module(
        section(1, vector([function_type()])),
        section(3, b"\1\0"),
        section(10, vector([body(assemble("i32.const", 0, "i32.load", 2, 0, "drop"))])),
    )
    with pytest.raises(InvalidError, match=r"^unknown memory 0: the module has 0"):
        validate(source)
