"""Use counts, and with them dead code: one sweep from the last instruction to the first.

Result: one byte a value, 0 for an instruction that is not needed, 1 for one that is needed and used at most once, 2 for one that is
used more often. A use counts where it stands, so `1` is an exact promise: whoever folds an instruction into its only user relies on it.
Arguments that reach a loop's parameter from below are met before the parameter is known to be needed; a work list follows those.
"""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING
from purewasm.passes.operand_kinds import ARGUMENTS, KIND, LIST, ONE, PAIR, PARAMETER, SELECTION

if TYPE_CHECKING:
    from purewasm.ir.function import Inst


def count_uses(insts: list[Inst]) -> bytearray:
    """0, 1 or 2 by value id, as above."""
    live = bytearray(len(insts))
    keep, kind_of = ops.KEEP, KIND
    value = len(insts)
    for op, a, b, imm in reversed(insts):
        value -= 1
        if not live[value]:
            if not keep[op]:
                continue
            live[value] = 1
        if a >= 0:
            live[a] = 2 if live[a] else 1
        if b >= 0:
            live[b] = 2 if live[b] else 1
        kind = kind_of[op]
        if kind:
            if kind == PARAMETER:
                for x in imm:
                    if x >= 0:
                        if x > value and not live[x]:
                            _revive(insts, live, x)
                        live[x] = 2
            elif kind == ARGUMENTS:
                for x in imm[0]:
                    if x >= 0:
                        live[x] = 2
            elif kind == SELECTION:
                for x in imm[2:4]:
                    if x >= 0:
                        live[x] = 2
            elif kind == PAIR:
                for x in imm:
                    if x >= 0:
                        live[x] = 2
            elif kind == LIST:
                for x in imm[0]:
                    if x >= 0:
                        live[x] = 2
            elif imm >= 0:
                live[imm] = 2
    return live


def _revive(insts: list[Inst], live: bytearray, start: int) -> None:
    """Mark a value that the sweep has passed by, and what it needs, as used more than once."""
    work = [start]
    live[start] = 2
    while work:
        value = work.pop()
        op, a, b, imm = insts[value]
        kind = KIND[op]
        if kind == PARAMETER:
            read = imm
        else:
            read = [a, b]
            if kind in (ARGUMENTS, LIST):
                read += imm[0]
            elif kind == SELECTION:
                read += imm[2:4]
            elif kind == PAIR:
                read += imm
            elif kind == ONE:
                read.append(imm)
        for x in read:
            if x >= 0:
                # A value above was counted when the sweep came by, or is revived now; one below will be met with its count.
                if not live[x]:
                    work.append(x)
                live[x] = 2
