"""Waiting at addresses of shared memories, and the lock that a memory's users in Python share (threads proposal).

Every engine waits here, so guests of different engines that share a memory wake each other. Who waits has looked at the value while it held
the lock, and who notifies takes the lock: a store that comes before its notify is seen by one or the other.
"""

from __future__ import annotations

import time
import weakref
from struct import Struct

from purewasm import traps
from purewasm.errors import Trap
from purewasm.light_typing import TYPE_CHECKING, Final

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


class _Waiters:
    """The lock of a shared memory, and who waits at which address."""

    __slots__ = ("at", "changed")

    def __init__(self) -> None:
        import threading  # not needed before the first shared memory, and slow to import

        self.changed: threading.Condition = threading.Condition(threading.RLock())
        self.at: dict[int, list[_Waiter]] = {}


class _Waiter:
    __slots__ = ("woken",)

    def __init__(self) -> None:
        self.woken = False


_waiters: weakref.WeakKeyDictionary[Memory, _Waiters] = weakref.WeakKeyDictionary()


def _of(memory: Memory) -> _Waiters:
    known = _waiters.get(memory)
    return known if known is not None else _waiters.setdefault(memory, _Waiters())


def memory_lock(memory: Memory) -> threading.Condition:
    """What Python code holds while it reads, changes and writes a shared memory."""
    return _of(memory).changed


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
    waiters = _of(memory)
    with waiters.changed:
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
    waiters = _of(memory)
    with waiters.changed:
        waiting = waiters.at.get(address, [])
        woken = waiting[:count]
        for waiter in woken:
            waiter.woken = True
            waiting.remove(waiter)
        if woken:
            waiters.changed.notify_all()
        return len(woken)
