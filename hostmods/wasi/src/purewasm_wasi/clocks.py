"""Clocks: the functions `clock_res_get` and `clock_time_get`, and where time comes from.

`SystemClocks` is the default. `VirtualClocks` make a run repeatable: they start where they are told, move by a fixed step each time
that they are read, and sleeping moves them at once instead of taking time.
"""

from __future__ import annotations

import time

from purewasm.light_typing import TYPE_CHECKING, Final, NoReturn, Protocol, final
from purewasm_wasi.errno import BADF, INVAL, OVERFLOW, WasiError
from purewasm_wasi.flags import CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME, CLOCK_REALTIME, CLOCK_THREAD_CPUTIME
from purewasm_wasi.guest_memory import check, write_u64
from purewasm_wasi.layout import U64, U64_MAX

if TYPE_CHECKING:
    from purewasm import Memory
    from purewasm_wasi.process import Process

NS_PER_S: Final = 1_000_000_000
_LONGEST_SLEEP_NS: Final = 86_400 * NS_PER_S


class Clocks(Protocol):
    """A source of time for guests. All values are integers, in nanoseconds."""

    virtual: bool
    """Whether `sleep` takes no real time. Then nothing waits for descriptors either."""

    def realtime(self) -> int:
        """Since 1970, as UTC."""

    def monotonic(self) -> int:
        """Since an arbitrary moment; never goes back."""

    def resolution(self, clock: int) -> int:
        """The resolution of `CLOCK_REALTIME` or `CLOCK_MONOTONIC`, above 0."""

    def sleep(self, duration: int) -> None:
        """Let `duration` pass on the monotonic clock."""


@final
class SystemClocks:
    """The clocks of the host."""

    __slots__ = ()
    virtual: bool = False

    def __repr__(self) -> str:
        return "SystemClocks()"

    def realtime(self) -> int:
        return time.time_ns()

    def monotonic(self) -> int:
        return time.monotonic_ns()

    def resolution(self, clock: int) -> int:
        info = time.get_clock_info("time") if clock == CLOCK_REALTIME else time.get_clock_info("monotonic")
        return max(1, round(info.resolution * NS_PER_S))

    def sleep(self, duration: int) -> None:
        end = time.monotonic_ns() + duration
        while (left := end - time.monotonic_ns()) > 0:
            time.sleep(min(left, _LONGEST_SLEEP_NS) / NS_PER_S)


@final
class VirtualClocks:
    """Clocks that only the guest moves: by `step` nanoseconds each time it reads one, and by its sleeping."""

    __slots__ = ("_now", "_start", "step")
    virtual: bool = True

    def __init__(self, realtime: int = 0, *, step: int = 1_000) -> None:
        if not (0 <= realtime <= U64_MAX and step >= 0):
            raise ValueError("virtual clocks start at 0 or later, in nanoseconds since 1970, and step forward")
        self._start, self._now, self.step = realtime, 0, step

    def __repr__(self) -> str:
        return f"VirtualClocks({self._start + self._now}, step={self.step})"

    def realtime(self) -> int:
        return self._start + self.monotonic()

    def monotonic(self) -> int:
        now = self._now
        self._now += self.step
        return now

    def resolution(self, clock: int) -> int:
        return max(1, self.step)

    def sleep(self, duration: int) -> None:
        self._now += max(0, duration)


def now(clocks: Clocks, clock: int) -> int:
    """The time of a clock that the guest named. `badf` for the CPU time clocks, which no guest gets, `inval` for an unknown one."""
    if clock == CLOCK_REALTIME:
        time = clocks.realtime()
    elif clock == CLOCK_MONOTONIC:
        time = clocks.monotonic()
    else:
        _refuse(clock)
    if not 0 <= time <= U64_MAX:
        raise WasiError(OVERFLOW)
    return time


def clock_res_get(process: Process, memory: Memory, clock: int, result: int) -> None:
    """Store the resolution of a clock."""
    check(memory, result, 8, 8)
    if clock not in (CLOCK_REALTIME, CLOCK_MONOTONIC):
        _refuse(clock)
    write_u64(memory, result, process.clocks.resolution(clock))


def clock_time_get(process: Process, memory: Memory, clock: int, precision: int, result: int) -> None:
    """Store the time of a clock. The precision that the guest would be content with is not needed."""
    view = memory.view()
    check(view, result, 8, 8)
    U64.pack_into(view, result, now(process.clocks, clock))


def _refuse(clock: int) -> NoReturn:
    raise WasiError(BADF if clock in (CLOCK_PROCESS_CPUTIME, CLOCK_THREAD_CPUTIME) else INVAL)
