"""Integer arithmetic; the frequent operations are in `body`, from the tables here."""

from __future__ import annotations

from purewasm.backend.target import SLOT
from purewasm.ir import ops
from purewasm.isa.x64 import bmi, integer, memory
from purewasm.isa.x64.emit.compare import signed
from purewasm.isa.x64.emit.memory import OUT_OF_BOUNDS
from purewasm.isa.x64.emit.state import BYTE, LOAD64, MOV, MOV32, MOVQ_GPR, MOVQ_XMM, XMM15, at, pack32
from purewasm.isa.x64.registers import R15, RAX, RCX, RDX, RSP
from purewasm.light_typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter
    from purewasm.isa.x64.formats import RM, M

MEM: Final = ops.MEM

# opcode: register form, form with an 8-bit and with a 32-bit constant (none for imul), 64 bits wide
_ALU: Final = {
    0x6A: (integer.ADD_R32_RM32, integer.ADD_RM32_IMM8, integer.ADD_RM32_IMM32, 0),
    0x6B: (integer.SUB_R32_RM32, integer.SUB_RM32_IMM8, integer.SUB_RM32_IMM32, 0),
    0x71: (integer.AND_R32_RM32, integer.AND_RM32_IMM8, integer.AND_RM32_IMM32, 0),
    0x72: (integer.OR_R32_RM32, integer.OR_RM32_IMM8, integer.OR_RM32_IMM32, 0),
    0x73: (integer.XOR_R32_RM32, integer.XOR_RM32_IMM8, integer.XOR_RM32_IMM32, 0),
    0x7C: (integer.ADD_R64_RM64, integer.ADD_RM64_IMM8, integer.ADD_RM64_IMM32, 1),
    0x7D: (integer.SUB_R64_RM64, integer.SUB_RM64_IMM8, integer.SUB_RM64_IMM32, 1),
    0x83: (integer.AND_R64_RM64, integer.AND_RM64_IMM8, integer.AND_RM64_IMM32, 1),
    0x84: (integer.OR_R64_RM64, integer.OR_RM64_IMM8, integer.OR_RM64_IMM32, 1),
    0x85: (integer.XOR_R64_RM64, integer.XOR_RM64_IMM8, integer.XOR_RM64_IMM32, 1),
    0x6C: (integer.IMUL_R32_RM32, None, None, 0),
    0x7E: (integer.IMUL_R64_RM64, None, None, 1),
}
_COMMUTATIVE: Final = ops.COMMUTATIVE
# By 0 for 32 bits, 1 for 64.
_ADD: Final = (integer.ADD_R32_RM32, integer.ADD_R64_RM64)
_SUB: Final = (integer.SUB_R32_RM32, integer.SUB_R64_RM64)
_NEG: Final = (integer.NEG_RM32.regs, integer.NEG_RM64.regs)
_LOAD: Final = (memory.MOV_R32_RM32.indexed(R15), memory.MOV_R64_RM64.indexed(R15))
_LEA_DISPLACED: Final = (memory.LEA_R32_M.based, memory.LEA_R64_M.based)
_LEA_SUM: Final = (memory.LEA_R32_M.paired(1), memory.LEA_R64_M.paired(1))
_LEA_SCALED: Final = [memory.LEA_R32_M.paired(1 << shift) for shift in range(4)]
_MOVE: Final = (MOV32, MOV)
_IMUL: Final = (integer.IMUL_R32_RM32, integer.IMUL_R64_RM64)
_IMUL_BYTE: Final = (integer.IMUL_R32_RM32_IMM8, integer.IMUL_R64_RM64_IMM8)
_IMUL_WORD: Final = (integer.IMUL_R32_RM32_IMM32, integer.IMUL_R64_RM64_IMM32)
_IMUL8: Final = tuple([row.regs for row in _IMUL_BYTE])
_IMUL32: Final = tuple([row.regs for row in _IMUL_WORD])
_MOVZX: Final = {0xFF: memory.MOVZX_R32_RM8.regs, 0xFFFF: memory.MOVZX_R32_RM16.regs}


def alu(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """Two-operand arithmetic: registers, a constant, a slot or a load as the second operand."""
    op = e.insts[value][0]
    row, row8, row32, wide = _ALU[op]
    code, place = e.code, e.place
    target = place[value]
    register = target if target < 16 else RAX
    if b == MEM:
        _alu_memory(e, row, wide, register, a, imm)
    elif b < 0:
        constant = signed(e.constants[~b], wide)  # type: ignore[arg-type]
        if row8 is None or row32 is None:
            _multiply_constant(e, wide, register, a, constant)
        elif not -0x8000_0000 <= constant < 0x8000_0000:
            held = e.integer(a, RAX)
            if held != register:
                code += MOV[register][held]
            e.pool_integer(row.rip[register], e.constants[~b])  # type: ignore[arg-type]
        elif a >= 0 and target >= SLOT and place[a] == target:
            if -128 <= constant < 128:
                code += e.slot(row8.based[RSP], target) + BYTE[constant]
            else:
                code += e.slot(row32.based[RSP], target) + pack32(constant)
            return
        elif op == 0x71 and constant in _MOVZX:
            code += _MOVZX[constant][register][e.integer(a, RAX)]
        else:
            source = SLOT if a < 0 else RAX if e.is_kept(a) else place[a]
            if (op == 0x6A or op == 0x7C) and source < 16 and source != register:
                code += at(_LEA_DISPLACED[wide][register][source], constant)
            else:
                held = e.integer(a, register)
                if held != register:
                    code += _MOVE[wide][register][held]
                e.flags_value, e.flags_start = value, len(code)
                code += row8.regs[register] + BYTE[constant] if -128 <= constant < 128 else row32.regs[register] + pack32(constant)
    else:
        _alu_registers(e, value, op, row, wide, register, a, b)
    if target >= SLOT:
        e.store_integer(value, register)


def _alu_registers(e: Emitter, value: int, op: int, row: RM, wide: int, register: int, a: int, b: int) -> None:
    code, place = e.code, e.place
    left = place[a] if a >= 0 else -1
    right = place[b]
    if e.kept_at == len(code):
        if e.kept_value == b:
            right = RAX
        elif e.kept_value == a:
            left = RAX
    if right == register and left != register:
        if _COMMUTATIVE[op]:
            left, right = right, left
        else:  # a - b is -b + a
            code += _NEG[wide][register]
            if right >= 0 > left and not e.constants[~a]:
                return
            row, left, right = _ADD[wide], register, left
        if right < 0:
            e.pool_integer(row.rip[register], e.constants[~a])  # type: ignore[arg-type]
            return
    if left < 0:
        e.move_constant(register, e.constants[~a])  # type: ignore[arg-type]
        left = register
    elif left >= SLOT:
        code += e.slot(LOAD64[register][RSP], left)
        left = register
    if left != register:
        if (op == 0x6A or op == 0x7C) and right < 16:
            code += at(_LEA_SUM[wide][register][left][right], 0)
            return
        code += _MOVE[wide][register][left]
    if op not in _MULTIPLY and right != RAX:  # a product's flags say nothing of it, and moves before this would take rax away
        e.flags_value, e.flags_start = value, len(code)
    code += row.regs[register][right] if right < 16 else e.slot(row.based[register][RSP], right)


_MULTIPLY: Final = (0x6C, 0x7E)


def _alu_memory(e: Emitter, row: RM, wide: int, register: int, a: int, imm: Any) -> None:
    """The second operand is a load: the address must outlive the move of the first operand into the target."""
    address, offset, load = imm
    code, place = e.code, e.place
    index = -1
    if address >= 0:
        index = place[address]
        if index >= SLOT and register == RAX:
            _alu_loaded(e, row, wide, a, address, offset, load)
            return
        if index >= SLOT or index == register:
            e.integer_into(RAX, address)
            index = RAX
    else:
        offset += e.constants[~address]
    if a < 0 and row is _IMUL[wide]:
        constant = signed(e.constants[~a], wide)  # type: ignore[arg-type]
        if -0x8000_0000 <= constant < 0x8000_0000:
            form = _IMUL_BYTE[wide] if -128 <= constant < 128 else _IMUL_WORD[wide]
            e.traps.append((len(code), OUT_OF_BOUNDS, e.marks[load]))
            code += at(form.based[register][R15] if index < 0 else form.indexed(R15)[register][index], offset)
            code += BYTE[constant] if -128 <= constant < 128 else pack32(constant)
            return
    held = e.integer(a, register)
    if held != register:
        code += MOV[register][held]
    e.traps.append((len(code), OUT_OF_BOUNDS, e.marks[load]))
    code += at(row.based[register][R15] if index < 0 else row.indexed(R15)[register][index], offset)


def _alu_loaded(e: Emitter, row: RM, wide: int, a: int, address: int, offset: int, load: int) -> None:
    """The same in rax, which the address needs too: the load goes first."""
    code = e.code
    e.integer_into(RAX, address)
    e.traps.append((len(code), OUT_OF_BOUNDS, e.marks[load]))
    code += at(_LOAD[wide][RAX][RAX], offset)
    if row is _SUB[wide]:
        code += _NEG[wide][RAX]
        row = _ADD[wide]
    if a < 0:
        e.pool_integer(row.rip[RAX], e.constants[~a])  # type: ignore[arg-type]
        return
    place = e.place[a]
    code += row.regs[RAX][place] if place < 16 else e.slot(row.based[RAX][RSP], place)


def _multiply_constant(e: Emitter, wide: int, register: int, a: int, constant: int) -> None:
    held = e.integer(a, RAX)
    if constant in (3, 5, 9):
        e.code += at((_LEA_SCALED if not wide else _LEA_SCALED64)[constant.bit_length() - 1][register][held][held], 0)
    elif -128 <= constant < 128:
        e.code += _IMUL8[wide][register][held] + BYTE[constant]
    elif -0x8000_0000 <= constant < 0x8000_0000:
        e.code += _IMUL32[wide][register][held] + pack32(constant)
    else:
        if held != register:
            e.code += MOV[register][held]
        e.pool_integer(_ALU[0x7E][0].rip[register], constant & 0xFFFF_FFFF_FFFF_FFFF)


_LEA_SCALED64: Final = [memory.LEA_R64_M.paired(1 << shift) for shift in range(4)]


def lea(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    if (a < 0 or e.place[a] >= SLOT) and (b < 0 or e.place[b] >= SLOT):
        e.integer_into(RAX, b)
        e.code += _SHIFTS[0x74][0][RAX] + BYTE[imm]
        if a < 0:
            e.pool_integer(_ADD[0].rip[RAX], e.constants[~a])  # type: ignore[arg-type]
        else:
            e.code += e.slot(_ADD[0].based[RAX][RSP], e.place[a])
        e.store_integer(value, RAX)
        return
    register = e.integer_result(value)
    base = e.integer(a, RAX)
    e.code += at(_LEA_SCALED[imm][register][base][e.integer(b, RAX)], 0)
    e.store_integer(value, register)


# opcode: by a constant, by a register, 64 bits wide
_SHIFTS: Final = {
    0x74: (integer.SHL_RM32_IMM8.regs, bmi.SHLX_R32_RM32_R32, 0),
    0x75: (integer.SAR_RM32_IMM8.regs, bmi.SARX_R32_RM32_R32, 0),
    0x76: (integer.SHR_RM32_IMM8.regs, bmi.SHRX_R32_RM32_R32, 0),
    0x86: (integer.SHL_RM64_IMM8.regs, bmi.SHLX_R64_RM64_R64, 1),
    0x87: (integer.SAR_RM64_IMM8.regs, bmi.SARX_R64_RM64_R64, 1),
    0x88: (integer.SHR_RM64_IMM8.regs, bmi.SHRX_R64_RM64_R64, 1),
}


def shift(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    by_constant, row, wide = _SHIFTS[e.insts[value][0]]
    register = e.integer_result(value)
    if b < 0:
        held = e.integer(a, register)
        if held != register:
            e.code += _MOVE[wide][register][held]
        e.code += by_constant[register] + BYTE[e.constants[~b] & (63 if wide else 31)]  # type: ignore[operator]
    else:
        count = e.integer(b, RAX)
        if a >= 0 and e.place[a] < 16:
            e.code += row.regs[register][e.place[a]][count]
        elif a >= 0:
            e.code += e.slot(row.based[register][count][RSP], e.place[a])
        else:
            e.pool_integer(row.rip[register][count], e.constants[~a])  # type: ignore[arg-type]
    e.store_integer(value, register)


_XCHG: Final = memory.XCHG_RM64_R64.regs
_OR: Final = (integer.OR_R32_RM32.regs, integer.OR_R64_RM64.regs)
_LEFT: Final = (bmi.SHLX_R32_RM32_R32, bmi.SHLX_R64_RM64_R64)
_RIGHT: Final = (bmi.SHRX_R32_RM32_R32, bmi.SHRX_R64_RM64_R64)
# opcode: by cl; by a constant in place, to another register; 64 bits wide; whether it is to the left
_ROTATES: Final = {
    0x77: (integer.ROL_RM32_CL.regs, integer.ROR_RM32_IMM8.regs, bmi.RORX_R32_RM32_IMM8.regs, 0, True),
    0x78: (integer.ROR_RM32_CL.regs, integer.ROR_RM32_IMM8.regs, bmi.RORX_R32_RM32_IMM8.regs, 0, False),
    0x89: (integer.ROL_RM64_CL.regs, integer.ROR_RM64_IMM8.regs, bmi.RORX_R64_RM64_IMM8.regs, 1, True),
    0x8A: (integer.ROR_RM64_CL.regs, integer.ROR_RM64_IMM8.regs, bmi.RORX_R64_RM64_IMM8.regs, 1, False),
}  # fmt: skip


def rotate(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """By a constant a rotation to the right."""
    by_cl, in_place, to_other, wide, left = _ROTATES[e.insts[value][0]]
    register = e.integer_result(value)
    if b < 0:
        bits = 64 if wide else 32
        count = int(e.constants[~b]) % bits
        if left:
            count = -count % bits
        held = e.integer(a, RAX)
        e.code += (in_place[register] if held == register else to_other[register][held]) + BYTE[count]
    else:
        count = e.place[b]
        if count == RCX and register != RCX:
            e.integer_into(register, a)
            e.code += by_cl[register]
        elif count < 16 and count != RCX and register != RAX and (register != count or (a >= 0 and e.place[a] < 16)):
            _rotate_by_shifts(e, register, a, count, wide, left)
        else:
            _rotate_in_rax(e, a, count, by_cl)
            register = RAX
    e.store_integer(value, register)


def _rotate_by_shifts(e: Emitter, register: int, a: int, count: int, wide: int, left: bool) -> None:
    """Shifts in both directions, which take the count modulo the bits, so that no register has to make room in rcx."""
    source = e.integer(a, register)
    there, back = (_LEFT[wide].regs, _RIGHT[wide].regs) if left else (_RIGHT[wide].regs, _LEFT[wide].regs)
    e.code += MOV32[RAX][count] + _NEG[0][RAX] + back[RAX][source][RAX] + there[register][source][count] + _OR[wide][register][RAX]


def _rotate_in_rax(e: Emitter, a: int, count: int, by_cl: list[bytes]) -> None:
    """The count has to be in cl, so rcx changes places with it."""
    e.integer_into(RAX, a)
    if count == RCX:
        e.code += by_cl[RAX]
    elif count < 16:
        e.code += _XCHG[RCX][count] + by_cl[RAX] + _XCHG[RCX][count]
    else:
        e.code += MOVQ_XMM[XMM15][RCX] + e.slot(LOAD64[RCX][RSP], count) + by_cl[RAX] + MOVQ_GPR[RCX][XMM15]


_UNARY: Final = {
    0x67: bmi.LZCNT_R32_RM32, 0x68: bmi.TZCNT_R32_RM32, 0x69: bmi.POPCNT_R32_RM32,
    0x79: bmi.LZCNT_R64_RM64, 0x7A: bmi.TZCNT_R64_RM64, 0x7B: bmi.POPCNT_R64_RM64,
    0xA7: memory.MOV_R32_RM32, 0xAC: memory.MOVSXD, 0xAD: memory.MOV_R32_RM32,
    0xC0: memory.MOVSX_R32_RM8, 0xC1: memory.MOVSX_R32_RM16,
    0xC2: memory.MOVSX_R64_RM8, 0xC3: memory.MOVSX_R64_RM16, 0xC4: memory.MOVSXD,
}  # fmt: skip


def unary(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    row = _UNARY[e.insts[value][0]]
    register = e.integer_result(value)
    e.code += row.regs[register][e.integer(a, RAX)]
    e.store_integer(value, register)


_ADC: Final = (integer.ADD_R64_RM64.regs, integer.ADC_R64_RM64.regs)
_SBB: Final = (integer.SUB_R64_RM64.regs, integer.SBB_R64_RM64.regs)


def _wide(rows: tuple[list[list[bytes]], list[list[bytes]]]) -> Callable[[Emitter, int, int, int, Any], None]:
    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        low, high = rows
        e.integer_into(RAX, a)
        e.code += low[RAX][e.integer(b, RDX)]
        # Nothing between the two touches the flags: moves and loads only.
        e.integer_into(RAX, imm[0])
        e.code += high[RAX][e.integer(imm[1], RDX)]
        e.store_integer(value, RAX)

    return emit


def _multiply_high(row: M) -> Callable[[Emitter, int, int, int, Any], None]:
    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        e.integer_into(RAX, a)
        e.code += row.regs[e.integer(b, RDX)]
        e.store_integer(value, RDX)

    return emit


EMITTERS: Final[dict[int, Callable[[Emitter, int, int, int, Any], None]]] = {
    **dict.fromkeys(_ALU, alu), **dict.fromkeys(_SHIFTS, shift), **dict.fromkeys(_ROTATES, rotate),
    **dict.fromkeys(_UNARY, unary), ops.LEA: lea, ops.ADD128_HIGH: _wide(_ADC), ops.SUB128_HIGH: _wide(_SBB),
    ops.MUL_HIGH_S: _multiply_high(integer.IMUL_RM64), ops.MUL_HIGH_U: _multiply_high(integer.MUL_RM64),
}  # fmt: skip
