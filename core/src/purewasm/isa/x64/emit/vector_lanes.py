"""Lanes of vectors: splats, extracts, replacements, and loads and stores of vectors and of single lanes."""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.isa.x64 import vex, xmm_moves
from purewasm.isa.x64.emit.memory import operand, operand_v
from purewasm.isa.x64.emit.state import BYTE, MOVAPS, MOVQ_XMM
from purewasm.isa.x64.registers import RAX
from purewasm.light_typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter
    from purewasm.isa.x64.formats import RVMI

    Emit = Callable[[Emitter, int, int, int, Any], None]

A: Final = 14
B: Final = 15
_SHUFFLE32: Final = vex.VPSHUFD.regs
_SHUFFLE8: Final = vex.VPSHUFB.regs
_ZERO: Final = vex.VPXOR.regs[13][13][13]


def splat8(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    e.code += xmm_moves.VMOVD_XMM_RM32.regs[B][e.integer(a, RAX)] + _ZERO + _SHUFFLE8[B][B][13]
    e.store_vector(value, B)


def splat16(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    e.code += xmm_moves.VMOVD_XMM_RM32.regs[B][e.integer(a, RAX)] + vex.VPSHUFLW.regs[B][B] + b"\0" + _SHUFFLE32[B][B] + b"\0"
    e.store_vector(value, B)


def splat32(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    target = e.xmm_result(value)
    e.code += xmm_moves.VMOVD_XMM_RM32.regs[B][e.integer(a, RAX)] + _SHUFFLE32[target][B] + b"\0"
    e.store_vector(value, target)


def splat64(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    target = e.xmm_result(value)
    e.code += MOVQ_XMM[B][e.integer(a, RAX)] + vex.VMOVDDUP.regs[target][B]
    e.store_vector(value, target)


def splat_f32(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    target, held = e.xmm_result(value), e.float(a, B)
    e.code += vex.VSHUFPS.regs[target][held][held] + b"\0"
    e.store_vector(value, target)


def splat_f64(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    target, held = e.xmm_result(value), e.float(a, B)
    e.code += vex.VMOVDDUP.regs[target][held]
    e.store_vector(value, target)


def extract(row: Any, extend: Any = None) -> Emit:
    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        held = e.vector(a, A)
        register = e.integer_result(value)
        e.code += row.regs[register][held] + BYTE[imm]
        if extend is not None:
            e.code += extend.regs[register][register]
        e.store_integer(value, register)

    return emit


def extract_f32(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    held = e.vector(a, A)
    target = e.xmm_result(value)
    e.code += vex.VSHUFPS.regs[target][held][held] + BYTE[imm] if imm else MOVAPS[target][held]
    e.store_float(value, target)


def extract_f64(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    held = e.vector(a, A)
    target = e.xmm_result(value)
    e.code += vex.VUNPCKHPD.regs[target][held][held] if imm else MOVAPS[target][held]
    e.store_float(value, target)


def replace(row: RVMI) -> Emit:
    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        held, register = e.vector(a, A), e.integer(b, RAX)
        target = e.xmm_result(value)
        e.code += row.regs[target][held][register] + BYTE[imm]
        e.store_vector(value, target)

    return emit


def replace_f32(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    held, scalar = e.vector(a, A), e.float(b, B)
    target = e.xmm_result(value)
    e.code += vex.VINSERTPS.regs[target][held][scalar] + BYTE[imm << 4]
    e.store_vector(value, target)


def replace_f64(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    held, scalar = e.vector(a, A), e.float(b, B)
    target = e.xmm_result(value)
    e.code += vex.VUNPCKLPD.regs[target][held][scalar] if imm else vex.VBLENDPD.regs[target][held][scalar] + b"\1"
    e.store_vector(value, target)


# -- memory ------------------------------------------------------------------------------------------------------------

LOADS: Final = {
    0x00: xmm_moves.VMOVUPS_XMM_XM128, 0x01: vex.VPMOVSXBW, 0x02: vex.VPMOVZXBW, 0x03: vex.VPMOVSXWD, 0x04: vex.VPMOVZXWD,
    0x05: vex.VPMOVSXDQ, 0x06: vex.VPMOVZXDQ, 0x07: vex.VPBROADCASTB, 0x08: vex.VPBROADCASTW, 0x09: vex.VPBROADCASTD,
    0x0A: vex.VMOVDDUP, 0x5C: xmm_moves.VMOVSS_XMM_M32, 0x5D: xmm_moves.VMOVSD_XMM_M64,
}  # fmt: skip
_LOAD_LANE: Final = (vex.VPINSRB, vex.VPINSRW, vex.VPINSRD, vex.VPINSRQ)
_STORE_LANE: Final = (vex.VPEXTRB, vex.VPEXTRW_R32M16_XMM_IMM8, vex.VPEXTRD, vex.VPEXTRQ)


def load(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    target = e.xmm_result(value)
    e.code += operand(e, LOADS[e.insts[value][0] - ops.VECTOR_BASE], target, a, imm, value)
    e.store_vector(value, target)


def store(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    held = e.vector(b, B)
    e.code += operand(e, xmm_moves.VMOVUPS_XM128_XMM, held, a, imm, value)


def load_lane(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    op, displacement, lane = imm
    held = e.vector(b, B)
    target = e.xmm_result(value)
    e.code += operand_v(e, _LOAD_LANE[op - 0xFD054], target, held, a, displacement, value) + BYTE[lane]
    e.store_vector(value, target)


def store_lane(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    op, displacement, lane = imm
    held = e.vector(b, B)
    e.code += operand(e, _STORE_LANE[op - 0xFD058], held, a, displacement, value) + BYTE[lane]
