"""Every row with all registers, addresses and constants: the encoder, the disassembler and the GNU assembler agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from core.tests.unit.isa.x64.assembler import assemble, is_same_instruction, needs_assembler, read_back
from core.tests.unit.isa.x64.matrix import ADDRESSES, Case, cases
from purewasm.isa.x64.disassemble import decode, format_instruction
from purewasm.isa.x64.instructions import named_rows
from purewasm.isa.x64.integer import ADD_R32_RM32
from purewasm.isa.x64.memory import MOV_RM8_R8
from purewasm.isa.x64.vex import VADDSD

if TYPE_CHECKING:
    from pathlib import Path

    from purewasm.isa.x64.formats import Instruction

ROWS: Final = dict(named_rows())


def _encode(row: Instruction, case: Case) -> bytes:
    code = row(*case)  # type: ignore[operator]
    assert isinstance(code, bytes)
    return code


@pytest.mark.slow
def test_disassembler_reads_back_what_the_encoder_wrote() -> None:
    for name, row in ROWS.items():
        for case in cases(row):
            code = _encode(row, case)
            decoded = decode(code + b"\xcc")
            assert decoded is not None, (name, case)
            assert row is decoded.instruction, (name, case, decoded.instruction)
            assert len(code) == decoded.length, (name, case)
            assert format_instruction(row, case) == format_instruction(row, decoded.arguments)
            assert code == _encode(row, decoded.arguments)


@pytest.mark.slow
@needs_assembler
def test_assembler_agrees(tmp_path: Path) -> None:
    work = [(name, row, case) for name, row in ROWS.items() for case in cases(row)]
    codes = [_encode(row, case) for _, row, case in work]
    theirs = assemble([(row, case) for _, row, case in work], tmp_path)
    ours = read_back(codes, tmp_path)
    assert len(work) == len(theirs) == len(ours)
    identical = 0
    for (name, row, case), code, their, our in zip(work, codes, theirs, ours, strict=True):
        assert code == our[0], (name, case)
        assert is_same_instruction(row, case, our, their), (name, case, our, their)
        identical += code == their[0]
    # Not by way of alternatives: most rows have one encoding.
    assert identical > len(work) * 9 // 10


@pytest.mark.slow
@needs_assembler
@pytest.mark.parametrize("row", [ADD_R32_RM32, MOV_RM8_R8, VADDSD], ids=lambda row: str(row.mnemonic))
def test_assembler_agrees_on_every_address(row: Instruction, tmp_path: Path) -> None:
    work = [(row, case) for case in cases(row, ADDRESSES)]
    theirs = assemble(work, tmp_path)
    ours = read_back([_encode(row, case) for row, case in work], tmp_path)
    for (_, case), their, our in zip(work, theirs, ours, strict=True):
        assert is_same_instruction(row, case, our, their), case


def test_every_address_reads_back() -> None:
    for case in cases(ADD_R32_RM32, ADDRESSES):
        decoded = decode(ADD_R32_RM32(*case))  # type: ignore[arg-type]
        assert decoded is not None
        assert format_instruction(ADD_R32_RM32, case) == format_instruction(decoded.instruction, decoded.arguments)
