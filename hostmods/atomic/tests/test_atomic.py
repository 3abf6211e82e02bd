"""Counters of guests in both layouts, on both engines."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from purewasm import Runtime
from purewasm.hostmod import AbiError
from purewasm.testing import PageCase, PageGuest, check_hostile, fuzz, page_conformance_cases
from purewasm_atomic import Atomics, CounterError

SET, ID, VALUE = 256, 264, 272


class Counters:
    """A guest, driven from Python."""

    def __init__(self, runtime: Runtime, host: Atomics) -> None:
        self.page = PageGuest(runtime, host, (SET, ID, VALUE) if host.entries == 3 else (ID, VALUE))
        self.old = host.entries == 2

    def run(self, name: str, id: int, value: int = 0, set: int = 0) -> int:
        memory = self.page.memory
        if not self.old:
            memory.write_u32(SET, set)
        (memory.write_u32 if self.old else memory.write_u64)(ID, id)
        memory.write_u64(VALUE, value)
        self.page.call(f"__atomic_uint64_{name}")
        return memory.read_u64(VALUE)


@pytest.mark.parametrize("layout", [3, 2])
def test_a_counter(runtime: Runtime, layout: int) -> None:
    host = Atomics(layout=layout)
    guest = Counters(runtime, host)
    assert guest.run("load", 7) == 0
    assert [guest.run("add", 7, 5), guest.run("add", 7, 5), guest.run("load", 7)] == [5, 10, 10]
    assert guest.run("store", 7, 2**64 - 1) == 2**64 - 1
    assert guest.run("add", 7, 3) == 2
    assert (host.load(7), guest.run("load", 8)) == (2, 0)
    assert guest.run("del", 7, 99) == 99
    assert guest.run("load", 7) == 0
    assert len(host) == 0


def test_sets_and_wide_ids_are_apart(runtime: Runtime) -> None:
    host = Atomics()
    guest = Counters(runtime, host)
    guest.run("add", 2**63, 1, set=1)
    guest.run("add", 2**63, 2, set=2**32 - 1)
    assert (host.load(2**63, set=1), host.load(2**63, set=2**32 - 1), host.load(2**63)) == (1, 2, 0)


def test_the_host_may_use_them(runtime: Runtime) -> None:
    host = Atomics()
    guest = Counters(runtime, host)
    host.store(1, 10, set=3)
    assert host.increase(1, -11, set=3) == 2**64 - 1
    assert guest.run("add", 1, 2, set=3) == 1
    host.delete(1, set=3)
    assert guest.run("load", 1, set=3) == 0
    with pytest.raises(OverflowError, match=r"0 to 2\*\*64 - 1, not -1"):
        host.store(1, -1)


def test_there_is_an_end_to_counters(runtime: Runtime) -> None:
    host = Atomics(max_counters=2)
    guest = Counters(runtime, host)
    guest.run("add", 1, 1)
    guest.run("store", 2, 1)
    for name in ("add", "store"):
        with pytest.raises(CounterError, match="there are 2 counters already, and counter 3 of set 0 is new"):
            guest.run(name, 3, 1)
    assert guest.run("add", 1, 1) == 2
    guest.run("del", 2)
    assert guest.run("add", 3, 1) == 1


def test_every_add_counts(new_runtime: object) -> None:
    host = Atomics()

    def work() -> None:
        with Runtime() as runtime:
            guest = Counters(runtime, host)
            for _ in range(200):
                guest.run("add", 1, 1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert host.load(1) == 800


def test_both_names(runtime: Runtime) -> None:
    host = Atomics()
    host.register(runtime)
    for name in ("pantopic/wazero-atomic", "pantopic/ext-atomic"):
        assert runtime.provides(name)
    found = entry_points(group="purewasm.hostmods", name="pantopic/ext-atomic")
    assert all(entry.load() is Atomics for entry in found)


@pytest.mark.parametrize("layout", [3, 2])
def test_hostile_guests(runtime: Runtime, layout: int) -> None:
    check_hostile(runtime, lambda: Atomics(layout=layout))
    assert fuzz(runtime, lambda: Atomics(layout=layout), seed=layout, rounds=60) > 0


def test_a_guest_of_the_other_layout_is_found_where_it_can_be(runtime: Runtime) -> None:
    guest = PageGuest(runtime, Atomics(), (ID, VALUE, 0xFFFF_FFFF))
    with pytest.raises(AbiError, match="the value cell, 8 bytes, lies outside"):
        guest.call("__atomic_uint64_load")


def test_a_layout_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="2 or 3 entries, not 4"):
        Atomics(layout=4)


def test_a_guest_in_c(runtime: Runtime, guest: Callable[[str], Path]) -> None:
    host = Atomics()
    host.register(runtime)
    first, second = (runtime.instantiate(guest("guests/tickets.c")).exports for _ in range(2))
    assert [first.draw(1, 7), second.draw(1, 7), first.draw(1, 7), second.drawn(1, 7)] == [1, 2, 3, 3]
    first.start(1, 7, 2**63)
    assert (second.drawn(1, 7), host.load(7, set=1)) == (-(2**63), 2**63)
    second.forget(1, 7)
    assert (first.drawn(1, 7), len(host)) == (0, 0)


@pytest.mark.parametrize("case", page_conformance_cases(Path(__file__).with_name("abi_cases.json")), ids=str)
def test_conformance(case: PageCase, runtime: Runtime) -> None:
    case.run(runtime, Atomics())
