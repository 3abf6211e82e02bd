"""Fuel and interruption of instances that are linked to each other."""

from __future__ import annotations

import _thread
import gc

from purewasm.errors import GuestExit, Interrupted
from purewasm.store.meter import Meter


class Watcher:
    def __init__(self) -> None:
        self.seen: list[str | None] = []

    def meter_changed(self, meter: Meter) -> None:
        self.seen.append(meter.reason)


def test_observers_learn_of_every_change_and_of_the_present_state() -> None:
    meter, watcher = Meter(), Watcher()
    meter.interrupt("early")
    meter.add_observer(watcher)
    meter.release()
    meter.release()
    meter.interrupt("late")
    assert watcher.seen == ["early", None, "late"]


def test_observers_are_held_weakly() -> None:
    meter, watcher = Meter(), Watcher()
    meter.add_observer(watcher)
    del watcher
    gc.collect()
    assert list(meter.observers()) == []


def test_an_interruption_lasts_until_its_owner_takes_it_back() -> None:
    meter = Meter()
    meter.interrupt("outer", 1)
    meter.interrupt("inner", 2)
    assert meter.reason == "outer"
    meter.release(2)
    assert meter.reason == "outer"
    meter.release(1)
    assert meter.reason is None


def test_joined_meters_have_one_state() -> None:
    first, second, watcher = Meter(), Meter(), Watcher()
    second.add_observer(watcher)
    first.interrupt("now")
    first.join(second)
    assert watcher.seen == [None, "now"]
    second.release()
    assert watcher.seen == [None, "now", None]
    assert second.present is first
    second.interrupt("later")
    assert (first.reason, watcher.seen[-1]) == ("later", "later")
    first.join(first)
    first.release()
    assert watcher.seen[-1] is None


def test_what_a_poll_raises() -> None:
    meter = Meter()
    assert isinstance(meter.interruption("why"), Interrupted)
    assert str(meter.interruption("why")) == "why"
    meter.exit_status = 3
    error = meter.interruption("why")
    assert isinstance(error, GuestExit)
    assert error.status == 3


def test_an_interruption_of_one_thread() -> None:
    meter = Meter()
    meter.interrupt("elsewhere", 1, thread=-1)
    assert (meter.reason, meter.oldest_reason) == (None, "elsewhere")
    meter.interrupt("here", 2, thread=_thread.get_ident())
    assert meter.reason == "here"
