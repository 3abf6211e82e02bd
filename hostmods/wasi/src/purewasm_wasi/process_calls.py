"""The functions that end, signal or yield: `proc_exit`, `proc_raise`, `sched_yield`."""

from __future__ import annotations

import os
import time
from functools import partial

from purewasm import GuestExit
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm_wasi.errno import INVAL, NOTSUP, WasiError
from purewasm_wasi.flags import ALL_SIGNALS

if TYPE_CHECKING:
    from purewasm import Memory
    from purewasm_wasi.process import Process

_yield: Final = getattr(os, "sched_yield", partial(time.sleep, 0))  # a sleep of nothing takes 50 µs on Linux


def proc_exit(process: Process, memory: Memory, status: int) -> None:
    """End the guest: `GuestExit` comes out of the embedder's call, with the status as the guest gave it, 32 bits unsigned."""
    process.finish()
    raise GuestExit(status)


def proc_raise(process: Process, memory: Memory, signal: int) -> None:
    """Signals do not exist here: `notsup`."""
    raise WasiError(NOTSUP if signal < ALL_SIGNALS else INVAL)


def sched_yield(process: Process, memory: Memory) -> None:
    """Let other threads of the host run."""
    if not process.clocks.virtual:
        _yield()
