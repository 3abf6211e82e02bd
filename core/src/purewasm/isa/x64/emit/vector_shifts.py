"""Shifts of lanes, and what makes an integer of a whole vector: tests and bit masks."""

from __future__ import annotations

from purewasm.isa.x64 import integer, memory, vex, xmm_moves
from purewasm.isa.x64.conditions import CC_E, CC_NE
from purewasm.isa.x64.emit.state import BYTE, MOV32
from purewasm.isa.x64.registers import RAX
from purewasm.light_typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter
    from purewasm.isa.x64.formats import RM, RVM, VMI

    Emit = Callable[[Emitter, int, int, int, Any], None]

T: Final = 13
A: Final = 14
B: Final = 15
_PXOR: Final = vex.VPXOR.regs
_PAND: Final = vex.VPAND.regs
_SHUFFLE8: Final = vex.VPSHUFB.regs
_ZERO: Final = vex.VPXOR.regs[T][T][T]


_AND8: Final = integer.AND_RM32_IMM8.regs[RAX]
_ADD8: Final = integer.ADD_RM32_IMM8.regs[RAX]
_MOVD: Final = xmm_moves.VMOVD_XMM_RM32.regs[B][RAX]


def _count(e: Emitter, b: int, bits: int, add: int = 0) -> None:
    """A shift count, modulo the lanes' width, into xmm15."""
    held = e.integer(b, RAX)
    if held != RAX:
        e.code += MOV32[RAX][held]
    e.code += _AND8 + BYTE[bits - 1]
    if add:
        e.code += _ADD8 + BYTE[add]
    e.code += _MOVD


def shift(bits: int, by_constant: VMI, by_register: RVM) -> Emit:
    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        held = e.vector(a, A)
        target = e.xmm_result(value)
        if b < 0:
            e.code += by_constant.regs[target][held] + BYTE[e.constants[~b] & bits - 1]  # type: ignore[operator]
        else:
            _count(e, b, bits)
            e.code += by_register.regs[target][held][B]
        e.store_vector(value, target)

    return emit


def shift8(left: bool) -> Emit:
    """As 16-bit lanes, and what came over from the neighbouring byte masked away."""
    by_constant = (vex.VPSLLW_XMM_XMM_IMM8 if left else vex.VPSRLW_XMM_XMM_IMM8).regs
    by_register = (vex.VPSLLW_XMM_XMM_XM128 if left else vex.VPSRLW_XMM_XMM_XM128).regs

    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        held = e.vector(a, A)
        code = e.code
        if b < 0:
            count = e.constants[~b] & 7  # type: ignore[operator]
            code += by_constant[T][held] + BYTE[count]
            e.pool(vex.VPAND.rip[B][T], bytes((0xFF << count & 0xFF if left else 0xFF >> count,)) * 16)
        else:
            _count(e, b, 8)
            code += by_register[T][held][B]
            code += vex.VPCMPEQD.regs[A][A][A] + vex.VPSRLW_XMM_XMM_IMM8.regs[A][A] + b"\x08" + by_register[A][A][B]
            code += _PXOR[B][B][B] + _SHUFFLE8[A][A][B] + _PAND[B][T][A]
        e.store_vector(value, B)

    return emit


def shift8_signed(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """Each byte in the upper half of a 16-bit lane, shifted by 8 more, and narrowed again."""
    held = e.vector(a, A)
    _count(e, b, 8, 8)
    right = vex.VPSRAW_XMM_XMM_XM128.regs
    e.code += vex.VPUNPCKHBW.regs[T][held][held] + right[T][T][B] + vex.VPUNPCKLBW.regs[A][held][held] + right[A][A][B]
    e.code += vex.VPACKSSWB.regs[B][A][T]
    e.store_vector(value, B)


def shift64_signed(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """A logical shift, and the sign bit, where it now stands, extended by an exclusive or and a subtraction."""
    held = e.vector(a, A)
    _count(e, b, 64)
    right = vex.VPSRLQ_XMM_XMM_XM128.regs
    e.pool(xmm_moves.VMOVUPS_XMM_XM128.rip[T], (1 << 63).to_bytes(8, "little") * 2)
    e.code += right[T][T][B] + right[B][held][B] + _PXOR[B][B][T] + vex.VPSUBQ.regs[B][B][T]
    e.store_vector(value, B)


# -- to integers -------------------------------------------------------------------------------------------------------

_MOVZX: Final = memory.MOVZX_R32_RM8.regs
_PTEST: Final = vex.VPTEST.regs


def any_true(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    held = e.vector(a, A)
    register = e.integer_result(value)
    e.code += _PTEST[held][held] + integer.SETCC[CC_NE].regs[RAX] + _MOVZX[register][RAX]
    e.store_integer(value, register)


def all_true(equal: RVM) -> Emit:
    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        held = e.vector(a, A)
        register = e.integer_result(value)
        e.code += _ZERO + equal.regs[T][T][held] + _PTEST[T][T] + integer.SETCC[CC_E].regs[RAX] + _MOVZX[register][RAX]
        e.store_integer(value, register)

    return emit


def bitmask(row: RM) -> Emit:
    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        register = e.integer_result(value)
        e.code += row.regs[register][e.vector(a, A)]
        e.store_integer(value, register)

    return emit


def bitmask16(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    held = e.vector(a, A)
    register = e.integer_result(value)
    e.code += vex.VPACKSSWB.regs[T][held][held] + vex.VPMOVMSKB.regs[RAX][T] + _MOVZX[register][RAX]
    e.store_integer(value, register)
