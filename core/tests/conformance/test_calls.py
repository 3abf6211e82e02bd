"""Calls: recursion and its end, tail calls, types of indirect calls."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest

from purewasm import Runtime, Trap, traps

if TYPE_CHECKING:
    from collections.abc import Callable

RECURSION = """(module
  (func $forever (export "forever") (call $forever))
  (func $sum (export "sum") (param i64) (result i64)
    (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 0))
      (else (i64.add (local.get 0) (call $sum (i64.sub (local.get 0) (i64.const 1))))))))"""


def below(depth: int, call: Callable[[], object]) -> object:
    """Call it with so many Python frames below."""
    return call() if depth == 0 else below(depth - 1, call)


@pytest.mark.parametrize("depth", [0, 400, 800])
def test_endless_recursion_is_a_trap_at_any_depth_of_the_caller(runtime: Runtime, depth: int) -> None:
    instance = runtime.instantiate(RECURSION)
    limit = sys.getrecursionlimit()
    with pytest.raises(Trap) as caught:
        below(depth, instance.exports.forever)
    assert traps.CALL_STACK_EXHAUSTED == caught.value.code == str(caught.value)
    assert sys.getrecursionlimit() == limit


@pytest.mark.parametrize("depth", [0, 800])
def test_deep_recursion_that_ends(runtime: Runtime, depth: int) -> None:
    instance = runtime.instantiate(RECURSION)
    assert below(depth, lambda: instance.exports.sum(10_000)) == 50_005_000
    assert below(depth, lambda: instance.exports.sum(10_000)) == 50_005_000


def test_the_stack_is_as_deep_as_asked_for(new_runtime: Callable[..., Runtime]) -> None:
    small = new_runtime(max_stack_bytes=64 * 1024).instantiate(RECURSION)
    assert small.exports.sum(100) == 5050
    with pytest.raises(Trap, match=traps.CALL_STACK_EXHAUSTED):
        small.exports.sum(100_000)


def test_recursion_in_several_threads(runtime: Runtime) -> None:
    results: list[object] = []

    def work() -> None:
        instance = runtime.instantiate(RECURSION)
        results.append(instance.exports.sum(8000))
        with pytest.raises(Trap):
            instance.exports.forever()
        results.append(instance.exports.sum(8000))

    limit = sys.getrecursionlimit()
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [32_004_000] * 8 == results
    assert sys.getrecursionlimit() == limit


def test_chain_of_first_calls(runtime: Runtime) -> None:
    functions = " ".join(f"(func $f{i} (result i32) (i32.add (i32.const 1) (call $f{i + 1})))" for i in range(3000))
    instance = runtime.instantiate(f'(module {functions} (func $f3000 (result i32) (i32.const 1)) (export "f" (func $f0)))')
    assert instance.exports.f() == 3001


TAIL = """(module
  (type $t (func (param i32) (result i32)))
  (table 2 funcref) (elem (i32.const 0) $even $odd)
  (func $even (export "even") (type $t)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
    (return_call $odd (i32.sub (local.get 0) (i32.const 1))))
  (func $odd (type $t)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
    (return_call $even (i32.sub (local.get 0) (i32.const 1))))
  (func $count (export "count") (param i32 i32) (result i32) (local i32)
    (if (local.get 2) (then (unreachable)))
    (local.set 2 (i32.const 1))
    (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
    (return_call $count (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 2))))
  (func $through (export "through") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 9))))
    (return_call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 1)))
  (elem declare func $ref)
  (func $ref (export "ref") (type $t)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 5))))
    (return_call_ref $t (i32.sub (local.get 0) (i32.const 1)) (ref.func $ref)))
  (func (export "add") (param i32) (result i32) (i32.add (call $even (local.get 0)) (call $ref (local.get 0)))))"""


def test_tail_calls_do_not_grow_the_stack(runtime: Runtime) -> None:
    exports = runtime.instantiate(TAIL).exports
    assert exports.even(100_001) == 0
    assert exports.count(100_000, 0) == 200_000
    assert exports.ref(100_000) == 5
    assert exports.through(100_000) == 1
    assert exports.add(50_000) == 6


def test_tail_calls_between_instances(runtime: Runtime) -> None:
    first = runtime.instantiate(
        '(module (type $t (func (param i32) (result i32))) (table (export "table") 2 funcref) (elem (i32.const 0) $f)'
        '(func $f (export "f") (type $t) (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))'
        "(return_call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 1))))",
        name="first",
    )
    runtime.instantiate(
        '(module (import "first" "f" (func $f (param i32) (result i32))) (import "first" "table" (table 2 funcref))'
        "(elem (i32.const 1) $g) (func $g (param i32) (result i32)"
        "(if (i32.eqz (local.get 0)) (then (return (i32.const 2)))) (return_call $f (i32.sub (local.get 0) (i32.const 1)))))"
    )
    assert first.exports.f(60_000) == 1
    assert first.exports.f(60_001) == 2


def test_exception_of_a_tail_callee_is_not_caught_by_its_caller(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        "(module (tag $e) (func $throw (throw $e))"
        "(func $middle (block $h (try_table (catch_all $h) (return_call $throw))))"
        '(func (export "f") (result i32) (block $h (try_table (catch $e $h) (call $middle)) (return (i32.const 0))) (i32.const 1)))'
    )
    assert instance.exports.f() == 1


def test_call_indirect_takes_functions_of_a_subtype(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        "(module (type $a (sub (func (result i32)))) (type $b (sub $a (func (result i32)))) (type $c (func (result i32)))"
        "(table 3 funcref) (elem (i32.const 0) $fa $fb $fc)"
        "(func $fa (type $a) (i32.const 1)) (func $fb (type $b) (i32.const 2)) (func $fc (type $c) (i32.const 3))"
        '(func (export "a") (param i32) (result i32) (call_indirect (type $a) (local.get 0)))'
        '(func (export "b") (param i32) (result i32) (call_indirect (type $b) (local.get 0))))'
    )
    assert [1, 2] == [instance.exports.a(i) for i in (0, 1)]
    assert instance.exports.b(1) == 2
    for function, index in ((instance.exports.a, 2), (instance.exports.b, 0)):
        with pytest.raises(Trap, match=traps.INDIRECT_CALL_TYPE):
            function(index)


def test_arguments_are_checked(runtime: Runtime) -> None:
    add = runtime.instantiate(
        '(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))'
    ).exports.add
    assert add(2**32 - 1, -(2**31)) == 2**31 - 1
    for arguments in ((1,), (1, 2, 3), ("1", 2), (1.0, 2), (None, 1)):
        with pytest.raises(TypeError):
            add(*arguments)
    for value in (2**32, -(2**31) - 1, 2**80):
        with pytest.raises(OverflowError):
            add(value, 1)


def test_several_results(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        "(module (func $two (param i32) (result i64 f32) (i64.extend_i32_s (local.get 0)) (f32.const 0.1))"
        '(func (export "f") (param i32) (result f32 i64 i32) (local i64) (call $two (local.get 0)) (block (param i64 f32) '
        "(result i64 f32) (nop)) (drop) (local.set 1) (f32.const 1.5) (local.get 1) (i32.const -1)))"
    )
    assert instance.exports.f(-3) == (1.5, -3, -1)
