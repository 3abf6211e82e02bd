"""`poll_oneoff` on clocks, streams, files and pipes."""

from __future__ import annotations

import io
import os
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hostmods.wasi.tests.guest import READ, WRITE, Event, Guest, fails
from purewasm import MemoryAccessError
from purewasm_wasi import VirtualClocks
from purewasm_wasi.poll import MAX_SUBSCRIPTIONS

MakeGuest = Callable[..., Guest]
MS = 1_000_000
HANGUP = 1


@pytest.mark.parametrize("clock", [0, 1])
@pytest.mark.parametrize("absolute", [False, True])
def test_sleeping(clock: int, absolute: bool, make_guest: MakeGuest) -> None:
    guest = make_guest()
    start = time.monotonic_ns()
    timeout = guest.time(clock) + 5 * MS if absolute else 5 * MS
    assert [Event(7, "success", 0, 0, 0)] == guest.poll(guest.clock_subscription(7, timeout, clock=clock, absolute=absolute))
    assert time.monotonic_ns() - start >= 4 * MS


def test_sleeping_does_not_spin(make_guest: MakeGuest) -> None:
    reader, writer = os.pipe()
    guest = make_guest(stdin=reader)
    before = time.process_time_ns()
    (event,) = guest.poll(guest.clock_subscription(1, 200 * MS), guest.fd_subscription(2, 0))
    assert 1 == event.userdata
    assert time.process_time_ns() - before < 100 * MS
    os.close(reader)
    os.close(writer)


def test_long_sleeps_are_as_long_as_they_should_be(make_guest: MakeGuest, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are made of parts, so that a guest can be stopped in between."""
    slept: list[int] = []
    now = [0]

    class Counting:
        virtual = False

        def realtime(self) -> int:
            return now[0]

        def monotonic(self) -> int:
            return now[0]

        def resolution(self, clock: int) -> int:
            return 1

        def sleep(self, duration: int) -> None:
            slept.append(duration)
            now[0] += duration + 7

    guest = make_guest(clocks=Counting())
    guest.poll(guest.clock_subscription(1, 1000 * MS))
    assert 10 <= len(slept) <= 11
    assert 1000 * MS <= now[0] <= 1000 * MS + 100


def test_the_first_of_several_clocks(make_guest: MakeGuest) -> None:
    guest = make_guest()
    subscriptions = [guest.clock_subscription(number, timeout) for number, timeout in enumerate((10**15, 2 * MS, 0, (1 << 64) - 1))]
    assert [2] == [event.userdata for event in guest.poll(*subscriptions)]


def test_a_time_that_is_over_is_there_at_once(make_guest: MakeGuest) -> None:
    guest = make_guest()
    for clock in (0, 1):
        assert 1 == len(guest.poll(guest.clock_subscription(1, 1, clock=clock, absolute=True)))


def test_streams_that_never_wait(make_guest: MakeGuest) -> None:
    guest = make_guest(stdin=b"x", stdout=io.BytesIO())
    streams = [guest.fd_subscription(2, 0), guest.fd_subscription(3, 1, write=True), guest.fd_subscription(4, 2, write=True)]
    events = guest.poll(guest.clock_subscription(1, 10**15), *streams)
    assert [(2, 1), (3, 2), (4, 2)] == [(event.userdata, event.kind) for event in events]


def test_files_say_how_much_there_is(guest: Guest) -> None:
    fd = guest.open(3, "file", rights=READ | WRITE)
    guest.seek(fd, 2)
    assert [Event(1, "success", 1, 4, 0)] == guest.poll(guest.fd_subscription(1, fd))
    guest.seek(fd, 0, 2)
    assert [Event(1, "success", 1, 0, HANGUP)] == guest.poll(guest.fd_subscription(1, fd))
    assert 1 == len(guest.poll(guest.fd_subscription(1, fd, write=True)))


def test_a_pipe_that_is_written_to_later(make_guest: MakeGuest) -> None:
    reader, writer = os.pipe()
    guest = make_guest(stdin=reader)
    assert [1] == [event.userdata for event in guest.poll(guest.clock_subscription(1, MS), guest.fd_subscription(2, 0))]
    thread = threading.Timer(0.02, os.write, (writer, b"x"))
    thread.start()
    assert [2] == [event.userdata for event in guest.poll(guest.clock_subscription(1, 10**12), guest.fd_subscription(2, 0))]
    thread.join()
    assert b"x" == guest.read(0, 5)
    os.close(writer)
    assert [Event(2, "success", 1, 1, HANGUP)] == guest.poll(guest.fd_subscription(2, 0))
    os.close(reader)


def test_a_pipe_that_is_full(make_guest: MakeGuest) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    guest = make_guest(stdout=writer)
    assert 1 == len(guest.poll(guest.fd_subscription(1, 1, write=True)))
    try:
        while True:
            os.write(writer, bytes(65_536))
    except BlockingIOError:
        pass
    assert [9] == [event.userdata for event in guest.poll(guest.fd_subscription(1, 1, write=True), guest.clock_subscription(9, MS))]
    with fails("again"):
        guest.write(1, bytes(100))
    os.close(reader)
    os.close(writer)


def test_a_descriptor_that_the_embedder_closed_is_an_event(make_guest: MakeGuest) -> None:
    reader, writer = os.pipe()
    guest = make_guest(stdin=reader)
    os.close(writer)
    os.close(reader)
    assert [Event(5, "badf", 1, 0, 0)] == guest.poll(guest.fd_subscription(5, 0))


def test_what_cannot_be_waited_for(guest: Guest) -> None:
    good = guest.clock_subscription(1, 0)
    bad = {
        "badf": [*(guest.fd_subscription(2, fd) for fd in (99, 3, 1)), guest.fd_subscription(2, 0, write=True)],
        "inval": [
            guest.clock_subscription(2, 0, clock=2),
            guest.clock_subscription(2, 0, clock=7),
            struct.pack("<QB", 2, 3).ljust(48, b"\0"),
            struct.pack("<QB7xI4xQQH6x", 2, 0, 1, 0, 0, 2),
        ],
    }
    for errno, subscriptions in bad.items():
        for subscription in subscriptions:
            with fails(errno):
                guest.poll(good, subscription)


def test_none_at_all_or_too_many(guest: Guest) -> None:
    with fails("inval"):
        guest.call("poll_oneoff", 0, 0, 0, 8)
    with pytest.raises(MemoryAccessError):
        guest.call("poll_oneoff", 0, 0, 0xFFFF_FFFF, 8)
    big = type(guest.memory)(32)  # type: ignore[call-arg]
    guest.machine.memory.data = big.data  # type: ignore[attr-defined]
    with fails("nomem"):
        guest.call("poll_oneoff", 0, 0, MAX_SUBSCRIPTIONS + 1, 8)


def test_virtual_clocks_do_not_wait_for_descriptors(make_guest: MakeGuest) -> None:
    reader, writer = os.pipe()
    guest = make_guest(stdin=reader, clocks=VirtualClocks())
    assert [1] == [event.userdata for event in guest.poll(guest.clock_subscription(1, 10**15), guest.fd_subscription(2, 0))]
    os.write(writer, b"x")
    assert [2] == [event.userdata for event in guest.poll(guest.clock_subscription(1, 10**15), guest.fd_subscription(2, 0))]
    assert [2] == [event.userdata for event in guest.poll(guest.fd_subscription(2, 0))]
    os.close(reader)
    os.close(writer)


def test_where_there_is_only_select(make_guest: MakeGuest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("select.poll")
    reader, writer = os.pipe()
    guest = make_guest(stdin=reader, stdout=writer)
    assert [1] == [event.userdata for event in guest.poll(guest.clock_subscription(1, MS), guest.fd_subscription(2, 0))]
    assert [3] == [event.userdata for event in guest.poll(guest.fd_subscription(2, 0), guest.fd_subscription(3, 1, write=True))]
    os.close(reader)
    os.close(writer)
    assert [2] == [event.userdata for event in guest.poll(guest.fd_subscription(2, 0))], "the guest's own read says what is wrong"


def test_results_lie_where_they_should(guest: Guest, jail: Path) -> None:
    """The records of two events in the order of their subscriptions, and nothing behind them."""
    with guest.room() as put:
        events = put(b"\xee" * 96)
        subscriptions = guest.clock_subscription(0x1122334455667788, 0) + guest.fd_subscription(2, 0)
        assert 2 == guest.u32_of("poll_oneoff", put(subscriptions), events, 2)
        data = guest.memory.read(events, 96)
    assert struct.pack("<QHBxxxxxQHxxxxxx", 0x1122334455667788, 0, 0, 0, 0) == data[:32]
    assert (2, 0, 1) == struct.unpack_from("<QHB", data, 32)
    assert b"\xee" * 32 == data[64:]
