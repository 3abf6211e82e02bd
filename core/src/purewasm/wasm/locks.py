"""Locks of the whole process: no fork comes while one of them is held by another thread.

So the child never waits for a thread that it does not have, and never finds what a lock guards half done.

A signal's handler may raise between any two steps of Python code. So taking the locks and giving them back are one step each, done by
iterators of CPython's own: no lock is held without being in the list of those that are.
"""

from __future__ import annotations

import os
import time
from _thread import RLock, _local
from itertools import compress, repeat

from purewasm.light_library import deque, methodcaller
from purewasm.light_typing import Final

_locks: Final[list[RLock]] = []
_PATIENCE_SECONDS: Final = 5.0
_try: Final = methodcaller("acquire", False)
_wait: Final = methodcaller("acquire", True, 0.05)
_release: Final = methodcaller("release")


class _Held(_local):
    """Of each thread: two may fork at the same time."""

    def __init__(self) -> None:
        self.locks: list[RLock] = []


_held: Final = _Held()


def process_lock() -> RLock:
    """A lock that is made once. The same thread may take it again: destructors and signals' handlers run while it is held."""
    lock = RLock()
    _locks.append(lock)
    if len(_locks) == 1 and hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_take_all, after_in_parent=_give_back, after_in_child=_give_back_in_child)
        os.register_at_fork(after_in_parent=_give_back)  # the handler of a signal may have kept the first from being run
    return lock


def _take_all() -> None:
    """All or none: a thread that holds one and wants another gets on. The one that was missing last is waited for, without the GIL: a
    thread that takes it over and over lets go of the GIL while it holds it, so that trying would never find it free."""
    end = time.monotonic() + _PATIENCE_SECONDS
    held, first = _held.locks, _locks[:1]
    while True:
        others = [lock for lock in _locks if lock is not first[0]]
        held.extend(compress(first, map(_wait, first)))
        if held:
            held.extend(compress(others, map(_try, others)))
        missing = [lock for lock in _locks if lock not in held]
        if not missing:
            return
        first = missing[:1]
        _give_back()
        if time.monotonic() > end:
            return


def _give_back() -> None:
    held = _held.locks
    deque(map(_release, map(list.pop, repeat(held, len(held)))), 0)


def _give_back_in_child() -> None:
    if not _held.locks:  # whoever had one would not give it up
        for lock in _locks:
            if not lock._is_owned():  # type: ignore[attr-defined]
                lock._at_fork_reinit()  # type: ignore[attr-defined]
    _give_back()
