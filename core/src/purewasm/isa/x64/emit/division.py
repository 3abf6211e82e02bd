"""Division of integers, which is the processor's own but for the divisors that it traps on."""

from __future__ import annotations

from purewasm.isa.x64 import integer
from purewasm.isa.x64.conditions import CC_E, CC_NE, CC_O
from purewasm.isa.x64.emit.state import JCC8, JMP8
from purewasm.isa.x64.registers import RAX, RDX, RSP
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store.layout import TRAP_NUMBER
from purewasm.traps import INTEGER_DIVIDE_BY_ZERO, INTEGER_OVERFLOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter

_DIVIDE_BY_ZERO: Final = TRAP_NUMBER[INTEGER_DIVIDE_BY_ZERO]
_OVERFLOW: Final = TRAP_NUMBER[INTEGER_OVERFLOW]
_NEG: Final = (integer.NEG_RM32.regs, integer.NEG_RM64.regs)
# opcode: divide, 64 bits wide, signed, remainder
_DIVISIONS: Final = {
    0x6D: (integer.IDIV_RM32, 0, True, False), 0x6E: (integer.DIV_RM32, 0, False, False),
    0x6F: (integer.IDIV_RM32, 0, True, True), 0x70: (integer.DIV_RM32, 0, False, True),
    0x7F: (integer.IDIV_RM64, 1, True, False), 0x80: (integer.DIV_RM64, 1, False, False),
    0x81: (integer.IDIV_RM64, 1, True, True), 0x82: (integer.DIV_RM64, 1, False, True),
}  # fmt: skip
_EXTEND: Final = (integer.CDQ.code, integer.CQO.code)
_CLEAR: Final = integer.XOR_R32_RM32.regs
_TEST: Final = (integer.TEST_RM32_R32.regs, integer.TEST_RM64_R64.regs)
_CMP8: Final = (integer.CMP_RM32_IMM8, integer.CMP_RM64_IMM8)


def divide(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    row, wide, is_signed, remainder = _DIVISIONS[e.insts[value][0]]
    code, mark = e.code, e.marks[value]
    constant = int(e.constants[~b]) if b < 0 else None
    if constant == 0:
        e.trap_always(_DIVIDE_BY_ZERO, mark)
        return
    result = RDX if remainder else RAX
    if constant is None:
        place = e.place[b]
        zero_test = _TEST[wide][place][place] if place < 16 else e.slot(_CMP8[wide].based[RSP], place) + b"\0"
        minus_one_test = _CMP8[wide].regs[place] + b"\xff" if place < 16 else e.slot(_CMP8[wide].based[RSP], place) + b"\xff"
        operation = row.regs[place] if place < 16 else e.slot(row.based[RSP], place)
        code += zero_test
        e.trap_if(CC_E, _DIVIDE_BY_ZERO, mark)
        e.integer_into(RAX, a)
        if not is_signed:
            code += _CLEAR[RDX][RDX] + operation
            e.store_integer(value, result)
            return
        code += minus_one_test
        ordinary = e.short_jump(JCC8[CC_NE])
        _by_minus_one(e, wide, remainder, mark)
        done = e.short_jump(JMP8)
        e.land(ordinary)
        code += _EXTEND[wide] + operation
        e.land(done)
    else:  # -1: other constants have been made multiplications (`frontend.division`)
        e.integer_into(RAX, a)
        _by_minus_one(e, wide, remainder, mark)
    e.store_integer(value, result)


def _by_minus_one(e: Emitter, wide: int, remainder: bool, mark: int) -> None:
    """The one divisor for which the processor's own division can overflow."""
    if remainder:
        e.code += _CLEAR[RDX][RDX]
    else:
        e.code += _NEG[wide][RAX]
        e.trap_if(CC_O, _OVERFLOW, mark)


EMITTERS: Final[dict[int, Callable[[Emitter, int, int, int, Any], None]]] = dict.fromkeys(_DIVISIONS, divide)
