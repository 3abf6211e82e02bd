"""Fuel: what a function's instructions cost, and where the cost is charged. Both engines charge by this table.

Every instruction costs 1, except those that are mere structure (`FREE`), which cost nothing. A *segment* is a run of instructions
that is left at its end only (or by a trap); its whole cost is charged when control reaches its first instruction. A segment begins

- at the function's entry, at the first instruction in a loop, in an `else` and in a legacy `catch`,
- after each instruction that may branch, leave the function, or call,
- after the `end` of an `if` or a legacy `try`, whose arms meet there, and of a block that some branch goes to.

    0  block                0 -> 2 (instructions 1 and 2)
    1    local.get 0
    2    br_if 0
    3    i32.const 1        3 -> 2
    4    global.set 0
    5  end
    6  global.get 0         6 -> 1
    7  end
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final, cast
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from collections.abc import Sequence

FREE: Final = frozenset(CODE[name] for name in ("nop", "block", "loop", "else", "end", "drop", "catch", "catch_all", "delegate"))
"""Instructions that cost nothing."""

# What an instruction does to segments and labels; all others just cost 1.
_BLOCK: Final = 1  # opens a label
_JOINED: Final = 2  # opens a label whose end is always reached in more than one way
_LOOP: Final = 3  # opens a label, and a segment
_IF: Final = 4  # the same as _JOINED, and ends a segment
_MARK: Final = 5  # ends a segment: else, catch, return, throw, calls
_END: Final = 6
_BRANCH: Final = 7  # the immediate is a label
_BR_TABLE: Final = 8
_CAST: Final = 9
_TRY_TABLE: Final = 10

# Labels.
_PLAIN: Final = 0
_TARGET: Final = 1  # its end begins a segment
_LOOP_LABEL: Final = 2

_ROLES: Final = {
    CODE[name]: role
    for role, names in (
        (_BLOCK, "block"),
        (_JOINED, "try"),
        (_LOOP, "loop"),
        (_IF, "if"),
        (_MARK, "else catch catch_all unreachable return throw throw_ref rethrow"),
        (_MARK, "call call_indirect call_ref return_call return_call_indirect return_call_ref"),
        (_END, "end delegate"),
        (_BRANCH, "br br_if br_on_null br_on_non_null"),
        (_BR_TABLE, "br_table"),
        (_CAST, "br_on_cast br_on_cast_fail"),
        (_TRY_TABLE, "try_table"),
    )
    for name in names.split()
}


def segments(ops: Sequence[int], imms: Sequence[object]) -> dict[int, int]:
    """Cost of each segment of a validated body, by the index of its first instruction. Segments that cost nothing are left out.

    `ops` and `imms` are the opcodes and the immediates, the final `end` included. A segment in a loop begins behind the `loop`
    instruction, so charging before the instruction at the index charges once for each turn.
    """
    costs: dict[int, int] = {}
    labels = [_PLAIN]  # of each open label; a branch adds _TARGET
    start = cost = 0
    for index, op in enumerate(ops):
        if op not in FREE:
            cost += 1
        role = _ROLES.get(op)
        if role is None:
            continue
        if role == _END:
            if labels.pop() != _TARGET:  # for a loop it is never that: a branch goes to its beginning
                continue
        elif role == _BLOCK:
            labels.append(_PLAIN)
            continue
        elif role == _JOINED:
            labels.append(_TARGET)
            continue
        elif role == _TRY_TABLE:
            for _, _, depth in cast("tuple[None, None, list[tuple[int, int, int]]]", imms[index])[2]:
                labels[~depth] |= _TARGET
            labels.append(_PLAIN)
            continue
        elif role == _LOOP:
            labels.append(_LOOP_LABEL)
        elif role == _IF:
            labels.append(_TARGET)
        elif role == _BRANCH:
            labels[~cast("int", imms[index])] |= _TARGET
        elif role == _BR_TABLE:
            for depth in cast("tuple[int, ...]", imms[index]):
                labels[~depth] |= _TARGET
        elif role == _CAST:
            labels[~cast("tuple[int, int, int]", imms[index])[0]] |= _TARGET
        if cost:
            costs[start] = cost
        start, cost = index + 1, 0
    if cost:
        costs[start] = cost
    return costs
