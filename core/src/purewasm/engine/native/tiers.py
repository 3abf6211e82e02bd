"""When functions get better code: baseline code counts its turns, and asks here when it has taken as many as it may.

    a call         the function is optimized, and called there from now on
    a loop's turn  the loop alone is compiled, and entered by the frame that is in it; its function is optimized at its next call

Code of a hot function asks at every turn of a loop that has no code of its own. The first one to ask has it compiled at once, since it
used the turns up; others are tried for a few more turns, so that short loops behind a long one stay as they are, while one that is
around it gets its code soon.

Whatever goes wrong here is no error, since there is code that works: the function goes on with that, and counts again.
"""

from __future__ import annotations

import os

from purewasm.engine.native.code_memory import size_of
from purewasm.engine.native.compilers import BASELINE, LOOP, OPTIMIZED
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.native.space import Space

_USED_UP: Final = (1 << 64) - 1
"""Turns of a function that has just become hot: -1."""
_TRIED_TURNS: Final = 8
"""Turns of another loop of a hot function before it is compiled too."""
_MOST_TIMES: Final = 8
"""The loops of a function, which may be in each other, are compiled to so many times the code of the function at most."""


def optimize(space: Space, index: int) -> None:
    """A hot function is called: go on in the best code of it, if that can be made now."""
    variant, code = space.variant, space.code
    _once(space, OPTIMIZED, index, lambda: code.optimize(variant, index))
    variant.restart(index)  # for calls that are on their way to the old code, and frames that are in it


def enter_loop(space: Space, index: int, place: int) -> int:
    """A hot function begins a turn of a loop: address of the code to go on in, 0 to go on as before."""
    variant = space.variant
    known = variant.code[LOOP].get(place)
    if known is not None:
        return known
    if variant.turns[index] != _USED_UP:
        tried = variant.extra_turns[place] = variant.extra_turns.get(place, 0) + 1
        if tried < _TRIED_TURNS:
            return 0
    made = 0
    if variant.loop_bytes.get(index, 0) <= _MOST_TIMES * size_of(variant.code[BASELINE][index]):
        made = _once(space, LOOP, place, lambda: _compile_loop(space, index, place))
    if not made:
        variant.restart(index)
    return made


def _compile_loop(space: Space, index: int, place: int) -> int:
    variant = space.variant
    made = space.code.compile_loop(variant, place)
    variant.loop_bytes[index] = variant.loop_bytes.get(index, 0) + size_of(made)
    return made


def _once(space: Space, kind: int, number: int, make: Callable[[], int]) -> int:
    """Address of new code; 0 where another thread is at it, where nothing more is worth it, or where there is no room."""
    busy, job = space.variant.busy, (os.getpid(), kind, number)
    if space.closed or job in busy:
        return 0
    try:
        busy.add(job)
        return make()
    except (MemoryError, RecursionError):
        return 0
    finally:
        busy.discard(job)
