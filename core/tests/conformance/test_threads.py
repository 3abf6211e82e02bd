"""Shared memories used by several threads at once, waiting and waking."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from purewasm import Interrupted, Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

SHARED = """(module (memory (export "memory") 1 2 shared)
  (func (export "add") (param i32) (loop $l (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 1)))
    (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "lock_add") (param i32)
    (loop $l
      (loop $try (br_if $try (i32.atomic.rmw.cmpxchg (i32.const 16) (i32.const 0) (i32.const 1))))
      (i32.store (i32.const 20) (i32.add (i32.load (i32.const 20)) (i32.const 1)))
      (i32.atomic.store (i32.const 16) (i32.const 0))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "wait") (param i32 i64) (result i32) (memory.atomic.wait32 (i32.const 32) (local.get 0) (local.get 1)))
  (func (export "notify") (param i32) (result i32) (memory.atomic.notify (i32.const 32) (local.get 0))))"""


def in_threads(count: int, work: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_additions_are_not_lost(runtime: Runtime) -> None:
    owner = runtime.instantiate(SHARED, name="owner")
    in_threads(4, lambda: owner.exports.add(3000))
    assert owner.memory.read_u32(8) == 12_000


def test_lock_of_the_guest(runtime: Runtime) -> None:
    owner = runtime.instantiate(SHARED)
    in_threads(3, lambda: owner.exports.lock_add(300))
    assert owner.memory.read_u32(20) == 900


def test_wait_and_notify(runtime: Runtime) -> None:
    owner = runtime.instantiate(SHARED)
    assert owner.exports.wait(1, -1) == 1
    assert owner.exports.wait(0, 1000) == 2
    results: list[object] = []
    threads = [threading.Thread(target=lambda: results.append(owner.exports.wait(0, 30_000_000_000))) for _ in range(3)]
    for thread in threads:
        thread.start()
    woken, end = 0, time.monotonic() + 20
    while woken < 3 and time.monotonic() < end:
        woken += int(str(owner.exports.notify(1)))
        time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert results == [0, 0, 0]
    assert owner.exports.notify(5) == 0


def test_closing_ends_a_wait(runtime: Runtime) -> None:
    owner = runtime.instantiate(SHARED)
    timer = threading.Timer(0.1, owner.close)
    timer.start()
    with pytest.raises(Interrupted):
        owner.exports.wait(0, -1)
    timer.join()


def test_instances_of_one_module_in_several_threads(runtime: Runtime) -> None:
    module = runtime.compile(
        "(module (global $g (mut i32) (i32.const 0)) (memory 1) (func $f (param i32) (result i32) (global.set $g (i32.add (global.get $g)"
        " (local.get 0))) (i32.store (i32.const 0) (global.get $g)) (i32.load (i32.const 0)))"
        '(func (export "run") (param i32) (result i32) (loop $l (drop (call $f (local.get 0)))'
        " (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (global.get $g)))"
    )
    results: list[object] = []
    in_threads(6, lambda: results.append(runtime.instantiate(module).exports.run(2000)))
    assert [2_001_000] * 6 == results
