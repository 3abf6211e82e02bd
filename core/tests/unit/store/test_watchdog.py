"""Deadlines of calls."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from purewasm.store.meter import Meter
from purewasm.store.watchdog import Watchdog


class Flag:
    """Waits for a meter's interruption."""

    def __init__(self, meter: Meter) -> None:
        self.interrupted = threading.Event()
        self.meter = meter
        meter.add_observer(self)

    def meter_changed(self, meter: Meter) -> None:
        if meter.oldest_reason is not None:
            self.interrupted.set()


def test_a_deadline_interrupts() -> None:
    meter, watchdog = Meter(), Watchdog()
    flag = Flag(meter)
    number = watchdog.watch(meter, 0.01)
    assert flag.interrupted.wait(10)
    assert meter.reason == "the call ran longer than its timeout of 0.01 s"
    watchdog.cancel(meter, number)
    assert meter.reason is None


def test_an_earlier_deadline_overtakes_a_later_one() -> None:
    watchdog = Watchdog()
    late, early = Meter(), Meter()
    flag = Flag(early)
    number = watchdog.watch(late, 1000)
    watchdog.watch(early, 0.01)
    assert flag.interrupted.wait(10)
    assert late.reason is None
    watchdog.cancel(late, number)


def test_a_cancelled_deadline_does_nothing() -> None:
    watchdog = Watchdog()
    cancelled, meter = Meter(), Meter()
    flag = Flag(meter)
    watchdog.cancel(cancelled, watchdog.watch(cancelled, 0.02))
    watchdog.watch(meter, 0.05)
    assert flag.interrupted.wait(10)
    assert cancelled.reason is None


def test_cancelled_deadlines_are_forgotten() -> None:
    watchdog, meter = Watchdog(), Meter()
    for _ in range(1000):
        watchdog.cancel(meter, watchdog.watch(meter, 3600))
    assert len(watchdog._queue) < 200
    assert threading.active_count() < 50


def test_a_deadline_after_the_thread_has_ended_starts_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("purewasm.store.watchdog._IDLE_SECONDS", 0.01)
    watchdog = Watchdog()
    for _ in range(2):
        meter = Meter()
        flag = Flag(meter)
        watchdog.watch(meter, 0.01)
        assert flag.interrupted.wait(10)
        thread = watchdog._thread
        if thread is not None:
            thread.join(10)
        assert watchdog._thread is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="a fork with threads is a warning from Python 3.12 on")
def test_a_forked_child_has_deadlines_of_its_own() -> None:
    from purewasm.store import watchdog as module

    parent = module._watchdog()
    parent.watch(Meter(), 3600)
    child = os.fork()
    if child == 0:  # pragma: no cover (counted in the parent only)
        try:
            meter = Meter()
            flag = Flag(meter)
            module._watchdog().watch(meter, 0.01)
            os._exit(0 if flag.interrupted.wait(10) and module._watchdog() is not parent else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
