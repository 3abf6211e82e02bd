"""Random numbers, real and repeatable."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable

import pytest

from hostmods.wasi.tests.guest import PAGE, ByteMemory, Guest, direct
from purewasm import Interrupted, MemoryAccessError
from purewasm_wasi import Wasi

MakeGuest = Callable[..., Guest]


def test_random_by_default(make_guest: MakeGuest) -> None:
    guest = make_guest()
    assert guest.random(32) != guest.random(32)
    assert b"" == guest.random(0)


def test_a_seed_repeats_for_every_instance(make_guest: MakeGuest) -> None:
    assert make_guest(random=5).random(100_000) == make_guest(random=5).random(100_000) != make_guest(random=6).random(100_000)


def test_a_generator_or_a_callable_of_the_embedders(make_guest: MakeGuest) -> None:
    assert random.Random(1).randbytes(8) == make_guest(random=random.Random(1)).random(8)
    assert b"\7" * 70_000 == make_guest(random=lambda size: b"\7" * size).random(70_000)


def test_sources_that_are_none(make_guest: MakeGuest) -> None:
    with pytest.raises(TypeError):
        Wasi(random="seed")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="gave 3 bytes where 4"):
        make_guest(random=lambda size: b"abc").random(4)


def test_all_memory_at_once_takes_little_of_the_hosts() -> None:
    with Wasi() as wasi:
        guest = direct(wasi, memory=ByteMemory(512))
        tracemalloc.start()
        guest.call("random_get", 0, 512 * PAGE)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1 << 20
        with pytest.raises(MemoryAccessError):
            guest.call("random_get", 1, 512 * PAGE)


def test_a_guest_that_asks_for_much_can_be_interrupted(make_guest: MakeGuest) -> None:
    asked: list[int] = []

    def source(size: int) -> bytes:
        asked.append(size)
        guest.machine.instance.meter.reason = "time is up"  # type: ignore[attr-defined]
        return bytes(size)

    guest = make_guest(random=source)
    with pytest.raises(Interrupted, match="time is up"):
        guest.call("random_get", 0, 4 * PAGE)
    assert len(asked) == 1
