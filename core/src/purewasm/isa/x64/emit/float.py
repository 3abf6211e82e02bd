"""Scalar floating point, and conversions. Results have the NaN bits that `wasm.floats` describes: the processor's own."""

from __future__ import annotations

import struct

from purewasm.backend.target import SLOT, VECTOR_REGISTER
from purewasm.ir import ops
from purewasm.isa.x64 import integer, memory, vex, xmm_moves
from purewasm.isa.x64.conditions import CC_A, CC_AE, CC_E, CC_NE, CC_O, CC_P, CC_S
from purewasm.isa.x64.emit.memory import OUT_OF_BOUNDS
from purewasm.isa.x64.emit.state import (
    FAULT,
    JCC8,
    JMP8,
    LOAD64,
    LOAD_F64,
    MOV,
    MOV32,
    MOVQ_GPR,
    MOVQ_XMM,
    XMM14,
    XMM15,
    XORPS,
    at,
)
from purewasm.isa.x64.registers import R15, RAX, RDX, RSP
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store.layout import TRAP_NUMBER
from purewasm.traps import INTEGER_OVERFLOW, INVALID_CONVERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter

_INVALID: Final = TRAP_NUMBER[INVALID_CONVERSION]
_OVERFLOW: Final = TRAP_NUMBER[INTEGER_OVERFLOW]

_BINARY: Final = {
    0x92: vex.VADDSS, 0x93: vex.VSUBSS, 0x94: vex.VMULSS, 0x95: vex.VDIVSS,
    0xA0: vex.VADDSD, 0xA1: vex.VSUBSD, 0xA2: vex.VMULSD, 0xA3: vex.VDIVSD,
}  # fmt: skip


def binary(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    row = _BINARY[e.insts[value][0]]
    code, place = e.code, e.place
    target = place[value]
    register = target - 16 if target < SLOT else XMM15
    kept = b >= 0 and e.is_kept(b)
    left = e.float(a, XMM14 if kept and a != b else XMM15)
    if b >= 0:
        right = VECTOR_REGISTER + XMM15 if kept else place[b]
        code += row.regs[register][left][right - 16] if right < SLOT else e.slot(row.based[register][left][RSP], right)
    elif b == ops.MEM:
        address, offset, load = imm
        if address < 0:
            e.traps.append((len(code), OUT_OF_BOUNDS, e.marks[load]))
            code += at(row.based[register][left][R15], offset + e.constants[~address])
        else:
            index = e.integer(address, RAX)
            e.traps.append((len(code), OUT_OF_BOUNDS, e.marks[load]))
            code += at(row.indexed(R15)[register][left][index], offset)
    else:
        e.pool(row.rip[register][left], e.constants[~b])  # type: ignore[arg-type]
    if target >= SLOT:
        e.store_float(value, XMM15)


# By 0 for f32, 1 for f64.
_UCOMI: Final = (vex.VUCOMISS.regs, vex.VUCOMISD.regs)
_ADD: Final = (vex.VADDSS.regs, vex.VADDSD.regs)
_SUB_RIP: Final = (vex.VSUBSS.rip, vex.VSUBSD.rip)
_UCOMI_RIP: Final = (vex.VUCOMISS.rip, vex.VUCOMISD.rip)
# When equal: `or` keeps the sign of -0.0 for min, `and` that of 0.0 for max.
_MIN_MAX: Final = {
    0x96: (0, vex.VMINSS.regs, vex.VORPS.regs), 0x97: (0, vex.VMAXSS.regs, vex.VANDPS.regs),
    0xA4: (1, vex.VMINSD.regs, vex.VORPS.regs), 0xA5: (1, vex.VMAXSD.regs, vex.VANDPS.regs),
}  # fmt: skip


def min_max(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    wide, pick, equal = _MIN_MAX[e.insts[value][0]]
    left, right = e.float(a, XMM14), e.float(b, XMM15)
    code = e.code
    code += _UCOMI[wide][left][right]
    differ = e.short_jump(JCC8[CC_NE])
    unordered = e.short_jump(JCC8[CC_P])
    code += equal[XMM15][left][right]
    done = [e.short_jump(JMP8)]
    e.land(unordered)
    code += _ADD[wide][XMM15][left][right]
    done.append(e.short_jump(JMP8))
    e.land(differ)
    code += pick[XMM15][left][right]
    for jump in done:
        e.land(jump)
    e.store_float(value, XMM15)


_SIGN: Final = (b"\0\0\0\x80" + bytes(12), bytes(7) + b"\x80" + bytes(8))
_MAGNITUDE: Final = (b"\xff\xff\xff\x7f" + bytes(12), b"\xff" * 7 + b"\x7f" + bytes(8))
_AND_RIP: Final = vex.VANDPS.rip
_XOR_RIP: Final = xmm_moves.VXORPS.rip
_OR: Final = vex.VORPS.regs
_SIGN_OPERATIONS: Final = {
    0x8B: (_AND_RIP, _MAGNITUDE[0]), 0x8C: (_XOR_RIP, _SIGN[0]), 0x99: (_AND_RIP, _MAGNITUDE[1]), 0x9A: (_XOR_RIP, _SIGN[1]),
}  # fmt: skip


def sign(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """abs and neg."""
    head, mask = _SIGN_OPERATIONS[e.insts[value][0]]
    register = e.xmm_result(value)
    e.pool(head[register][e.float(a, XMM15)], mask)
    e.store_float(value, register)


def copysign(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    wide = e.insts[value][0] == 0xA6
    e.pool(_AND_RIP[XMM15][e.float(b, XMM15)], _SIGN[wide])
    e.pool(_AND_RIP[XMM14][e.float(a, XMM14)], _MAGNITUDE[wide])
    register = e.xmm_result(value)
    e.code += _OR[register][XMM15][XMM14]
    e.store_float(value, register)


_SQRT: Final = {0x91: vex.VSQRTSS.regs, 0x9F: vex.VSQRTSD.regs, 0xB6: vex.VCVTSD2SS.regs, 0xBB: vex.VCVTSS2SD.regs}


def root_or_width(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """sqrt, demote, promote: `a` is the third operand too, which cuts the dependency on the old target."""
    register, held = e.xmm_result(value), e.float(a, XMM15)
    e.code += _SQRT[e.insts[value][0]][register][held][held]
    e.store_float(value, register)


_ROUND: Final = (vex.VROUNDSS.regs, vex.VROUNDSD.regs)
_ROUNDINGS: Final = (b"\x0a", b"\x09", b"\x0b", b"\x08")  # ceil floor trunc nearest


def round_(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    op = e.insts[value][0]
    wide = op >= 0x99
    register, held = e.xmm_result(value), e.float(a, XMM15)
    e.code += _ROUND[wide][register][held][held] + _ROUNDINGS[op - (0x9B if wide else 0x8D)]
    e.store_float(value, register)


# opcode: conversion from a register of 32 or 64 bits
_CONVERT: Final = {
    0xB2: vex.VCVTSI2SS_XMM_XMM_RM32.regs, 0xB3: vex.VCVTSI2SS_XMM_XMM_RM64.regs, 0xB4: vex.VCVTSI2SS_XMM_XMM_RM64.regs,
    0xB7: vex.VCVTSI2SD_XMM_XMM_RM32.regs, 0xB8: vex.VCVTSI2SD_XMM_XMM_RM64.regs, 0xB9: vex.VCVTSI2SD_XMM_XMM_RM64.regs,
}  # fmt: skip


def convert(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    register = e.xmm_result(value)
    held = e.integer(a, RAX)
    e.code += XORPS[register][register][register] + _CONVERT[e.insts[value][0]][register][register][held]
    e.store_float(value, register)


_CONVERT_U64: Final = {
    0xB5: (vex.VCVTSI2SS_XMM_XMM_RM64.regs, 0), 0xBA: (vex.VCVTSI2SD_XMM_XMM_RM64.regs, 1),
}  # fmt: skip
_TEST64: Final = integer.TEST_RM64_R64.regs
_SHR1: Final = integer.SHR_RM64_1.regs
_AND8: Final = integer.AND_RM32_IMM8.regs
_OR64: Final = integer.OR_R64_RM64.regs


def convert_unsigned(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """From an unsigned 64-bit integer: one with its top bit set is halved, the lost bit kept for rounding, and the result doubled."""
    row, wide = _CONVERT_U64[e.insts[value][0]]
    register = e.xmm_result(value)
    code = e.code
    e.integer_into(RAX, a)
    code += XORPS[register][register][register] + _TEST64[RAX][RAX]
    large = e.short_jump(JCC8[CC_S])
    code += row[register][register][RAX]
    done = e.short_jump(JMP8)
    e.land(large)
    code += MOV[RDX][RAX] + _SHR1[RAX] + _AND8[RDX] + b"\1" + _OR64[RAX][RDX] + row[register][register][RAX]
    code += _ADD[wide][register][register][register]
    e.land(done)
    e.store_float(value, register)


def reinterpret_to_int(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    wide = e.insts[value][0] == 0xBD
    register = e.integer_result(value)
    if a >= 0 and e.place[a] >= SLOT:
        e.code += e.slot((LOAD64 if wide else memory.MOV_R32_RM32.based)[register][RSP], e.place[a])
    else:
        held = e.float(a, XMM15)
        e.code += (MOVQ_GPR if wide else xmm_moves.VMOVD_RM32_XMM.regs)[register][held]
    e.store_integer(value, register)


def reinterpret_to_float(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    register = e.xmm_result(value)
    if a >= 0 and e.place[a] >= SLOT:
        e.code += e.slot(LOAD_F64[register][RSP], e.place[a])
    else:
        e.code += MOVQ_XMM[register][e.integer(a, RAX)]
    e.store_float(value, register)


# -- to integers -------------------------------------------------------------------------------------------------------

_TRUNCATE: Final = (vex.VCVTTSS2SI_R64_XM32.regs, vex.VCVTTSD2SI_R64_XM64.regs)
_TRUNCATE32: Final = (vex.VCVTTSS2SI_R32_XM32.regs, vex.VCVTTSD2SI_R32_XM64.regs)
_CMP64_RIP: Final = integer.CMP_R64_RM64.rip
_CMP32_1: Final = integer.CMP_RM32_IMM8.regs
_CMP64_1: Final = integer.CMP_RM64_IMM8.regs
_BTC: Final = integer.BTC_RM64_IMM8.regs
_TWO_63: Final = (struct.pack("<f", 2.0**63), struct.pack("<d", 2.0**63))
_MINUS_TWO_63: Final = (struct.pack("<f", -(2.0**63)), struct.pack("<d", -(2.0**63)))
_MINUS_TWO_31: Final = (1 << 64) - (1 << 31)

# (wide source, wide result, signed) of the four pairs in the order of the opcodes
_SHAPES: Final = {
    op: (source, result, sign)
    for result, first in ((0, 0xA8), (1, 0xAE))
    for op, source, sign in ((first, 0, 1), (first + 1, 0, 0), (first + 2, 1, 1), (first + 3, 1, 0))
}
_SATURATING: Final = {ops.FC_BASE + n: ((n >> 1) & 1, n >> 2, 1 - (n & 1)) for n in range(8)}
_BOUNDS: Final = {
    (0, 1): (0x8000_0000, 0x7FFF_FFFF), (0, 0): (0, 0xFFFF_FFFF),
    (1, 1): (0x8000_0000_0000_0000, 0x7FFF_FFFF_FFFF_FFFF), (1, 0): (0, 0xFFFF_FFFF_FFFF_FFFF),
}  # fmt: skip


def truncate(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """The processor's truncation says by its result that the number does not fit; that is looked into behind the function."""
    op = e.insts[value][0]
    saturating = op in _SATURATING
    wide, wide_result, is_signed = (_SATURATING if saturating else _SHAPES)[op]
    held = e.float(a, XMM15)
    code = e.code
    slow, back = e.new_label(), e.new_label()
    if wide_result and not is_signed:
        e.pool(_UCOMI_RIP[wide][held], _TWO_63[wide])
        large = e.short_jump(JCC8[CC_AE])
        code += _TRUNCATE[wide][RAX][held] + _TEST64[RAX][RAX]
        e.jump_if(CC_S, slow)
        done = e.short_jump(JMP8)
        e.land(large)
        e.pool(_SUB_RIP[wide][XMM14][held], _TWO_63[wide])
        code += _TRUNCATE[wide][RAX][XMM14] + _TEST64[RAX][RAX]
        e.jump_if(CC_S, slow)
        code += _BTC[RAX] + b"\x3f"
        e.land(done)
    else:
        code += (_TRUNCATE32 if is_signed and not wide_result else _TRUNCATE)[wide][RAX][held]
        if is_signed:  # the lowest number, which stands for all that do not fit, is the one that overflows less 1
            code += (_CMP64_1 if wide_result else _CMP32_1)[RAX] + b"\1"
            e.jump_if(CC_O, slow)
        else:
            e.pool_integer(_CMP64_RIP[RAX], 0xFFFF_FFFF)
            e.jump_if(CC_A, slow)
    e.bind(back)
    e.store_integer(value, RAX)
    if saturating:
        e.cold.append(lambda: _saturate(e, wide, held, _BOUNDS[wide_result, is_signed], slow, back))
    else:
        e.cold.append(lambda: _cannot_convert(e, value, wide, wide_result if is_signed else -1, held, slow, back))


def _saturate(e: Emitter, wide: int, held: int, bounds: tuple[int, int], slow: int, back: int) -> None:
    """NaN gives 0, everything else the bound on its side."""
    e.bind(slow)
    code = e.code
    code += _UCOMI[wide][held][held]
    e.move_constant(RAX, 0)
    e.jump_if(CC_P, back)
    e.move_constant(RAX, bounds[1])
    code += XORPS[XMM14][XMM14][XMM14] + _UCOMI[wide][held][XMM14]
    e.jump_if(CC_A, back)
    e.move_constant(RAX, bounds[0])
    e.jump(back)


def _cannot_convert(e: Emitter, value: int, wide: int, signed_result: int, held: int, slow: int, back: int) -> None:
    """Trap, unless the signed result (0: of 32 bits, 1: of 64) is the lowest number by right."""
    e.bind(slow)
    code, mark = e.code, e.marks[value]
    code += _UCOMI[wide][held][held]
    e.trap_if(CC_P, _INVALID, mark)
    if signed_result == 0:
        code += _TRUNCATE[wide][RAX][held]
        e.pool_integer(_CMP64_RIP[RAX], _MINUS_TWO_31)
        code += MOV32[RAX][RAX]
        e.jump_if(CC_E, back)
    elif signed_result == 1:
        e.pool(_UCOMI_RIP[wide][held], _MINUS_TWO_63[wide])
        e.jump_if(CC_E, back)
    e.traps.append((len(code), _OVERFLOW, mark))
    code += FAULT


EMITTERS: Final[dict[int, Callable[[Emitter, int, int, int, Any], None]]] = {
    **dict.fromkeys(_BINARY, binary), **dict.fromkeys(_MIN_MAX, min_max), **dict.fromkeys(_SIGN_OPERATIONS, sign),
    0x98: copysign, 0xA6: copysign, **dict.fromkeys(_SQRT, root_or_width),
    **dict.fromkeys((0x8D, 0x8E, 0x8F, 0x90, 0x9B, 0x9C, 0x9D, 0x9E), round_),
    **dict.fromkeys(_CONVERT, convert), **dict.fromkeys(_CONVERT_U64, convert_unsigned),
    0xBC: reinterpret_to_int, 0xBD: reinterpret_to_int, 0xBE: reinterpret_to_float, 0xBF: reinterpret_to_float,
    **dict.fromkeys(_SHAPES, truncate), **dict.fromkeys(_SATURATING, truncate),
}  # fmt: skip
