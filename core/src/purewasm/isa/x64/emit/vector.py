"""Vector instructions: those that are one instruction of the processor as a table, the others as short sequences.

Operands in slots and constants are loaded into xmm14 and xmm15; xmm13 is free for all, and 14 and 15 are too once an operand has
been read for the last time. A target that is written before the end may be an operand's register, so results are made in the last step.
"""

from __future__ import annotations

import struct

from purewasm.backend.target import SLOT
from purewasm.ir import ops
from purewasm.isa.x64 import memory, vex, xmm_moves
from purewasm.isa.x64.emit import vector_lanes as lanes
from purewasm.isa.x64.emit import vector_shifts as shifts
from purewasm.isa.x64.emit.memory import operand_v
from purewasm.isa.x64.emit.state import BYTE
from purewasm.isa.x64.emit.vector_direct import DIRECT
from purewasm.isa.x64.emit.vector_shuffle import shuffle, swizzle
from purewasm.isa.x64.registers import RSP
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter
    from purewasm.isa.x64.formats import RM, RVM, RVMI, VMI

    Emit = Callable[[Emitter, int, int, int, Any], None]

T: Final = 13
A: Final = 14
B: Final = 15
_ALL_ZERO: Final = bytes(16)
_ALL_ONE: Final = b"\xff" * 16
_ZERO: Final = vex.VPXOR.regs[T][T][T]
_ONES: Final = vex.VPCMPEQD.regs[T][T][T]


def _number(name: str) -> int:
    return ops.number_of(CODE[name])


def _lanes(format: str, value: float) -> bytes:
    """A vector of equal lanes."""
    return struct.pack(f"<{format}", value) * (16 // struct.calcsize(format))


# -- one instruction ---------------------------------------------------------------------------------------------------

# target = row(b, a)
_REVERSED: Final = {
    "v128.andnot": vex.VPANDN, "i8x16.lt_s": vex.VPCMPGTB, "i16x8.lt_s": vex.VPCMPGTW, "i32x4.lt_s": vex.VPCMPGTD,
    "i64x2.lt_s": vex.VPCMPGTQ,
    "f32x4.pmin": vex.VMINPS, "f32x4.pmax": vex.VMAXPS, "f64x2.pmin": vex.VMINPD, "f64x2.pmax": vex.VMAXPD,
}  # fmt: skip
# target = row(a)
_ONE: Final = {
    "i8x16.abs": vex.VPABSB, "i16x8.abs": vex.VPABSW, "i32x4.abs": vex.VPABSD, "f32x4.sqrt": vex.VSQRTPS, "f64x2.sqrt": vex.VSQRTPD,
    "f32x4.convert_i32x4_s": vex.VCVTDQ2PS, "f64x2.convert_low_i32x4_s": vex.VCVTDQ2PD, "f32x4.demote_f64x2_zero": vex.VCVTPD2PS,
    "f64x2.promote_low_f32x4": vex.VCVTPS2PD,
    "i16x8.extend_low_i8x16_s": vex.VPMOVSXBW, "i16x8.extend_low_i8x16_u": vex.VPMOVZXBW,
    "i32x4.extend_low_i16x8_s": vex.VPMOVSXWD, "i32x4.extend_low_i16x8_u": vex.VPMOVZXWD,
    "i64x2.extend_low_i32x4_s": vex.VPMOVSXDQ, "i64x2.extend_low_i32x4_u": vex.VPMOVZXDQ,
}  # fmt: skip
# target = row(a, immediate)
_ROUND: Final = {
    "f32x4.ceil": (vex.VROUNDPS, 10), "f32x4.floor": (vex.VROUNDPS, 9), "f32x4.trunc": (vex.VROUNDPS, 11),
    "f32x4.nearest": (vex.VROUNDPS, 8),
    "f64x2.ceil": (vex.VROUNDPD, 10), "f64x2.floor": (vex.VROUNDPD, 9), "f64x2.trunc": (vex.VROUNDPD, 11),
    "f64x2.nearest": (vex.VROUNDPD, 8),
}  # fmt: skip
# compares of floats: row, predicate, whether the operands change places
_FLOAT_COMPARES: Final = {
    f"{shape}.{name}": (row, predicate, swap)
    for shape, row in (("f32x4", vex.VCMPPS), ("f64x2", vex.VCMPPD))
    for name, predicate, swap in (("eq", 0, 0), ("ne", 4, 0), ("lt", 1, 0), ("le", 2, 0), ("gt", 1, 1), ("ge", 2, 1))
}
# target = a op constant
_WITH_CONSTANT: Final = {
    "f32x4.abs": (vex.VPAND, _lanes("I", 0x7FFF_FFFF)), "f64x2.abs": (vex.VPAND, _lanes("Q", 0x7FFF_FFFF_FFFF_FFFF)),
    "f32x4.neg": (vex.VPXOR, _lanes("I", 0x8000_0000)), "f64x2.neg": (vex.VPXOR, _lanes("Q", 0x8000_0000_0000_0000)),
    "v128.not": (vex.VPXOR, b"\xff" * 16),
    "i16x8.extadd_pairwise_i8x16_u": (vex.VPMADDUBSW, _lanes("B", 1)),
    "i32x4.extadd_pairwise_i16x8_s": (vex.VPMADDWD, _lanes("H", 1)),
}  # fmt: skip


def _direct(row: RVM) -> Emit:
    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        left = e.vector(a, A)
        target = e.xmm_result(value)
        if b >= 0:
            place = e.place[b]
            e.code += row.regs[target][left][place - 16] if place < SLOT else e.slot(row.based[target][left][RSP], place)
        elif b == ops.MEM:
            address, offset, load = imm
            e.code += operand_v(e, row, target, left, address, offset, load)
        else:
            _constant(e, row, target, left, e.constants[~b])  # type: ignore[arg-type]
        e.store_vector(value, target)

    return emit


def _constant(e: Emitter, row: RVM, target: int, left: int, constant: bytes) -> None:
    """The second operand in the constant pool; zeros and ones are made faster than they are loaded."""
    if constant in (_ALL_ZERO, _ALL_ONE):
        e.code += (_ZERO if constant == _ALL_ZERO else _ONES) + row.regs[target][left][T]
    else:
        e.pool(row.rip[target][left], constant)


def _reversed(row: RVM) -> Emit:
    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        left, right = e.vector(a, A), e.vector(b, B)
        target = e.xmm_result(value)
        e.code += row.regs[target][right][left]
        e.store_vector(value, target)

    return emit


def _one(row: RM, tail: bytes = b"") -> Emit:
    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        held = e.vector(a, A)
        target = e.xmm_result(value)
        e.code += row.regs[target][held] + tail
        e.store_vector(value, target)

    return emit


def _float_compare(row: RVMI, predicate: int, swap: int) -> Emit:
    tail = BYTE[predicate]

    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        left, right = e.vector(a, A), e.vector(b, B)
        if swap:
            left, right = right, left
        target = e.xmm_result(value)
        e.code += row.regs[target][left][right] + tail
        e.store_vector(value, target)

    return emit


def _with_constant(row: RVM, constant: bytes) -> Emit:
    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        held = e.vector(a, A)
        target = e.xmm_result(value)
        e.pool(row.rip[target][held], constant)
        e.store_vector(value, target)

    return emit


# -- sequences: emit into xmm registers `left`, `right`, result in the register that comes back -------------------------


_PXOR: Final = vex.VPXOR.regs
_PAND: Final = vex.VPAND.regs
_PANDN: Final = vex.VPANDN.regs
_POR: Final = vex.VPOR.regs
_HIGH: Final = vex.VPUNPCKHQDQ.regs
_SHUFFLE32: Final = vex.VPSHUFD.regs
_SHUFFLE8: Final = vex.VPSHUFB.regs


def _two(sequence: Callable[[Emitter, int, int], int]) -> Emit:
    """A sequence of two operands as an emitter."""

    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        left = e.vector(a, A)
        e.store_vector(value, sequence(e, left, e.vector(b, B)))

    return emit


def _single(sequence: Callable[[Emitter, int], int]) -> Emit:
    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        e.store_vector(value, sequence(e, e.vector(a, A)))

    return emit


def _negated(row: RVM, swap: bool) -> Callable[[Emitter, int, int], int]:
    def sequence(e: Emitter, left: int, right: int) -> int:
        e.code += row.regs[B][right][left] if swap else row.regs[B][left][right]
        e.code += _ONES + _PXOR[B][B][T]
        return B

    return sequence


def _unsigned_order(pick: RVM, equal: RVM, negate: bool) -> Callable[[Emitter, int, int], int]:
    """a >= b where max(a, b) is a; a <= b where min(a, b) is a."""

    def sequence(e: Emitter, left: int, right: int) -> int:
        e.code += pick.regs[B][left][right] + equal.regs[B][B][left]
        if negate:
            e.code += _ONES + _PXOR[B][B][T]
        return B

    return sequence


def bitselect(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    mask = e.vector(imm, B)
    e.code += _PAND[T][e.vector(a, A)][mask]
    e.code += _PANDN[B][mask][e.vector(b, A)]
    target = e.xmm_result(value)
    e.code += _POR[target][B][T]
    e.store_vector(value, target)


# i64x2 values whose lanes were 32-bit numbers.
_SIGNED32: Final = frozenset((_number("i64x2.extend_low_i32x4_s"), _number("i64x2.extend_high_i32x4_s"), _number("v128.load32x2_s")))
_UNSIGNED32: Final = frozenset((_number("i64x2.extend_low_i32x4_u"), _number("i64x2.extend_high_i32x4_u"), _number("v128.load32x2_u")))


def _lane_range(e: Emitter, value: int) -> tuple[bool, bool]:
    """Whether every 64-bit lane is a signed, and whether it is an unsigned 32-bit number."""
    if value < 0:
        lanes = struct.unpack("<2q", e.constants[~value])  # type: ignore[arg-type]
        return all(-(1 << 31) <= lane < 1 << 31 for lane in lanes), all(0 <= lane < 1 << 32 for lane in lanes)
    op = e.insts[value][0]
    return op in _SIGNED32, op in _UNSIGNED32


def multiply64(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """The processor multiplies 32-bit numbers: once is enough where both are such numbers, twice where one is."""
    (signed_a, unsigned_a), (signed_b, unsigned_b) = _lane_range(e, a), _lane_range(e, b)
    if unsigned_a and not unsigned_b:
        a, b, unsigned_b, unsigned_a = b, a, True, False
    left, right = e.vector(a, A), e.vector(b, B)
    target = e.xmm_result(value)
    code = e.code
    if (signed_a and signed_b) or (unsigned_a and unsigned_b):
        code += (vex.VPMULDQ if signed_a and signed_b else vex.VPMULUDQ).regs[target][left][right]
    elif unsigned_b:
        code += vex.VPSRLQ_XMM_XMM_IMM8.regs[T][left] + b"\x20" + vex.VPMULUDQ.regs[T][T][right] + vex.VPMULUDQ.regs[B][left][right]
        code += vex.VPSLLQ_XMM_XMM_IMM8.regs[T][T] + b"\x20" + vex.VPADDQ.regs[target][B][T]
    else:
        code += _SHUFFLE32[T][right] + b"\xb1" + vex.VPMULLD.regs[T][T][left]  # both crossed products, 32 bits each
        code += vex.VPMULUDQ.regs[B][left][right]
        code += vex.VPSRLQ_XMM_XMM_IMM8.regs[A][T] + b"\x20" + vex.VPADDD.regs[T][T][A]
        code += vex.VPSLLQ_XMM_XMM_IMM8.regs[T][T] + b"\x20" + vex.VPADDQ.regs[target][B][T]
    e.store_vector(value, target)


def _extended_product(widen: RM, multiply: RVM, high: bool) -> Callable[[Emitter, int, int], int]:
    def sequence(e: Emitter, left: int, right: int) -> int:
        if high:
            e.code += _HIGH[T][left][left] + _HIGH[B][right][right]
            left, right = T, B
        e.code += widen.regs[T][left] + widen.regs[B][right] + multiply.regs[B][T][B]
        return B

    return sequence


def _extended_product64(multiply: RVM, lanes: bytes) -> Callable[[Emitter, int, int], int]:
    def sequence(e: Emitter, left: int, right: int) -> int:
        e.code += _SHUFFLE32[T][left] + lanes + _SHUFFLE32[B][right] + lanes + multiply.regs[B][T][B]
        return B

    return sequence


def q15_multiply(e: Emitter, left: int, right: int) -> int:
    e.code += vex.VPMULHRSW.regs[T][left][right]
    e.pool(vex.VPCMPEQW.rip[B][T], _lanes("H", 0x8000))
    e.code += _PXOR[B][B][T]
    return B


def relaxed_dot(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """Sums of two products of signed bytes, saturated to 16 bits. Operands that were loaded are loaded again for the upper halves."""
    code, widen, multiply = e.code, vex.VPMOVSXBW.regs, vex.VPMADDWD.regs
    code += widen[T][e.vector(a, A)]
    code += widen[A][e.vector(b, B)] + multiply[T][T][A]
    left = e.vector(a, A)
    code += _HIGH[A][left][left] + widen[A][A]
    right = e.vector(b, B)
    code += _HIGH[B][right][right] + widen[B][B] + multiply[A][A][B]
    code += vex.VPACKSSDW.regs[B][T][A]
    e.store_vector(value, B)


def _minimum(row: RVM, unordered: RVMI, shift: VMI, count: bytes) -> Callable[[Emitter, int, int], int]:
    """Both orders joined by `or` have the sign of -0.0 and every NaN, whose payload is then cut to the canonical one."""

    def sequence(e: Emitter, left: int, right: int) -> int:
        code = e.code
        code += row.regs[T][left][right] + row.regs[B][right][left] + _POR[B][B][T]
        code += unordered.regs[T][B][B] + b"\3" + _POR[B][B][T] + shift.regs[T][T] + count + _PANDN[B][T][B]
        return B

    return sequence


def _maximum(row: RVM, subtract: RVM, unordered: RVMI, shift: VMI, count: bytes) -> Callable[[Emitter, int, int], int]:
    """The difference of both orders is nothing, the sign of a zero, or a NaN's bits; subtracting it settles each."""

    def sequence(e: Emitter, left: int, right: int) -> int:
        code = e.code
        code += row.regs[T][left][right] + row.regs[B][right][left] + _PXOR[T][T][B] + _POR[B][B][T] + subtract.regs[B][B][T]
        code += unordered.regs[T][B][B] + b"\3" + shift.regs[T][T] + count + _PANDN[B][T][B]
        return B

    return sequence


def _negate(row: RVM) -> Callable[[Emitter, int], int]:
    def sequence(e: Emitter, held: int) -> int:
        e.code += _ZERO + row.regs[B][T][held]
        return B

    return sequence


def absolute64(e: Emitter, held: int) -> int:
    e.code += _ZERO + vex.VPSUBQ.regs[T][T][held] + vex.VBLENDVPD.regs[B][held][T] + BYTE[held << 4]
    return B


def popcount(e: Emitter, held: int) -> int:
    """By a table of the counts of nibbles."""
    code, nibbles = e.code, _lanes("B", 0x0F)
    e.pool(vex.VPAND.rip[B][held], nibbles)
    e.pool(xmm_moves.VMOVUPS_XMM_XM128.rip[T], bytes([n.bit_count() for n in range(16)]))
    code += _SHUFFLE8[B][T][B] + vex.VPSRLW_XMM_XMM_IMM8.regs[A][held] + b"\4"
    e.pool(vex.VPAND.rip[A][A], nibbles)
    code += _SHUFFLE8[A][T][A] + vex.VPADDB.regs[B][B][A]
    return B


def _extend_high(row: RM) -> Callable[[Emitter, int], int]:
    def sequence(e: Emitter, held: int) -> int:
        e.code += _HIGH[B][held][held] + row.regs[B][B]
        return B

    return sequence


def pairwise8_signed(e: Emitter, held: int) -> int:
    """The instruction takes its first operand unsigned: that one is the ones."""
    e.pool(xmm_moves.VMOVUPS_XMM_XM128.rip[T], _lanes("B", 1))
    e.code += vex.VPMADDUBSW.regs[B][T][held]
    return B


def pairwise16_unsigned(e: Emitter, held: int) -> int:
    """As signed numbers less 0x8000 each, and that added again."""
    e.pool(vex.VPXOR.rip[B][held], _lanes("H", 0x8000))
    e.pool(vex.VPMADDWD.rip[B][B], _lanes("H", 1))
    e.pool(vex.VPADDD.rip[B][B], _lanes("I", 0x1_0000))
    return B


def truncate32_signed(e: Emitter, held: int) -> int:
    """Too large lanes come out as 0x80000000 and are inverted; NaNs are made 0 before."""
    code = e.code
    code += vex.VCMPPS.regs[T][held][held] + b"\0" + _PAND[B][held][T]
    e.pool(xmm_moves.VMOVUPS_XMM_XM128.rip[T], _lanes("f", 2.0**31))
    code += vex.VCMPPS.regs[T][T][B] + b"\2" + vex.VCVTTPS2DQ.regs[B][B] + _PXOR[B][B][T]
    return B


def truncate32_unsigned(e: Emitter, held: int) -> int:
    """The part above 2**31 is converted by itself, clamped, and added."""
    code = e.code
    code += _ZERO + vex.VMAXPS.regs[B][held][T]
    e.pool(xmm_moves.VMOVUPS_XMM_XM128.rip[T], _lanes("f", 2.0**31))
    code += vex.VSUBPS.regs[A][B][T] + vex.VCMPPS.regs[T][T][A] + b"\2" + vex.VCVTTPS2DQ.regs[A][A] + _PXOR[A][A][T]
    code += _ZERO + vex.VPMAXSD.regs[A][A][T] + vex.VCVTTPS2DQ.regs[B][B] + vex.VPADDD.regs[B][B][A]
    return B


def convert32_unsigned(e: Emitter, held: int) -> int:
    """Halves of 16 bits are exact; their sum is rounded once."""
    code, convert = e.code, vex.VCVTDQ2PS.regs
    code += _PXOR[B][B][B] if held != B else b""
    code += vex.VPBLENDW.regs[T][B][held] + b"\x55" + vex.VPSUBD.regs[B][held][T] + convert[T][T]
    code += vex.VPSRLD_XMM_XMM_IMM8.regs[B][B] + b"\1" + convert[B][B] + vex.VADDPS.regs[B][B][B] + vex.VADDPS.regs[B][B][T]
    return B


def truncate64_signed(e: Emitter, held: int) -> int:
    code = e.code
    code += vex.VCMPPD.regs[T][held][held] + b"\0"
    e.pool(vex.VPAND.rip[T][T], _lanes("d", 2147483647.0))
    code += vex.VMINPD.regs[B][held][T] + vex.VCVTTPD2DQ.regs[B][B]
    return B


def truncate64_unsigned(e: Emitter, held: int) -> int:
    """2**52 added, the integer stands in the low bits."""
    code = e.code
    code += _ZERO + vex.VMAXPD.regs[B][held][T]
    e.pool(vex.VMINPD.rip[B][B], _lanes("d", 4294967295.0))
    code += vex.VROUNDPD.regs[B][B] + b"\x0b"
    e.pool(vex.VADDPD.rip[B][B], _lanes("d", 2.0**52))
    code += vex.VSHUFPS.regs[B][B][T] + b"\x88"
    return B


def convert64_unsigned(e: Emitter, held: int) -> int:
    """The integer becomes the low bits of 2**52, which is then taken away."""
    e.pool(vex.VUNPCKLPS.rip[B][held], _lanes("I", 0x4330_0000))
    e.pool(vex.VSUBPD.rip[B][B], _lanes("d", 2.0**52))
    return B


_SEQUENCES: Final[dict[str, Emit]] = {
    "i8x16.swizzle": swizzle, "i8x16.shuffle": shuffle, "i64x2.mul": multiply64,
    **{f"{shape}.ne": _two(_negated(row, False)) for shape, row in (
        ("i8x16", vex.VPCMPEQB), ("i16x8", vex.VPCMPEQW), ("i32x4", vex.VPCMPEQD), ("i64x2", vex.VPCMPEQQ))},
    **{f"{shape}.{name}": _two(_negated(row, swap)) for shape, row in (
        ("i8x16", vex.VPCMPGTB), ("i16x8", vex.VPCMPGTW), ("i32x4", vex.VPCMPGTD), ("i64x2", vex.VPCMPGTQ))
        for name, swap in (("le_s", False), ("ge_s", True))},
    **{f"{shape}.{name}": _two(_unsigned_order(pick, equal, negate)) for shape, lowest, highest, equal in (
        ("i8x16", vex.VPMINUB, vex.VPMAXUB, vex.VPCMPEQB), ("i16x8", vex.VPMINUW, vex.VPMAXUW, vex.VPCMPEQW),
        ("i32x4", vex.VPMINUD, vex.VPMAXUD, vex.VPCMPEQD))
        for name, pick, negate in (("ge_u", highest, False), ("le_u", lowest, False), ("lt_u", highest, True), ("gt_u", lowest, True))},
    "i16x8.extmul_low_i8x16_s": _two(_extended_product(vex.VPMOVSXBW, vex.VPMULLW, False)),
    "i16x8.extmul_high_i8x16_s": _two(_extended_product(vex.VPMOVSXBW, vex.VPMULLW, True)),
    "i16x8.extmul_low_i8x16_u": _two(_extended_product(vex.VPMOVZXBW, vex.VPMULLW, False)),
    "i16x8.extmul_high_i8x16_u": _two(_extended_product(vex.VPMOVZXBW, vex.VPMULLW, True)),
    "i32x4.extmul_low_i16x8_s": _two(_extended_product(vex.VPMOVSXWD, vex.VPMULLD, False)),
    "i32x4.extmul_high_i16x8_s": _two(_extended_product(vex.VPMOVSXWD, vex.VPMULLD, True)),
    "i32x4.extmul_low_i16x8_u": _two(_extended_product(vex.VPMOVZXWD, vex.VPMULLD, False)),
    "i32x4.extmul_high_i16x8_u": _two(_extended_product(vex.VPMOVZXWD, vex.VPMULLD, True)),
    "i64x2.extmul_low_i32x4_s": _two(_extended_product64(vex.VPMULDQ, b"\x50")),
    "i64x2.extmul_high_i32x4_s": _two(_extended_product64(vex.VPMULDQ, b"\xfa")),
    "i64x2.extmul_low_i32x4_u": _two(_extended_product64(vex.VPMULUDQ, b"\x50")),
    "i64x2.extmul_high_i32x4_u": _two(_extended_product64(vex.VPMULUDQ, b"\xfa")),
    "i16x8.q15mulr_sat_s": _two(q15_multiply), "i16x8.relaxed_dot_i8x16_i7x16_s": relaxed_dot,
    "f32x4.min": _two(_minimum(vex.VMINPS, vex.VCMPPS, vex.VPSRLD_XMM_XMM_IMM8, b"\x0a")),
    "f64x2.min": _two(_minimum(vex.VMINPD, vex.VCMPPD, vex.VPSRLQ_XMM_XMM_IMM8, b"\x0d")),
    "f32x4.max": _two(_maximum(vex.VMAXPS, vex.VSUBPS, vex.VCMPPS, vex.VPSRLD_XMM_XMM_IMM8, b"\x0a")),
    "f64x2.max": _two(_maximum(vex.VMAXPD, vex.VSUBPD, vex.VCMPPD, vex.VPSRLQ_XMM_XMM_IMM8, b"\x0d")),
    "i8x16.neg": _single(_negate(vex.VPSUBB)), "i16x8.neg": _single(_negate(vex.VPSUBW)),
    "i32x4.neg": _single(_negate(vex.VPSUBD)), "i64x2.neg": _single(_negate(vex.VPSUBQ)),
    "i64x2.abs": _single(absolute64), "i8x16.popcnt": _single(popcount),
    "i16x8.extend_high_i8x16_s": _single(_extend_high(vex.VPMOVSXBW)), "i16x8.extend_high_i8x16_u": _single(_extend_high(vex.VPMOVZXBW)),
    "i32x4.extend_high_i16x8_s": _single(_extend_high(vex.VPMOVSXWD)), "i32x4.extend_high_i16x8_u": _single(_extend_high(vex.VPMOVZXWD)),
    "i64x2.extend_high_i32x4_s": _single(_extend_high(vex.VPMOVSXDQ)), "i64x2.extend_high_i32x4_u": _single(_extend_high(vex.VPMOVZXDQ)),
    "i16x8.extadd_pairwise_i8x16_s": _single(pairwise8_signed), "i32x4.extadd_pairwise_i16x8_u": _single(pairwise16_unsigned),
    "i32x4.trunc_sat_f32x4_s": _single(truncate32_signed), "i32x4.trunc_sat_f32x4_u": _single(truncate32_unsigned),
    "f32x4.convert_i32x4_u": _single(convert32_unsigned), "i32x4.trunc_sat_f64x2_s_zero": _single(truncate64_signed),
    "i32x4.trunc_sat_f64x2_u_zero": _single(truncate64_unsigned), "f64x2.convert_low_i32x4_u": _single(convert64_unsigned),
    "i8x16.splat": lanes.splat8, "i16x8.splat": lanes.splat16, "i32x4.splat": lanes.splat32, "i64x2.splat": lanes.splat64,
    "f32x4.splat": lanes.splat_f32, "f64x2.splat": lanes.splat_f64,
    "i8x16.extract_lane_s": lanes.extract(vex.VPEXTRB, memory.MOVSX_R32_RM8), "i8x16.extract_lane_u": lanes.extract(vex.VPEXTRB),
    "i16x8.extract_lane_s": lanes.extract(vex.VPEXTRW_R32_XMM_IMM8, memory.MOVSX_R32_RM16),
    "i16x8.extract_lane_u": lanes.extract(vex.VPEXTRW_R32_XMM_IMM8),
    "i32x4.extract_lane": lanes.extract(vex.VPEXTRD), "i64x2.extract_lane": lanes.extract(vex.VPEXTRQ),
    "f32x4.extract_lane": lanes.extract_f32, "f64x2.extract_lane": lanes.extract_f64,
    "i8x16.replace_lane": lanes.replace(vex.VPINSRB), "i16x8.replace_lane": lanes.replace(vex.VPINSRW),
    "i32x4.replace_lane": lanes.replace(vex.VPINSRD), "i64x2.replace_lane": lanes.replace(vex.VPINSRQ),
    "f32x4.replace_lane": lanes.replace_f32, "f64x2.replace_lane": lanes.replace_f64,
    "i8x16.shl": shifts.shift8(True), "i8x16.shr_u": shifts.shift8(False), "i8x16.shr_s": shifts.shift8_signed,
    "i16x8.shl": shifts.shift(16, vex.VPSLLW_XMM_XMM_IMM8, vex.VPSLLW_XMM_XMM_XM128),
    "i16x8.shr_s": shifts.shift(16, vex.VPSRAW_XMM_XMM_IMM8, vex.VPSRAW_XMM_XMM_XM128),
    "i16x8.shr_u": shifts.shift(16, vex.VPSRLW_XMM_XMM_IMM8, vex.VPSRLW_XMM_XMM_XM128),
    "i32x4.shl": shifts.shift(32, vex.VPSLLD_XMM_XMM_IMM8, vex.VPSLLD_XMM_XMM_XM128),
    "i32x4.shr_s": shifts.shift(32, vex.VPSRAD_XMM_XMM_IMM8, vex.VPSRAD_XMM_XMM_XM128),
    "i32x4.shr_u": shifts.shift(32, vex.VPSRLD_XMM_XMM_IMM8, vex.VPSRLD_XMM_XMM_XM128),
    "i64x2.shl": shifts.shift(64, vex.VPSLLQ_XMM_XMM_IMM8, vex.VPSLLQ_XMM_XMM_XM128),
    "i64x2.shr_u": shifts.shift(64, vex.VPSRLQ_XMM_XMM_IMM8, vex.VPSRLQ_XMM_XMM_XM128), "i64x2.shr_s": shifts.shift64_signed,
    "v128.any_true": shifts.any_true, "i8x16.all_true": shifts.all_true(vex.VPCMPEQB), "i16x8.all_true": shifts.all_true(vex.VPCMPEQW),
    "i32x4.all_true": shifts.all_true(vex.VPCMPEQD), "i64x2.all_true": shifts.all_true(vex.VPCMPEQQ),
    "i8x16.bitmask": shifts.bitmask(vex.VPMOVMSKB), "i16x8.bitmask": shifts.bitmask16, "i32x4.bitmask": shifts.bitmask(vex.VMOVMSKPS),
    "i64x2.bitmask": shifts.bitmask(vex.VMOVMSKPD),
}  # fmt: skip

EMITTERS: Final[dict[int, Emit]] = {
    **{op: _direct(getattr(vex, row)) for op, row in DIRECT.items()},
    **{_number(name): _reversed(row) for name, row in _REVERSED.items()},
    **{_number(name): _one(row) for name, row in _ONE.items()},
    **{_number(name): _one(row, BYTE[mode]) for name, (row, mode) in _ROUND.items()},  # type: ignore[arg-type]
    **{_number(name): _float_compare(*shape) for name, shape in _FLOAT_COMPARES.items()},
    **{_number(name): _with_constant(*shape) for name, shape in _WITH_CONSTANT.items()},
    **{_number(name): emit for name, emit in _SEQUENCES.items()},
    **dict.fromkeys((ops.VECTOR_BASE + n for n in lanes.LOADS), lanes.load),
    ops.VECTOR_BASE + 0x0B: lanes.store, ops.LOAD_LANE: lanes.load_lane, ops.STORE_LANE: lanes.store_lane, ops.BITSELECT: bitselect,
}  # fmt: skip
