"""Guests in several threads: side by side where they have nothing to do with each other, one after the other where they have."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from purewasm import CompilationCache, Interrupted, Runtime, WasmError

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.store.instance import Exports

MEET = """(module (import "e" "m" (memory 1))
  (func (export "meet") (param $mine i32) (param $other i32) (param $turns i32) (result i32) (local $i i32)
    (loop $next
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (i32.store (local.get $mine) (local.get $i))
      (loop $wait (br_if $wait (i32.lt_u (i32.load (local.get $other)) (local.get $i))))
      (br_if $next (i32.lt_u (local.get $i) (local.get $turns))))
    (local.get $i)))"""
COUNT = """(module (memory 1)
  (func (export "count") (param i32) (result i32)
    (loop $l (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (i32.load (i32.const 0))))"""
SPIN = '(module (func (export "spin") (loop $l (br $l))) (func (export "one") (result i32) (i32.const 1)))'


def together(*works: Callable[[], object]) -> list[object]:
    """What they return or raise, each in a thread of its own."""
    results: list[object] = [None] * len(works)

    def run(position: int) -> None:
        try:
            results[position] = works[position]()
        except WasmError as error:
            results[position] = error

    threads = [threading.Thread(target=run, args=(position,), daemon=True) for position in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    return results


def test_two_guests_meet_in_a_memory(runtime: Runtime) -> None:
    memory = runtime.instantiate('(module (memory (export "m") 1))').memory
    module = runtime.compile(MEET)
    a, b = (runtime.instantiate(module, imports={"e": {"m": memory}}).exports.meet.with_options(timeout=20) for _ in range(2))
    assert together(lambda: a(0, 64, 1000), lambda: b(64, 0, 1000)) == [1000, 1000]


# Each stores its turns where the other looks for them. Nobody waits for ever: who has looked often enough says so.
SPINS = """(module (import "e" "m" (memory 1))
  (func (export "meet") (param $mine i32) (param $other i32) (result i32) (local $i i32) (local $left i64)
    (loop $next (result i32)
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (i32.store (local.get $mine) (local.get $i))
      (local.set $left (i64.const 20000000000))
      (loop $wait
        (if (i32.load (i32.const 128)) (then (return (local.get $i))))
        (if (i64.eqz (local.tee $left (i64.sub (local.get $left) (i64.const 1)))) (then (return (i32.const -1))))
        (br_if $wait (i32.lt_u (i32.load (local.get $other)) (local.get $i))))
      (br $next))))"""


@pytest.mark.parametrize("interruptible", [True, False])
def test_guests_run_while_another_thread_has_the_gil(interruptible: bool) -> None:
    with Runtime(engine="compiler", interruptible=interruptible) as runtime:
        memory = runtime.instantiate('(module (memory (export "m") 1))').memory
        module = runtime.compile(SPINS)
        meets = [runtime.instantiate(module, imports={"e": {"m": memory}}).exports.meet for _ in range(2)]
        words = memory.view().cast("I")
        advanced: list[bool] = []

        def advance() -> bool:
            """Whether both go on while this thread does not let the GIL go."""
            first, end = (words[0], words[16]), time.monotonic() + 1
            while min(words[0] - first[0], words[16] - first[1]) < 20 and time.monotonic() < end:
                pass
            return min(words[0] - first[0], words[16] - first[1]) >= 20

        def watch() -> None:
            end, interval = time.monotonic() + 25, sys.getswitchinterval()
            while not advanced and time.monotonic() < end:
                time.sleep(0.001)  # they begin with the GIL, and may be about to let it go
                sys.setswitchinterval(1000)
                try:
                    if advance():
                        advanced.append(True)
                finally:
                    sys.setswitchinterval(interval)
            words[32] = 1

        turns = together(lambda: meets[0](0, 64), lambda: meets[1](64, 0), watch)
        assert advanced == [True]
        assert all(isinstance(turn, int) and turn > 20 for turn in turns[:2])


LEAF = """(module (func (export "f") (param i32) (result i32) (local.get 0)) (func (export "g") (param i32) (loop (br_if 0 (local.get 0))))
  (func (export "h") (drop (call 0 (i32.const 1)))))"""


@pytest.mark.parametrize("cached", [False, True])
def test_short_functions_keep_the_gil(cached: bool) -> None:
    from purewasm.engine.native.functions import record_of
    from purewasm.engine.native.libc import read_word
    from purewasm.store.layout import RECORD_LONG

    def long(exports: Exports) -> list[int]:
        return [read_word(record_of(getattr(exports, name)) + RECORD_LONG) for name in "fgh"]

    cache = CompilationCache()
    for _ in range(2):
        with Runtime(engine="compiler", interruptible=False, eager=cached, cache=cache if cached else None) as runtime:
            module = runtime.compile(LEAF)
            exports = runtime.instantiate(module).exports
            assert exports.f(3) == 3
            exports.g(0)
            exports.h()
            always = (1 << 64) - 1
            assert long(exports) == [0, always, always]
            assert long(runtime.instantiate(module).exports) == [0, always, always]


def test_one_instance_is_run_by_one_thread_at_a_time(runtime: Runtime) -> None:
    instance = runtime.instantiate(COUNT)
    together(*[lambda: [instance.exports.count(20_000) for _ in range(10)]] * 4)
    assert instance.memory.read_u32(0) == 800_000


def test_waiting_ends_with_the_timeout_of_who_waits(runtime: Runtime) -> None:
    exports = runtime.instantiate(SPIN).exports
    first, second = together(lambda: exports.spin.with_options(timeout=1.0)(), lambda: exports.spin.with_options(timeout=0.2)())
    assert isinstance(first, Interrupted)
    assert isinstance(second, Interrupted)
    assert "1 s" in str(first)
    assert "0.2 s" in str(second)
    assert exports.one() == 1


def test_a_circle_of_threads_is_told(runtime: Runtime) -> None:
    text = """(module (import "e" "h" (func $h (result i32)))
        (func (export "f") (result i32) (call $h)) (func (export "g") (result i32) (i32.const 3)))"""
    barrier = threading.Barrier(2)

    def host(other: int) -> int:
        barrier.wait(20)
        return int(instances[other].exports.g())

    instances = [runtime.instantiate(text, imports={"e": {"h": lambda other=other: host(other)}}) for other in (1, 0)]
    results = together(*[instance.exports.f for instance in instances])
    assert 3 in results
    assert any("deadlock" in str(result) for result in results)


def test_traps_in_many_threads(runtime: Runtime) -> None:
    text = """(module (memory 1) (func (export "f") (param i32) (result i32)
        (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (i32.load (i32.const -4))))"""
    module = runtime.compile(text)

    def work() -> int:
        exports = runtime.instantiate(module).exports
        for _ in range(200):
            with pytest.raises(WasmError, match="out of bounds"):
                exports.f(2000)
        return 200

    assert together(*[work] * 4) == [200] * 4
