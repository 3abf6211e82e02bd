"""Where generated code finds the control block of the thread that it runs on: in a thread-specific value of POSIX threads.

The C library keeps the values of the first keys inside of its own record of the thread, at a fixed distance from the thread pointer (`fs`),
so reading one is a single instruction. The distance is found by trying: a value is set and looked for.
"""

from __future__ import annotations

from purewasm.engine.native import libc
from purewasm.engine.native.libc import system
from purewasm.light_typing import Final

_MARK: Final = 0x5AFE_B10C_5AFE_B10C


def find_slot(destructor: int) -> tuple[int, int]:
    """(key, distance of its value from the thread pointer). `destructor`: C code that gets the value when a thread ends.

    OSError where the C library keeps values elsewhere.
    """
    key = system.new_thread_key(destructor)
    system.set_thread_value(key, _MARK)
    try:
        start = system.thread_pointer()
        for distance in system.THREAD_RECORD:
            if libc.read_word(start + distance) == _MARK and _follows(key, start + distance):
                return key, distance
    finally:
        system.set_thread_value(key, 0)
    raise OSError("the C library does not keep thread-specific values where compiled code can reach them")


def _follows(key: int, address: int) -> bool:
    """True where the word is the value itself and no copy of it that happens to be there."""
    system.set_thread_value(key, _MARK + 1)
    found = libc.read_word(address) == _MARK + 1
    system.set_thread_value(key, _MARK)
    return found
