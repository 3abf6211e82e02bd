"""A map of compiled functions for Linux `perf`, written to /tmp/perf-<pid>.map where PUREWASM_PERF_MAP=1 is set."""

from __future__ import annotations

import os


def note_function(address: int, size: int, name: str) -> None:
    """A function's code is at `address` from now on."""
    line = f"{address:x} {size:x} {' '.join(name.split())}\n"
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(f"/tmp/perf-{os.getpid()}.map", flags, 0o600)
    try:
        os.write(fd, line.encode())
    finally:
        os.close(fd)
