"""Exceptions that cross instances and host functions, references to them, and what is never caught."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import pytest

from core.tests.conformance.externs import function_of, global_of, table_of
from purewasm import FuelExhausted, GuestException, HostModule, Interrupted, Runtime, Trap, i32
from purewasm.binary.body import decode_body
from purewasm.wasm.opcodes import NAME

THROWER = """(module (tag $e (export "e") (param i32 i64)) (memory 1) (data (i32.const 0) "thrower!")
  (func (export "throw") (param i32) (result i32)
    (if (local.get 0) (then (throw $e (local.get 0) (i64.load (i32.const 0)))))
    (i32.load8_u (i32.const 0))))"""
BETWEEN = """(module (import "thrower" "throw" (func $throw (param i32) (result i32))) (memory 1) (data (i32.const 0) "between!")
  (func (export "pass") (param i32) (result i32) (i32.add (call $throw (local.get 0)) (i32.load8_u (i32.const 0)))))"""
CATCHER = """(module (import "thrower" "e" (tag $e (param i32 i64))) (import "between" "pass" (func $pass (param i32) (result i32)))
  (tag $other (param i32 i64)) (memory 1) (data (i32.const 0) "catcher!")
  (func (export "f") (param i32) (result i32 i64 i64) (local i32 i64 i64)
    (local.set 2 (i64.const 77))
    (block $h (result i32 i64)
      (try_table (catch $other $h) (catch $e $h) (local.set 1 (call $pass (local.get 0))))
      (i32.const -1) (i64.const -2))
    (local.set 3) (local.set 1)
    (local.get 1) (local.get 3) (i64.add (local.get 2) (i64.load8_u (i32.const 0)))))"""


def test_an_exception_passes_other_instances(runtime: Runtime) -> None:
    runtime.instantiate(THROWER, name="thrower")
    runtime.instantiate(BETWEEN, name="between")
    catcher = runtime.instantiate(CATCHER)
    word = int.from_bytes(b"thrower!", "little")
    assert catcher.exports.f(9) == (9, word, 77 + ord("c"))
    assert catcher.exports.f(0) == (-1, -2, 77 + ord("c"))


def test_a_tag_of_the_host(runtime: Runtime) -> None:
    env = HostModule("env")
    tag = env.add_tag("failed", ("i32",))

    @env.function
    def fail(value: i32) -> None:
        raise tag.exception(value * 2)

    instance = runtime.instantiate(
        '(module (import "env" "failed" (tag $e (param i32))) (import "env" "fail" (func $fail (param i32)))'
        '(func (export "f") (param i32) (result i32) (block $h (result i32) (try_table (catch $e $h) (call $fail (local.get 0))) '
        '(i32.const 0))) (func (export "throw") (param i32) (throw $e (local.get 0))))',
        imports=[env],
    )
    assert instance.exports.f(21) == 42
    with pytest.raises(GuestException) as caught:
        instance.exports.throw(5)
    assert caught.value.tag is tag
    assert caught.value.values == (5,)


def test_an_exception_passes_a_host_function_between_guests(runtime: Runtime) -> None:
    env = HostModule("env")
    called: list[Callable[[int], object]] = []
    seen: list[object] = []

    @env.function
    def bounce(depth: i32) -> None:
        try:
            called[0](depth)
        except GuestException as error:
            seen.append(error.values)
            raise
        finally:
            seen.append(depth)

    instance = runtime.instantiate(
        '(module (import "env" "bounce" (func $bounce (param i32))) (tag $e (param i32)) (tag $never)'
        '(func (export "f") (param i32) (result i32) (local i32) (local.set 1 (i32.mul (local.get 0) (i32.const 100)))'
        " (block $h (result i32) (try_table (catch $e $h) (call $back (local.get 0))) (i32.const -1)) (i32.add (local.get 1)))"
        '(func $back (export "back") (param i32)'
        " (if (i32.eqz (local.get 0)) (then (throw $e (i32.const 7))))"
        " (block $h (try_table (catch $never $h) (call $bounce (i32.sub (local.get 0) (i32.const 1)))))))",
        imports=[env],
    )
    called.append(function_of(instance, "back"))
    assert instance.exports.f(3) == 307
    assert seen == [(7,), 0, (7,), 1, (7,), 2]


def test_the_exception_that_arrives_is_the_one_that_was_raised(runtime: Runtime) -> None:
    env = HostModule("env")
    tag = env.add_tag("e")
    made = tag.exception()

    @env.function
    def fail() -> None:
        raise made

    instance = runtime.instantiate(
        '(module (import "env" "e" (tag $e)) (import "env" "fail" (func $fail)) (global $g (export "g") (mut exnref) (ref.null exn))'
        ' (table $t (export "t") 2 exnref)'
        '(func (export "f") (result exnref) (block $h (result exnref) (try_table (catch_all_ref $h) (call $fail)) (unreachable))'
        " (global.set $g) (table.set $t (i32.const 1) (global.get $g)) (global.get $g))"
        '(func (export "again") (param exnref) (throw_ref (local.get 0)))'
        '(func (export "same") (param exnref) (result i32) (block $h (result exnref)'
        " (try_table (catch_all_ref $h) (throw_ref (local.get 0))) (unreachable)) (ref.is_null)))",
        imports=[env],
    )
    assert instance.exports.f() is made
    assert global_of(instance, "g").value is made
    assert table_of(instance, "t")[1] is made
    assert table_of(instance, "t")[0] is None
    with pytest.raises(GuestException) as caught:
        instance.exports.again(made)
    assert caught.value is made
    assert instance.exports.same(made) == 0
    with pytest.raises(Trap, match="null exception reference"):
        instance.exports.again(None)
    with pytest.raises(TypeError):
        instance.exports.again(5)


def test_values_of_every_type(runtime: Runtime) -> None:
    types = "i32 i64 f32 f64 v128 externref funcref i32 i64 i32 i64 f64 v128"
    instance = runtime.instantiate(
        f'(module (tag $e (export "e") (param {types})) (func $f (export "f") (result i32) (i32.const 1))'
        f'(func (export "throw") (param {types}) {" ".join(f"(local.get {i})" for i in range(13))} (throw $e))'
        f'(func (export "catch") (param {types}) (result {types}) (block $h (result {types}) (try_table (catch $e $h)'
        f" {' '.join(f'(local.get {i})' for i in range(13))} (throw $e)) (unreachable))))"
    )
    thing, function = object(), instance.exports["f"]
    values = (-1, -(1 << 63), 1.5, -2.25, bytes(range(16)), thing, function, 2, 3, 4, 5, 6.5, bytes(16))
    assert instance.exports.catch(*values) == values
    with pytest.raises(GuestException) as caught:
        instance.exports.throw(*values)
    assert caught.value.values == values
    assert instance.exports.catch(*values[:5], None, None, *values[7:])[5:7] == (None, None)


def test_an_exception_passes_many_frames(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        '(module (tag $e (param i32)) (func $deep (export "deep") (param i32) (result i32)'
        " (if (i32.eqz (local.get 0)) (then (throw $e (i32.const 5))))"
        " (i32.add (call $deep (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))"
        '(func (export "f") (param i32) (result i32) (block $h (result i32) (try_table (catch $e $h) (call $deep (local.get 0)) (drop))'
        " (i32.const -1))))"
    )
    assert instance.exports.f(150) == 5
    with pytest.raises(GuestException) as caught:
        instance.exports.deep(150)
    assert len(caught.value.frames) == 151


def test_what_is_no_exception_is_not_caught(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        '(module (tag $e) (func $deep (call $deep)) (func $divide (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))'
        '(func (export "deep") (block $h (try_table (catch_all $h) (call $deep))))'
        '(func (export "divide") (block $h (try_table (catch_all $h) (drop (call $divide (i32.const 0))))))'
        '(func (export "handler") (local i32) (block $h (try_table (catch_all $h) (throw $e))) (drop (call $divide (local.get 0)))))'
    )
    with pytest.raises(Trap, match="call stack exhausted"):
        instance.exports.deep()
    with pytest.raises(Trap, match="integer divide by zero"):
        instance.exports.divide()
    with pytest.raises(Trap, match="integer divide by zero") as caught:
        instance.exports.handler()
    assert [frame.function_index for frame in caught.value.frames] == [1, 4]


SPINNING = """(module (tag $e) (func $throw (throw $e))
  (func (export "f") (loop $l (block $h (try_table (catch_all $h) (call $throw))) (br $l)))
  (func (export "some") (param i32) (loop $l (block $h (try_table (catch_all $h) (call $throw)))
    (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"""


def test_a_guest_that_throws_for_ever_is_stopped(runtime: Runtime) -> None:
    instance = runtime.instantiate(SPINNING)
    with pytest.raises(Interrupted):
        function_of(instance, "f").with_options(timeout=0.05)()
    instance.exports.some(3)


def test_fuel_is_counted_across_throws(new_runtime: Callable[..., Runtime]) -> None:
    instance = new_runtime(fuel=True).instantiate(SPINNING)
    some = function_of(instance, "some")
    # a turn costs 8, and throwing is part of it
    least = next(fuel for fuel in range(1, 200) if _is_enough(some.with_options(fuel=fuel), 1))
    assert _is_enough(some.with_options(fuel=10 * least), 10)
    more = next(fuel for fuel in range(1, 400) if _is_enough(some.with_options(fuel=fuel), 11))
    ten = next(fuel for fuel in range(1, 400) if _is_enough(some.with_options(fuel=fuel), 10))
    assert more - ten == least == ten // 10
    with pytest.raises(FuelExhausted):
        function_of(instance, "f").with_options(fuel=1000)()


def _is_enough(function: Callable[[int], object], turns: int) -> bool:
    try:
        function(turns)
    except FuelExhausted:
        return False
    return True


class _Thing:
    pass


def test_what_an_exception_carried_is_let_go(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        '(module (tag $e (param externref)) (func (export "f") (param externref) (block $h (result externref)'
        " (try_table (catch $e $h) (throw $e (local.get 0))) (unreachable)) (drop)))"
    )
    things = [_Thing() for _ in range(5000)]
    last = weakref.ref(things[0])
    for thing in things:
        instance.exports.f(thing)
    del things, thing
    for _ in range(5000):
        instance.exports.f(object())
    gc.collect()
    assert last() is None


def test_a_reference_from_the_host_is_thrown(runtime: Runtime) -> None:
    env = HostModule("env")
    tag = env.add_tag("e", ("i32",))

    env.add_function("make", tag.exception, ("i32",), ("exnref",))
    instance = runtime.instantiate(
        '(module (import "env" "e" (tag $e (param i32))) (import "env" "make" (func $make (param i32) (result exnref)))'
        '(func (export "f") (param i32) (result i32) (block $h (result i32)'
        " (try_table (catch $e $h) (throw_ref (call $make (local.get 0)))) (unreachable))))",
        imports=[env],
    )
    assert instance.exports.f(12) == 12


THROWN_AGAIN = """(module (import "e" "t" (tag $t)) (import "e" "g" (func $g)) (tag $u) (func $inner (throw $t))
  (func $rethrow (export "rethrow") (try (do (call $inner)) (catch_all (rethrow 0))))
  (func $local (export "local") (try (do (throw $t)) (catch $t (rethrow 0))))
  (func $twice (export "twice") (try (do (call $rethrow)) (catch $t (try (do (rethrow 1)) (catch_all (rethrow 1))))))
  (func $delegate (export "delegate") (try (do (try (do (call $inner)) (delegate 0))) (catch $u)))
  (func $again (export "again") (try (do (try (do (call $inner)) (delegate 0))) (catch_all (rethrow 0))))
  (func $reference (export "reference") (block $x (result exnref) (try_table (catch_all_ref $x) (call $inner)) (return)) (throw_ref))
  (func $across (export "across") (try (do (call $g)) (catch_all (rethrow 0))))
  (func (export "f") (param $index i32) (call_indirect (local.get $index)))
  (table funcref (elem $rethrow $local $twice $delegate $again $reference $across)))"""


@pytest.mark.parametrize(("index", "expected"), [
    (0, ["rethrow rethrow"]), (1, ["local rethrow"]), (2, ["twice rethrow"]), (3, ["inner throw", "delegate call"]),
    (4, ["again rethrow"]), (5, ["reference throw_ref"]), (6, ["g throw", "across rethrow"]),
])  # fmt: skip
def test_frames_of_what_is_thrown_again(runtime: Runtime, index: int, expected: list[str]) -> None:
    maker = runtime.instantiate('(module $maker (tag $t (export "t")) (func (export "g") (throw $t)))')
    user = runtime.instantiate(THROWN_AGAIN, imports={"e": {"t": maker.exports.t, "g": lambda: maker.exports.g()}})
    with pytest.raises(GuestException) as caught:
        user.exports.f(index)
    found = []
    for frame in caught.value.frames:
        wasm = maker.wasm if frame.module == "maker" else user.wasm
        body = decode_body(wasm, wasm.codes[frame.function_index - wasm.imported_functions])
        found.append(f"{frame.function} {NAME[body.ops[body.offsets.index(frame.offset)]]}")
    assert found == [*expected, "f call_indirect"]
