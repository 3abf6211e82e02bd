"""Bodies made to take long, or to become much code: baseline compilation takes time and room as the body is long, or declines.

What would be quadratic is tried with so much that it would take minutes."""

from __future__ import annotations

import pytest

from core.tests.unit.isa.x64.loaded_code import FEATURES
from purewasm.backend.machine_code import MachineCode, TargetOptions
from purewasm.binary.decoder import decode_module
from purewasm.isa.x64.baseline import forms
from purewasm.isa.x64.baseline.compile import BaselineCompiler
from purewasm.isa.x64.cpu import X86_64_V3
from purewasm.isa.x64.registers import RDI
from purewasm.validate.module import validate_module

MANY = 60_000
_I32 = b"\x7f"
_NOTHING = b"\x40"
BLOCK, LOOP, END, BR_IF, BR_TABLE, DROP = b"\x02", b"\x03", b"\x0b", b"\x0d", b"\x0e", b"\x1a"
ZERO, SET, TEE, GET = b"\x41\x00", b"\x21\x00", b"\x22\x00", b"\x20\x00"


def leb(number: int) -> bytes:
    low, rest = number & 127, number >> 7
    return bytes((low | 128,)) + leb(rest) if rest else bytes((low,))


def vector(items: list[bytes]) -> bytes:
    return leb(len(items)) + b"".join(items)


def compiled(instructions: bytes, results: int = 0) -> MachineCode | None:
    """A function with one local; type 1 is that of a block with so many results."""
    types = [b"\x60" + vector([]) + vector([_I32] * count) for count in (0, results)]
    code = b"\x01\x01\x7f" + instructions + END
    binary = b"\0asm\1\0\0\0"
    for section, content in ((1, vector(types)), (3, vector([b"\0"])), (10, vector([leb(len(code)) + code]))):
        binary += bytes((section,)) + leb(len(content)) + content
    module = decode_module(binary, FEATURES)
    validate_module(module, FEATURES)
    return BaselineCompiler(module, TargetOptions(X86_64_V3))(0)


@pytest.mark.parametrize("assignment", [ZERO + SET, ZERO + TEE + DROP, GET + SET])
def test_assignments_below_many_operands(assignment: bytes) -> None:
    made = compiled(ZERO * MANY + assignment * MANY + DROP * MANY)
    assert made is not None
    assert len(made.code) < 60 * MANY


def test_pushed_locals_that_change_after_each() -> None:
    made = compiled((GET + ZERO + SET) * MANY + DROP * MANY)
    assert made is not None
    assert len(made.code) < 60 * MANY


@pytest.mark.parametrize("opened", [BLOCK + _NOTHING + END, LOOP + _NOTHING + END, ZERO + b"\x04" + _NOTHING + END])
def test_blocks_above_many_operands(opened: bytes) -> None:
    assert compiled(ZERO * MANY + opened * MANY + DROP * MANY) is None


def test_branches_that_carry_many_results() -> None:
    results = 1000
    carried = BLOCK + b"\1" + ZERO * results
    assert compiled(carried + (ZERO + BR_IF + b"\0") * 100 + END + DROP * results, results) is not None
    assert compiled(carried + (ZERO + BR_IF + b"\0") * MANY + END + DROP * results, results) is None


def test_tables_whose_ways_carry_many_results() -> None:
    results, depth = 1000, 200
    table = BR_TABLE + vector([leb(number) for number in range(depth)]) + b"\0"
    one = BLOCK + b"\1" + ZERO * results + ZERO + table + END + DROP * results
    assert compiled((BLOCK + b"\1") * depth + one * 50 + (ZERO * results + END + DROP * results) * depth, results) is None


@pytest.mark.parametrize("depth", [100, 2000])
def test_branches_out_of_loops_in_loops(depth: int) -> None:
    """The ways out are as many as half of the loops' number squared."""
    out = b"".join([ZERO + BR_IF + leb(number) for number in range(depth)])
    made = compiled((LOOP + _NOTHING) * depth + out + END * depth)
    assert (made is None) == (depth == 2000)


def test_ways_out_of_loops_that_carry_many_results() -> None:
    results, depth = 1000, 60
    out = b"".join([ZERO + BR_IF + leb(number + depth) for number in range(depth)])
    inside = (LOOP + _NOTHING) * depth + ZERO * results + out + b"\0" + END * depth
    assert compiled((BLOCK + b"\1") * depth + inside + b"\0" + END + (DROP * results + ZERO * results + END) * (depth - 1)
                    + DROP * results, results) is None  # fmt: skip


def test_what_is_kept_for_later_modules_does_not_grow_with_their_frames() -> None:
    """Instructions that belong to slots are shared by all modules: only so many of them."""
    tables = [table for table in vars(forms).values() if isinstance(table, forms.Slots)]
    tables += [forms.LOAD[RDI], forms.ARITHMETIC[0x6A].slot]
    assert compiled(ZERO * 20_000 + b"\x6a" * 19_999 + DROP) is not None
    assert max(map(len, tables)) <= 1 << 11
