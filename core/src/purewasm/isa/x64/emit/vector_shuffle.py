"""i8x16.shuffle and i8x16.swizzle.

A shuffle of two vectors is two `pshufb`, their constants and an `or`; but compilers write shuffles for interleaving, shifting two vectors
over, and rearranging 32-bit lanes, and the processor has an instruction for each of those.
"""

from __future__ import annotations

from purewasm.isa.x64 import vex
from purewasm.isa.x64.emit.state import BYTE, MOVAPS
from purewasm.light_typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from purewasm.isa.x64.emit.state import Emitter
    from purewasm.isa.x64.formats import RVM

T: Final = 13
A: Final = 14
B: Final = 15
_SHUFFLE8: Final = vex.VPSHUFB.regs
_SHUFFLE32: Final = vex.VPSHUFD.regs
_SHUFFLE_TWO32: Final = vex.VSHUFPS.regs
_SHIFT: Final = vex.VPALIGNR.regs
_BLEND: Final = vex.VPBLENDW.regs


def _interleaved(lane_bytes: int, start: int) -> tuple[int, ...]:
    """Lanes of the first and the second vector in turn, from byte `start` on."""
    return tuple(
        which + lane + byte for lane in range(start, start + 8, lane_bytes) for which in (0, 16) for byte in range(lane_bytes)
    )  # fmt: skip


_INTERLEAVES: Final[dict[tuple[int, ...], RVM]] = {
    _interleaved(1, 0): vex.VPUNPCKLBW, _interleaved(2, 0): vex.VPUNPCKLWD, _interleaved(4, 0): vex.VPUNPCKLDQ,
    _interleaved(8, 0): vex.VPUNPCKLQDQ,
    _interleaved(1, 8): vex.VPUNPCKHBW, _interleaved(2, 8): vex.VPUNPCKHWD, _interleaved(4, 8): vex.VPUNPCKHDQ,
    _interleaved(8, 8): vex.VPUNPCKHQDQ,
}  # fmt: skip


def _wide_lanes(lanes: tuple[int, ...]) -> list[int] | None:
    """The numbers of 32-bit lanes that these bytes are, or None."""
    wide = [lane >> 2 for lane in lanes[::4]]
    return wide if lanes == tuple([4 * lane + byte for lane in wide for byte in range(4)]) else None


def _one_instruction(lanes: tuple[int, ...], target: int, left: int, right: int) -> bytes | None:
    """The instruction that does the whole shuffle, if there is one."""
    row = _INTERLEAVES.get(lanes)
    if row is not None:
        return row.regs[target][left][right]
    first = lanes[0]
    if lanes == tuple(range(first, first + 16)):  # from both vectors laid end to end
        return MOVAPS[target][left] if not first else MOVAPS[target][right] if first == 16 else _SHIFT[target][right][left] + BYTE[first]
    if all(lane & 15 == place for place, lane in enumerate(lanes)):
        words = [lane >> 4 for lane in lanes]
        if words[::2] == words[1::2]:
            return _BLEND[target][left][right] + BYTE[sum(word << place for place, word in enumerate(words[::2]))]
    wide = _wide_lanes(lanes)
    if wide is None:
        return None
    control = BYTE[sum((lane & 3) << 2 * place for place, lane in enumerate(wide))]
    sides = [lane >> 2 for lane in wide]
    if sides[0] == sides[1] and sides[2] == sides[3]:
        low, high = (right if side else left for side in (sides[0], sides[2]))
        return _SHUFFLE32[target][low] + control if low == high else _SHUFFLE_TWO32[target][low][high] + control
    return None


def shuffle(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    lanes = tuple([lane & 15 for lane in imm]) if a == b else tuple(imm)
    if min(lanes) > 15:  # of the second vector only
        a, lanes = b, tuple([lane - 16 for lane in lanes])
    left = e.vector(a, A)
    right = left if a == b or max(lanes) < 16 else e.vector(b, B)
    target = e.xmm_result(value)
    known = _one_instruction(lanes, target, left, right)
    if known is not None:
        e.code += known
    elif max(lanes) < 16:
        e.pool(vex.VPSHUFB.rip[target][left], bytes(lanes))
    else:
        e.pool(vex.VPSHUFB.rip[T][left], bytes([lane if lane < 16 else 0x80 for lane in lanes]))
        e.pool(vex.VPSHUFB.rip[B][right], bytes([lane - 16 if lane > 15 else 0x80 for lane in lanes]))
        e.code += vex.VPOR.regs[target][B][T]
    e.store_vector(value, target)


def swizzle(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """pshufb gives 0 where the top bit of an index is set: indices above 15 get it by a saturating addition."""
    held = e.vector(a, A)
    target = e.xmm_result(value)
    if b < 0:
        indices: Any = e.constants[~b]
        e.pool(vex.VPSHUFB.rip[target][held], bytes([index if index < 16 else 0x80 for index in indices]))
    else:
        e.pool(vex.VPADDUSB.rip[T][e.vector(b, B)], b"\x70" * 16)
        e.code += _SHUFFLE8[target][held][T]
    e.store_vector(value, target)
