"""AVX and AVX2 replaced by SSE4.1, and `pcmpgtq` of SSE4.2 by what was before.

Most rows have a form with two operands under the same name less its `v`: the target is the first source then, so that one is moved there
before, unless the target holds the second source. A memory operand of 16 bytes must be aligned, as constants of the pool are and
others need not be: those are loaded with `movups`.
"""

from __future__ import annotations

from collections.abc import Callable

from purewasm.errors import InternalError
from purewasm.isa.x64 import float, vector, vex, xmm_moves
from purewasm.isa.x64.address import RIP, Mem
from purewasm.isa.x64.formats import Instruction
from purewasm.isa.x64.legalize.sequence import RED_ZONE_VECTORS, register_of
from purewasm.isa.x64.machine import SCRATCH
from purewasm.isa.x64.opcodes import Legacy, Vex
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from purewasm.isa.x64.disassemble import Argument
    from purewasm.isa.x64.legalize.sequence import Sequence

# Which of two operands comes first makes no difference. It does for floats: one of two NaNs comes out.
_COMMUTATIVE: Final = frozenset(
    "pand por pxor andps andpd orps orpd xorps xorpd paddb paddw paddd paddq paddsb paddsw paddusb paddusw "
    "pmullw pmulhw pmulhuw pmuludq pmulld pmuldq pmulhrsw pmaddwd pavgb pavgw psadbw "
    "pminub pminuw pminud pminsb pminsw pminsd pmaxub pmaxuw pmaxud pmaxsb pmaxsw pmaxsd pcmpeqb pcmpeqw pcmpeqd pcmpeqq".split()
)
_FLOAT_PREDICATES: Final = 8
"""SSE knows these of the 32 predicates of AVX."""
_SPREAD_HIGH: Final = 0xF5
"""For `pshufd`: the upper half of each 64-bit lane in both of its halves."""


def _words(row: Instruction) -> tuple[str, ...]:
    return tuple(operand.word for operand in row.operands)


def _counterparts() -> dict[Instruction, Instruction]:
    rows = [row for family in (xmm_moves, float, vector, vex) for row in vars(family).values() if isinstance(row, Instruction)]
    known = {(row.mnemonic, _words(row)): row for row in rows if isinstance(row.encoding, Legacy)}
    found = {}
    for row in rows:
        if isinstance(row.encoding, Vex):
            words = _words(row)
            if "V" in row.form:
                words = words[:1] + words[2:]
            counterpart = known.get((row.mnemonic[1:], words))
            if counterpart is not None:
                found[row] = counterpart
    return found


COUNTERPARTS: Final = _counterparts()
"""By row of AVX: the one that does the same with an operand less, or with the same operands."""


def without_avx(s: Sequence, row: Instruction, *arguments: Argument) -> None:
    """An instruction in the forms of SSE4.1, and of SSE4.2 where that has one."""
    if row is vex.VBLENDVPD:
        _blend(s, *arguments)
        return
    counterpart = COUNTERPARTS.get(row)
    if counterpart is None:
        raise InternalError(f"x64: nothing stands for {row!r} on a processor without AVX")
    if counterpart.mnemonic in ("cmpps", "cmppd", "cmpss", "cmpsd") and not 0 <= register_of(arguments[-1]) < _FLOAT_PREDICATES:
        raise InternalError(f"x64: {row!r} has a predicate that only AVX has")
    if "V" not in row.form:
        _same_operands(s, counterpart, *arguments)
    elif row.form == "VMI":
        target, source, count = arguments
        _move(s, target, source)
        s.put(counterpart, target, count)
    else:
        _two_operands(s, counterpart, *arguments)


def _is_unaligned(row: Instruction, argument: Argument) -> bool:
    return isinstance(argument, Mem) and argument.base != RIP and row.needs_alignment


def _move(s: Sequence, target: Argument, source: Argument) -> None:
    if target != source:
        s.put(xmm_moves.MOVAPS_XMM_XM128, target, source)


def _same_operands(s: Sequence, row: Instruction, target: Argument, *rest: Argument) -> None:
    source = rest[0]
    if row.needs_alignment and row.mnemonic not in ("movaps", "movdqa") and _is_unaligned(row, source):
        s.access(xmm_moves.MOVUPS_XMM_XM128, target if "=" in row.operand_text else SCRATCH, source)
        rest = (target if "=" in row.operand_text else SCRATCH, *rest[1:])
    s.operate(row, target, *rest)


def _two_operands(s: Sequence, row: Instruction, target: Argument, left: Argument, right: Argument, *constant: Argument) -> None:
    commutes = row.mnemonic in _COMMUTATIVE
    if _is_unaligned(row, right):
        if commutes and target != left:
            s.access(xmm_moves.MOVUPS_XMM_XM128, target, right)
            s.put(row, target, left)
            return
        s.access(xmm_moves.MOVUPS_XMM_XM128, SCRATCH, right)
        right = SCRATCH
    if target == right and target != left and row.operands[1].register == "xmm":
        if commutes:
            s.put(row, target, left)
            return
        s.put(xmm_moves.MOVAPS_XMM_XM128, SCRATCH, right)
        right = SCRATCH
    _move(s, target, left)
    s.operate(row, target, right, *constant)


def _blend(s: Sequence, target: Argument, left: Argument, right: Argument, mask: Argument) -> None:
    """`blendvpd` wants its mask in xmm0. Whole lanes of the mask's top bits choose as well: left ^ ((left ^ right) & mask)."""
    if left == right:
        _move(s, target, left)
        return
    s.put(xmm_moves.MOVAPS_XMM_XM128, SCRATCH, mask)
    s.put(vector.PSRAD_XMM_IMM8, SCRATCH, 31)
    s.put(vector.PSHUFD, SCRATCH, SCRATCH, _SPREAD_HIGH)
    if target == left:
        s.put(vector.PXOR, target, right)
        s.put(vector.PANDN, SCRATCH, target)
        s.put(vector.PXOR, SCRATCH, right)
        s.put(xmm_moves.MOVAPS_XMM_XM128, target, SCRATCH)
        return
    _move(s, target, right)
    s.put(vector.PXOR, target, left)
    s.put(vector.PAND, target, SCRATCH)
    s.put(vector.PXOR, target, left)


def greater64(s: Sequence, target: Argument, left: Argument, right: Argument) -> None:
    """`pcmpgtq` without SSE4.2: the upper halves decide; where they are equal, the borrow of the whole difference does."""
    equal, other = [register for register in range(16) if register not in (target, left, right, SCRATCH)][:2]
    s.put(xmm_moves.MOVUPS_XM128_XMM, RED_ZONE_VECTORS[0], equal)
    if isinstance(right, Mem):
        s.put(xmm_moves.MOVUPS_XM128_XMM, RED_ZONE_VECTORS[1], other)
        s.access(xmm_moves.MOVUPS_XMM_XM128, other, right)
    subtrahend = other if isinstance(right, Mem) else right
    s.put(xmm_moves.MOVAPS_XMM_XM128, SCRATCH, subtrahend)
    s.put(vector.PSUBQ, SCRATCH, left)
    s.put(xmm_moves.MOVAPS_XMM_XM128, equal, left)
    s.put(xmm_moves.PCMPEQD, equal, subtrahend)
    s.put(vector.PAND, SCRATCH, equal)
    s.put(xmm_moves.MOVAPS_XMM_XM128, equal, left)
    s.put(vector.PCMPGTD, equal, subtrahend)
    s.put(vector.POR, SCRATCH, equal)
    s.put(vector.PSHUFD, target, SCRATCH, _SPREAD_HIGH)
    s.put(xmm_moves.MOVUPS_XMM_XM128, equal, RED_ZONE_VECTORS[0])
    if isinstance(right, Mem):
        s.put(xmm_moves.MOVUPS_XMM_XM128, other, RED_ZONE_VECTORS[1])


# -- AVX2, in terms of AVX ---------------------------------------------------------------------------------------------

Write = Callable[..., None]
"""Takes a row of `vex` and arguments: writes it as it is, or hands it to `without_avx`."""


def broadcast8(write: Write, target: Argument, source: Argument) -> None:
    if isinstance(source, Mem):
        write(vex.VPINSRB, target, target, source, 0)
        source = target
    write(vex.VPUNPCKLBW, target, source, source)
    write(vex.VPSHUFLW, target, target, 0)
    write(vex.VPUNPCKLQDQ, target, target, target)


def broadcast16(write: Write, target: Argument, source: Argument) -> None:
    if isinstance(source, Mem):
        write(vex.VPINSRW, target, target, source, 0)
        source = target
    write(vex.VPSHUFLW, target, source, 0)
    write(vex.VPUNPCKLQDQ, target, target, target)


def broadcast32(write: Write, target: Argument, source: Argument) -> None:
    if isinstance(source, Mem):
        write(xmm_moves.VMOVD_XMM_RM32, target, source)
        source = target
    write(vex.VPSHUFD, target, source, 0)


BROADCASTS: Final[dict[Instruction, Callable[[Write, Argument, Argument], None]]] = {
    vex.VPBROADCASTB: broadcast8, vex.VPBROADCASTW: broadcast16, vex.VPBROADCASTD: broadcast32,
}  # fmt: skip
"""One value into all lanes."""
