"""What the emitters do otherwise in loops: a load that is compared with a constant comes before the compare, which is one with its jump."""

from __future__ import annotations

import struct
from typing import Final

import pytest

from core.tests.unit.isa.x64.loaded_code import CAN_RUN, LoadedCode
from purewasm.isa.x64.disassemble import disassemble
from purewasm.wasm.numeric import NUMERIC
from purewasm.wasm.opcodes import CODE

pytestmark = pytest.mark.skipif(not CAN_RUN, reason="needs Linux on an x86-64 processor with AVX2 and BMI2")

_COUNT: Final = 16
_ROWS: Final = tuple(
    (load, compare, constant)
    for load, constants in (
        ("i32.load8_u", (0, 5, 0x7F, 0x80, 0xFF)),
        ("i32.load", (0, 5, -5, 0x80, 0x12345)),
        ("i64.load", (0, -1, 0x1234, 1 << 40)),
    )
    for constant in constants
    for compare in ("eq", "ne", "lt_u", "ge_u", "gt_s", "le_s")
)


def _matches(load: str, compare: str, constant: int) -> list[bool]:
    """Which of the numbers in memory are in the relation."""
    valtype = load[:3]
    holds = NUMERIC[CODE[f"{valtype}.{compare}"]]
    wide = valtype == "i64"
    form = "B" if load.endswith("8_u") else "Q" if wide else "I"
    numbers = struct.unpack_from(f"<{_COUNT}{form}", _contents(), 0)
    return [bool(holds(number, constant & ((1 << 64 if wide else 1 << 32) - 1))) for number in numbers]


def _contents() -> bytes:
    interesting = (0, 5, -5, 0x80, 0x12345, 1 << 40, -1, 0x1234, 0x7F, 0xFF, 1 << 63, 1 << 31, 4, 6, 127, 129)
    return b"".join((number & (1 << 64) - 1).to_bytes(8, "little") for number in interesting)


def test_memory_is_compared_with_constants(cpu: int) -> None:
    functions = []
    for number, (load, compare, constant) in enumerate(_ROWS):
        valtype = load[:3]
        scale = {"i32.load8_u": 0, "i32.load": 2, "i64.load": 3}[load]
        place = f"(i32.shl (local.get 1) (i32.const {scale}))"
        functions.append(f"""(func (export "f{number}") (param i32) (local i32 i32)
          (loop
            (if ({valtype}.{compare} ({load} {place}) ({valtype}.const {constant}))
              (then (local.set 2 (i32.or (local.get 2) (i32.shl (i32.const 1) (local.get 1))))))
            (br_if 0 (i32.ne (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const {_COUNT}))))
          (i32.store (i32.const 1024) (local.get 2)))""")
    loaded = LoadedCode(f"(module (memory 1) {' '.join(functions)})", cpu)
    loaded.memory[: len(_contents())] = _contents()
    for number, row in enumerate(_ROWS):
        loaded.run(f"f{number}", 0)
        found = int.from_bytes(loaded.memory[1024:1028], "little")
        assert [bool(found >> bit & 1) for bit in range(_COUNT)] == _matches(*row), row


@pytest.mark.parametrize(("load", "mask"), [("i32.load8_u", 1), ("i32.load8_u", 0x80), ("i32.load", 1), ("i32.load", 0x8000_0000)])
def test_bits_in_memory_are_tested(load: str, mask: int, cpu: int) -> None:
    loaded = LoadedCode(
        f"""(module (memory 1) (func (export "f") (param i32) (local i32 i32)
          (loop
            (if (i32.and ({load} (local.get 1)) (i32.const {mask}))
              (then (local.set 2 (i32.add (local.get 2) (i32.const 1)))))
            (br_if 0 (i32.ne (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 64))))
          (i32.store (i32.const 1024) (local.get 2))))""",
        cpu,
    )
    contents = _contents() + bytes(8)
    loaded.memory[: len(contents)] = contents
    loaded.run("f", 0)
    size = 1 if load.endswith("8_u") else 4
    expected = sum(bool(int.from_bytes(contents[at : at + size], "little") & mask) for at in range(64))
    assert int.from_bytes(loaded.memory[1024:1028], "little") == expected


def test_a_difference_from_zero_is_one_operation(cpu: int) -> None:
    loaded = LoadedCode(
        """(module (memory 1) (func (export "f") (param i32)
          (i32.store (local.get 0) (i32.sub (i32.const 0) (i32.xor (i32.load (local.get 0)) (i32.const 1))))
          (i64.store offset=8 (local.get 0) (i64.sub (i64.const 0) (i64.xor (i64.load offset=8 (local.get 0)) (i64.const 1))))
          (i32.store offset=16 (local.get 0) (i32.sub (i32.const 9) (i32.xor (i32.load offset=16 (local.get 0)) (i32.const 1))))))""",
        cpu,
    )
    made = loaded.codes[0]
    lines = [str(line) for line in disassemble(made.code[: made.pool_offset])]
    assert sum("rip" in line for line in lines) == 1, lines
    struct.pack_into("<i4xqi", loaded.memory, 64, 4, 6, 8)
    loaded.run("f", 64)
    assert struct.unpack_from("<i4xqi", loaded.memory, 64) == (-5, -7, 0)
