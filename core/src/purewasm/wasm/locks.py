"""Locks of the whole process: no fork comes while one of them is held by another thread.

So the child never waits for a thread that it does not have, and never finds what a lock guards half done.
"""

from __future__ import annotations

import os
import time
from _thread import RLock

from purewasm.light_typing import Final

_locks: Final[list[RLock]] = []
_held: Final[list[RLock]] = []
_PATIENCE_SECONDS: Final = 5.0


def process_lock() -> RLock:
    """A lock that is made once. The same thread may take it again: destructors and signals' handlers run while it is held."""
    lock = RLock()
    _locks.append(lock)
    if len(_locks) == 1 and hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_take_all, after_in_parent=_give_back, after_in_child=_give_back_in_child)
    return lock


def _take_all() -> None:
    """All or none: a thread that holds one and wants another gets on. The one that was missing is waited for first."""
    end = time.monotonic() + _PATIENCE_SECONDS
    first = 0
    while (left := end - time.monotonic()) > 0:
        if _locks[first].acquire(timeout=left):
            _held.append(_locks[first])
            for number, lock in enumerate(_locks):
                if not lock.acquire(blocking=False):
                    first = number
                    break
                _held.append(lock)
            else:
                return
            _give_back()


def _give_back() -> None:
    while _held:
        _held.pop().release()


def _give_back_in_child() -> None:
    if not _held:  # whoever had one would not give it up
        for lock in _locks:
            if not lock._is_owned():  # type: ignore[attr-defined]
                lock._at_fork_reinit()  # type: ignore[attr-defined]
    _give_back()
