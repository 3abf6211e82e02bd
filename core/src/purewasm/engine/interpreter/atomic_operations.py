"""Atomic accesses, wait and notify, as functions that generated code calls (threads proposal).

A read-modify-write is several steps of Python, so every access that writes takes the memory's lock where the memory is shared; a
load is one step and needs none. Waiting uses one condition for each memory.
"""

from __future__ import annotations

import time
import weakref
from contextlib import nullcontext
from operator import add, and_, or_, sub, xor
from struct import Struct
from typing import TYPE_CHECKING, Final

from purewasm import traps
from purewasm.errors import Trap

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from purewasm.store.memory import Memory

    Operation = Callable[[int, int], int]

_FORMS: Final = {1: Struct("<B"), 2: Struct("<H"), 4: Struct("<I"), 8: Struct("<Q")}
_FOREVER: Final = 1 << 63
_SLICE_SECONDS: Final = 0.05


class _Shared:
    """The lock of a shared memory, and who waits at which address."""

    __slots__ = ("changed", "waiters")

    def __init__(self) -> None:
        import threading  # not needed before the first shared memory, and slow to import

        self.changed: threading.Condition = threading.Condition(threading.RLock())
        self.waiters: dict[int, list[_Waiter]] = {}


class _Waiter:
    __slots__ = ("woken",)

    def __init__(self) -> None:
        self.woken = False


_shared: weakref.WeakKeyDictionary[Memory, _Shared] = weakref.WeakKeyDictionary()
_unshared: Final = nullcontext()


def _state(memory: Memory) -> _Shared:
    known = _shared.get(memory)
    return known if known is not None else _shared.setdefault(memory, _Shared())


def _lock(memory: Memory) -> AbstractContextManager[object]:
    return _state(memory).changed if memory.type.shared else _unshared


def _check(memory: Memory, address: int, size: int) -> None:
    if address & size - 1:
        raise Trap(traps.UNALIGNED_ATOMIC)
    if address + size > len(memory.data):
        raise Trap(traps.OUT_OF_BOUNDS_MEMORY)


def _load(size: int) -> Callable[[Memory, int], int]:
    read = _FORMS[size].unpack_from

    def atomic_load(memory: Memory, address: int) -> int:
        _check(memory, address, size)
        value: int = read(memory.data, address)[0]
        return value

    return atomic_load


def _store(size: int) -> Callable[[Memory, int, int], None]:
    write, mask = _FORMS[size].pack_into, (1 << 8 * size) - 1

    def atomic_store(memory: Memory, address: int, value: int) -> None:
        _check(memory, address, size)
        with _lock(memory):
            write(memory.data, address, value & mask)

    return atomic_store


def _modify(size: int, operation: Operation) -> Callable[[Memory, int, int], int]:
    read, write, mask = _FORMS[size].unpack_from, _FORMS[size].pack_into, (1 << 8 * size) - 1

    def atomic_modify(memory: Memory, address: int, value: int) -> int:
        _check(memory, address, size)
        with _lock(memory):
            old: int = read(memory.data, address)[0]
            write(memory.data, address, operation(old, value) & mask)
        return old

    return atomic_modify


def _compare_exchange(size: int) -> Callable[[Memory, int, int, int], int]:
    read, write, mask = _FORMS[size].unpack_from, _FORMS[size].pack_into, (1 << 8 * size) - 1

    def atomic_compare_exchange(memory: Memory, address: int, expected: int, value: int) -> int:
        _check(memory, address, size)
        with _lock(memory):
            old: int = read(memory.data, address)[0]
            if old == expected:
                write(memory.data, address, value & mask)
        return old

    return atomic_compare_exchange


def _wait(size: int) -> Callable[[Mapping[str, object], Memory, int, int, int], int]:
    read = _FORMS[size].unpack_from

    def atomic_wait(namespace: Mapping[str, object], memory: Memory, address: int, expected: int, timeout: int) -> int:
        """0: woken, 1: the value was another, 2: timed out. `timeout` is in nanoseconds, negative (as i64) for none."""
        _check(memory, address, size)
        if not memory.type.shared:
            raise Trap(traps.EXPECTED_SHARED)
        state = _state(memory)
        with state.changed:
            if read(memory.data, address)[0] != expected:
                return 1
            waiter = _Waiter()
            waiting = state.waiters.setdefault(address, [])
            waiting.append(waiter)
            try:
                return 0 if _sleep(state, waiter, namespace, timeout) else 2
            finally:
                if not waiter.woken:
                    waiting.remove(waiter)
                if not waiting and state.waiters.get(address) is waiting:
                    del state.waiters[address]

    return atomic_wait


def _sleep(state: _Shared, waiter: _Waiter, namespace: Mapping[str, object], timeout: int) -> bool:
    """Wait until woken (True) or the time is over; an interruption of the instance is noticed in between."""
    end = None if timeout >= _FOREVER else time.monotonic() + timeout / 1e9
    while not waiter.woken:
        left = _SLICE_SECONDS if end is None else min(_SLICE_SECONDS, end - time.monotonic())
        if left <= 0:
            return False
        state.changed.wait(left)
        if callable(make := namespace["stop"]):
            raise make()
    return True


def memory_atomic_notify(memory: Memory, address: int, count: int) -> int:
    """Wake up to `count` of those that wait at an address, the longest waiting first; how many there were."""
    _check(memory, address, 4)
    if not memory.type.shared:
        return 0
    state = _state(memory)
    with state.changed:
        waiting = state.waiters.get(address, [])
        woken = waiting[:count]
        for waiter in woken:
            waiter.woken = True
            waiting.remove(waiter)
        if woken:
            state.changed.notify_all()
        return len(woken)


def _exchange(old: int, new: int) -> int:
    return new


_OPERATIONS: Final[dict[str, Operation]] = {"add": add, "sub": sub, "and": and_, "or": or_, "xor": xor, "xchg": _exchange}


def _functions() -> dict[str, Callable[..., object]]:
    made: dict[str, Callable[..., object]] = {
        "memory_atomic_notify": memory_atomic_notify,
    }
    for valtype, own in (("i32", 4), ("i64", 8)):
        for size in (1, 2, 4, 8):
            if size > own:
                continue
            part = "" if size == own else str(8 * size)
            suffix = "" if size == own else "_u"
            made[f"{valtype}_atomic_load{part}{suffix}"] = _load(size)
            made[f"{valtype}_atomic_store{part}"] = _store(size)
            for name, operation in _OPERATIONS.items():
                made[f"{valtype}_atomic_rmw{part}_{name}{suffix}"] = _modify(size, operation)
            made[f"{valtype}_atomic_rmw{part}_cmpxchg{suffix}"] = _compare_exchange(size)
    return made


WAITS: Final = {"memory_atomic_wait32": _wait(4), "memory_atomic_wait64": _wait(8)}
"""Functions that also take the namespace of the instance that calls, first: they notice when it is interrupted."""
FUNCTIONS: Final = _functions()
"""By the names that generated code uses."""
