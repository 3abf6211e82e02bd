"""The same C, compiled for this machine into a shared library and called through ctypes."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def open_program(library: Path) -> Callable[[int], int]:
    """The program's `run`."""
    run = ctypes.CDLL(str(library)).run
    run.argtypes = [ctypes.c_int32]
    run.restype = ctypes.c_int64

    def call(n: int) -> int:
        return int(run(n))

    return call
