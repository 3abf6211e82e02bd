"""Deadlines: one thread that interrupts the meters of calls that run for too long."""

from __future__ import annotations

import heapq
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from purewasm.store.instance import Instance
    from purewasm.store.meter import Meter


class Watchdog:
    """Calls `meter.interrupt` when a deadline passes. Its thread starts with the first deadline and ends when there is none."""

    def __init__(self) -> None:
        # `threading` is not needed before the first deadline, and costs more to import than the rest of the package's start.
        import threading

        self._changed: threading.Condition = threading.Condition()
        self._queue: list[tuple[float, int, Meter, str]] = []
        self._cancelled: set[int] = set()
        self._next = 0
        self._thread: threading.Thread | None = None
        self._make_thread: Callable[[], threading.Thread] = lambda: threading.Thread(
            target=self._run, name="purewasm-watchdog", daemon=True
        )

    def watch(self, meter: Meter, seconds: float) -> int:
        """Interrupt `meter` after `seconds`, unless `cancel` is called with the number that this returns."""
        with self._changed:
            self._next += 1
            reason = f"the call ran longer than its timeout of {seconds:g} s"
            heapq.heappush(self._queue, (time.monotonic() + seconds, self._next, meter, reason))
            if self._thread is None or not self._thread.is_alive():
                self._thread = self._make_thread()
                self._thread.start()
            self._changed.notify()
            return self._next

    def cancel(self, number: int) -> None:
        with self._changed:
            if any(entry[1] == number for entry in self._queue):
                self._cancelled.add(number)
                self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while self._queue:
                deadline, number, meter, reason = self._queue[0]
                if number in self._cancelled:
                    self._cancelled.discard(heapq.heappop(self._queue)[1])
                elif (left := deadline - time.monotonic()) > 0:
                    self._changed.wait(left)
                else:
                    heapq.heappop(self._queue)
                    meter.interrupt(reason)
            self._thread = None


_watchdogs: Final[list[Watchdog]] = []


def _watchdog() -> Watchdog:
    if not _watchdogs:
        _watchdogs.append(Watchdog())
    return _watchdogs[0]


def forget_after_fork() -> None:
    """A forked child has no watchdog thread, and its lock may have been held: start afresh."""
    _watchdogs.clear()


def limited(instance: Instance, timeout: float | None, fuel: int | None, invoke: Callable[..., object], args: tuple[object, ...]) -> object:
    """Call `invoke(*args)` with limits on the meter of `instance`."""
    meter = instance.meter
    if timeout is not None and not instance.interruptible:
        raise ValueError("a timeout needs a runtime with interruptible=True")
    if fuel is not None and not instance.counts_fuel:
        raise ValueError("a fuel limit needs a runtime with fuel=True")
    before = meter.fuel
    if fuel is not None:
        meter.fuel = fuel if before is None else min(fuel, before)
    given = meter.fuel
    number = _watchdog().watch(meter, timeout) if timeout is not None else 0
    try:
        return invoke(*args)
    finally:
        if timeout is not None:
            _watchdog().cancel(number)
            if not instance.closed:
                meter.release()
        if fuel is not None:
            used = (given or 0) - (meter.fuel or 0)
            meter.fuel = None if before is None else before - used
