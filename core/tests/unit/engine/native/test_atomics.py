"""Memories that threads share: exact sums, waiting and waking, growth that everybody sees, ends of a wait."""

from __future__ import annotations

import _thread
import threading
import time
from typing import TYPE_CHECKING

import pytest

from core.tests.unit.engine.native.test_threads import together
from purewasm import Features, Instance, Interrupted, Memory, Runtime, Trap

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY = '(module (memory (export "m") 1 100 shared))'
GUEST = """(module (import "e" "m" (memory 1 100 shared))
  (func (export "add") (param $times i32)
    (loop $next
      (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
      (drop (i64.atomic.rmw16.sub_u (i32.const 8) (i64.const 1)))
      (drop (i32.atomic.rmw.xor (i32.const 16) (i32.const 0x10001)))
      (br_if $next (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
  (func (export "increment") (param $times i32) (local $old i32)
    (loop $next
      (loop $again
        (local.set $old (i32.atomic.load (i32.const 4)))
        (br_if $again (i32.ne (local.get $old)
          (i32.atomic.rmw.cmpxchg (i32.const 4) (local.get $old) (i32.add (local.get $old) (i32.const 1))))))
      (br_if $next (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
  (func (export "wait") (param i32 i32 i64) (result i32) (memory.atomic.wait32 (local.get 0) (local.get 1) (local.get 2)))
  (func (export "wait64") (param i32 i64 i64) (result i32) (memory.atomic.wait64 (local.get 0) (local.get 1) (local.get 2)))
  (func (export "notify") (param i32 i32) (result i32) (memory.atomic.notify (local.get 0) (local.get 1)))
  (func (export "play") (param $mine i32) (param $turns i32)  ;; the word at 32 says whose turn it is
    (loop $next
      (loop $wait
        (if (i32.ne (i32.atomic.load (i32.const 32)) (local.get $mine))
          (then
            (drop (memory.atomic.wait32 (i32.const 32) (i32.sub (i32.const 1) (local.get $mine)) (i64.const -1)))
            (br $wait))))
      (i32.store (i32.const 36) (i32.add (i32.load (i32.const 36)) (i32.const 1)))
      (i32.atomic.store (i32.const 32) (i32.sub (i32.const 1) (local.get $mine)))
      (drop (memory.atomic.notify (i32.const 32) (i32.const 1)))
      (br_if $next (local.tee $turns (i32.sub (local.get $turns) (i32.const 1))))))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "size") (result i32) (memory.size))
  (func (export "await_pages") (param i32) (result i32)
    (loop $wait (br_if $wait (i32.lt_u (memory.size) (local.get 0))))
    (i32.atomic.store (i32.sub (i32.shl (local.get 0) (i32.const 16)) (i32.const 4)) (i32.const 7))
    (i32.atomic.load (i32.sub (i32.shl (local.get 0) (i32.const 16)) (i32.const 4)))))"""
FOREVER = -1


@pytest.fixture(params=[False, True], ids=["guard", "explicit"])
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    with Runtime(engine="compiler", features=Features.all(), explicit_checks=request.param) as made:
        yield made


@pytest.fixture
def memory(runtime: Runtime) -> Memory:
    return runtime.instantiate(MEMORY).memory


@pytest.fixture
def guests(runtime: Runtime, memory: Memory) -> tuple[Instance, Instance]:
    module = runtime.compile(GUEST)
    a, b = (runtime.instantiate(module, imports={"e": {"m": memory}}) for _ in range(2))
    return a, b


def test_sums_are_exact(memory: Memory, guests: tuple[Instance, Instance]) -> None:
    together(*[lambda guest=guest: guest.exports.add(1_000_000) for guest in guests])
    assert memory.read_u32(0) == 2_000_000
    assert memory.read_u16(8) == -2_000_000 & 0xFFFF
    assert memory.read_u32(16) == 0
    together(*[lambda guest=guest: guest.exports.increment(300_000) for guest in guests])
    assert memory.read_u32(4) == 600_000


def test_guests_take_turns_by_waiting(memory: Memory, guests: tuple[Instance, Instance]) -> None:
    a, b = guests
    together(lambda: a.exports.play(0, 1000), lambda: b.exports.play(1, 1000))
    assert memory.read_u32(36) == 2000


def notify_when_waiting(guest: Instance, count: int = 1) -> int:
    """Notify until somebody was woken."""
    woken = 0
    end = time.monotonic() + 20
    while woken < count and time.monotonic() < end:
        woken += guest.exports.notify(0, count - woken)
    return woken


def test_waiting_and_waking(guests: tuple[Instance, Instance]) -> None:
    a, b = guests
    assert together(lambda: a.exports.wait(0, 0, FOREVER), lambda: notify_when_waiting(b)) == [0, 1]
    assert together(lambda: a.exports.wait64(0, 0, FOREVER), lambda: notify_when_waiting(b)) == [0, 1]


def test_what_waits_can_be_woken_through_the_same_instance(guests: tuple[Instance, Instance]) -> None:
    guest = guests[0]
    results = together(*[lambda: guest.exports.wait(0, 0, FOREVER)] * 3, lambda: notify_when_waiting(guest, 3))
    assert results == [0, 0, 0, 3]
    guest.exports.add(1)  # it is nobody's turn now


def test_no_wait(guests: tuple[Instance, Instance]) -> None:
    guest = guests[0]
    assert guest.exports.wait(0, 1, FOREVER) == 1
    assert guest.exports.wait(0, 0, 1000) == 2
    assert guest.exports.wait64(8, 0, 0) == 2
    for call, arguments, message in (
        (guest.exports.wait, (2, 0, 0), "unaligned atomic"),
        (guest.exports.wait, (1 << 30, 0, 0), "out of bounds memory access"),
        (guest.exports.wait64, (4, 0, 0), "unaligned atomic"),
        (guest.exports.notify, (-3, 0), "unaligned atomic"),
        (guest.exports.notify, (-4, 0), "out of bounds memory access"),
    ):
        with pytest.raises(Trap, match=message):
            call(*arguments)


def test_a_memory_of_its_own_cannot_be_waited_at(runtime: Runtime) -> None:
    guest = runtime.instantiate(
        """(module (memory 1)
          (func (export "wait") (result i32) (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 0)))
          (func (export "notify") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 1))))"""
    )
    assert guest.exports.notify() == 0
    with pytest.raises(Trap, match="expected shared memory"):
        guest.exports.wait()


def test_a_timeout_ends_a_wait(guests: tuple[Instance, Instance]) -> None:
    guest = guests[0]
    with pytest.raises(Interrupted):
        guest.exports.wait.with_options(timeout=0.1)(0, 0, FOREVER)
    guest.exports.add(1)


def test_closing_ends_a_wait(guests: tuple[Instance, Instance]) -> None:
    guest = guests[0]
    add = guest.exports.add
    timer = threading.Timer(0.2, guest.close)
    timer.start()
    with pytest.raises(Interrupted):
        guest.exports.wait(0, 0, FOREVER)
    timer.join()
    with pytest.raises(Interrupted):
        add(1)


def test_a_signal_ends_a_wait(guests: tuple[Instance, Instance]) -> None:
    guest = guests[0]
    timer = threading.Timer(0.2, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        guest.exports.wait(0, 0, FOREVER)
    timer.join()
    guest.exports.add(1)


def test_growth_is_seen_by_guests_that_run(memory: Memory, guests: tuple[Instance, Instance]) -> None:
    a, b = guests

    def grow() -> None:
        time.sleep(0.05)
        memory.grow(1)
        b.exports.grow(1)

    assert together(lambda: a.exports.await_pages(3), grow)[0] == 7
    assert memory.read_u32(3 * 65536 - 4) == 7


def test_threads_that_grow_get_different_pages(memory: Memory, guests: tuple[Instance, Instance]) -> None:
    def grow(guest: Instance) -> list[int]:
        return [guest.exports.grow(1) for _ in range(45)]

    first, second, third = together(*[lambda guest=guest: grow(guest) for guest in guests], lambda: [memory.grow(1) for _ in range(9)])
    assert sorted([*first, *second, *third]) == list(range(1, 100))  # type: ignore[misc]
    assert [guest.exports.size() for guest in guests] == [100, 100]
    assert guests[0].exports.grow(1) == -1


@pytest.mark.parametrize("engine", ["compiler", "interpreter"])
def test_narrow_exchanges_compare_the_lowest_bytes(engine: str) -> None:
    forms = [("i32", 8), ("i32", 16), ("i64", 8), ("i64", 16), ("i64", 32)]
    functions = "".join(
        f'''(func (export "{kind} {bits}") (param {kind} {kind}) (result {kind})
          ({kind}.atomic.rmw{bits}.cmpxchg_u (i32.const 8) (local.get 0) (local.get 1)))'''
        for kind, bits in forms
    )
    with Runtime(engine=engine, features=Features.all()) as runtime:
        guest = runtime.instantiate(f'(module (memory (export "memory") 1) {functions})')
        for kind, bits in forms:
            guest.memory.write_u64(8, 0x1122_3344_5566_7788)
            mask = (1 << bits) - 1
            expected = (0x1122_3344_5566_7788 & mask) | (0x5A << bits)
            assert guest.exports[f"{kind} {bits}"](expected, -2) == 0x1122_3344_5566_7788 & mask  # type: ignore[operator]
            assert guest.memory.read_u64(8) == (0x1122_3344_5566_7788 & ~mask) | (mask - 1)


def test_pages_of_one_byte(runtime: Runtime) -> None:
    guest = runtime.instantiate(
        """(module (memory (export "memory") 3 70000 (pagesize 1))
          (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
          (func (export "size") (result i32) (memory.size))
          (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
          (func (export "set") (param i32 i32) (i32.store16 (local.get 0) (local.get 1))))"""
    )
    assert (guest.exports.size(), guest.exports.load(2)) == (3, 0)
    with pytest.raises(Trap, match="out of bounds"):
        guest.exports.load(3)
    with pytest.raises(Trap, match="out of bounds"):
        guest.exports.set(2, 0x101)
    assert [guest.exports.grow(1), guest.exports.grow(5000), guest.exports.grow(70000)] == [3, 4, -1]
    guest.exports.set(5002, 0x201)
    assert (guest.exports.size(), guest.memory.read(5000, 4)) == (5004, b"\0\0\1\2")
    with pytest.raises(Trap, match="out of bounds"):
        guest.exports.set(5003, 0)


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_exchanges_from_python_are_one_step_for_compiled_guests(memory: Memory, guests: tuple[Instance, Instance], size: int) -> None:
    """What interpreted guests do to a memory that compiled ones use."""
    stop = threading.Event()
    turns = 20_000

    def count() -> int:
        done = 0
        while not stop.is_set():
            guests[0].exports.add(turns)
            done += turns
        return done

    def exchange() -> None:
        for _ in range(30_000):
            while True:
                old = int.from_bytes(memory.read(0, size), "little")
                if memory.compare_exchange(0, size, old, old + 1 & (1 << 8 * size) - 1) == old:
                    break
        stop.set()

    done, _ = together(count, exchange)
    assert isinstance(done, int)
    mask = (1 << min(8 * size, 32)) - 1
    assert memory.read_u32(0) & mask == done + 30_000 & mask


def test_fuel_that_others_use_during_a_wait_is_gone() -> None:
    with Runtime(engine="compiler", features=Features.all(), fuel=True) as runtime:
        memory = runtime.instantiate(MEMORY).memory
        guest = runtime.instantiate(GUEST, fuel=1_000_000, imports={"e": {"m": memory}})
        used = []

        def add() -> None:
            time.sleep(0.1)
            guest.exports.add(1000)

        for work in ((lambda: guest.exports.wait(0, 0, 1),), (add,), (lambda: guest.exports.wait(48, 0, 500_000_000), add)):
            before = guest.meter.fuel
            together(*work)
            assert before is not None
            assert guest.meter.fuel is not None
            used.append(before - guest.meter.fuel)
        waiting, adding, both = used
        assert min(waiting, adding) > 0
        assert both == waiting + adding
