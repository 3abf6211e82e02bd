"""Templates hold the same bytes as calls; calls check what they are given."""

from __future__ import annotations

from itertools import product
from typing import Final

import pytest

from purewasm.errors import InternalError
from purewasm.isa.x64 import bmi, control, integer, memory, vector, vex
from purewasm.isa.x64.address import BYTE, RIP, Mem, Tails, pack_i32
from purewasm.isa.x64.formats import MI, MR, MRI, OI, RM, RMI, RMV, RVM, RVMI, RVMS, VM, VMI, ZO, D, I, Instruction, M, O
from purewasm.isa.x64.instructions import named_rows
from purewasm.isa.x64.registers import R12, R13, R15, RAX, RBP, RCX, RDI, RSI, RSP, XMM0, XMM3

ROWS: Final = [row for _, row in named_rows()]
TWO: Final = [row for row in ROWS if isinstance(row, RM | RMI | MR | MRI)]
THREE: Final = [row for row in ROWS if isinstance(row, RVM | RVMI | RVMS | RMV)]
ONE: Final = [row for row in ROWS if isinstance(row, M | MI)]
VEX_ONE: Final = [row for row in ROWS if isinstance(row, VM | VMI)]

# Base, index and scale of the addresses that templates are tried with.
INDEXED: Final = ((R15, 1), (RBP, 4), (R13, 8), (RSP, 2), (R12, 1))


def _call(row: Instruction, *arguments: int | Mem) -> bytes:
    """All bytes up to the constant, which is zero here, so that its length is all that has to go."""
    places = dict(zip(row.form, arguments, strict=False))
    constants = row.encoding.immediate_bytes
    code = row(*places.values(), *([0] if constants else []))  # type: ignore[operator]
    assert isinstance(code, bytes)
    return code[: len(code) - constants]


def _has_registers(row: Instruction) -> bool:
    return all(operand.register or operand.constant_bits for operand in row.arguments)


def _has_memory(row: Instruction) -> bool:
    return row.memory_operand is not None


def _in_order(row: Instruction, reg: int, address: Mem) -> tuple[int | Mem, int | Mem]:
    return (reg, address) if row.form[0] == "R" else (address, reg)


def _call_three(row: Instruction, reg: int, v: int, address: Mem) -> bytes:
    return _call(row, reg, address, v) if row.form == "RMV" else _call(row, reg, v, address)


def _check_tails(tails: Tails, expected: list[bytes]) -> None:
    zero, disp8, disp32 = tails
    assert expected == [zero, disp8 + BYTE[-3], disp32 + pack_i32(0x1234)]


DISPLACEMENTS: Final = (0, -3, 0x1234)


def test_every_format_is_used() -> None:
    formats = {ZO, I, D, O, OI, M, MI, RM, RMI, MR, MRI, RVM, RVMI, RVMS, RMV, VM, VMI}
    assert formats == {type(row) for row in ROWS}


@pytest.mark.slow
def test_register_templates() -> None:
    for row in TWO:
        if _has_registers(row):
            for a, b in product(range(16), repeat=2):
                assert _call(row, a, b) == row.regs[a][b], (row, a, b)
    for single in ONE:
        if _has_registers(single):
            assert single.regs == [_call(single, a) for a in range(16)]
    for vex_single in VEX_ONE:
        if _has_registers(vex_single):
            for v, a in product(range(16), repeat=2):
                assert _call(vex_single, v, a) == vex_single.regs[v][a], (vex_single, v, a)


@pytest.mark.slow
def test_three_register_templates() -> None:
    for turn, row in enumerate(filter(_has_registers, THREE)):
        for a, b, c in product((turn % 8, 15 - turn % 8), range(0, 16, 3), range(16)):
            assert _call(row, a, b, c) == row.regs[a][b][c], (row, a, b, c)


@pytest.mark.slow
def test_memory_templates_with_a_register() -> None:
    for row in TWO:
        if not _has_memory(row):
            continue
        for reg, base in product((0, 4, 7, 9, 15), range(16)):
            _check_tails(row.based[reg][base], [_call(row, *_in_order(row, reg, Mem(base, disp))) for disp in DISPLACEMENTS])
        for reg, (base, scale), index in product((5, 12), INDEXED, (0, 1, 5, 12, 15)):
            expected = [_call(row, *_in_order(row, reg, Mem(base, disp, index=index, scale=scale))) for disp in DISPLACEMENTS]
            _check_tails(row.indexed(base, scale)[reg][index], expected)
            _check_tails(row.paired(scale)[reg][base][index], expected)
        assert [_call(row, *_in_order(row, reg, Mem(RIP, 77))) for reg in range(16)] == [rip + pack_i32(77) for rip in row.rip]


@pytest.mark.slow
def test_memory_templates_with_vex_registers() -> None:
    for row in THREE:
        if not _has_memory(row):
            continue
        for reg, v, base in product((3, 13), (0, 7, 8), range(16)):
            _check_tails(row.based[reg][v][base], [_call_three(row, reg, v, Mem(base, disp)) for disp in DISPLACEMENTS])
            index, scale = (base * 5 + 1) & 15, 1 << (base & 3)
            if index != RSP:
                expected = [_call_three(row, reg, v, Mem(R15, disp, index=index, scale=scale)) for disp in DISPLACEMENTS]
                _check_tails(row.indexed(R15, scale)[reg][v][index], expected)
            assert _call_three(row, reg, v, Mem(RIP, 5)) == row.rip[reg][v] + pack_i32(5)


def test_memory_templates_with_a_digit() -> None:
    for row in ONE:
        if not _has_memory(row):
            continue
        for base in range(16):
            _check_tails(row.based[base], [_call(row, Mem(base, disp)) for disp in DISPLACEMENTS])
        for (base, scale), index in product(INDEXED, (0, 5, 12)):
            expected = [_call(row, Mem(base, disp, index=index, scale=scale)) for disp in DISPLACEMENTS]
            _check_tails(row.indexed(base, scale)[index], expected)
        assert _call(row, Mem(RIP, 5)) == row.rip + pack_i32(5)
    for vex_single in VEX_ONE:
        if _has_memory(vex_single):
            for v, base in product((0, 9), range(16)):
                _check_tails(vex_single.based[v][base], [_call(vex_single, v, Mem(base, disp)) for disp in DISPLACEMENTS])
            _check_tails(vex_single.indexed(R15)[9][1], [_call(vex_single, 9, Mem(R15, disp, index=1)) for disp in DISPLACEMENTS])
            assert _call(vex_single, 9, Mem(RIP, 5)) == vex_single.rip[9] + pack_i32(5)


def test_opcode_templates() -> None:
    assert [memory.PUSH_R64(reg) for reg in range(16)] == memory.PUSH_R64.regs
    assert [memory.MOVABS(reg, 5) for reg in range(16)] == [head + (5).to_bytes(8, "little") for head in memory.MOVABS.regs]
    assert control.JCC_REL32[4](-2) == control.JCC_REL32[4].code + b"\xfe\xff\xff\xff"
    assert control.RET() == control.RET.code
    assert memory.PUSH_IMM8(-1) == memory.PUSH_IMM8.code + b"\xff"


def test_templates_are_made_once() -> None:
    row = integer.ADD_R32_RM32
    assert row.regs is row.regs
    assert row.regs[3] is row.regs[3]
    assert row.indexed(R15) is row.indexed(R15, 1)
    assert row.indexed(R15) is not row.indexed(R15, 2)
    assert row.paired(2) is row.paired(2)


def test_byte_registers_get_a_rex() -> None:
    assert bytes.fromhex("40 88 f7") == memory.MOV_RM8_R8(RDI, RSI)
    assert bytes.fromhex("40 88 30") == memory.MOV_RM8_R8(Mem(RAX), RSI)
    assert bytes.fromhex("88 18") == memory.MOV_RM8_R8(Mem(RAX), 3)
    # An address in rsi is no byte register.
    assert bytes.fromhex("88 06") == memory.MOV_RM8_R8(Mem(RSI), RAX)
    assert bytes.fromhex("0f b6 c1") == memory.MOVZX_R32_RM8(RAX, RCX)
    assert bytes.fromhex("40 0f b6 c6") == memory.MOVZX_R32_RM8(RAX, RSI)
    assert bytes.fromhex("0f b6 f0") == memory.MOVZX_R32_RM8(RSI, RAX)
    assert bytes.fromhex("40 0f 94 c5") == integer.SETCC[4](RBP)


def test_vex_is_two_bytes_where_it_can_be() -> None:
    assert bytes.fromhex("c5 eb 58 cb") == vex.VADDSD(1, 2, 3)
    assert bytes.fromhex("c5 6b 58 cb") == vex.VADDSD(9, 2, 3)
    assert bytes.fromhex("c4 c1 6b 58 cb") == vex.VADDSD(1, 2, 11)
    assert bytes.fromhex("c4 a1 6b 58 0c 20") == vex.VADDSD(1, 2, Mem(RAX, index=R12))


@pytest.mark.parametrize(
    ("row", "fits", "too_much"),
    [
        (integer.ADD_RM32_IMM8, (-128, 127), (-129, 128)),
        (integer.ADD_RM32_IMM32, (-1 << 31, (1 << 32) - 1), ((-1 << 31) - 1, 1 << 32)),
        (integer.ADD_RM64_IMM32, (-1 << 31, (1 << 31) - 1), ((-1 << 31) - 1, 1 << 31)),
        (integer.SHL_RM32_IMM8, (0, 255), (-129, 256)),
        (memory.MOV_RM16_IMM16, (-1 << 15, 0xFFFF), ((-1 << 15) - 1, 1 << 16)),
    ],
    ids=lambda value: value.mnemonic + " " + value.operand_text if isinstance(value, Instruction) else "",
)
def test_constants_are_checked(row: MI, fits: tuple[int, ...], too_much: tuple[int, ...]) -> None:
    for value in fits:
        assert row(RCX, value)
    for value in too_much:
        with pytest.raises(InternalError, match=f"{value} does not fit in"):
            row(RCX, value)


def test_registers_are_checked() -> None:
    for arguments in ((16, 0), (-1, 0), (0, 16), (0, -1)):
        with pytest.raises(InternalError, match="no register"):
            integer.ADD_R32_RM32(*arguments)
    with pytest.raises(InternalError, match="no register"):
        vex.VADDSD(0, 16, 0)
    with pytest.raises(InternalError, match="no register"):
        vex.VPBLENDVB(0, 0, 0, 16)
    with pytest.raises(InternalError, match="no register"):
        memory.PUSH_R64(16)


def test_forms_that_do_not_exist() -> None:
    with pytest.raises(InternalError, match="no memory form"):
        vector.PMOVMSKB(RAX, Mem(RAX))
    with pytest.raises(InternalError, match="no memory form"):
        vector.PMOVMSKB.based[0][0]
    with pytest.raises(InternalError, match="no memory form"):
        vector.PMOVMSKB.indexed(R15)[0][0]
    with pytest.raises(InternalError, match="no memory form"):
        vector.PMOVMSKB.rip[0]
    with pytest.raises(InternalError, match="no register"):
        memory.LEA_R64_M(RAX, RCX)
    with pytest.raises(InternalError, match="no register form"):
        memory.LEA_R64_M.regs[0][0]
    with pytest.raises(IndexError):
        memory.MOV_R32_RM32.indexed(R15)[0][RSP][0]
    with pytest.raises(InternalError, match="no address"):
        memory.MOV_R32_RM32.indexed(R15, 3)[0][0]


def test_repr_names_the_row() -> None:
    assert repr(bmi.SHLX_R32_RM32_R32) == "<RMV shlx =r32, r/m32, r32: VEX.LZ.66.0F38.W0 F7 /r>"
    assert bytes.fromhex("66 0f 38 10 c3") == vector.PBLENDVB(XMM0, XMM3)
