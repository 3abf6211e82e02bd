"""The loop over a function's instructions.

Frequent cases of frequent operations are written out here, with values in registers; everything else is in the families' emitters,
which do every case.
"""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.isa.x64.emit import builtins, calls, compare, control, division, memory, modify, numeric, polls, reference, table
from purewasm.isa.x64.emit.families import EMITTERS, add
from purewasm.isa.x64.emit.memory import LOADS, OUT_OF_BOUNDS, STORES
from purewasm.isa.x64.emit.state import BYTE, pack32
from purewasm.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter


for _family in builtins, calls, compare, control, division, memory, modify, numeric, polls, reference, table:
    add(_family.EMITTERS)


def emit_body(e: Emitter, observe: Callable[[int], None] | None = None) -> None:
    """Code of every live instruction, in order. `observe` is told of each one before it is emitted, for `inspect`."""
    code, place, live, emitters = e.code, e.place, e.live, EMITTERS
    traps, marks, labels = e.traps, e.marks, e.labels
    e.emitters = EMITTERS
    loads, stores = LOADS, STORES
    value = -1
    for op, a, b, imm in e.insts:
        value += 1
        if not live[value]:
            continue
        if observe is not None:
            observe(value)
        if op < 0x40:
            if a >= 0 and imm >= 0:
                index = place[a]
                if index < 16:
                    if op < 0x36:
                        target = place[value]
                        if op == 0x2A or op == 0x2B:
                            target -= 16
                        if target < 16:
                            tails = loads[op][0][target][index]
                            traps.append((len(code), OUT_OF_BOUNDS, marks[value]))
                            if imm < 128:
                                code += tails[1] + BYTE[imm] if imm else tails[0]
                            else:
                                code += tails[2] + pack32(imm)
                            continue
                    elif b >= 0:
                        source = place[b]
                        if op == 0x38 or op == 0x39:
                            source -= 16
                        if source < 16:
                            tails = stores[op][0][source][index]
                            traps.append((len(code), OUT_OF_BOUNDS, marks[value]))
                            if imm < 128:
                                code += tails[1] + BYTE[imm] if imm else tails[0]
                            else:
                                code += tails[2] + pack32(imm)
                            continue
        elif op == ops.LABEL:
            labels[imm] = len(code)
            e.kept_at = -1
            continue
        emitters[op](e, value, a, b, imm)
