"""Guests whose frames are put aside by a library that switches between stacks, as host functions of gevent programs do."""

from __future__ import annotations

import gc
import random
from typing import TYPE_CHECKING, Final

import greenlet
import pytest

from purewasm import Runtime, Trap
from purewasm.engine.native import handles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purewasm import Instance

SUMS: Final = """(module (import "m" "switch" (func $switch (param i32) (result i32)))
  (func (export "sum") (param i32) (result i32) (local i32)
    (local.set 1 (i32.mul (local.get 0) (i32.const 7)))
    (i32.add (call $switch (local.get 0)) (local.get 1)))
  (func (export "trap") (param i32) (result i32) (drop (call $switch (local.get 0))) (unreachable)))"""

OBJECTS: Final = """(module
  (type $list (struct (field (mut i32)) (field (ref null $list)))) (type $numbers (struct (field (mut i64)) (field (mut i64))))
  (import "m" "switch" (func $switch (param i32) (result i32)))
  (func $make (param i32) (result (ref $list))
    (struct.new $list (local.get 0) (struct.new $list (i32.add (local.get 0) (i32.const 1)) (ref.null $list))))
  (func (export "hold") (param i32) (result i32) (local (ref null $list))
    (local.set 1 (call $make (local.get 0)))
    (drop (call $switch (local.get 0)))
    (i32.add (i32.mul (i32.const 1000) (struct.get $list 0 (local.get 1))) (struct.get $list 0 (struct.get $list 1 (local.get 1)))))
  (func (export "churn") (param i32)
    (loop $again
      (drop (struct.new $numbers (i64.const -1) (i64.const -1)))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"""

EXTERNS: Final = """(module
  (import "m" "switch" (func $switch (param i32) (result i32)))
  (import "m" "fresh" (func $fresh (result externref))) (import "m" "check" (func $check (param externref i32)))
  (func (export "hold") (param i32) (result i32) (local externref)
    (local.set 1 (call $fresh))
    (drop (call $switch (local.get 0)))
    (call $check (local.get 1) (local.get 0))
    (local.get 0))
  (func (export "churn") (param i32)
    (loop $again (drop (call $fresh)) (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"""


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime(engine="compiler") as made:
        yield made


def instantiate(runtime: Runtime, text: str, **functions: object) -> Instance:
    """With a host function that switches to the greenlet of the test."""
    outer = greenlet.getcurrent()
    return runtime.instantiate(text, imports={"m": {"switch": outer.switch, **functions}})


def test_guests_end_in_any_order(runtime: Runtime) -> None:
    exports = instantiate(runtime, SUMS).exports

    def run(name: str, number: int) -> int | str:
        try:
            result: int = getattr(exports, name)(number)
        except Trap as trap:
            return str(trap)
        return result

    for seed in range(20):
        guests = [greenlet.greenlet(run) for _ in range(6)]
        for number, guest in enumerate(guests):
            assert guest.switch(("sum", "trap")[number % 2], number) == number
        order = list(range(6))
        random.Random(seed).shuffle(order)
        for number in order:
            result = guests[number].switch(100)
            assert result == 100 + 7 * number if number % 2 == 0 else "unreachable" in result


def test_objects_of_guests_out_of_sight_stay(runtime: Runtime) -> None:
    exports = instantiate(runtime, OBJECTS).exports
    for _ in range(5):
        guests = [greenlet.greenlet(exports.hold) for _ in range(6)]
        for number, guest in enumerate(guests):
            guest.switch(number)
        exports.churn(300_000)
        for number, guest in enumerate(guests):
            assert guest.switch(5) == 1000 * number + number + 1


def test_the_heap_is_collected_again_when_they_are_back() -> None:
    with Runtime(engine="compiler", heap_limit_bytes=16 << 20) as runtime:
        exports = instantiate(runtime, OBJECTS).exports
        guests = [greenlet.greenlet(exports.hold) for _ in range(3)]
        for number, guest in enumerate(guests):
            guest.switch(number)
        with pytest.raises(Trap, match="out of heap memory"):
            exports.churn(3_000_000)
        for number in (1, 0, 2):
            assert guests[number].switch(5) == 1000 * number + number + 1
        exports.churn(3_000_000)


class Thing:
    """A host object."""

    alive = 0

    def __init__(self) -> None:
        Thing.alive += 1

    def __del__(self) -> None:
        Thing.alive -= 1


def test_host_objects_of_guests_out_of_sight_stay(runtime: Runtime) -> None:
    def check(thing: object, number: int) -> None:
        assert type(thing) is Thing

    gc.collect()
    handles.LIMIT.words[0] = 0
    exports = instantiate(runtime, EXTERNS, fresh=Thing, check=check).exports
    guests = [greenlet.greenlet(exports.hold) for _ in range(4)]
    for number, guest in enumerate(guests):
        guest.switch(number)
    handles.LIMIT.words[0] = 0
    exports.churn(5000)
    for number in (2, 0, 3, 1):
        assert guests[number].switch(5) == number
    handles.LIMIT.words[0] = 0
    exports.churn(5000)
    assert Thing.alive < 5000
