"""When functions get better code: baseline code counts its turns, and asks here when it has taken as many as it may.

    a call         the function is optimized, and called there from now on
    a loop's turn  the loop alone is compiled, and entered by the frame that is in it

A function of which a loop has been compiled is *hot*: it is optimized at its next call, and from then on it asks at each turn of a loop
that has no code of its own. So a loop around the one that was compiled gets its turn soon, and no frame stays in slow code for long. But
such a loop is compiled only when it has asked so often that the compiler's time is worth it: a short loop behind a long one stays as it is.

Unless a runtime says how many turns a function may take, there is a limit to all that (`Budget`): optimizing takes no longer than the
guest has run. So a short run is not spent on code for a long one, and a long run gets whatever it asks for. Who gets nothing asks again.

Whatever goes wrong here is no error, since there is code that works: the function goes on with that, and counts again.
"""

from __future__ import annotations

import os
import sys
from time import process_time

from purewasm.engine.native.code_memory import size_of
from purewasm.engine.native.compilers import BASELINE, LOOP, OPTIMIZED
from purewasm.light_typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.native.space import Space
    from purewasm.wasm.module import WasmModule

_TURNS: Final = 10_000
"""Turns of a function until it asks, by its size."""
_SMALL_BYTES: Final = 1 << 11
"""Of bodies: in a module with fewer there is nothing to win, each function is optimized at once."""
_LEAST_REQUESTS: Final = 8
_BYTES_PER_REQUEST: Final = 16
"""Another loop of a hot function is compiled after `_LEAST_REQUESTS` turns, and one more for so many bytes of the function's body: asking
takes a microsecond or two, the compiler a few for each byte of the loop."""
_MOST_TIMES: Final = 8
"""The loops of a function, which may be in each other, are compiled to so many times the code of the function at most."""
_SECONDS_PER_BYTE: Final = 1.6e-6
_KNOWN_BYTES: Final = 4096
"""What optimizing a body takes is guessed until so many bytes of them have been."""
_OPTIMIZER: Final = "purewasm.isa.x64.compile"
_IMPORT_SECONDS: Final = 0.01


@final
class Budget:
    """What optimizing a module has cost, and what it may. The guest runs from the first code on that is made for it."""

    __slots__ = ("_bytes", "_compiling", "_importing", "_optimizing", "_start")

    def __init__(self) -> None:
        self._start = self._compiling = self._optimizing = 0.0
        self._importing = 0.0 if _OPTIMIZER in sys.modules else _IMPORT_SECONDS
        """What has to be imported before anything is optimized."""
        self._bytes = 0

    def note(self, kind: int, size: int, seconds: float) -> None:
        """So long it took to make code of so many bytes."""
        if not self._start:
            self._start = process_time() - seconds
        self._compiling += seconds
        if kind != BASELINE:
            if not self._bytes:
                seconds = max(seconds - self._importing, 0.0)
            self._optimizing += seconds
            self._bytes += size

    def allows(self, size: int) -> bool:
        """Whether so many bytes may be optimized now."""
        if not self._start:  # all code was saved
            self._start = process_time()
        running = process_time() - self._start - self._compiling
        each = (self._optimizing + _SECONDS_PER_BYTE * _KNOWN_BYTES) / (self._bytes + _KNOWN_BYTES)
        return self._importing + self._optimizing + size * each <= running


def begin(module: WasmModule, optimize_after: int | None) -> tuple[int, Budget | None]:
    """(turns of a module's functions until they ask, 0 where they are optimized at once; what that may cost, None for whatever it does)"""
    if optimize_after is not None:
        return optimize_after, None
    return (0, None) if module.code_bytes < _SMALL_BYTES else (_TURNS, Budget())


def optimize(space: Space, index: int) -> None:
    """Baseline code that has used up its turns is called: go on in the best code of the function, if it is time for that."""
    variant, code = space.variant, space.code
    if code.take_ahead(variant, index) or _may_cost(space, index, (OPTIMIZED, index)):
        _once(space, OPTIMIZED, index, lambda: code.optimize(variant, index))
        variant.restart(index)  # for calls that are on their way to the old code, and frames that are in it


def enter_loop(space: Space, index: int, place: int) -> int:
    """A loop turns in baseline code that has used up its turns: address of the code to go on in, 0 to go on as before."""
    variant = space.variant
    known = variant.code[LOOP].get(place)
    if known is not None:
        variant.hot.add(index)  # the code may have been saved
        return known
    if index in variant.hot and not _is_due(space, index, (LOOP, place)):
        return 0
    if not _may_cost(space, index, (LOOP, place)):
        return 0
    made = 0
    if variant.loop_bytes.get(index, 0) <= _MOST_TIMES * size_of(variant.code[BASELINE][index]):
        made = _once(space, LOOP, place, lambda: _compile_loop(space, index, place))
    if not made:
        variant.restart(index)
    return made


def _is_due(space: Space, index: int, wanted: tuple[int, int]) -> bool:
    """A hot function asks for code of a loop: has it done so often enough?"""
    requests = space.variant.requests
    requests[wanted] = requests.get(wanted, 0) + 1
    return requests[wanted] >= _LEAST_REQUESTS + space.code.module.body_bytes(index) // _BYTES_PER_REQUEST


def _may_cost(space: Space, index: int, wanted: tuple[int, int]) -> bool:
    """Whether there is time to compile something. Otherwise it is asked for again later."""
    variant, budget = space.variant, space.code.budget
    if budget is None or budget.allows(space.code.module.body_bytes(index)):
        return True
    requests = variant.requests
    if index not in variant.hot:
        requests[wanted] = requests.get(wanted, 0) + 1
        variant.restart(index, requests[wanted])
    elif wanted[0] == LOOP:
        requests[wanted] //= 2
    else:
        variant.turns[index] = 1  # the call itself, and none for loops
    return False


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
