"""BMI1, BMI2, LZCNT and POPCNT replaced by what every x86-64 processor has.

`shlx` and its like take any register as the count, `shl` takes cl: rcx is put aside. All of these sequences write the flags, also
where their instruction does not: no emitter has flags live over a shift or a rotation.
"""

from __future__ import annotations

from purewasm.isa.x64 import bmi, integer, memory
from purewasm.isa.x64.conditions import CC_NE
from purewasm.isa.x64.control import JCC_REL8
from purewasm.isa.x64.legalize.sequence import RED_ZONE_INT
from purewasm.isa.x64.registers import RAX, RCX, RDX, RSI
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.disassemble import Argument
    from purewasm.isa.x64.formats import MI, RM, Instruction, M
    from purewasm.isa.x64.legalize.sequence import Sequence

    Build = Callable[[Sequence, int, Argument, int], None]

_MOVES: Final = (memory.MOV_R32_RM32, memory.MOV_R64_RM64)


def _free(*taken: Argument) -> int:
    """A register that the instruction does not use."""
    return next(register for register in (RAX, RDX, RSI, RCX) if register not in taken)


def _shift(row: M, wide: int) -> Build:
    """`shlx target, source, count`: rcx has the count for a while."""
    move = _MOVES[wide]

    def build(s: Sequence, target: int, source: Argument, count: int) -> None:
        if target == RCX:  # the result takes the place of the count
            held = _free(RCX, source, count)
            s.keep(held)
            s.operate(move, held, source)
            if count != RCX:
                s.put(_MOVES[0], RCX, count)
            s.put(row, held)
            s.put(move, RCX, held)
            s.bring_back(held)
        elif count == RCX:
            if target != source:
                s.operate(move, target, source)
            s.put(row, target)
        else:
            s.keep(RCX)
            if target == count:  # which is gone when the source comes
                s.put(_MOVES[0], RCX, count)
                if source == RCX:
                    s.put(move, target, RED_ZONE_INT)
            elif source == RCX:
                s.put(move, target, RCX)
            if source not in (target, RCX):
                s.operate(move, target, source)
            if target != count:
                s.put(_MOVES[0], RCX, count)
            s.put(row, target)
            s.bring_back(RCX)

    return build


def _rotate(row: MI, wide: int) -> Build:
    def build(s: Sequence, target: int, source: Argument, count: int) -> None:
        if target != source:
            s.operate(_MOVES[wide], target, source)
        s.put(row, target, count)

    return build


def _leading(row: RM, bits: int) -> Build:
    """The number of the highest set bit, counted from the other end; of zero the processor gives no number."""

    def build(s: Sequence, target: int, source: Argument, _: int) -> None:
        s.operate(row, target, source)
        s.skip(JCC_REL8[CC_NE], memory.MOV_R32_IMM32(target, 2 * bits - 1))
        s.put(integer.XOR_RM32_IMM8, target, bits - 1)

    return build


def _trailing(row: RM, bits: int) -> Build:
    def build(s: Sequence, target: int, source: Argument, _: int) -> None:
        s.operate(row, target, source)
        s.skip(JCC_REL8[CC_NE], memory.MOV_R32_IMM32(target, bits))

    return build


def _bytes(value: int) -> bytes:
    return bytes((value,)) * 8


def _count(s: Sequence, target: int, source: Argument, wide: int) -> None:
    """Bits counted in pairs, in fours and in bytes; the product's top byte is the sum of the bytes."""
    move, add, subtract, conjunction, multiply, right = _ROWS[wide]
    other = _free(target)
    s.keep(other)
    if source != target:
        s.operate(move, target, source)
    s.put(move, other, target)
    s.put(right, other, 1)
    s.constant(conjunction, other, _bytes(0x55))
    s.put(subtract, target, other)
    s.put(move, other, target)
    s.put(right, other, 2)
    s.constant(conjunction, target, _bytes(0x33))
    s.constant(conjunction, other, _bytes(0x33))
    s.put(add, target, other)
    s.put(move, other, target)
    s.put(right, other, 4)
    s.put(add, target, other)
    s.constant(conjunction, target, _bytes(0x0F))
    s.constant(multiply, target, _bytes(0x01))
    s.put(right, target, 56 if wide else 24)
    s.bring_back(other)


_ROWS: Final = (
    (
        memory.MOV_R32_RM32, integer.ADD_R32_RM32, integer.SUB_R32_RM32, integer.AND_R32_RM32, integer.IMUL_R32_RM32,
        integer.SHR_RM32_IMM8,
    ),
    (
        memory.MOV_R64_RM64, integer.ADD_R64_RM64, integer.SUB_R64_RM64, integer.AND_R64_RM64, integer.IMUL_R64_RM64,
        integer.SHR_RM64_IMM8,
    ),
)  # fmt: skip
"""By 0 for 32 bits, 1 for 64: move, add, subtract, and, multiply, shift to the right."""

BUILDERS: Final[dict[Instruction, Build]] = {
    bmi.SHLX_R32_RM32_R32: _shift(integer.SHL_RM32_CL, 0), bmi.SHLX_R64_RM64_R64: _shift(integer.SHL_RM64_CL, 1),
    bmi.SHRX_R32_RM32_R32: _shift(integer.SHR_RM32_CL, 0), bmi.SHRX_R64_RM64_R64: _shift(integer.SHR_RM64_CL, 1),
    bmi.SARX_R32_RM32_R32: _shift(integer.SAR_RM32_CL, 0), bmi.SARX_R64_RM64_R64: _shift(integer.SAR_RM64_CL, 1),
    bmi.RORX_R32_RM32_IMM8: _rotate(integer.ROR_RM32_IMM8, 0), bmi.RORX_R64_RM64_IMM8: _rotate(integer.ROR_RM64_IMM8, 1),
    bmi.LZCNT_R32_RM32: _leading(integer.BSR_R32_RM32, 32), bmi.LZCNT_R64_RM64: _leading(integer.BSR_R64_RM64, 64),
    bmi.TZCNT_R32_RM32: _trailing(integer.BSF_R32_RM32, 32), bmi.TZCNT_R64_RM64: _trailing(integer.BSF_R64_RM64, 64),
    bmi.POPCNT_R32_RM32: lambda s, target, source, _: _count(s, target, source, 0),
    bmi.POPCNT_R64_RM64: lambda s, target, source, _: _count(s, target, source, 1),
}  # fmt: skip
"""By row: what puts its sequence together, from target, source, and a count where there is one."""
