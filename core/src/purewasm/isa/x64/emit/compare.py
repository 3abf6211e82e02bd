"""Compares: flags for a branch, a select or a trap, and the 0 or 1 of a compare whose result is a value."""

from __future__ import annotations

from purewasm.backend.target import SLOT
from purewasm.ir import ops
from purewasm.isa.x64 import integer, memory, vex, xmm_moves
from purewasm.isa.x64.emit.reference import emit_test
from purewasm.isa.x64.emit.state import BYTE, XMM14, XMM15, at, pack32
from purewasm.isa.x64.registers import R15, RAX, RSP
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store.layout import TRAP_NUMBER
from purewasm.traps import OUT_OF_BOUNDS_MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter

MEM: Final = ops.MEM
_OUT_OF_BOUNDS: Final = TRAP_NUMBER[OUT_OF_BOUNDS_MEMORY]
# By 0 for 32 bits, 1 for 64.
_CMP: Final = (integer.CMP_R32_RM32.regs, integer.CMP_R64_RM64.regs)
_CMP_SLOT: Final = (integer.CMP_R32_RM32.based, integer.CMP_R64_RM64.based)
_CMP_MEMORY: Final = (integer.CMP_R32_RM32.indexed(R15), integer.CMP_R64_RM64.indexed(R15))
_CMP_MEMORY_BASE: Final = (integer.CMP_R32_RM32.based, integer.CMP_R64_RM64.based)
_CMP_TO: Final = (integer.CMP_RM32_R32.indexed(R15), integer.CMP_RM64_R64.indexed(R15))
_CMP_TO_BASE: Final = (integer.CMP_RM32_R32.based, integer.CMP_RM64_R64.based)
_CMP8: Final = (integer.CMP_RM32_IMM8, integer.CMP_RM64_IMM8)
_CMP32: Final = (integer.CMP_RM32_IMM32, integer.CMP_RM64_IMM32)
_CMP8_REGS: Final = (integer.CMP_RM32_IMM8.regs, integer.CMP_RM64_IMM8.regs)
_CMP32_REGS: Final = (integer.CMP_RM32_IMM32.regs, integer.CMP_RM64_IMM32.regs)
_TEST: Final = (integer.TEST_RM32_R32.regs, integer.TEST_RM64_R64.regs)
_TEST_SLOT: Final = (integer.TEST_RM32_R32.based, integer.TEST_RM64_R64.based)
# Constants that are no immediates, in the pool.
_CMP_POOL: Final = (integer.CMP_R32_RM32.rip, integer.CMP_R64_RM64.rip)
_CMP_TO_POOL: Final = (integer.CMP_RM32_R32.rip, integer.CMP_RM64_R64.rip)
_TEST_POOL: Final = (integer.TEST_RM32_R32.rip, integer.TEST_RM64_R64.rip)
_LOAD: Final = tuple([(row.based, row.indexed(R15)) for row in (memory.MOV_R32_RM32, memory.MOV_R64_RM64)])
_LOAD_BYTE: Final = (memory.MOVZX_R32_RM8.based, memory.MOVZX_R32_RM8.indexed(R15))
_LOAD8_U: Final = 0x2D
_TIGHT: Final = 32
"""Instructions to the end of a loop that is worth more code for fewer operations."""
_TEST_TO: Final = integer.TEST_RM32_R32.indexed(R15)
_TEST_TO_BASE: Final = integer.TEST_RM32_R32.based
_TEST_IMM: Final = (integer.TEST_RM32_IMM32.regs, integer.TEST_RM64_IMM32.regs)
_UCOMI: Final = {ops.KIND_F64: vex.VUCOMISD, ops.KIND_F32: vex.VUCOMISS}
_TEST_VECTOR: Final = vex.VPTEST.regs
_MOVZX8: Final = memory.MOVZX_R32_RM8.regs
_SET: Final = [row.regs for row in integer.SETCC]
_AND_IMM8: Final = integer.AND_RM32_IMM8.regs
_CLEAR: Final = integer.XOR_R32_RM32.regs
# The sign bit, by 0 for 32 bits, 1 for 64.
_SIGN: Final = (
    [row + b"\x1f" for row in integer.SHR_RM32_IMM8.regs], [row + b"\x3f" for row in integer.SHR_RM64_IMM8.regs]
)  # fmt: skip
_MOVD: Final = xmm_moves.VMOVD_RM32_XMM.regs


def signed(value: int, wide: int) -> int:
    """The signed number of an unsigned constant of 32 or 64 bits."""
    if wide:
        return value - (1 << 64) if value >> 63 else value
    return value - (1 << 32) if value >> 31 & 1 else value


def emit_compare(e: Emitter, kind: int, a: int, b: int) -> None:
    """Flags of `a` against `b`: these alone come out of it."""
    if kind == ops.KIND_32 or kind == ops.KIND_64:
        _compare_integers(e, 1 if kind == ops.KIND_64 else 0, a, b)
    elif kind == ops.KIND_TEST32 or kind == ops.KIND_TEST64:
        _test(e, 1 if kind == ops.KIND_TEST64 else 0, a, b)
    elif kind == ops.KIND_ANY:
        held = e.vector(a, 14)
        e.code += _TEST_VECTOR[held][held]
    elif kind == ops.KIND_REF:
        emit_test(e, a, e.constants[~b])  # type: ignore[arg-type]
    else:
        row = _UCOMI[kind]
        left = e.float(a, 14)
        if b < 0:
            constant = e.constants[~b]
            e.pool(row.rip[left], constant)  # type: ignore[arg-type]
        elif e.place[b] >= SLOT:
            e.code += e.slot(row.based[left][RSP], e.place[b])
        else:
            e.code += row.regs[left][e.place[b] - 16]


def _compare_integers(e: Emitter, wide: int, a: int, b: int) -> None:
    code = e.code
    if b >= 0:
        left = e.integer(a, RAX)
        place = e.place[b]
        if place < 16:
            code += _CMP[wide][left][place]
        else:
            code += e.slot(_CMP_SLOT[wide][left][RSP], place)
        return
    value = signed(e.constants[~b], wide)  # type: ignore[arg-type]
    place = e.place[a] if a >= 0 else -1
    if place >= SLOT and -128 <= value < 128:
        code += e.slot(_CMP8[wide].based[RSP], place) + BYTE[value]
        return
    left = e.integer(a, RAX)
    if not value:
        code += _TEST[wide][left][left]
    elif -128 <= value < 128:
        code += _CMP8_REGS[wide][left] + BYTE[value]
    elif -0x8000_0000 <= value < 0x8000_0000:
        code += _CMP32_REGS[wide][left] + pack32(value)
    else:
        e.pool_integer(_CMP_POOL[wide][left], e.constants[~b])  # type: ignore[arg-type]


def _test(e: Emitter, wide: int, a: int, b: int) -> None:
    code = e.code
    left = e.integer(a, RAX)
    if b >= 0:
        place = e.place[b]
        code += _TEST[wide][place][left] if place < 16 else e.slot(_TEST_SLOT[wide][left][RSP], place)
        return
    value = signed(e.constants[~b], wide)  # type: ignore[arg-type]
    if -0x8000_0000 <= value < 0x8000_0000:
        code += _TEST_IMM[wide][left] + pack32(value)
    else:
        e.pool_integer(_TEST_POOL[wide][left], e.constants[~b])  # type: ignore[arg-type]


def memory_address(e: Emitter, address: int, offset: int) -> tuple[int, int]:
    """(index register or -1, displacement) of a folded load's address; rax may serve as the register."""
    if address < 0:
        return -1, e.constants[~address] + offset  # type: ignore[operator]
    return e.integer(address, RAX), offset


def _load(e: Emitter, wide: int, address: int, offset: int, load: int) -> None:
    """The operand in memory into rax, where the other one is not in a register either."""
    index, displacement = memory_address(e, address, offset)
    e.traps.append((len(e.code), _OUT_OF_BOUNDS, e.marks[load]))
    based, indexed = _LOAD[wide]
    e.code += at(based[RAX][R15] if index < 0 else indexed[RAX][index], displacement)


def emit_memory_compare(e: Emitter, kind: int, a: int, b: int, imm: Any) -> None:
    """Flags of a compare one of whose operands was a load: a part of the branch now."""
    address, offset, load = imm[-3:]
    wide = 1 if kind == ops.KIND_64 else 0
    code = e.code
    if b == MEM:
        if kind >= ops.KIND_F64:
            left = e.float(a, 14)
            index, displacement = memory_address(e, address, offset)
            float_row = _UCOMI[kind]
            e.traps.append((len(code), _OUT_OF_BOUNDS, e.marks[load]))
            code += at(float_row.based[left][R15] if index < 0 else float_row.indexed(R15)[left][index], displacement)
            return
        if a < 0 or e.place[a] >= SLOT:
            _load(e, wide, address, offset, load)
            if a < 0:
                e.pool_integer(_CMP_TO_POOL[wide][RAX], e.constants[~a])  # type: ignore[arg-type]
            else:
                code += e.slot(_CMP_TO_BASE[wide][RAX][RSP], e.place[a])
            return
        left = e.place[a]
        index, displacement = memory_address(e, address, offset)
        e.traps.append((len(code), _OUT_OF_BOUNDS, e.marks[load]))
        code += at(_CMP_MEMORY_BASE[wide][left][R15] if index < 0 else _CMP_MEMORY[wide][left][index], displacement)
        return
    if b >= 0:
        right = e.place[b]
        if right >= SLOT:
            _load(e, wide, address, offset, load)
            code += e.slot((_TEST_SLOT if kind == ops.KIND_TEST32 else _CMP_SLOT)[wide][RAX][RSP], right)
            return
        index, displacement = memory_address(e, address, offset)
        e.traps.append((len(code), _OUT_OF_BOUNDS, e.marks[load]))
        if kind == ops.KIND_TEST32:
            code += at(_TEST_TO_BASE[right][R15] if index < 0 else _TEST_TO[right][index], displacement)
        else:
            code += at(_CMP_TO_BASE[wide][right][R15] if index < 0 else _CMP_TO[wide][right][index], displacement)
        return
    value = e.constants[~b]
    number = signed(value, wide)  # type: ignore[arg-type]
    if not -0x8000_0000 <= number < 0x8000_0000:
        _load(e, wide, address, offset, load)
        e.pool_integer(_CMP_POOL[wide][RAX], value)  # type: ignore[arg-type]
        return
    if e.depth and e.loop_ends[-1] - load < _TIGHT:
        _compare_loaded(e, kind, wide, imm, number)
        return
    index, displacement = memory_address(e, address, offset)
    if e.insts[load][0] == _LOAD8_U:
        row = integer.TEST_RM8_IMM8 if kind == ops.KIND_TEST32 else integer.CMP_RM8_IMM8
        tail = BYTE[value]  # type: ignore[index]
    elif kind == ops.KIND_TEST32:
        row, tail = integer.TEST_RM32_IMM32, pack32(number)
    elif -128 <= number < 128:
        row, tail = _CMP8[wide], BYTE[number]
    else:
        row, tail = _CMP32[wide], pack32(number)
    e.traps.append((len(code), _OUT_OF_BOUNDS, e.marks[load]))
    code += at(row.based[R15] if index < 0 else row.indexed(R15)[index], displacement) + tail


def _compare_loaded(e: Emitter, kind: int, wide: int, imm: Any, number: int) -> None:
    """What is in memory against a constant, in a tight loop: comparing both is never one operation with its jump, so it is loaded first."""
    address, offset, load = imm[-3:]
    is_byte = e.insts[load][0] == _LOAD8_U
    index, displacement = memory_address(e, address, offset)
    e.traps.append((len(e.code), _OUT_OF_BOUNDS, e.marks[load]))
    based, indexed = _LOAD_BYTE if is_byte else _LOAD[wide]
    e.code += at(based[RAX][R15] if index < 0 else indexed[RAX][index], displacement)
    if kind == ops.KIND_TEST32:
        e.code += _TEST_IMM[0][RAX] + pack32(number)
    elif not number:
        e.code += _TEST[wide][RAX][RAX]
    elif -128 <= number < 128:
        e.code += _CMP8_REGS[wide][RAX] + BYTE[number]
    else:
        e.code += _CMP32_REGS[wide][RAX] + pack32(number)


def emit_condition(e: Emitter, kind: int, a: int, b: int, imm: Any) -> None:
    """Flags for a branch, whatever its operands are."""
    if a == MEM or b == MEM:
        emit_memory_compare(e, kind, a, b, imm)
    else:
        emit_compare(e, kind, a, b)


# Predicates of `vcmpss` and `vcmpsd`: exact equality, and its negation, which holds of NaNs.
_FLOAT_EQUAL: Final = {ops.CC_FEQ: b"\0", ops.CC_FNE: b"\4"}
_VCMP: Final = {ops.KIND_F64: vex.VCMPSD.regs, ops.KIND_F32: vex.VCMPSS.regs}


def _value(kind: int) -> Callable[[Emitter, int, int, int, Any], None]:
    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        register = e.integer_result(value)
        if imm < 16:
            if imm == ops.CC_L and ops.MEM < b < 0 and kind <= ops.KIND_64 and not e.constants[~b]:
                e.integer_into(register, a)
                e.code += _SIGN[kind][register]
            elif register != RAX and e.kept_at != len(e.code) and not _is_at(e, register, a) and not _is_at(e, register, b):
                e.code += _CLEAR[register][register]
                emit_compare(e, kind, a, b)
                e.code += _SET[imm][register]
            else:
                emit_compare(e, kind, a, b)
                e.code += _SET[imm][RAX] + _MOVZX8[register][RAX]
        else:
            left, right = e.float(a, XMM14), e.float(b, XMM15)
            e.code += _VCMP[kind][XMM15][left][right] + _FLOAT_EQUAL[imm] + _MOVD[register][XMM15] + _AND_IMM8[register] + b"\1"
        e.store_integer(value, register)

    return emit


def _is_at(e: Emitter, register: int, operand: int) -> bool:
    return operand >= 0 and e.place[operand] == register


EMITTERS: Final[dict[int, Callable[[Emitter, int, int, int, Any], None]]] = {
    ops.CMP32: _value(ops.KIND_32), ops.CMP64: _value(ops.KIND_64), ops.FCMP32: _value(ops.KIND_F32), ops.FCMP64: _value(ops.KIND_F64),
}  # fmt: skip
