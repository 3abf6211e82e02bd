"""Fuel, interruption and closing: guests that are stopped."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from typing import TYPE_CHECKING

import pytest

from purewasm import FuelExhausted, HostModule, Interrupted, Runtime, Trap, traps

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPS = """(module
  (func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func (export "count") (param i32) (result i32) (local i32)
    (loop $l (local.set 1 (call $leaf (local.get 1))) (br_if $l (i32.lt_u (local.get 1) (local.get 0))))
    (local.get 1))
  (func (export "spin") (loop $l (br $l)))
  (func $recurse (export "recurse") (param i32) (if (local.get 0) (then (call $recurse (i32.sub (local.get 0) (i32.const 1)))))
    (call $leaf (i32.const 0)) (drop)))"""


def test_fuel_is_counted_by_instructions(new_runtime: Callable[..., Runtime]) -> None:
    instance = new_runtime(fuel=True).instantiate(LOOPS)
    # one round: 3 for the call, 3 in the callee, 5 for the rest (set, get, get, lt_u, br_if); local.get at the end
    exact = 10 * (2 + 3 + 5) + 1
    assert instance.exports.count.with_options(fuel=exact)(10) == 10
    with pytest.raises(FuelExhausted) as caught:
        instance.exports.count.with_options(fuel=exact - 1)(10)
    assert traps.FUEL_EXHAUSTED == caught.value.code
    assert isinstance(caught.value, Trap)
    assert [1] == [frame.function_index for frame in caught.value.frames]


def test_fuel_ends_endless_loops(new_runtime: Callable[..., Runtime]) -> None:
    instance = new_runtime(fuel=True).instantiate(LOOPS)
    with pytest.raises(FuelExhausted):
        instance.exports.spin.with_options(fuel=10_000)()
    assert instance.exports.count(5) == 5


def test_what_ran_before_the_fuel_was_gone_stays(new_runtime: Callable[..., Runtime]) -> None:
    instance = new_runtime(fuel=True).instantiate(
        '(module (memory (export "memory") 1) (func (export "f") (loop $l (i32.store (i32.const 0)'
        " (i32.add (i32.load (i32.const 0)) (i32.const 1))) (br $l))))"
    )
    with pytest.raises(FuelExhausted):
        instance.exports.f.with_options(fuel=600)()
    assert instance.memory.read_u32(0) == 600 // 7


def test_deadline(new_runtime: Callable[..., Runtime]) -> None:
    instance = new_runtime().instantiate(LOOPS)
    start = time.monotonic()
    with pytest.raises(Interrupted, match="timeout"):
        instance.exports.spin.with_options(timeout=0.1)()
    assert 0.05 < time.monotonic() - start < 30
    assert instance.exports.count(3) == 3


def test_closing_from_another_thread_stops_a_guest(runtime: Runtime) -> None:
    instance = runtime.instantiate(LOOPS)
    timer = threading.Timer(0.1, instance.close)
    timer.start()
    with pytest.raises(Interrupted):
        instance.exports.spin()
    timer.join()


def test_closed_instance_refuses_calls(runtime: Runtime) -> None:
    instance = runtime.instantiate(LOOPS)
    count, recurse = instance.exports.count, instance.exports.recurse
    recurse(3)
    instance.close()
    for function in (count, recurse):
        with pytest.raises(Interrupted):
            function(1)


def test_closed_instance_called_by_another(runtime: Runtime) -> None:
    owner = runtime.instantiate(
        '(module (func $f (export "f") (result i32) (i32.const 1)) (table (export "t") 1 funcref) (elem (i32.const 0) $f))', name="owner"
    )
    user = runtime.instantiate(
        '(module (import "owner" "f" (func $f (result i32))) (import "owner" "t" (table 1 funcref)) (type $t (func (result i32)))'
        '(func (export "direct") (result i32) (call $f)) (func (export "indirect") (result i32) (call_indirect (type $t) (i32.const 0)))'
        '(func (export "own") (result i32) (i32.const 2)))'
    )
    assert user.exports.direct() == user.exports.indirect() == 1
    owner.close()
    assert user.exports.own() == 2


def test_instance_that_closes_itself_from_a_host_function(runtime: Runtime) -> None:
    env = HostModule("env")

    @env.function
    def close() -> None:
        instance.close()

    instance = runtime.instantiate(
        '(module (import "env" "close" (func $close)) (func $leaf (loop)) (func (export "f") (call $close) (call $leaf)))', imports=[env]
    )
    with pytest.raises(Interrupted):
        instance.exports.f()


def test_closed_instances_are_given_back(new_runtime: Callable[..., Runtime]) -> None:
    runtime = new_runtime()
    module = runtime.compile(LOOPS)
    known = []
    for _ in range(20):
        instance = runtime.instantiate(module)
        instance.exports.count(2)
        instance.exports.recurse(2)
        known.append(weakref.ref(instance))
        instance.close()
        del instance
    gc.collect()
    assert [ref() for ref in known] == [None] * 20


def test_interruption_is_not_polled_when_switched_off(new_runtime: Callable[..., Runtime]) -> None:
    instance = new_runtime(interruptible=False).instantiate(LOOPS)
    assert instance.exports.count(10) == 10
    with pytest.raises(ValueError, match="interruptible"):
        instance.exports.count.with_options(timeout=1.0)(1)
