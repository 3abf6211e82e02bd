"""Exceptions of the guest: caught, passed on, and seen by the host; the older form of the proposal as well."""

from __future__ import annotations

import pytest

from core.tests.conformance.externs import tag_of
from purewasm import GuestException, HostModule, Runtime, Tag, Trap, i32


def test_uncaught_exception_reaches_the_host(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        '(module (tag $e (export "e") (param i32 f64)) (func $throw (throw $e (i32.const -5) (f64.const 1.5)))'
        '(func $middle (call $throw)) (func (export "f") (call $middle)))'
    )
    with pytest.raises(GuestException) as caught:
        instance.exports.f()
    assert caught.value.values == (-5, 1.5)
    assert caught.value.tag is instance.exports["e"]
    assert [0, 1, 2] == [frame.function_index for frame in caught.value.frames]


def test_tags_are_told_apart_by_identity(runtime: Runtime) -> None:
    thrower = '(module (tag $e (export "e") (param i32)) (func (export "throw") (param i32) (throw $e (local.get 0))))'
    runtime.instantiate(thrower, name="one")
    runtime.instantiate(thrower, name="two")
    catcher = runtime.instantiate(
        '(module (import "one" "e" (tag $e (param i32))) (import "one" "throw" (func $one (param i32)))'
        '(import "two" "throw" (func $two (param i32)))'
        '(func (export "f") (param i32 i32) (result i32) (block $h (result i32) (try_table (catch $e $h)'
        " (if (local.get 0) (then (call $one (local.get 1))) (else (call $two (local.get 1))))) (i32.const -1))))"
    )
    assert catcher.exports.f(1, 77) == 77
    with pytest.raises(GuestException) as caught:
        catcher.exports.f(0, 78)
    assert caught.value.values == (78,)


def test_exception_reference_is_thrown_again(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        "(module (tag $e (param i64)) (func $f (param i64) (result i64 exnref)"
        " (block $h (result i64 exnref) (try_table (catch_ref $e $h) (throw $e (local.get 0))) (unreachable)))"
        '(func (export "f") (param i64) (result i64) (local exnref) (call $f (local.get 0)) (local.set 1) (drop)'
        " (block $h (result i64) (try_table (catch $e $h) (throw_ref (local.get 1))) (unreachable))))"
    )
    assert instance.exports.f(-9) == -9


def test_traps_and_host_exceptions_are_not_caught(runtime: Runtime) -> None:
    env = HostModule("env")

    @env.function
    def fail() -> None:
        raise LookupError("of the host")

    instance = runtime.instantiate(
        '(module (import "env" "fail" (func $fail)) (func (export "host") (block $h (try_table (catch_all $h) (call $fail))))'
        '(func (export "trap") (block $h (try_table (catch_all $h) (unreachable)))))',
        imports=[env],
    )
    with pytest.raises(LookupError, match="of the host"):
        instance.exports.host()
    with pytest.raises(Trap):
        instance.exports.trap()


def test_host_function_throws_an_exception_of_the_guest(runtime: Runtime) -> None:
    tags: list[Tag] = []
    env = HostModule("env")

    @env.function
    def throw(value: i32) -> None:
        raise tags[0].exception(value + 1)

    instance = runtime.instantiate(
        '(module (import "env" "throw" (func $throw (param i32))) (tag $e (export "e") (param i32))'
        '(func (export "f") (param i32) (result i32) (block $h (result i32) (try_table (catch $e $h) (call $throw (local.get 0)))'
        " (i32.const 0))))",
        imports=[env],
    )
    tags.append(tag_of(instance, "e"))
    assert instance.exports.f(-3) == -2


def test_branches_and_returns_leave_a_try(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        '(module (tag $e) (func (export "f") (param i32) (result i32) (local i32)'
        " (loop $l (block $out (block $h (try_table (catch_all $h)"
        "  (local.set 1 (i32.add (local.get 1) (i32.const 1)))"
        "  (br_if $l (i32.lt_u (local.get 1) (local.get 0)))"
        "  (br_if $out (i32.eq (local.get 1) (i32.const 5)))"
        "  (if (i32.eq (local.get 1) (i32.const 6)) (then (return (i32.const 600))))"
        "  (throw $e))) (return (i32.add (i32.const 1000) (local.get 1)))))"
        " (local.get 1)))"
    )
    assert [1001, 1004, 5, 600, 1007] == [instance.exports.f(n) for n in (1, 4, 5, 6, 7)]


@pytest.mark.parametrize("depth", [10, 60])
def test_nested_tries(runtime: Runtime, depth: int) -> None:
    opening = " ".join(f"(block $h{i} (try_table (catch $e{i} $h{i})" for i in range(depth))
    closing = "".join(f") (br $done)) (local.set 1 (i32.add (local.get 1) (i32.const {i + 100})))" for i in reversed(range(depth)))
    throws = "".join(f"(if (i32.eq (local.get 0) (i32.const {i})) (then (throw $e{i})))" for i in range(depth))
    tags = " ".join(f"(tag $e{i})" for i in range(depth))
    instance = runtime.instantiate(
        f'(module {tags} (func (export "f") (param i32) (result i32) (local i32) (block $done {opening} {throws} {closing}) (local.get 1)))'
    )
    # what handler i leads to ends in the try around it, which has nothing else to do
    for i in (0, 1, depth // 2, depth - 1):
        assert instance.exports.f(i) == i + 100
    assert instance.exports.f(depth) == 0


LEGACY = """(module (tag $e (param i32)) (tag $other)
  (func $throw (param i32) (if (local.get 0) (then (throw $e (local.get 0))) (else (throw $other))))
  (func (export "catch") (param i32) (result i32)
    (try (result i32) (do (call $throw (local.get 0)) (i32.const 0))
      (catch $e (i32.add (i32.const 10)))
      (catch_all (i32.const -1))))
  (func (export "rethrow") (param i32) (result i32)
    (try (result i32)
      (do (try (result i32) (do (call $throw (local.get 0)) (i32.const 0)) (catch $e (drop) (rethrow 0))))
      (catch $e (i32.mul (i32.const 2)))
      (catch_all (i32.const -2))))
  (func (export "delegate") (param i32) (result i32)
    (try $outer (result i32)
      (do (try (result i32)
        (do (try (result i32) (do (call $throw (local.get 0)) (i32.const 0)) (delegate $outer)))
        (catch_all (i32.const 111))))
      (catch $e (i32.sub (i32.const 1)))
      (catch_all (i32.const -3))))
  (func (export "loop") (param i32) (result i32) (local i32)
    (loop $l (result i32)
      (try (result i32)
        (do (local.set 1 (i32.add (local.get 1) (i32.const 1))) (call $throw (local.get 0)) (i32.const 0))
        (catch $e (br_if $l (i32.lt_u (local.get 1) (i32.const 5))) (drop) (local.get 1))
        (catch_all (i32.const -4))))))"""


def test_older_form(runtime: Runtime) -> None:
    exports = runtime.instantiate(
        LEGACY.replace("(br_if $l", "(drop) (br_if $l").replace(") (drop) (local.get 1))", ") (local.get 1))")
    ).exports
    assert [17, -1] == [exports.catch(n) for n in (7, 0)]
    assert [14, -2] == [exports.rethrow(n) for n in (7, 0)]
    assert [6, -3] == [exports.delegate(n) for n in (7, 0)]
    assert [5, -4] == [exports.loop(n) for n in (7, 0)]
