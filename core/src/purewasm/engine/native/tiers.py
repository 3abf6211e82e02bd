"""When functions get better code: baseline code counts its turns, and asks here when it has taken as many as it may.

    a call         the function is optimized, and called there from now on
    a loop's turn  the loop alone is compiled, and entered by the frame that is in it

A function of which a loop has been compiled is *hot*: it is optimized at its next call, and from then on it asks at each turn of a loop
that has no code of its own. So a loop around the one that was compiled gets its turn soon, and no frame stays in slow code for long. But
such a loop is compiled only when it has asked so often that the compiler's time is worth it: a short loop behind a long one stays as it is.

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
_BYTES_PER_REQUEST: Final = 16
"""Another loop of a hot function is compiled after `_LEAST_REQUESTS` turns, and one more for so many bytes of the function's body: asking
takes a microsecond or two, the compiler a few for each byte of the loop."""
_MOST_TIMES: Final = 8
"""The loops of a function, which may be in each other, are compiled to so many times the code of the function at most."""


def optimize(space: Space, index: int) -> None:
    """Baseline code that has used up its turns is called: go on in the best code of the function, if it is time for that."""
    variant, code = space.variant, space.code
    _once(space, OPTIMIZED, index, lambda: code.optimize(variant, index))
    variant.restart(index)  # for calls that are on their way to the old code, and frames that are in it


def enter_loop(space: Space, index: int, place: int) -> int:
    """A loop turns in baseline code that has used up its turns: address of the code to go on in, 0 to go on as before."""
    variant = space.variant
    known = variant.code[LOOP].get(place)
    if known is not None:
        variant.hot.add(index)  # the code may have been saved
        return known
    if index in variant.hot and not _is_due(space, index, place):
        return 0
    made = 0
    if variant.loop_bytes.get(index, 0) <= _MOST_TIMES * size_of(variant.code[BASELINE][index]):
        made = _once(space, LOOP, place, lambda: _compile_loop(space, index, place))
    if not made:
        variant.restart(index)
    return made


def _is_due(space: Space, index: int, place: int) -> bool:
    """A hot function asks for code of a loop: has it done so often enough?"""
    requests, module = space.variant.requests, space.code.module
    body = module.codes[index - module.imported_functions]
    requests[place] = requests.get(place, 0) + 1
    return requests[place] >= _LEAST_REQUESTS + (body.end - body.start) // _BYTES_PER_REQUEST


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
