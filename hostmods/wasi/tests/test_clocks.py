"""Clocks, real and virtual."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from hostmods.wasi.tests.guest import Guest, fails
from purewasm_wasi import SystemClocks, VirtualClocks

MakeGuest = Callable[..., Guest]


def test_the_hosts_clocks(make_guest: MakeGuest) -> None:
    guest = make_guest()
    before = time.time_ns(), time.monotonic_ns()
    realtime, monotonic = guest.time(0), guest.time(1)
    after = time.time_ns(), time.monotonic_ns()
    assert before[1] <= monotonic <= after[1]
    assert abs(realtime - before[0]) < 10**11
    assert guest.time(1) >= monotonic
    for clock in (0, 1):
        assert 0 < guest.u64_of("clock_res_get", clock) <= 10**9


@pytest.mark.parametrize(("clock", "errno"), [(2, "badf"), (3, "badf"), (4, "inval"), ((1 << 32) - 1, "inval")])
def test_clocks_that_no_guest_gets(clock: int, errno: str, make_guest: MakeGuest) -> None:
    guest = make_guest()
    with fails(errno):
        guest.time(clock)
    with fails(errno):
        guest.u64_of("clock_res_get", clock)


def test_virtual_clocks_move_by_steps_and_sleep_at_once(make_guest: MakeGuest) -> None:
    guest = make_guest(clocks=VirtualClocks(10**18, step=10))
    assert [10**18, 10, 10**18 + 20] == [guest.time(0), guest.time(1), guest.time(0)]
    assert 10 == guest.u64_of("clock_res_get", 0)
    before = guest.time(1)
    (event,) = guest.poll(guest.clock_subscription(1, 10**15))
    assert (1, "success", 0) == event[:3]
    assert guest.time(1) >= before + 10**15
    guest.call("sched_yield")


def test_clocks_that_stand_still(make_guest: MakeGuest) -> None:
    guest = make_guest(clocks=VirtualClocks(5, step=0))
    assert [5, 5, 0] == [guest.time(0), guest.time(0), guest.time(1)]
    assert 1 == guest.u64_of("clock_res_get", 1)


@pytest.mark.parametrize("start", [-1, 1 << 64])
def test_virtual_clocks_start_where_a_guest_can_be(start: int) -> None:
    with pytest.raises(ValueError):
        VirtualClocks(start)
    with pytest.raises(ValueError):
        VirtualClocks(0, step=-1)


def test_a_time_that_does_not_fit_is_an_overflow(make_guest: MakeGuest) -> None:
    guest = make_guest(clocks=VirtualClocks((1 << 64) - 1, step=1))
    guest.time(0)
    with fails("overflow"):
        guest.time(0)


def test_sleeping_takes_its_time() -> None:
    clocks = SystemClocks()
    before = clocks.monotonic()
    clocks.sleep(2_000_000)
    assert clocks.monotonic() - before >= 2_000_000
    clocks.sleep(-5)
