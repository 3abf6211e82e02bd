"""Loads, stores, checked addresses, memory sizes and globals.

An access whose displacement is not negative goes over the memory's base register, and its guard pages trap. A negative one goes with
the end of the access as an address that `check` has made.
"""

from __future__ import annotations

from purewasm.backend.target import SLOT
from purewasm.ir import ops
from purewasm.isa.x64 import integer, memory, vex, xmm_moves
from purewasm.isa.x64.conditions import CC_A, CC_B
from purewasm.isa.x64.emit.state import LOAD64, LOAD_F64, LOAD_V128, STORE64, STORE_F64, STORE_V128, XMM15, at, pack32
from purewasm.isa.x64.registers import R15, RAX, RSP
from purewasm.isa.x64.roles import CONTEXT
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store import layout
from purewasm.traps import OUT_OF_BOUNDS_MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.address import Tails
    from purewasm.isa.x64.emit.state import Emitter

OUT_OF_BOUNDS: Final = layout.TRAP_NUMBER[OUT_OF_BOUNDS_MEMORY]

LOAD_ROWS: Final = {
    0x28: memory.MOV_R32_RM32, 0x29: memory.MOV_R64_RM64, 0x2A: xmm_moves.VMOVSS_XMM_M32, 0x2B: xmm_moves.VMOVSD_XMM_M64,
    0x2C: memory.MOVSX_R32_RM8, 0x2D: memory.MOVZX_R32_RM8, 0x2E: memory.MOVSX_R32_RM16, 0x2F: memory.MOVZX_R32_RM16,
    0x30: memory.MOVSX_R64_RM8, 0x31: memory.MOVZX_R32_RM8, 0x32: memory.MOVSX_R64_RM16, 0x33: memory.MOVZX_R32_RM16,
    0x34: memory.MOVSXD, 0x35: memory.MOV_R32_RM32,
}  # fmt: skip
STORE_ROWS: Final = {
    0x36: memory.MOV_RM32_R32, 0x37: memory.MOV_RM64_R64, 0x38: xmm_moves.VMOVSS_M32_XMM, 0x39: xmm_moves.VMOVSD_M64_XMM,
    0x3A: memory.MOV_RM8_R8, 0x3B: memory.MOV_RM16_R16, 0x3C: memory.MOV_RM8_R8, 0x3D: memory.MOV_RM16_R16, 0x3E: memory.MOV_RM32_R32,
}  # fmt: skip
# Stores of constants: the row and the bytes of its immediate.
STORE_IMMEDIATE: Final = {
    0x36: (memory.MOV_RM32_IMM32, 4), 0x37: (memory.MOV_RM64_IMM32, 4), 0x3A: (memory.MOV_RM8_IMM8, 1),
    0x3B: (memory.MOV_RM16_IMM16, 2), 0x3C: (memory.MOV_RM8_IMM8, 1), 0x3D: (memory.MOV_RM16_IMM16, 2), 0x3E: (memory.MOV_RM32_IMM32, 4),
}  # fmt: skip
LOADS: Final[list[Any]] = [None] * 0x40
"""By opcode: (over r15 by register and index, over any base by register and base)."""
STORES: Final[list[Any]] = [None] * 0x40
for _op, _row in LOAD_ROWS.items():
    LOADS[_op] = _row.indexed(R15), _row.based
for _op, _store in STORE_ROWS.items():
    STORES[_op] = _store.indexed(R15), _store.based

_ADD_POOL: Final = integer.ADD_R64_RM64.rip
_ADD_MEMORY: Final = integer.ADD_R64_RM64.based
_ADD_IMM32: Final = integer.ADD_RM64_IMM32.regs
_CMP_MEMORY: Final = integer.CMP_R64_RM64.based
_SHR: Final = integer.SHR_RM64_IMM8.regs
_STORE_IMMEDIATE64: Final = memory.MOV_RM64_IMM32.based


def operand(e: Emitter, row: Any, register: int, address: int, displacement: int, value: int) -> bytes:
    """An access of `row` with `register`; notes that it may fault. Loads the address into rax where it must."""
    if address < 0:
        tails: Tails = row.based[register][R15]
        displacement += e.constants[~address]  # type: ignore[operator]
    else:
        index = e.integer(address, RAX)
        tails = row.indexed(R15)[register][index] if displacement >= 0 else row.based[register][index]
    e.traps.append((len(e.code), OUT_OF_BOUNDS, e.marks[value]))
    return at(tails, displacement)


def operand_v(e: Emitter, row: Any, register: int, v: int, address: int, displacement: int, value: int) -> bytes:
    """The same for an instruction with a third register."""
    if address < 0:
        tails: Tails = row.based[register][v][R15]
        displacement += e.constants[~address]  # type: ignore[operator]
    else:
        index = e.integer(address, RAX)
        tails = row.indexed(R15)[register][v][index] if displacement >= 0 else row.based[register][v][index]
    e.traps.append((len(e.code), OUT_OF_BOUNDS, e.marks[value]))
    return at(tails, displacement)


def load(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """What the loop of `body` leaves over: constant and checked addresses, results in slots."""
    op = e.insts[value][0]
    row = LOAD_ROWS[op]
    if ops.CLASS[op] == ops.INT:
        register = e.integer_result(value)
        e.code += operand(e, row, register, a, imm, value)
        e.store_integer(value, register)
    else:
        register = e.xmm_result(value)
        e.code += operand(e, row, register, a, imm, value)
        e.store_float(value, register)


def store(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    op = e.insts[value][0]
    if op == 0x38 or op == 0x39:
        register = e.float(b, XMM15)
    elif b < 0 and _store_constant(e, op, value, a, e.constants[~b], imm):  # type: ignore[arg-type]
        return
    else:
        register = e.place[b] if b >= 0 else SLOT
        if register >= SLOT:
            if a >= 0 and e.place[a] >= SLOT:
                _store_through_xmm(e, op, value, a, b, imm)
                return
            register = e.integer(b, RAX)
    e.code += operand(e, STORE_ROWS[op], register, a, imm, value)


# By opcode: the store of the lowest lane, and its immediate.
STORE_LANE: Final = {
    0x36: (xmm_moves.VMOVD_RM32_XMM, b""), 0x37: (xmm_moves.VMOVQ_RM64_XMM, b""), 0x3A: (vex.VPEXTRB, b"\0"),
    0x3B: (vex.VPEXTRW_R32M16_XMM_IMM8, b"\0"), 0x3C: (vex.VPEXTRB, b"\0"), 0x3D: (vex.VPEXTRW_R32M16_XMM_IMM8, b"\0"),
    0x3E: (xmm_moves.VMOVD_RM32_XMM, b""),
}  # fmt: skip


def _store_through_xmm(e: Emitter, op: int, value: int, a: int, b: int, displacement: int) -> None:
    """Store where neither the value nor the address is in a register: the address is in rax then."""
    if b < 0:
        e.load_constant(XMM15, int(e.constants[~b]).to_bytes(8, "little"))
    else:
        e.code += e.slot(LOAD_F64[XMM15][RSP], e.place[b])
    row, immediate = STORE_LANE[op]
    e.code += operand(e, row, XMM15, a, displacement, value) + immediate


def _store_constant(e: Emitter, op: int, value: int, a: int, constant: int, displacement: int) -> bool:
    """Store an immediate, where one fits."""
    if op == 0x37 and 0x7FFF_FFFF < constant < 0xFFFF_FFFF_8000_0000:
        return False
    row, size = STORE_IMMEDIATE[op]
    if a < 0:
        tails = row.based[R15]
        displacement += e.constants[~a]  # type: ignore[operator]
    else:
        index = e.integer(a, RAX)
        tails = row.indexed(R15)[index] if displacement >= 0 else row.based[index]
    e.traps.append((len(e.code), OUT_OF_BOUNDS, e.marks[value]))
    e.code += at(tails, displacement) + (constant & (1 << 8 * size) - 1).to_bytes(size, "little")
    return True


def check(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """The address of the end of an access: index + offset + bytes, compared with the memory's size, plus its base."""
    index, offset, width_bytes = imm
    memory_type = e.memories[index]
    reach = offset + width_bytes
    place = e.marks[value]
    code = e.code
    if reach >= 1 << 64:
        e.trap_always(OUT_OF_BOUNDS, place)
        return
    e.integer_into(RAX, a)
    if reach < 0x8000_0000:
        code += _ADD_IMM32[RAX] + pack32(reach)
    else:
        e.pool_integer(_ADD_POOL[RAX], reach)
    if memory_type.is_64:
        e.trap_if(CC_B, OUT_OF_BOUNDS, place)
    pair = e.layout.memory(index)
    code += at(_CMP_MEMORY[RAX][CONTEXT], pair + layout.MEMORY_BYTES)
    e.trap_if(CC_A, OUT_OF_BOUNDS, place)
    code += at(_ADD_MEMORY[RAX][CONTEXT], pair + layout.MEMORY_BASE)
    e.store_integer(value, RAX)


def memory_size(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    index, shift = imm
    register = e.integer_result(value)
    e.code += at(LOAD64[register][CONTEXT], e.layout.memory(index) + layout.MEMORY_BYTES)
    if shift:
        e.code += _SHR[register] + bytes((shift,))
    e.store_integer(value, register)


def _global_base(e: Emitter, index: int) -> tuple[int, int]:
    """(base register, displacement) of a global's cell; rax where it lies elsewhere."""
    offset = e.layout.global_cell(index)
    if not e.layout.global_is_indirect(index):
        return CONTEXT, offset
    e.code += at(LOAD64[RAX][CONTEXT], offset)
    return RAX, 0


def _global_get(value_class: int) -> Callable[[Emitter, int, int, int, Any], None]:
    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        base, offset = _global_base(e, imm)
        if value_class == ops.INT:
            register = e.integer_result(value)
            e.code += at(LOAD64[register][base], offset)
            e.store_integer(value, register)
            return
        register = e.xmm_result(value)
        e.code += at((LOAD_V128 if value_class == ops.VEC else LOAD_F64)[register][base], offset)
        (e.store_vector if value_class == ops.VEC else e.store_float)(value, register)

    return emit


def _global_set(value_class: int) -> Callable[[Emitter, int, int, int, Any], None]:
    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        base, offset = _global_base(e, imm)
        if value_class == ops.INT:
            constant = e.constants[~a] if a < 0 else -1
            if isinstance(constant, int) and 0 <= constant < 0x8000_0000:
                e.code += at(_STORE_IMMEDIATE64[base], offset) + pack32(constant)
            elif a >= 0 and e.place[a] < SLOT:
                e.code += at(STORE64[e.place[a]][base], offset)
            else:
                if a < 0:
                    e.load_constant(XMM15, constant.to_bytes(8, "little"))  # type: ignore[union-attr]
                else:
                    e.code += e.slot(LOAD_F64[XMM15][RSP], e.place[a])
                e.code += at(STORE_F64[XMM15][base], offset)
        elif value_class == ops.VEC:
            e.code += at(STORE_V128[e.vector(a, XMM15)][base], offset)
        else:
            e.code += at(STORE_F64[e.float(a, XMM15)][base], offset)

    return emit


EMITTERS: Final[dict[int, Callable[[Emitter, int, int, int, Any], None]]] = {
    **dict.fromkeys(LOAD_ROWS, load),
    **dict.fromkeys(STORE_ROWS, store),
    ops.CHECK: check,
    ops.MEMORY_SIZE: memory_size,
    **{ops.GLOBAL_GET + c: _global_get(c) for c in (1, 2, 3)},
    **{ops.GLOBAL_SET + c: _global_set(c) for c in (1, 2, 3)},
}
