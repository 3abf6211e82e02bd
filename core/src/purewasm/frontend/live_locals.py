"""Which locals may be read again behind a loop: one walk from the function's end to the loop's.

A local is live where some way from there reads it before anything sets it. Going backwards, what a branch can lead to is known where the
branch is met, but for the way back of a loop: at a loop's head everything counts as live that the loop reads anywhere, or that is live
where it may be left to.

    …  end            of the loop in question: {0, 2} is what comes out
    local.get 0       {0, 2}
    br_if 0           {2} | the label's {1, 2}, so {1, 2} …
    local.set 1       … less 1
    end               the label: {1, 2}
    local.get 1
    local.get 2
"""

from __future__ import annotations

from itertools import compress

from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLOCK: Final = 0x02
_LOOP: Final = 0x03
_IF: Final = 0x04
_ELSE: Final = 0x05
_END: Final = 0x0B
_BR: Final = 0x0C
_BR_TABLE: Final = 0x0E
_GET: Final = 0x20
_WRITES: Final = (0x21, 0x22)
_OPENS: Final = (_BLOCK, _LOOP)
_LEAVING: Final = frozenset(CODE[name] for name in ("unreachable", "return", "throw", "throw_ref"))
_CONDITIONAL: Final = frozenset(CODE[name] for name in ("br_if", "br_on_null", "br_on_non_null"))
_CASTS: Final = frozenset(CODE[name] for name in ("br_on_cast", "br_on_cast_fail"))
_OF_LOOPS: Final = frozenset((_BLOCK, _LOOP, _IF, _END, _GET))
_LOOKED_AT: Final = frozenset((_BLOCK, _LOOP, _IF, _ELSE, _END, _BR, _BR_TABLE, _GET, *_WRITES)) | _LEAVING | _CONDITIONAL | _CASTS


def live_behind(body_ops: Sequence[int], imms: Sequence[Any], first: int, locals_: Sequence[int]) -> list[int]:
    """Which of the locals are live at the end of each block around instruction `first`, from the function's own to the innermost, and last
    which are live in front of that instruction. No loop is around it. A set is an integer: `members` gives the locals."""
    bits = {local: 1 << number for number, local in enumerate(locals_)}
    reads = _read_by_loops(body_ops, imms, first, bits)
    labels: list[int] = []
    others: list[int | None] = []  # what is live where the `else` arm of each open block begins, if it has one
    live = 0
    count = len(body_ops) - first
    for at in compress(range(len(body_ops) - 1, first - 1, -1), map(_LOOKED_AT.__contains__, body_ops[: -count - 1 : -1])):
        op = body_ops[at]
        if op == _GET:
            live |= bits.get(imms[at], 0)
        elif op in _WRITES:
            live &= ~bits.get(imms[at], 0)
        elif op == _END:
            read = reads.get(at)
            label = live
            if read is not None:
                label |= read
                for outer in labels:
                    label |= outer
            labels.append(label)
            others.append(None)
        elif op in _OPENS:
            labels.pop()
            others.pop()
        elif op == _ELSE:
            others[-1], live = live, labels[-1]
        elif op == _IF:
            label, other = labels.pop(), others.pop()
            live |= label if other is None else other
        elif op == _BR:
            live = labels[~imms[at]]
        elif op in _CONDITIONAL:
            live |= labels[~imms[at]]
        elif op == _BR_TABLE:
            live = 0
            for depth in set(imms[at]):
                live |= labels[~depth]
        elif op in _CASTS:
            live |= labels[~imms[at][0]]
        else:
            live = 0
    return [*labels, live]


def members(live: int, locals_: Sequence[int]) -> list[int]:
    """The locals in a set that `live_behind` has given for them."""
    return list(compress(locals_, map("1".__eq__, f"{live:b}"[::-1])))


def _read_by_loops(body_ops: Sequence[int], imms: Sequence[Any], first: int, bits: dict[int, int]) -> dict[int, int]:
    """By the end of each loop from `first` on: what is read in it."""
    found: dict[int, int] = {}
    if _LOOP not in body_ops[first:]:
        return found
    open_blocks: list[tuple[bool, int]] = []
    read = 0
    for at in compress(range(first, len(body_ops)), map(_OF_LOOPS.__contains__, body_ops[first:])):
        op = body_ops[at]
        if op == _GET:
            read |= bits.get(imms[at], 0)
        elif op != _END:
            open_blocks.append((op == _LOOP, read))
            read = 0
        elif open_blocks:
            is_loop, outer = open_blocks.pop()
            if is_loop:
                found[at] = read
            read |= outer
    return found
