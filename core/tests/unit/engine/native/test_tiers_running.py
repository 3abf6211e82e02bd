"""Code that is replaced while it runs: in several threads, with deadlines, in the middle of exceptions, in functions of all sizes."""

from __future__ import annotations

import random
import threading
import time
from typing import Final

import pytest

from purewasm import GuestException, Instance, Interrupted, Runtime

FORCED: Final = (1, 2, 3, 7, 30, 1 << 62)
GUEST: Final = """(module $guest
  (import "host" "tick" (func $tick (param i32) (result i32)))
  (memory 1)
  (type $binary (func (param i32 i32) (result i32)))
  (table funcref (elem $mix $steps))
  (func $mix (type $binary)
    (i32.add (i32.mul (local.get 0) (i32.const 31)) (i32.rotl (local.get 1) (local.get 0))))
  (func $steps (type $binary) (local $i i32) (local $j i32) (local $sum i32)
    (loop $outer
      (local.set $j (i32.const 0))
      (loop $inner
        (local.set $sum (call_indirect (type $binary) (local.get $sum) (local.get $j) (i32.const 0)))
        (i32.store (i32.and (local.get $sum) (i32.const 0xfffc)) (local.get $i))
        (br_if $inner (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get 1))))
      (br_if $outer (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get 0))))
    (local.get $sum))
  (func $deep (param i32) (result i32) (local $i i32)
    (if (result i32) (i32.eqz (local.get 0)) (then (call $tick (i32.const 5))) (else
      (loop $l (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3))))
      (i32.add (local.get $i) (call $deep (i32.sub (local.get 0) (i32.const 1)))))))
  (func (export "run") (param $n i32) (result i32) (local $i i32) (local $x i32)
    (loop $l
      (local.set $x (i32.add (local.get $x) (call $steps (i32.and (local.get $i) (i32.const 7)) (i32.const 5))))
      (local.set $x (i32.xor (local.get $x) (call $deep (i32.and (local.get $i) (i32.const 15)))))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $x))
  (func (export "spin") (loop $l (br $l)))
  (tag $tag (export "tag") (param i32))
  (func $thrower (param i32) (local $i i32)
    (loop $l
      (if (i32.eq (local.get $i) (local.get 0)) (then (throw $tag (local.get $i))))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100)))))
  (func (export "catch") (param i32) (result i32)
    (block $h (result i32) (try_table (catch $tag $h) (call $thrower (local.get 0))) (i32.const -1)))
  (func (export "throw") (param i32) (call $thrower (local.get 0)))
)"""


def instantiate(after: int, **options: object) -> Instance:
    runtime = Runtime(engine="compiler", optimize_after=after, **options)
    return runtime.instantiate(GUEST, imports={"host": {"tick": lambda x: x + 1}})


@pytest.fixture(scope="module")
def expected() -> int:
    result = instantiate(0).exports.run(300)
    assert isinstance(result, int)
    return result


@pytest.mark.parametrize("after", FORCED)
@pytest.mark.parametrize("options", [{}, {"fuel": True}, {"explicit_checks": True}, {"interruptible": False}], ids=str)
def test_results_are_the_same(after: int, options: dict[str, object], expected: int) -> None:
    instance = instantiate(after, **options)
    assert [instance.exports.run(300) for _ in range(3)] == [expected] * 3


@pytest.mark.parametrize("after", FORCED)
def test_exceptions_pass_through_code_of_every_tier(after: int) -> None:
    exports = instantiate(after).exports
    for place in (0, 1, 5, 50, 99, 100, 3):
        assert exports.catch(place) == (place if place < 100 else -1)
        if place < 100:
            with pytest.raises(GuestException) as caught:
                exports.throw(place)
            assert [frame.function for frame in caught.value.frames] == ["thrower", "throw"]


@pytest.mark.parametrize("after", FORCED)
def test_deadlines_end_loops_of_every_tier(after: int) -> None:
    exports = instantiate(after).exports
    for _ in range(2):
        with pytest.raises(Interrupted):
            exports.spin.with_options(timeout=0.05)()


def test_closing_ends_a_loop_that_has_been_replaced() -> None:
    instance = instantiate(10)
    closer = threading.Timer(0.1, instance.close)
    closer.start()
    with pytest.raises(Interrupted):
        instance.exports.spin()
    closer.join()


@pytest.mark.parametrize("after", [1, 20, 500])
def test_threads_share_what_is_made(after: int, expected: int) -> None:
    with Runtime(engine="compiler", optimize_after=after) as runtime:
        module = runtime.compile(GUEST)
        results: list[object] = []

        def work(seed: int) -> None:
            exports = runtime.instantiate(module, imports={"host": {"tick": lambda x: x + 1}}).exports
            time.sleep(random.Random(seed).random() / 100)
            results.extend(exports.run(300) for _ in range(5))

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert results == [expected] * 30
