"""The tables check themselves, and agree with the recorded listing, which an assembler has agreed with."""

from __future__ import annotations

from collections import Counter
from typing import Final

from core.tests.unit.isa.x64.matrix import cases
from core.tests.unit.isa.x64.record import LISTING
from purewasm.isa.x64 import atomic, bmi, control, float, integer, memory, vector, vex, xmm_moves
from purewasm.isa.x64.cpu import AVX, AVX2, BASELINE, BMI1, BMI2, SSE4_1
from purewasm.isa.x64.disassemble import decode, format_instruction
from purewasm.isa.x64.instructions import named_rows
from purewasm.isa.x64.opcodes import Vex

ROWS: Final = dict(named_rows())


def test_rows_agree_with_the_recorded_listing() -> None:
    seen = set()
    for line in LISTING.read_text().splitlines()[1:]:
        name, hexadecimal, text = line.split(" | ")
        row, code = ROWS[name], bytes.fromhex(hexadecimal)
        decoded = decode(code)
        assert decoded is not None, line
        assert row is decoded.instruction, line
        assert text == format_instruction(row, decoded.arguments, len(code))
        assert code == row(*decoded.arguments), line  # type: ignore[operator]
        seen.add(name)
    assert seen == set(ROWS), "run `python -m core.tests.unit.isa.x64.record`"


def test_rows_are_unique() -> None:
    facts = Counter((row.form, row.mnemonic, row.operand_text, row.opcode) for row in ROWS.values())
    assert [fact for fact, count in facts.items() if count > 1] == []
    texts = Counter((row.mnemonic, *(operand.word for operand in row.operands)) for row in ROWS.values())
    assert [text for text, count in texts.items() if count > 1] == []
    encodings = Counter((row.opcode, *(bool(o.register) for o in row.arguments)) for row in ROWS.values())
    assert [encoding for encoding, count in encodings.items() if count > 1] == []


def test_names_follow_from_mnemonic_and_operands() -> None:
    """`PADDD` where the mnemonic is one row, `ADD_R32_RM32` where it is several; `cc` for the condition."""
    mnemonics = Counter(row.mnemonic for row in ROWS.values())
    for name, row in ROWS.items():
        base, _, condition = name.partition("[")
        mnemonic = row.mnemonic.replace(" ", "_").upper()
        full = "_".join((mnemonic, *(operand.name_part for operand in row.operands)))
        if condition:
            cc = int(condition[:-1])
            assert row is (vars(integer) | vars(control))[base][cc]
            stem = base.split("CC")[0]
            assert mnemonic.startswith(stem)
            assert base in ("SETCC", full.replace(mnemonic, stem + "CC"))
        else:
            assert name == (full if mnemonics[row.mnemonic] > 1 else mnemonic)


def test_forms_fit_operands() -> None:
    for name, row in ROWS.items():
        letters = "" if row.form == "ZO" else row.form
        assert len(letters) == len(row.arguments), name
        for letter, operand in zip(letters, row.arguments, strict=True):
            if letter in "ID":
                assert operand.constant_bits, name
            elif letter == "M":
                assert operand.register or operand.memory_bits >= 0, name
            else:
                assert operand.register, name
                assert operand.memory_bits == -1, name
        constants = sum(operand.constant_bits for operand in row.arguments) + 8 * ("S" in letters)
        assert constants == 8 * row.encoding.immediate_bytes, name
        assert ("R" in letters or "M" in letters) == row.encoding.has_modrm, name
        assert ("R" not in letters and "M" in letters) == (row.encoding.digit >= 0), name
        assert set(row.flags) <= set("rw"), name
        if isinstance(row.encoding, Vex):
            assert row.cpu != BASELINE, name


def test_widths_agree_with_prefixes() -> None:
    """64-bit general purpose operands have REX.W or VEX.W1, 16-bit ones the prefix 66, on legacy integer rows."""
    for family in (integer, memory, atomic):
        for name, row in vars(family).items():
            if name not in ROWS or row.form in ("ZO", "O") or "push" in row.mnemonic or "pop" in row.mnemonic:
                continue
            word = row.operands[0].word
            assert ("64" in word or word == "rax") == ("REX.W" in row.opcode), name
            assert ("16" in word) == row.opcode.startswith("66"), name


def test_every_row_has_cases() -> None:
    assert [name for name, row in ROWS.items() if not any(True for _ in cases(row))] == []


def test_roles() -> None:
    add = integer.ADD_R32_RM32
    assert [(o.reads, o.writes) for o in add.operands] == [(True, True), (True, False)]
    assert (add.reads_flags, add.writes_flags) == (False, True)
    assert (integer.ADC_R32_RM32.reads_flags, integer.ADC_R32_RM32.writes_flags) == (True, True)
    assert (control.JCC_REL32[0].reads_flags, control.JCC_REL32[0].writes_flags) == (True, False)
    assert (bmi.SHLX_R32_RM32_R32.reads_flags, bmi.SHLX_R32_RM32_R32.writes_flags) == (False, False)
    compare = integer.CMP_R32_RM32
    assert not any(operand.writes for operand in compare.operands)
    assert [(o.word, o.reads, o.writes) for o in integer.DIV_RM32.implicit] == [("rax", True, True), ("rdx", True, True)]
    assert [(o.word, o.reads, o.writes) for o in integer.MUL_RM32.implicit] == [("rax", True, True), ("rdx", False, True)]
    assert [(o.reads, o.writes) for o in float.CVTSI2SD_XMM_RM32.operands] == [(False, True), (True, False)]
    assert float.CVTSI2SD_XMM_RM32.merges
    assert not vex.VCVTSI2SD_XMM_XMM_RM32.merges


def test_faults() -> None:
    assert integer.ADD_R32_RM32.can_fault
    assert integer.DIV_RM32.can_fault
    assert control.UD2.can_fault
    assert memory.REP_MOVSB.can_fault
    assert not memory.LEA_R32_M.can_fault
    assert not control.NOP_RM32.can_fault
    assert not integer.CDQ.can_fault
    assert not xmm_moves.MOVSD_XMM_XMM.can_fault


def test_alignment() -> None:
    assert vector.PADDD.needs_alignment
    assert xmm_moves.MOVAPS_XMM_XM128.needs_alignment
    assert not xmm_moves.MOVUPS_XMM_XM128.needs_alignment
    assert not vector.PMOVSXBW.needs_alignment
    assert not vex.VPADDD.needs_alignment
    assert xmm_moves.VMOVAPS_XMM_XM128.needs_alignment
    assert not xmm_moves.VMOVUPS_XM128_XMM.needs_alignment
    assert not float.ADDSD.needs_alignment
    assert not integer.ADD_R32_RM32.needs_alignment


def test_cpu_features() -> None:
    assert vector.PADDD.cpu == BASELINE
    assert vector.PBLENDVB.cpu == SSE4_1
    assert vex.VPADDD.cpu == AVX
    assert vex.VPSLLVD.cpu == AVX2
    assert bmi.TZCNT_R32_RM32.cpu == BMI1
    assert bmi.SHLX_R32_RM32_R32.cpu == BMI2
    # The scalar and packed baseline is SSE2: nothing of integer, memory, control, atomic needs a feature.
    for family in (integer, memory, control, atomic):
        assert {BASELINE} == {row.cpu for name, row in vars(family).items() if name in ROWS}


def test_vex_has_every_vector_instruction() -> None:
    """What a compiler writes with SSE it can write with AVX: the same mnemonics with a `v`, but for moves that VEX has no need of."""
    mnemonics = {row.mnemonic for row in ROWS.values()}
    for family in (xmm_moves, float, vector):
        for name, row in vars(family).items():
            if name in ROWS and not isinstance(row.encoding, Vex) and row.mnemonic not in ("ldmxcsr", "stmxcsr", "fldcw", "fnstcw"):
                assert "v" + row.mnemonic in mnemonics
