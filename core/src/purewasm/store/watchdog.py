"""Deadlines: one thread that interrupts the meters of calls that run for too long."""

from __future__ import annotations

import _thread
import os
import time

from purewasm.light_typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from purewasm.store.instance import Instance
    from purewasm.store.meter import Meter


_IDLE_SECONDS: Final = 1.0
"""How long the thread waits for another deadline before it ends."""
_KEPT: Final = 64
"""Entries of calls that have returned are left in the queue up to this number, or as many as there are others."""


@final
class Watchdog:
    """Interrupts meters when deadlines pass. Its thread starts with the first deadline and ends when there has been none for a while."""

    def __init__(self) -> None:
        # Neither is needed before the first deadline, and `threading` costs more to import than the rest of the package's start.
        import threading
        from heapq import heapify, heappop, heappush

        self._heapify, self._pop, self._push = heapify, heappop, heappush
        self._changed: threading.Condition = threading.Condition()
        self._queue: list[tuple[float, int, Meter, str, int]] = []
        self._waiting: set[int] = set()  # deadlines that have neither passed nor been cancelled
        self._next = 0
        self._thread: threading.Thread | None = None
        self._make_thread: Callable[[], threading.Thread] = lambda: threading.Thread(
            target=self._run, name="purewasm-watchdog", daemon=True
        )

    def watch(self, meter: Meter, seconds: float) -> int:
        """After `seconds` interrupt what this thread runs on `meter`, unless `cancel` is called with the number that this returns."""
        with self._changed:
            self._next += 1
            reason = f"the call ran longer than its timeout of {seconds:g} s"
            entry = (time.monotonic() + seconds, self._next, meter, reason, _thread.get_ident())
            self._push(self._queue, entry)
            self._waiting.add(self._next)
            if self._thread is None or not self._thread.is_alive():
                self._thread = self._make_thread()
                self._thread.start()
            elif self._queue[0] is entry:
                self._changed.notify()
            return self._next

    def cancel(self, meter: Meter, number: int) -> None:
        """The call is over: its deadline does not count any more, nor does the interruption if it has passed."""
        with self._changed:
            if number not in self._waiting:
                meter.release(number)
                return
            self._waiting.discard(number)
            if len(self._queue) > 2 * len(self._waiting) + _KEPT:
                self._queue = [entry for entry in self._queue if entry[1] in self._waiting]
                self._heapify(self._queue)

    def _run(self) -> None:
        with self._changed:
            while self._queue or self._waits_for_more():
                self._step()
            self._thread = None

    def _waits_for_more(self) -> bool:
        """True where a deadline has come; also one that came when the time of waiting was just over."""
        self._changed.wait(_IDLE_SECONDS)
        return bool(self._queue)

    def _step(self) -> None:
        """Wait for the first deadline, or take it from the queue."""
        deadline, number, meter, reason, thread = self._queue[0]
        left = deadline - time.monotonic()
        if number in self._waiting and left > 0:
            self._changed.wait(left)
            return
        self._pop(self._queue)
        if number in self._waiting:
            self._waiting.discard(number)
            meter.interrupt(reason, number, thread)


_watchdogs: Final[list[Watchdog]] = []
_lock = _thread.allocate_lock()


def _watchdog() -> Watchdog:
    if not _watchdogs:
        with _lock:
            if not _watchdogs:
                _watchdogs.append(Watchdog())
    return _watchdogs[0]


def _forget_after_fork() -> None:
    """A forked child has no watchdog thread, and its lock may have been held: start afresh."""
    global _lock
    _lock = _thread.allocate_lock()
    _watchdogs.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def limited(instance: Instance, timeout: float | None, fuel: int | None, invoke: Callable[..., object], args: tuple[object, ...]) -> object:
    """Call `invoke(*args)` with limits on the meter of `instance`."""
    meter = instance.meter
    if timeout is not None and not instance.interruptible:
        raise ValueError("a timeout needs a runtime with interruptible=True")
    if fuel is not None and not instance.counts_fuel:
        raise ValueError("a fuel limit needs a runtime with fuel=True")
    thread = _thread.get_ident()
    outer = meter.call_fuel.get(thread)
    given = 0 if fuel is None else fuel if outer is None else min(fuel, outer)
    number = 0
    try:
        if fuel is not None:
            meter.call_fuel[thread] = given
        if timeout is not None:
            number = _watchdog().watch(meter, timeout)
        return invoke(*args)
    finally:
        if fuel is not None:
            _end_limit(meter.present, thread, outer, given)
        if number:
            _watchdog().cancel(meter, number)


def _end_limit(meter: Meter, thread: int, outer: int | None, given: int) -> None:
    """What a call used of the fuel that it was given counts for the call around it, which had `outer`."""
    left = meter.call_fuel.pop(thread, given)
    if outer is not None:
        meter.call_fuel[thread] = outer - (given - left)
