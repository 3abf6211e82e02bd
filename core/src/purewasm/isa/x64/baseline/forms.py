"""Instructions of the baseline compiler as bytes: those that access a slot by the slot's number, others by the opcode that they are for.

A slot's number is FRAME and its distance from the stack pointer in words of 8 bytes. All tables fill themselves: a small module would
wait longer for all of their rows than for its code.
"""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.isa.x64 import control, integer, memory
from purewasm.isa.x64.conditions import CC_A, CC_AE, CC_B, CC_BE, CC_E, CC_G, CC_GE, CC_L, CC_LE, CC_NE
from purewasm.isa.x64.emit.state import LOAD64, LOAD_F64, LOAD_V128, STORE64, STORE_F64, STORE_V128, XMM15, at
from purewasm.isa.x64.guest_arguments import GUEST_ARGUMENTS
from purewasm.isa.x64.registers import R8, R9, R14, R15, RAX, RCX, RDI, RDX, RSI, RSP
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, TypeVar, final
from purewasm.store.layout import SLOTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.address import Tails
    from purewasm.isa.x64.formats import MI, MR, RM, RMI

T = TypeVar("T")

FRAME: Final = 1 << 29
"""More than there are values in any function."""
_KEPT_SLOTS: Final = 1 << 11
_KEPT_CALLS: Final = 1 << 14
"""What belongs to slots farther away, and to more functions, is not kept: it would stay for all modules to come."""


def offset_of(slot: int) -> int:
    """Distance from the stack pointer."""
    return 8 * (slot - FRAME)


@final
class Slots(dict[int, bytes]):
    """One instruction for every slot: of a table of addresses by base, or by register and base."""

    __slots__ = ("_register", "_table")

    def __init__(self, table: list[list[Tails]] | list[Tails], register: int = -1) -> None:
        super().__init__()
        self._table, self._register = table, register

    def __missing__(self, slot: int) -> bytes:
        table: list[Tails] = self._table[self._register] if self._register >= 0 else self._table  # type: ignore[assignment]
        made = at(table[RSP], offset_of(slot))
        if slot < FRAME + _KEPT_SLOTS:
            self[slot] = made
        return made


class _Table(dict[int, T]):
    """Entries are made when they are asked for."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[int], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: int) -> T:
        made = self[key] = self._make(key)
        return made


LOAD: Final = {register: Slots(LOAD64, register) for register in (RAX, RCX, RDX, RDI, RSI, R8, R9)}
LOAD_RAX: Final = LOAD[RAX]
LOAD_RCX: Final = LOAD[RCX]
STORE: Final = {register: Slots(STORE64, register) for register in (RAX, RCX, *GUEST_ARGUMENTS.int_arguments)}
STORE_RAX: Final = STORE[RAX]
STORE_RCX: Final = STORE[RCX]
STORE_CONSTANT: Final = Slots(memory.MOV_RM64_IMM32.based)
"""Open for 4 bytes, which are sign-extended."""
LOAD_XMM: Final = [Slots(LOAD_F64, register) for register in range(8)]
STORE_XMM: Final = [Slots(STORE_F64, register) for register in range(8)]
LOAD_VECTOR: Final = Slots(LOAD_V128, XMM15)
STORE_VECTOR: Final = Slots(STORE_V128, XMM15)
COMPARE_ZERO: Final = Slots(integer.CMP_RM32_IMM8.based)
COMPARE_ZERO_WIDE: Final = Slots(integer.CMP_RM64_IMM8.based)
"""Open for a byte, both."""
TEST_EAX: Final = integer.TEST_RM32_R32.regs[RAX][RAX]
TEST_RAX: Final = integer.TEST_RM64_R64.regs[RAX][RAX]
TEST_ECX: Final = integer.TEST_RM32_R32.regs[RCX][RCX]
TEST_RCX: Final = integer.TEST_RM64_R64.regs[RCX][RCX]
LOAD_SLOTS: Final = at(LOAD64[RAX][R14], SLOTS)
"""The address of the slot table into rax."""


def _flag_to_eax(condition: int) -> bytes:
    return integer.SETCC[condition].regs[RAX] + memory.MOVZX_R32_RM8.regs[RAX][RAX]


FLAG_TO_EAX: Final = _Table(_flag_to_eax)
"""By condition."""


def _select(condition: int) -> tuple[Slots, bytes]:
    row = integer.CMOVCC_R64_RM64[condition]
    return Slots(row.based, RAX), row.regs[RAX][RCX]


SELECT: Final = _Table(_select)
"""By condition: rax stays, or becomes what is in a slot, or in rcx."""


@final
class _Calls(dict[int, bytes]):
    """Call of a function of this module."""

    __slots__ = ()

    def __missing__(self, function: int) -> bytes:
        made = LOAD_SLOTS + at(control.CALL_RM64.based[RAX], 8 * function)
        if function < _KEPT_CALLS:
            self[function] = made
        return made


CALL: Final = _Calls()


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


# opcode: with a register, with a constant of 8 and of 32 bits, whether it is of 64 bits
ARITHMETIC_ROWS: Final[dict[int, tuple[RM, MI | RMI, MI | RMI, int]]] = {
    0x6A: (integer.ADD_R32_RM32, integer.ADD_RM32_IMM8, integer.ADD_RM32_IMM32, 0),
    0x6B: (integer.SUB_R32_RM32, integer.SUB_RM32_IMM8, integer.SUB_RM32_IMM32, 0),
    0x6C: (integer.IMUL_R32_RM32, integer.IMUL_R32_RM32_IMM8, integer.IMUL_R32_RM32_IMM32, 0),
    0x71: (integer.AND_R32_RM32, integer.AND_RM32_IMM8, integer.AND_RM32_IMM32, 0),
    0x72: (integer.OR_R32_RM32, integer.OR_RM32_IMM8, integer.OR_RM32_IMM32, 0),
    0x73: (integer.XOR_R32_RM32, integer.XOR_RM32_IMM8, integer.XOR_RM32_IMM32, 0),
    0x7C: (integer.ADD_R64_RM64, integer.ADD_RM64_IMM8, integer.ADD_RM64_IMM32, 1),
    0x7D: (integer.SUB_R64_RM64, integer.SUB_RM64_IMM8, integer.SUB_RM64_IMM32, 1),
    0x7E: (integer.IMUL_R64_RM64, integer.IMUL_R64_RM64_IMM8, integer.IMUL_R64_RM64_IMM32, 1),
    0x83: (integer.AND_R64_RM64, integer.AND_RM64_IMM8, integer.AND_RM64_IMM32, 1),
    0x84: (integer.OR_R64_RM64, integer.OR_RM64_IMM8, integer.OR_RM64_IMM32, 1),
    0x85: (integer.XOR_R64_RM64, integer.XOR_RM64_IMM8, integer.XOR_RM64_IMM32, 1),
}
_COMPARE_ROWS: Final = (
    (integer.CMP_R32_RM32, integer.CMP_RM32_IMM8, integer.CMP_RM32_IMM32, 0),
    (integer.CMP_R64_RM64, integer.CMP_RM64_IMM8, integer.CMP_RM64_IMM32, 1),
)
_CONDITIONS: Final = (CC_E, CC_NE, CC_L, CC_B, CC_G, CC_A, CC_LE, CC_BE, CC_GE, CC_AE)
_I32_EQ: Final = 0x46
_I64_EQ: Final = 0x51


def _forms(row: RM, byte: MI | RMI, word: MI | RMI, wide: int, is_commutative: int) -> Arithmetic:
    with_byte, with_word = byte.regs[RAX], word.regs[RAX]
    if not isinstance(with_byte, bytes) or not isinstance(with_word, bytes):  # a product has its target apart
        with_byte, with_word = with_byte[RAX], with_word[RAX]  # type: ignore[assignment]
    return Arithmetic(Slots(row.based, RAX), row.regs[RAX][RCX], with_byte, with_word, wide, is_commutative)  # type: ignore[arg-type]


def _arithmetic(op: int) -> Arithmetic:
    return _forms(*ARITHMETIC_ROWS[op], ops.COMMUTATIVE[op])


def _compare(op: int) -> tuple[Arithmetic, int]:
    wide = op >= _I64_EQ
    return _forms(*_COMPARE_ROWS[wide], 0), _CONDITIONS[op - (_I64_EQ if wide else _I32_EQ)]


ARITHMETIC: Final = _Table(_arithmetic)
"""By opcode."""
COMPARES: Final = _Table(_compare)
"""By opcode: what compares rax, and the condition that is asked for."""

# by a constant, by cl, the count's mask
SHIFT_ROWS: Final = {
    0x74: (integer.SHL_RM32_IMM8, integer.SHL_RM32_CL, 31),
    0x75: (integer.SAR_RM32_IMM8, integer.SAR_RM32_CL, 31),
    0x76: (integer.SHR_RM32_IMM8, integer.SHR_RM32_CL, 31),
    0x86: (integer.SHL_RM64_IMM8, integer.SHL_RM64_CL, 63),
    0x87: (integer.SAR_RM64_IMM8, integer.SAR_RM64_CL, 63),
    0x88: (integer.SHR_RM64_IMM8, integer.SHR_RM64_CL, 63),
}


def _shift(op: int) -> tuple[bytes, bytes, int]:
    by_constant, by_cl, mask = SHIFT_ROWS[op]
    return by_constant.regs[RAX], by_cl.regs[RAX], mask


SHIFTS: Final = _Table(_shift)
"""By opcode: of rax by a constant (open for it) and by cl, and the count's mask."""
# i32.wrap_i64, i64.extend_i32_s, and what extends the low bits in place
EXTENSION_ROWS: Final = {
    0xA7: memory.MOV_R32_RM32, 0xAC: memory.MOVSXD, 0xC0: memory.MOVSX_R32_RM8, 0xC1: memory.MOVSX_R32_RM16,
    0xC2: memory.MOVSX_R64_RM8, 0xC3: memory.MOVSX_R64_RM16, 0xC4: memory.MOVSXD,
}  # fmt: skip


def _extension(op: int) -> tuple[Slots, bytes]:
    row = EXTENSION_ROWS[op]
    return Slots(row.based, RAX), row.regs[RAX][RAX]


EXTENSIONS: Final = _Table(_extension)
"""By opcode: into rax, from a slot and from rax."""
_LOAD_ROWS: Final = {
    0x28: memory.MOV_R32_RM32, 0x29: memory.MOV_R64_RM64, 0x2A: memory.MOV_R32_RM32, 0x2B: memory.MOV_R64_RM64,
    0x2C: memory.MOVSX_R32_RM8, 0x2D: memory.MOVZX_R32_RM8, 0x2E: memory.MOVSX_R32_RM16, 0x2F: memory.MOVZX_R32_RM16,
    0x30: memory.MOVSX_R64_RM8, 0x31: memory.MOVZX_R32_RM8, 0x32: memory.MOVSX_R64_RM16, 0x33: memory.MOVZX_R32_RM16,
    0x34: memory.MOVSXD, 0x35: memory.MOV_R32_RM32,
}  # fmt: skip


def _load(op: int) -> Tails:
    return _LOAD_ROWS[op].indexed(R15)[RAX][RAX]


LOAD_MEMORY: Final = _Table(_load)
"""By opcode: into rax, from the address in rax; floats too, as their bits."""


class StoreForms(NamedTuple):
    """A store of rax to the address in rcx, of rcx to that in rax, and of a constant of some bytes to that in rax."""

    rax: Tails
    rcx: Tails
    constant: Tails
    constant_bytes: int


_BYTE: Final = (memory.MOV_RM8_R8, memory.MOV_RM8_IMM8, 1)
_HALF: Final = (memory.MOV_RM16_R16, memory.MOV_RM16_IMM16, 2)
_WORD: Final = (memory.MOV_RM32_R32, memory.MOV_RM32_IMM32, 4)
_LONG: Final = (memory.MOV_RM64_R64, memory.MOV_RM64_IMM32, 4)
_STORE_ROWS: Final[dict[int, tuple[MR, MI, int]]] = {
    0x36: _WORD, 0x37: _LONG, 0x38: _WORD, 0x39: _LONG, 0x3A: _BYTE, 0x3B: _HALF, 0x3C: _BYTE, 0x3D: _HALF, 0x3E: _WORD,
}  # fmt: skip


def _store(op: int) -> StoreForms:
    row, constant, size = _STORE_ROWS[op]
    by_register = row.indexed(R15)
    return StoreForms(by_register[RAX][RCX], by_register[RCX][RAX], constant.indexed(R15)[RAX], size)


STORE_MEMORY: Final = _Table(_store)
"""By opcode."""
