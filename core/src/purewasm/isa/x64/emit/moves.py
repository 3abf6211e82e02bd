"""Moves between places: single ones, and many that happen at once.

In a parallel move every source is read before any target is written. Moves whose target nobody reads any more go first; what then is
left are cycles, and each is opened by putting one of its values into a scratch register. Flags survive all of it.
"""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.isa.x64.emit.state import (
    LOAD64,
    LOAD_F64,
    LOAD_V128,
    MOV,
    MOVAPS,
    MOVQ_GPR,
    MOVQ_XMM,
    STORE64,
    STORE_F64,
    STORE_IMM32,
    STORE_V128,
    XMM15,
    at,
    pack32,
)
from purewasm.isa.x64.registers import RAX, RSP
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from purewasm.isa.x64.emit.state import Emitter

IN_PLACE: Final = 1 << 32
"""A source from here on is not a value but the place of one (no vector), with this added."""
_CYCLE_INT: Final = RAX
_CYCLE_XMM: Final = 30  # xmm14: xmm15 carries moves between slots


def move(e: Emitter, target: int, source: int, wide: bool = False) -> None:
    """One move; `wide` for a vector."""
    if target < 16:
        if source < 16:
            e.code += MOV[target][source]
        elif source < 32:
            e.code += MOVQ_GPR[target][source - 16]
        else:
            e.code += e.slot(LOAD64[target][RSP], source)
    elif target < 32:
        if source < 16:
            e.code += MOVQ_XMM[target - 16][source]
        elif source < 32:
            e.code += MOVAPS[target - 16][source - 16]
        else:
            e.code += e.slot((LOAD_V128 if wide else LOAD_F64)[target - 16][RSP], source)
    elif source < 16:
        e.code += e.slot(STORE64[source][RSP], target)
    elif source < 32:
        e.code += e.slot((STORE_V128 if wide else STORE_F64)[source - 16][RSP], target)
    else:
        e.code += e.slot((LOAD_V128 if wide else LOAD_F64)[XMM15][RSP], source)
        e.code += e.slot((STORE_V128 if wide else STORE_F64)[XMM15][RSP], target)


def place_constant(e: Emitter, target: int, constant: int | bytes) -> None:
    """A constant into a place; an integer one may go to an xmm register's or a float one to a general purpose register's place."""
    if isinstance(constant, int):
        if target < 16:
            e.move_constant(target, constant)
        elif constant < 0x8000_0000:
            e.code += e.slot(STORE_IMM32[RSP], target) + pack32(constant)
        else:
            e.move_constant(RAX, constant)
            move(e, target, RAX)
        return
    if target < 16:
        e.move_constant(target, int.from_bytes(constant, "little"))
    elif target < 32:
        e.load_constant(target - 16, constant)
    else:
        e.load_constant(XMM15, constant)
        e.code += at((STORE_V128 if len(constant) == 16 else STORE_F64)[XMM15][RSP], e.stack_offset(target))


def move_values(e: Emitter, pairs: list[tuple[int, int]]) -> None:
    """Put values (or constants, or what is `IN_PLACE`) into places, all at once: (target, value)."""
    place, insts = e.place, e.insts
    moves: dict[int, int] = {}
    wide: set[int] = set()
    constants = []
    for target, value in pairs:
        if value < 0:
            constants.append((target, value))
        elif value >= IN_PLACE:
            moves[target] = value - IN_PLACE
        else:
            source = place[value]
            if source != target:
                moves[target] = source
                if ops.CLASS[insts[value][0]] == ops.VEC:
                    wide.add(target)
    if moves:
        move_places(e, moves, wide)
    for target, value in constants:
        place_constant(e, target, e.constants[~value])


def move_places(e: Emitter, moves: dict[int, int], wide: set[int]) -> None:
    """A parallel move: source by target. Empties `moves`."""
    if len(moves) == 1:
        for target, source in moves.items():
            move(e, target, source, target in wide)
        return
    while moves:
        sources = set(moves.values())
        ready = [target for target in moves if target not in sources]
        if ready:
            for target in ready:
                move(e, target, moves.pop(target), target in wide)
        else:
            target = next(iter(moves))
            scratch = _CYCLE_INT if target < 16 else _CYCLE_XMM
            for reader, source in moves.items():
                if source == target:
                    move(e, scratch, target, reader in wide)
                    moves[reader] = scratch
                    break
