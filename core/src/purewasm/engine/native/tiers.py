"""When functions get better code: baseline code counts its turns, and asks here when it has taken as many as it may.

    a call         the function is optimized, and called there from now on
    a loop's turn  the loop alone is compiled, and entered by the frame that is in it

A function of which a loop has been compiled is *hot*: from then on it asks at each of its calls, and at each turn of a loop that has no
code of its own. So a loop around the one that was compiled gets its turn soon, and no frame stays in slow code for long. But what a hot
function asks for is made only when it has asked so often that the compiler's time is worth it: a function that is called now and then
goes through its baseline code into its loop, and a short loop behind a long one stays as it is.

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

_LEAST_REQUESTS: Final = 8
_BYTES_PER_CALL: Final = 4
_BYTES_PER_TURN: Final = 64
"""A hot function is compiled after `_LEAST_REQUESTS` calls, and one more for so many bytes of its body; the same for turns of its loops.
The calls cost a microsecond or two each, what they may save takes the compiler about as much for each byte."""
_MOST_TIMES: Final = 8
"""The loops of a function, which may be in each other, are compiled to so many times the code of the function at most."""


def optimize(space: Space, index: int) -> None:
    """Baseline code that has used up its turns is called: go on in the best code of the function, if it is time for that."""
    variant, code = space.variant, space.code
    if index in variant.hot and not _is_due(space, index, (OPTIMIZED, index), _BYTES_PER_CALL):
        variant.turns[index] = 1  # the call itself, and none for loops
        return
    _once(space, OPTIMIZED, index, lambda: code.optimize(variant, index))
    variant.restart(index)  # for calls that are on their way to the old code, and frames that are in it


def enter_loop(space: Space, index: int, place: int) -> int:
    """A loop turns in baseline code that has used up its turns: address of the code to go on in, 0 to go on as before."""
    variant = space.variant
    known = variant.code[LOOP].get(place)
    if known is not None:
        variant.hot.add(index)  # the code may have been saved
        return known
    if index in variant.hot and not _is_due(space, index, (LOOP, place), _BYTES_PER_TURN):
        return 0
    made = 0
    if variant.loop_bytes.get(index, 0) <= _MOST_TIMES * size_of(variant.code[BASELINE][index]):
        made = _once(space, LOOP, place, lambda: _compile_loop(space, index, place))
    if not made:
        variant.restart(index)
    return made


def _is_due(space: Space, index: int, wanted: tuple[int, int], bytes_per_request: int) -> bool:
    """A hot function asks for code of some kind and number: has it done so often enough?"""
    requests, module = space.variant.requests, space.code.module
    body = module.codes[index - module.imported_functions]
    requests[wanted] = requests.get(wanted, 0) + 1
    return requests[wanted] >= _LEAST_REQUESTS + (body.end - body.start) // bytes_per_request


def _compile_loop(space: Space, index: int, place: int) -> int:
    variant = space.variant
    made = space.code.compile_loop(variant, place)
    variant.loop_bytes[index] = variant.loop_bytes.get(index, 0) + size_of(made)
    variant.hot.add(index)
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
