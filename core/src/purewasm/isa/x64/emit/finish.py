"""What is left to do when all instructions of a function have been emitted."""

from __future__ import annotations

from purewasm.backend.machine_code import MachineCode
from purewasm.isa.x64.emit.state import FAULT, pack32
from purewasm.light_library import cache, itemgetter
from purewasm.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from purewasm.isa.x64.emit.state import Emitter
    from purewasm.isa.x64.legalize.legalizer import Legalizer


@cache
def legalizer(missing: int) -> Legalizer:
    """What replaces instructions that the processor lacks."""
    from purewasm.isa.x64.legalize.legalizer import Legalizer  # few processors need it

    return Legalizer(missing)


def emit_cold(e: Emitter) -> None:
    """What seldom runs, behind the rest."""
    e.depth = 0
    for emit in e.cold:
        emit()
    e.cold.clear()  # they hold `e`: without them everything goes at once, with no work for the garbage collector


def finish(e: Emitter) -> MachineCode:
    """The result: trap stubs and the constant pool behind the code; all distances filled in."""
    code, labels = e.code, e.labels
    traps = e.traps
    for (trap, place), jumps in e.stubs.items():
        here = len(code)
        traps.append((here, trap, place))
        code += FAULT
        for jump in jumps:
            code[jump - 4 : jump] = pack32(here - jump)
    for jump, label in e.fixups:
        code[jump - 4 : jump] = pack32(labels[label] - jump)
    for entry, label, table in e.table_fixups:
        code[entry : entry + 4] = pack32(labels[label] - table)
    pool_offset = len(code)
    if e.pool_fixups:
        pool: dict[bytes, int] = {}
        for offset, behind, constant in e.pool_fixups:
            where = pool.get(constant)
            if where is None:
                code += bytes(-len(code) % len(constant))
                where = pool[constant] = len(code)
                code += constant
            code[offset : offset + 4] = pack32(where - offset - 4 - behind)
    made = MachineCode(e.function.index, bytes(code))
    made.pool_offset = pool_offset
    traps.sort(key=itemgetter(0))
    e.call_sites.sort(key=itemgetter(0))
    made.traps, made.call_sites = traps, e.call_sites
    made.landings = sorted([(back, offset, taken) for call, offset, taken in e.landings for back in e.covered[call]])
    made.context_offset = e.saved_context
    made.frame_bytes, made.argument_bytes = e.frame, e.argument_bytes
    return made
