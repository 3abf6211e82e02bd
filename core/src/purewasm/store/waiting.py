"""Waiting at addresses of shared memories, and the lock that users of shared memories in Python share (threads proposal).

Every engine waits here, so guests of different engines that share a memory wake each other. Who waits has looked at the value while it held
the lock, and who notifies takes the lock: a store that comes before its notify is seen by one or the other.
"""

from __future__ import annotations

import os
import time
from _thread import get_ident
from struct import Struct

from purewasm import traps
from purewasm.errors import Trap
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.wasm.live import LiveSet
from purewasm.wasm.locks import process_lock

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from purewasm.store.memory import Memory

WOKEN: Final = 0
NOT_EQUAL: Final = 1
TIMED_OUT: Final = 2
_VALUES: Final = {4: Struct("<I"), 8: Struct("<Q")}
_FOREVER: Final = 1 << 63
_SLICE_SECONDS: Final = 0.05


MEMORY_LOCK: Final = process_lock()
"""What Python code holds while it reads, changes and writes a shared memory."""


@final
class _Waiters:
    """Who waits at which address of a shared memory."""

    __slots__ = ("__weakref__", "at", "changed")

    def __init__(self) -> None:
        import threading  # not needed before the first shared memory, and slow to import

        self.changed: threading.Condition = threading.Condition(MEMORY_LOCK)
        self.at: dict[int, list[_Waiter]] = {}
        _all.add(self)


@final
class _Waiter:
    __slots__ = ("thread", "woken")

    def __init__(self) -> None:
        self.thread, self.woken = get_ident(), False


_all: Final[LiveSet[_Waiters]] = LiveSet()


def _of(memory: Memory) -> _Waiters:
    """In `with MEMORY_LOCK`."""
    known = memory.waiters
    if known is None:
        known = memory.waiters = _Waiters()
    assert isinstance(known, _Waiters)
    return known


def _forget_others() -> None:
    """In a forked child: nobody but this thread waits."""
    mine = get_ident()
    for waiters in _all:
        for address, waiting in list(waiters.at.items()):
            waiting[:] = [waiter for waiter in waiting if waiter.thread == mine]
            if not waiting:
                del waiters.at[address]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_others)


def check_atomic(memory: Memory, address: int, size: int) -> None:
    """Trap where an atomic access of `size` bytes is not aligned or leaves the memory."""
    if address & size - 1:
        raise Trap(traps.UNALIGNED_ATOMIC)
    if address + size > len(memory.data):
        raise Trap(traps.OUT_OF_BOUNDS_MEMORY)


def wait(memory: Memory, address: int, size: int, expected: int, timeout: int, poll: Callable[[], None]) -> int:
    """Wait for a notify while the `size` bytes at `address` are `expected`: `WOKEN`, `NOT_EQUAL` or `TIMED_OUT`.

    `timeout` is in nanoseconds, negative (as i64) for none. `poll` is called now and then; what it raises ends the wait.
    """
    check_atomic(memory, address, size)
    if not memory.type.shared:
        raise Trap(traps.EXPECTED_SHARED)
    with MEMORY_LOCK:
        waiters = _of(memory)
        if _VALUES[size].unpack_from(memory.data, address)[0] != expected:
            return NOT_EQUAL
        waiter = _Waiter()
        waiting = waiters.at.setdefault(address, [])
        waiting.append(waiter)
        try:
            return WOKEN if _sleep(waiters.changed, waiter, timeout, poll) else TIMED_OUT
        finally:
            if not waiter.woken:
                waiting.remove(waiter)
            if not waiting and waiters.at.get(address) is waiting:
                del waiters.at[address]


def _sleep(changed: threading.Condition, waiter: _Waiter, timeout: int, poll: Callable[[], None]) -> bool:
    """Until woken (True) or the time is over."""
    end = None if timeout >= _FOREVER else time.monotonic() + timeout / 1e9
    while not waiter.woken:
        left = _SLICE_SECONDS if end is None else min(_SLICE_SECONDS, end - time.monotonic())
        if left <= 0:
            return False
        changed.wait(left)
        poll()
    return True


def notify(memory: Memory, address: int, count: int) -> int:
    """Wake up to `count` of those that wait at an address, the longest waiting first; how many there were."""
    check_atomic(memory, address, 4)
    if not memory.type.shared:
        return 0
    with MEMORY_LOCK:
        waiters = _of(memory)
        waiting = waiters.at.get(address, [])
        woken = waiting[:count]
        for waiter in woken:
            waiter.woken = True
            waiting.remove(waiter)
        if woken:
            waiters.changed.notify_all()
        return len(woken)
