"""Atomic accesses, wait and notify, as functions that generated code calls (threads proposal).

A read-modify-write is several steps of Python, so every access that writes takes the memory's lock where the memory is shared; a
load is one step and needs none.
"""

from __future__ import annotations

from contextlib import nullcontext
from operator import or_
from struct import Struct

from purewasm.light_library import add, and_, sub, xor
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.store.waiting import MEMORY_LOCK, check_atomic, notify, wait

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from purewasm.store.memory import Memory

    Operation = Callable[[int, int], int]

_FORMS: Final = {1: Struct("<B"), 2: Struct("<H"), 4: Struct("<I"), 8: Struct("<Q")}
_unshared: Final = nullcontext()


def _lock(memory: Memory) -> AbstractContextManager[object]:
    return MEMORY_LOCK if memory.type.shared else _unshared


def _load(size: int) -> Callable[[Memory, int], int]:
    read = _FORMS[size].unpack_from

    def atomic_load(memory: Memory, address: int) -> int:
        check_atomic(memory, address, size)
        value: int = read(memory.data, address)[0]
        return value

    return atomic_load


def _store(size: int) -> Callable[[Memory, int, int], None]:
    write, mask = _FORMS[size].pack_into, (1 << 8 * size) - 1

    def atomic_store(memory: Memory, address: int, value: int) -> None:
        check_atomic(memory, address, size)
        with _lock(memory):
            write(memory.data, address, value & mask)

    return atomic_store


def _modify(size: int, operation: Operation) -> Callable[[Memory, int, int], int]:
    read, mask = _FORMS[size].unpack_from, (1 << 8 * size) - 1

    def atomic_modify(memory: Memory, address: int, value: int) -> int:
        check_atomic(memory, address, size)
        with _lock(memory):
            while True:  # machine code may come between: it takes no lock
                old: int = read(memory.data, address)[0]
                if memory.compare_exchange(address, size, old, operation(old, value) & mask) == old:
                    return old

    return atomic_modify


def _compare_exchange(size: int) -> Callable[[Memory, int, int, int], int]:
    mask = (1 << 8 * size) - 1

    def atomic_compare_exchange(memory: Memory, address: int, expected: int, value: int) -> int:
        check_atomic(memory, address, size)
        with _lock(memory):
            return memory.compare_exchange(address, size, expected & mask, value & mask)

    return atomic_compare_exchange


def _wait(size: int) -> Callable[[Mapping[str, object], Memory, int, int, int], int]:
    def atomic_wait(namespace: Mapping[str, object], memory: Memory, address: int, expected: int, timeout: int) -> int:
        def poll() -> None:
            if callable(make := namespace["stop"]):
                raise make()

        return wait(memory, address, size, expected, timeout, poll)

    return atomic_wait


def _exchange(old: int, new: int) -> int:
    return new


_OPERATIONS: Final[dict[str, Operation]] = {"add": add, "sub": sub, "and": and_, "or": or_, "xor": xor, "xchg": _exchange}


def _functions() -> dict[str, Callable[..., object]]:
    made: dict[str, Callable[..., object]] = {
        "memory_atomic_notify": notify,
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
