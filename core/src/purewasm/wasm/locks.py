"""Locks of the whole process: no fork comes while one of them is held by another thread.

So the child never waits for a thread that it does not have, and never finds what a lock guards half done.

A signal's handler may raise between any two steps of Python code. So taking the locks and giving them back are one step each, done by
iterators of CPython's own: no lock is held without being in the list of those that are.
"""

from __future__ import annotations

import os
import time
from _thread import RLock
from collections import deque
from itertools import compress, repeat
from operator import methodcaller

from purewasm.light_typing import Final

_locks: Final[list[RLock]] = []
_held: Final[list[RLock]] = []
_PATIENCE_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.0005
_try: Final = methodcaller("acquire", False)
_release: Final = methodcaller("release")


def process_lock() -> RLock:
    """A lock that is made once. The same thread may take it again: destructors and signals' handlers run while it is held."""
    lock = RLock()
    _locks.append(lock)
    if len(_locks) == 1 and hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_take_all, after_in_parent=_give_back, after_in_child=_give_back_in_child)
        os.register_at_fork(after_in_parent=_give_back)  # the handler of a signal may have kept the first from being run
    return lock


def _take_all() -> None:
    """All or none: a thread that holds one and wants another gets on."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        _held.extend(compress(_locks, map(_try, _locks)))
        if len(_held) == len(_locks):
            return
        _give_back()
        if time.monotonic() > end:
            return
        time.sleep(_PAUSE_SECONDS)


def _give_back() -> None:
    deque(map(_release, map(list.pop, repeat(_held, len(_held)))), 0)


def _give_back_in_child() -> None:
    if not _held:  # whoever had one would not give it up
        for lock in _locks:
            if not lock._is_owned():  # type: ignore[attr-defined]
                lock._at_fork_reinit()  # type: ignore[attr-defined]
    _give_back()
