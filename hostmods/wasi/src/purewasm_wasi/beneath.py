"""Opening a path below a directory in one system call, where the kernel itself keeps it inside: `openat2` with `RESOLVE_BENEATH`.

Linux has it since 5.6; Python has no function for it. It is the fast way for what succeeds: whatever it refuses is walked once more
by `host_walk`, which knows the errno that the guest has to get. A path that would lead out, by `..`, by a link or by a race with
somebody who renames directories, is among what it refuses.
"""

from __future__ import annotations

import os
import struct
import sys
from functools import cache

from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_SYS_OPENAT2: Final = 437
"""On every architecture."""
_RESOLVE_NO_MAGICLINKS: Final = 0x02
_RESOLVE_BENEATH: Final = 0x08
_AT_FDCWD: Final = -100
_OPEN_HOW: Final = struct.Struct("=QQQ")
"""`struct open_how`: flags, mode, resolve."""


@cache
def opener() -> Callable[[int, bytes, int], int] | None:
    """`(directory, path, flags)`: a descriptor, or -1 if the path cannot be opened like that. None where the system has no such call,
    or a filter that forbids it."""
    if sys.platform != "linux":
        return None
    try:
        import ctypes  # some builds of Python have none
    except ImportError:
        return None
    syscall = ctypes.CDLL(None).syscall
    syscall.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t)
    syscall.restype = ctypes.c_long

    def open_beneath(directory: int, path: bytes, flags: int) -> int:
        how = _OPEN_HOW.pack(flags, 0o666 if flags & os.O_CREAT else 0, _RESOLVE_BENEATH | _RESOLVE_NO_MAGICLINKS)
        fd: int = syscall(_SYS_OPENAT2, directory, path, how, _OPEN_HOW.size)
        return fd

    fd = open_beneath(_AT_FDCWD, b".", os.O_PATH | os.O_CLOEXEC)
    if fd < 0:
        return None
    os.close(fd)
    return open_beneath
