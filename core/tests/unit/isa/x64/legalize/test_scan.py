"""The scan goes by lengths alone: it must find each instruction where the encoder has put it, whatever stands around it."""

from __future__ import annotations

from random import Random

import pytest

from core.tests.unit.isa.x64.matrix import few_cases
from purewasm.errors import InternalError
from purewasm.isa.x64.bmi import LZCNT_R64_RM64
from purewasm.isa.x64.control import JCC_REL8, JMP_REL8, RET
from purewasm.isa.x64.cpu import BMI1, LZCNT, POPCNT
from purewasm.isa.x64.instructions import named_rows
from purewasm.isa.x64.integer import BSR_R64_RM64
from purewasm.isa.x64.legalize.scan import LACKING, SHORT_JUMP, scan
from purewasm.isa.x64.opcodes import Vex


def _kind(row: object) -> int | None:
    if row is JMP_REL8 or row in JCC_REL8:
        return SHORT_JUMP
    return LACKING if isinstance(row.encoding, Vex) or row.cpu & (POPCNT | LZCNT | BMI1) else None  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", range(4))
def test_every_row_is_found_or_passed_over(seed: int) -> None:
    made = [(_kind(row), row(*case)) for _, row in named_rows() for case in few_cases(row)]  # type: ignore[operator]
    Random(seed).shuffle(made)
    code, wanted = bytearray(b"\xff" * seed), []
    for kind, instruction in made:
        if Random(len(code)).random() < 0.1:
            code += b"\x64"  # reads of thread-local memory; nothing to plain instructions
            if kind is not None:
                code.pop()
        if kind is not None:
            wanted.append((kind, len(code), len(code) + len(instruction)))
        code += instruction
    assert list(scan(code, seed, len(code))) == wanted
    assert len(wanted) > 1000


def test_a_prefix_makes_the_difference() -> None:
    code = bytearray(BSR_R64_RM64(1, 2) + LZCNT_R64_RM64(1, 2) + RET())
    assert list(scan(code, 0, len(code))) == [(LACKING, 4, 9)]


def test_what_is_no_instruction_is_said() -> None:
    for code in (b"\x06", RET() + b"\x0f\xff\xc0", LZCNT_R64_RM64(1, 2)[:-1]):
        with pytest.raises(InternalError, match="is of no row"):
            list(scan(bytearray(code), 0, len(code)))
