"""Jumps by a table of distances that lies behind them."""

from __future__ import annotations

from purewasm.isa.x64 import control, integer, memory
from purewasm.isa.x64.conditions import CC_AE
from purewasm.isa.x64.emit.state import BYTE, at, pack32
from purewasm.isa.x64.registers import RAX, RDX
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from purewasm.isa.x64.emit.state import Emitter

_CMP8: Final = integer.CMP_RM32_IMM8.regs
_CMP32: Final = integer.CMP_RM32_IMM32.regs
_LEA_RIP: Final = memory.LEA_R64_M.rip
_TABLE_ENTRY: Final = memory.MOVSXD.paired(4)
_ADD: Final = integer.ADD_R64_RM64.regs
_JMP_REGISTER: Final = control.JMP_RM64.regs


def table_jump(e: Emitter, index: int, count: int, targets: list[int]) -> None:
    """Go to the target with the number in the register `index`, to the last one if that is not below `count`. Takes rax and rdx."""
    code = e.code
    code += _CMP8[index] + BYTE[count] if count < 128 else _CMP32[index] + pack32(count)
    e.jump_if(CC_AE, targets[-1])
    table = e.new_label()
    code += _LEA_RIP[RAX] + b"\0\0\0\0"
    e.fixups.append((len(code), table))
    code += at(_TABLE_ENTRY[RDX][RAX][index], 0) + _ADD[RAX][RDX] + _JMP_REGISTER[RAX]
    e.bind(table)
    start = len(code)
    for target in targets[:-1]:
        e.table_fixups.append((len(code), target, start))
        code += b"\0\0\0\0"
