"""Instructions of the baseline compiler as bytes: those that access a slot by the slot's number, in tables that fill themselves.

A slot's number is FRAME and its distance from the stack pointer in words of 8 bytes.
"""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.isa.x64 import control, integer, memory
from purewasm.isa.x64.conditions import CC_A, CC_AE, CC_B, CC_BE, CC_E, CC_G, CC_GE, CC_L, CC_LE, CC_NE
from purewasm.isa.x64.emit.state import LOAD64, LOAD_F64, LOAD_V128, STORE64, STORE_F64, STORE_V128, XMM15, at
from purewasm.isa.x64.guest_arguments import GUEST_ARGUMENTS
from purewasm.isa.x64.registers import R8, R9, R14, R15, RAX, RCX, RDI, RDX, RSI, RSP
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final
from purewasm.store.layout import SLOTS

if TYPE_CHECKING:
    from purewasm.isa.x64.address import Tails
    from purewasm.isa.x64.formats import MI, RM, RMI


FRAME: Final = 1 << 29
"""More than there are values in any function."""


MANY_SLOTS: Final = 1 << 14
"""What belongs to slots farther away is not kept."""


def offset_of(slot: int) -> int:
    """Distance from the stack pointer."""
    return 8 * (slot - FRAME)


@final
class Slots(dict[int, bytes]):
    """One instruction for every slot."""

    __slots__ = ("_tails",)

    def __init__(self, tails: Tails) -> None:
        super().__init__()
        self._tails = tails

    def __missing__(self, slot: int) -> bytes:
        made = at(self._tails, offset_of(slot))
        if slot < FRAME + MANY_SLOTS:
            self[slot] = made
        return made


LOAD: Final = {register: Slots(LOAD64[register][RSP]) for register in (RAX, RCX, RDX, RDI, RSI, R8, R9)}
LOAD_RAX: Final = LOAD[RAX]
LOAD_RCX: Final = LOAD[RCX]
LOAD_EAX: Final = Slots(memory.MOV_R32_RM32.based[RAX][RSP])
STORE: Final = {register: Slots(STORE64[register][RSP]) for register in (RAX, RCX, *GUEST_ARGUMENTS.int_arguments)}
STORE_RAX: Final = STORE[RAX]
STORE_RCX: Final = STORE[RCX]
STORE_CONSTANT: Final = Slots(memory.MOV_RM64_IMM32.based[RSP])
"""Open for 4 bytes, which are sign-extended."""
LOAD_XMM: Final = [Slots(LOAD_F64[register][RSP]) for register in range(8)]
STORE_XMM: Final = [Slots(STORE_F64[register][RSP]) for register in range(8)]
LOAD_VECTOR: Final = Slots(LOAD_V128[XMM15][RSP])
STORE_VECTOR: Final = Slots(STORE_V128[XMM15][RSP])
COMPARE_ZERO: Final = Slots(integer.CMP_RM32_IMM8.based[RSP])
COMPARE_ZERO_WIDE: Final = Slots(integer.CMP_RM64_IMM8.based[RSP])
"""Open for a byte, both."""
EXTEND_RAX: Final = Slots(memory.MOVSXD.based[RAX][RSP])
SELECT_RAX: Final = [Slots(row.based[RAX][RSP]) for row in integer.CMOVCC_R64_RM64]
"""By condition."""
SELECT_RCX: Final = [row.regs[RAX][RCX] for row in integer.CMOVCC_R64_RM64]
TEST_EAX: Final = integer.TEST_RM32_R32.regs[RAX][RAX]
TEST_RAX: Final = integer.TEST_RM64_R64.regs[RAX][RAX]
TEST_ECX: Final = integer.TEST_RM32_R32.regs[RCX][RCX]
TEST_RCX: Final = integer.TEST_RM64_R64.regs[RCX][RCX]
ZERO_EXTEND_EAX: Final = memory.MOV_R32_RM32.regs[RAX][RAX]
SIGN_EXTEND_EAX: Final = memory.MOVSXD.regs[RAX][RAX]
FLAG_TO_EAX: Final = [row.regs[RAX] + memory.MOVZX_R32_RM8.regs[RAX][RAX] for row in integer.SETCC]
"""By condition."""
LOAD_SLOTS: Final = at(LOAD64[RAX][R14], SLOTS)
"""The address of the slot table into rax."""


@final
class Calls(dict[int, bytes]):
    """Call of a function of this module."""

    __slots__ = ()

    def __missing__(self, function: int) -> bytes:
        made = self[function] = LOAD_SLOTS + at(control.CALL_RM64.based[RAX], 8 * function)
        return made


CALL: Final = Calls()


class Arithmetic(NamedTuple):
    """An operation on rax."""

    slot: Slots
    rcx: bytes
    byte: bytes
    """Open for a constant of 8 bits."""
    word: bytes
    """Open for one of 32."""
    wide: int
    is_commutative: int


def _arithmetic(op: int, row: RM, byte: MI, word: MI, wide: int) -> Arithmetic:
    return Arithmetic(Slots(row.based[RAX][RSP]), row.regs[RAX][RCX], byte.regs[RAX], word.regs[RAX], wide, ops.COMMUTATIVE[op])


def _multiply(op: int, row: RM, byte: RMI, word: RMI, wide: int) -> Arithmetic:
    return Arithmetic(Slots(row.based[RAX][RSP]), row.regs[RAX][RCX], byte.regs[RAX][RAX], word.regs[RAX][RAX], wide, ops.COMMUTATIVE[op])


ARITHMETIC: Final = {
    0x6A: _arithmetic(0x6A, integer.ADD_R32_RM32, integer.ADD_RM32_IMM8, integer.ADD_RM32_IMM32, 0),
    0x6B: _arithmetic(0x6B, integer.SUB_R32_RM32, integer.SUB_RM32_IMM8, integer.SUB_RM32_IMM32, 0),
    0x71: _arithmetic(0x71, integer.AND_R32_RM32, integer.AND_RM32_IMM8, integer.AND_RM32_IMM32, 0),
    0x72: _arithmetic(0x72, integer.OR_R32_RM32, integer.OR_RM32_IMM8, integer.OR_RM32_IMM32, 0),
    0x73: _arithmetic(0x73, integer.XOR_R32_RM32, integer.XOR_RM32_IMM8, integer.XOR_RM32_IMM32, 0),
    0x7C: _arithmetic(0x7C, integer.ADD_R64_RM64, integer.ADD_RM64_IMM8, integer.ADD_RM64_IMM32, 1),
    0x7D: _arithmetic(0x7D, integer.SUB_R64_RM64, integer.SUB_RM64_IMM8, integer.SUB_RM64_IMM32, 1),
    0x83: _arithmetic(0x83, integer.AND_R64_RM64, integer.AND_RM64_IMM8, integer.AND_RM64_IMM32, 1),
    0x84: _arithmetic(0x84, integer.OR_R64_RM64, integer.OR_RM64_IMM8, integer.OR_RM64_IMM32, 1),
    0x85: _arithmetic(0x85, integer.XOR_R64_RM64, integer.XOR_RM64_IMM8, integer.XOR_RM64_IMM32, 1),
    0x6C: _multiply(0x6C, integer.IMUL_R32_RM32, integer.IMUL_R32_RM32_IMM8, integer.IMUL_R32_RM32_IMM32, 0),
    0x7E: _multiply(0x7E, integer.IMUL_R64_RM64, integer.IMUL_R64_RM64_IMM8, integer.IMUL_R64_RM64_IMM32, 1),
}
COMPARE: Final = (
    _arithmetic(0x46, integer.CMP_R32_RM32, integer.CMP_RM32_IMM8, integer.CMP_RM32_IMM32, 0),
    _arithmetic(0x51, integer.CMP_R64_RM64, integer.CMP_RM64_IMM8, integer.CMP_RM64_IMM32, 1),
)
"""Of 32 and of 64 bits."""
_CONDITIONS: Final = (CC_E, CC_NE, CC_L, CC_B, CC_G, CC_A, CC_LE, CC_BE, CC_GE, CC_AE)
COMPARES: Final = {
    **{0x46 + number: (COMPARE[0], condition) for number, condition in enumerate(_CONDITIONS)},
    **{0x51 + number: (COMPARE[1], condition) for number, condition in enumerate(_CONDITIONS)},
}
SHIFTS: Final = {
    0x74: (integer.SHL_RM32_IMM8.regs[RAX], integer.SHL_RM32_CL.regs[RAX], 31),
    0x75: (integer.SAR_RM32_IMM8.regs[RAX], integer.SAR_RM32_CL.regs[RAX], 31),
    0x76: (integer.SHR_RM32_IMM8.regs[RAX], integer.SHR_RM32_CL.regs[RAX], 31),
    0x86: (integer.SHL_RM64_IMM8.regs[RAX], integer.SHL_RM64_CL.regs[RAX], 63),
    0x87: (integer.SAR_RM64_IMM8.regs[RAX], integer.SAR_RM64_CL.regs[RAX], 63),
    0x88: (integer.SHR_RM64_IMM8.regs[RAX], integer.SHR_RM64_CL.regs[RAX], 63),
}
"""By a constant (open for it), by cl, and the count's mask."""

_LOADS: Final = {
    0x28: memory.MOV_R32_RM32, 0x29: memory.MOV_R64_RM64, 0x2A: memory.MOV_R32_RM32, 0x2B: memory.MOV_R64_RM64,
    0x2C: memory.MOVSX_R32_RM8, 0x2D: memory.MOVZX_R32_RM8, 0x2E: memory.MOVSX_R32_RM16, 0x2F: memory.MOVZX_R32_RM16,
    0x30: memory.MOVSX_R64_RM8, 0x31: memory.MOVZX_R32_RM8, 0x32: memory.MOVSX_R64_RM16, 0x33: memory.MOVZX_R32_RM16,
    0x34: memory.MOVSXD, 0x35: memory.MOV_R32_RM32,
}  # fmt: skip
LOAD_MEMORY: Final = {op: row.indexed(R15)[RAX][RAX] for op, row in _LOADS.items()}
"""Into rax, from the address in rax: floats too, as their bits."""
_STORES: Final = {
    0x36: (memory.MOV_RM32_R32, memory.MOV_RM32_IMM32, 4), 0x37: (memory.MOV_RM64_R64, memory.MOV_RM64_IMM32, 4),
    0x38: (memory.MOV_RM32_R32, memory.MOV_RM32_IMM32, 4), 0x39: (memory.MOV_RM64_R64, memory.MOV_RM64_IMM32, 4),
    0x3A: (memory.MOV_RM8_R8, memory.MOV_RM8_IMM8, 1), 0x3B: (memory.MOV_RM16_R16, memory.MOV_RM16_IMM16, 2),
    0x3C: (memory.MOV_RM8_R8, memory.MOV_RM8_IMM8, 1), 0x3D: (memory.MOV_RM16_R16, memory.MOV_RM16_IMM16, 2),
    0x3E: (memory.MOV_RM32_R32, memory.MOV_RM32_IMM32, 4),
}  # fmt: skip


class StoreForms(NamedTuple):
    """A store of rax to the address in rcx, of rcx to that in rax, and of a constant of some bytes to that in rax."""

    rax: Tails
    rcx: Tails
    constant: Tails
    constant_bytes: int


STORE_MEMORY: Final = {
    op: StoreForms(row.indexed(R15)[RAX][RCX], row.indexed(R15)[RCX][RAX], constant.indexed(R15)[RAX], size)
    for op, (row, constant, size) in _STORES.items()
}
