"""How deep guests may recurse.

A guest frame is a Python frame, and what ends an endless recursion is Python's recursion limit, which is one number for the whole
process. It is raised while guest code runs, by the number of frames that the guest may have, whatever depth the caller is at, and put
back when the last thread has left. Calls between guest functions do not use the C stack (CPython 3.11 and later); calls from the host
into a guest do, so the number of guests that run one inside the other, through host functions, is bounded on its own.

CPython 3.11 also counts recursion in C by that limit, for which a raised one is too high: there it is lowered while host functions
run. Later versions keep a limit of their own for C.
"""

from __future__ import annotations

import _thread
import sys

from purewasm import traps
from purewasm.errors import Trap
from purewasm.light_typing import Final, final
from purewasm.wasm.locks import process_lock

BYTES_PER_FRAME: Final = 64
"""What a guest frame counts for in `max_stack_bytes`."""
MAX_ACTIVATIONS: Final = 100
"""Guests that can run one inside the other in one thread, through host functions: each takes up to seven kilobytes of C stack (where
`sorted` is in between), and there are systems where threads have a megabyte."""
_MAX_FRAMES_ELSEWHERE: Final = 3000
"""Frames where Python frames do use the C stack."""
_LOWERS: Final = sys.implementation.name == "cpython" and sys.version_info < (3, 12)


class _Activations(_thread._local):
    depth = 0
    counted = False  # this thread is one of those that run guest code


@final
class _Limits:
    __slots__ = ("host_limit", "lock", "lowered", "probe", "raised", "running")

    def __init__(self) -> None:
        self.lock: Final = process_lock()  # a signal's handler may call a guest while the lock is held
        self.running = 0  # threads that run guest code
        self.raised = 0  # the limit while they do
        self.lowered = 0  # the limit while a host function runs deep inside a guest
        self.probe = 0  # the limit for the moment that finds out how deep the guest is
        self.host_limit = 0  # the limit that the process had before


_activations: Final = _Activations()
_limits: Final = _Limits()


def frames_of(max_stack_bytes: int) -> int:
    """Guest frames that a stack of so many bytes holds."""
    frames = max_stack_bytes // BYTES_PER_FRAME
    return frames if sys.implementation.name == "cpython" else min(frames, _MAX_FRAMES_ELSEWHERE)


def enter(frames: int) -> int:
    """Before guest code runs: room for `frames` more Python frames. `leave` undoes it, and wants the number that this returns."""
    depth = _activations.depth
    if depth >= MAX_ACTIVATIONS:
        raise Trap(traps.CALL_STACK_EXHAUSTED)
    try:
        _activations.depth = depth + 1
        if depth:
            raise_limit()  # a host function that calls a guest again
        else:
            _count(frames)
    except BaseException:  # a signal handler, say for Ctrl-C, may raise after any call
        leave(depth)
        raise
    return depth


def _count(frames: int) -> None:
    """This thread runs guest code from now on."""
    with _limits.lock:
        if _limits.running == 0:
            limit = sys.getrecursionlimit()
            if not _is_ours(limit):
                _limits.host_limit, _limits.probe = limit, (limit >> 1) + 1
            _limits.raised = 0
        _activations.counted = True
        _limits.running += 1
        _limits.raised = max(_limits.raised, _limits.host_limit + frames)
        sys.setrecursionlimit(_limits.raised)


def leave(depth: int) -> None:
    """After guest code has run: `depth` is what `enter` returned. To do it twice does no harm."""
    _activations.depth = depth
    if depth == 0:
        with _limits.lock:
            if _activations.counted:
                _activations.counted = False
                _limits.running -= 1
            if _limits.running == 0 and _is_ours(sys.getrecursionlimit()):
                sys.setrecursionlimit(_limits.host_limit)


def _is_ours(limit: int) -> bool:
    """False for a limit that somebody else has set: it stays. Not only `raised`, since a signal may come between any two steps."""
    return limit in (_limits.raised, _limits.lowered, _limits.probe)


def host_limit() -> int:
    """The process's own recursion limit."""
    return _limits.host_limit or sys.getrecursionlimit()


if _LOWERS:

    def lower_limit() -> bool:
        """Before a host function runs inside a guest: leave it the room that the process's own limit gives. True if it was lowered."""
        # Between the test and the call no other thread can run: CPython 3.11 switches after calls and at jumps back only.
        if _limits.running != 1 or not _activations.depth:
            return False
        try:
            sys.setrecursionlimit(_limits.probe)
        except RecursionError as error:  # "… at the recursion depth 5000: the limit is too low"
            depth = int(str(error).partition("recursion depth ")[2].partition(":")[0])
            _limits.lowered = min(depth + _limits.host_limit, _limits.raised + _limits.host_limit)
            sys.setrecursionlimit(_limits.lowered)
        else:
            sys.setrecursionlimit(_limits.host_limit)
        return True

    def raise_limit() -> None:
        """Guest code runs on: undo what `lower_limit` changed."""
        sys.setrecursionlimit(_limits.raised)

else:

    def lower_limit() -> bool:
        """Nothing to do: recursion in C has a limit of its own."""
        return False

    def raise_limit() -> None:
        """Nothing to undo."""
