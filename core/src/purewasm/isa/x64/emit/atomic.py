"""Atomic accesses. `atomic_check` gives the address of the end of an access, aligned and inside of the memory, so nothing here faults.

Loads are plain ones, stores are exchanges: with that, all of them are sequentially consistent. What has no instruction of its own (`and`,
`or`, `xor` with the old value wanted) is a loop around a compare and exchange. Code that writes may use rdx besides rax; one register
more is borrowed where operands are in slots of the frame, its value is kept in xmm15 meanwhile.
"""

from __future__ import annotations

from purewasm.backend.target import SLOT
from purewasm.ir import ops
from purewasm.isa.x64 import atomic, integer, memory
from purewasm.isa.x64.conditions import CC_A, CC_B, CC_NE
from purewasm.isa.x64.emit.memory import OUT_OF_BOUNDS
from purewasm.isa.x64.emit.state import BYTE, JCC8, MOV, MOV32, MOVQ_GPR, MOVQ_XMM, XMM15, at, pack32
from purewasm.isa.x64.registers import R10, R11, RAX, RCX, RDX, RSP
from purewasm.isa.x64.roles import CONTEXT
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store import layout
from purewasm.traps import UNALIGNED_ATOMIC
from purewasm.wasm import opcodes

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter

    Emit = Callable[[Emitter, int, int, int, Any], None]

_UNALIGNED: Final = layout.TRAP_NUMBER[UNALIGNED_ATOMIC]
_ADD_IMM32: Final = integer.ADD_RM64_IMM32.regs
_ADD_POOL: Final = integer.ADD_R64_RM64.rip
_ADD_MEMORY: Final = integer.ADD_R64_RM64.based
_CMP_POOL: Final = integer.CMP_R64_RM64.rip
_CMP_MEMORY: Final = integer.CMP_R64_RM64.based
_TEST_IMM32: Final = integer.TEST_RM32_IMM32.regs

_WIDTHS: Final = {ops.number_of(row[0]): 1 << row[5] for row in opcodes.FAMILIES["atomic"]}
# By width in bytes; their tables of templates are made for the first function that needs them.
_LOADS: Final = {
    1: memory.MOVZX_R32_RM8, 2: memory.MOVZX_R32_RM16, 4: memory.MOV_R32_RM32, 8: memory.MOV_R64_RM64,
}  # fmt: skip
_EXTEND: Final = {1: memory.MOVZX_R32_RM8.regs[RAX][RAX], 2: memory.MOVZX_R32_RM16.regs[RAX][RAX], 4: b"", 8: b""}
"""Zero-extends the old value in rax: instructions of 32 bits have done so."""
_EXCHANGE: Final = {
    1: memory.XCHG_RM8_R8, 2: memory.XCHG_RM16_R16, 4: memory.XCHG_RM32_R32, 8: memory.XCHG_RM64_R64,
}  # fmt: skip
_EXCHANGE_ADD: Final = {
    1: atomic.LOCK_XADD_M8_R8, 2: atomic.LOCK_XADD_M16_R16, 4: atomic.LOCK_XADD_M32_R32, 8: atomic.LOCK_XADD_M64_R64,
}  # fmt: skip
_COMPARE_EXCHANGE: Final = {
    1: atomic.LOCK_CMPXCHG_M8_R8, 2: atomic.LOCK_CMPXCHG_M16_R16, 4: atomic.LOCK_CMPXCHG_M32_R32, 8: atomic.LOCK_CMPXCHG_M64_R64,
}  # fmt: skip


def atomic_check(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """The address of the end of an access: index + offset + bytes, compared with the memory's size, plus its base."""
    index, offset, width_bytes = imm
    is_64 = e.memories[index].is_64
    place, code = e.marks[value], e.code
    e.integer_into(RAX, a)
    if offset:
        if offset < 0x8000_0000:
            code += _ADD_IMM32[RAX] + pack32(offset)
        else:
            e.pool_integer(_ADD_POOL[RAX], offset)
    if width_bytes > 1:
        code += _TEST_IMM32[RAX] + pack32(width_bytes - 1)
        e.trap_if(CC_NE, _UNALIGNED, place)
    if is_64 and offset:  # the sum of an i32 and an offset has at most 33 bits
        e.pool_integer(_CMP_POOL[RAX], offset)
        e.trap_if(CC_B, OUT_OF_BOUNDS, place)
    code += _ADD_IMM32[RAX] + pack32(width_bytes)
    if is_64:
        e.trap_if(CC_B, OUT_OF_BOUNDS, place)
    pair = e.layout.memory(index)
    code += at(_CMP_MEMORY[RAX][CONTEXT], pair + layout.MEMORY_BYTES)
    e.trap_if(CC_A, OUT_OF_BOUNDS, place)
    code += at(_ADD_MEMORY[RAX][CONTEXT], pair + layout.MEMORY_BASE)
    e.store_integer(value, RAX)


def _load(width: int) -> Emit:
    row = _LOADS[width]

    def load(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        register = e.integer_result(value)
        e.code += at(row.based[register][e.integer(a, RAX)], -width)
        e.store_integer(value, register)

    return load


def _store(width: int) -> Emit:
    row = _EXCHANGE[width]

    def store(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        e.integer_into(RAX, b)
        e.code += at(row.based[RAX][e.integer(a, RDX)], -width)

    return store


def _exchange(width: int, row: Any, head: bytes) -> Emit:
    """An instruction that leaves the old value in the register of the new one; `head` prepares that."""

    def exchange(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        e.integer_into(RAX, b)
        e.code += head + at(row.based[RAX][e.integer(a, RDX)], -width) + _EXTEND[width]
        e.store_integer(value, RAX)

    return exchange


def _borrow(e: Emitter, *operands: int) -> int:
    """A register that none of the operands is in; xmm15 keeps its value until `_give_back`."""
    taken = [e.place[operand] for operand in operands if operand >= 0]
    register = next(register for register in (R10, R11, RCX) if register not in taken)
    e.code += MOVQ_XMM[XMM15][register]
    return register


def _give_back(e: Emitter, register: int) -> None:
    e.code += MOVQ_GPR[register][XMM15]


def _loop(width: int, row: Any) -> Emit:
    """Load, change, compare and exchange until nobody came between."""

    def modify(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        code, borrowed, address = e.code, -1, e.place[a]
        if address >= SLOT:
            borrowed = address = _borrow(e, a, b)
            e.integer_into(address, a)
        code += at(_LOADS[width].based[RAX][address], -width)
        start = len(code)
        code += MOV[RDX][RAX]
        if b < 0:
            e.pool_integer(row.rip[RDX], e.constants[~b])  # type: ignore[arg-type]
        elif e.place[b] < SLOT:
            code += row.regs[RDX][e.place[b]]
        else:
            code += e.slot(row.based[RDX][RSP], e.place[b])
        code += at(_COMPARE_EXCHANGE[width].based[RDX][address], -width)
        code += JCC8[CC_NE] + BYTE[start - len(code) - 2]
        code += _EXTEND[width]
        if borrowed >= 0:
            _give_back(e, borrowed)
        e.store_integer(value, RAX)

    return modify


def _compare_exchange(width: int) -> Emit:
    """The lowest bytes of the expected value count."""
    # what equals leaves all of the expected value in rax
    extend = MOV32[RAX][RAX] if width == 4 else _EXTEND[width]

    def compare_exchange(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        borrowed = -1
        if b >= 0 and e.place[b] < SLOT:
            new = e.place[b]
        else:
            borrowed = new = _borrow(e, a, imm)
            e.integer_into(new, b)
        address = e.integer(a, RDX)
        e.integer_into(RAX, imm)
        e.code += at(_COMPARE_EXCHANGE[width].based[new][address], -width) + extend
        if borrowed >= 0:
            _give_back(e, borrowed)
        e.store_integer(value, RAX)

    return compare_exchange


def _fence(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    e.code += atomic.MFENCE.code


def _modification(name: str, width: int) -> Emit:
    operation = name.split(".")[-1].removesuffix("_u")
    if operation == "cmpxchg":
        return _compare_exchange(width)
    if operation == "xchg":
        return _exchange(width, _EXCHANGE[width], b"")
    if operation in ("add", "sub"):
        return _exchange(width, _EXCHANGE_ADD[width], integer.NEG_RM64.regs[RAX] if operation == "sub" else b"")
    return _loop(width, {"and": integer.AND_R64_RM64, "or": integer.OR_R64_RM64, "xor": integer.XOR_R64_RM64}[operation])


def _emitters() -> dict[int, Emit]:
    made: dict[int, Emit] = {ops.ATOMIC_CHECK: atomic_check, ops.number_of(opcodes.CODE["atomic.fence"]): _fence}
    for op, width in _WIDTHS.items():
        name = ops.NAMES[op]
        if ".atomic.load" in name:
            made[op] = _load(width)
        elif ".atomic.store" in name:
            made[op] = _store(width)
        elif ".atomic.rmw" in name:
            made[op] = _modification(name, width)
    return made


EMITTERS: Final[dict[int, Emit]] = _emitters()
