"""Memory that is loaded, changed and stored again: one instruction with its target in memory."""

from __future__ import annotations

from purewasm.backend.target import SLOT
from purewasm.ir import ops
from purewasm.isa.x64 import integer
from purewasm.isa.x64.emit.memory import LOAD_ROWS, OUT_OF_BOUNDS, STORE_LANE, operand
from purewasm.isa.x64.emit.state import MOVQ_XMM, XMM15, at
from purewasm.isa.x64.registers import R15, RAX, RSP
from purewasm.light_typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter

# By the i32 operation, or that of i64 less 0x12: memory with a register and with an immediate by width in bytes, a register with memory.
_ROWS: Final = {
    0x6A: (
        {1: integer.ADD_RM8_R8, 2: integer.ADD_RM16_R16, 4: integer.ADD_RM32_R32, 8: integer.ADD_RM64_R64},
        {1: integer.ADD_RM8_IMM8, 2: integer.ADD_RM16_IMM8, 4: integer.ADD_RM32_IMM8, 8: integer.ADD_RM64_IMM8},
        {4: integer.ADD_RM32_IMM32, 8: integer.ADD_RM64_IMM32},
        integer.ADD_R64_RM64,
    ),
    0x6B: (
        {1: integer.SUB_RM8_R8, 2: integer.SUB_RM16_R16, 4: integer.SUB_RM32_R32, 8: integer.SUB_RM64_R64},
        {1: integer.SUB_RM8_IMM8, 2: integer.SUB_RM16_IMM8, 4: integer.SUB_RM32_IMM8, 8: integer.SUB_RM64_IMM8},
        {4: integer.SUB_RM32_IMM32, 8: integer.SUB_RM64_IMM32},
        integer.SUB_R64_RM64,
    ),
    0x71: (
        {1: integer.AND_RM8_R8, 2: integer.AND_RM16_R16, 4: integer.AND_RM32_R32, 8: integer.AND_RM64_R64},
        {1: integer.AND_RM8_IMM8, 2: integer.AND_RM16_IMM8, 4: integer.AND_RM32_IMM8, 8: integer.AND_RM64_IMM8},
        {4: integer.AND_RM32_IMM32, 8: integer.AND_RM64_IMM32},
        integer.AND_R64_RM64,
    ),
    0x72: (
        {1: integer.OR_RM8_R8, 2: integer.OR_RM16_R16, 4: integer.OR_RM32_R32, 8: integer.OR_RM64_R64},
        {1: integer.OR_RM8_IMM8, 2: integer.OR_RM16_IMM8, 4: integer.OR_RM32_IMM8, 8: integer.OR_RM64_IMM8},
        {4: integer.OR_RM32_IMM32, 8: integer.OR_RM64_IMM32},
        integer.OR_R64_RM64,
    ),
    0x73: (
        {1: integer.XOR_RM8_R8, 2: integer.XOR_RM16_R16, 4: integer.XOR_RM32_R32, 8: integer.XOR_RM64_R64},
        {1: integer.XOR_RM8_IMM8, 2: integer.XOR_RM16_IMM8, 4: integer.XOR_RM32_IMM8, 8: integer.XOR_RM64_IMM8},
        {4: integer.XOR_RM32_IMM32, 8: integer.XOR_RM64_IMM32},
        integer.XOR_R64_RM64,
    ),
}  # fmt: skip
_WIDTHS: Final = {0x36: 4, 0x37: 8, 0x3A: 1, 0x3B: 2, 0x3C: 1, 0x3D: 2, 0x3E: 4}
_TO_64: Final = 0x12


def modify(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    operation, store, address, offset, load = imm
    by_register, by_byte, by_wide, direct = _ROWS[operation if operation < 0x7C else operation - _TO_64]
    width = _WIDTHS[store]
    in_register = address < 0 or e.place[address] < SLOT
    if a < 0:
        constant = _signed(e.constants[~a], width)  # type: ignore[arg-type]
        if -128 <= constant < 128:
            _change(e, by_byte[width], address, offset, load, (constant & 0xFF).to_bytes(1, "little"))
            return
        if width > 2 and -0x8000_0000 <= constant < 0x8000_0000:  # 16-bit immediates are slow to decode
            _change(e, by_wide[width], address, offset, load, (constant & 0xFFFF_FFFF).to_bytes(4, "little"))
            return
    elif e.place[a] < SLOT:
        e.code += operand(e, by_register[width], e.place[a], address, offset, load)
        return
    if in_register:
        register = e.integer(a, RAX)
        e.code += operand(e, by_register[width], register, address, offset, load)
        return
    # Neither the operand nor the address is in a register: step by step, the address in rax twice.
    e.code += operand(e, LOAD_ROWS[e.insts[load][0]], RAX, address, offset, load)
    if a < 0:
        e.pool_integer(direct.rip[RAX], e.constants[~a])  # type: ignore[arg-type]
    else:
        e.code += e.slot(direct.based[RAX][RSP], e.place[a])
    e.code += MOVQ_XMM[XMM15][RAX]
    row, immediate = STORE_LANE[store]
    e.code += operand(e, row, XMM15, address, offset, load) + immediate


def _signed(constant: int, width: int) -> int:
    bits = 8 * width
    constant &= (1 << bits) - 1
    return constant - (1 << bits) if constant >> bits - 1 else constant


def _change(e: Emitter, row: Any, address: int, offset: int, load: int, immediate: bytes) -> None:
    if address < 0:
        tails = row.based[R15]
        offset += e.constants[~address]  # type: ignore[operator]
    else:
        tails = row.indexed(R15)[e.integer(address, RAX)]
    e.traps.append((len(e.code), OUT_OF_BOUNDS, e.marks[load]))
    e.code += at(tails, offset) + immediate


EMITTERS: Final[dict[int, Callable[[Emitter, int, int, int, Any], None]]] = {ops.MODIFY: modify}
