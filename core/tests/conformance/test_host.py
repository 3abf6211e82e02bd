"""Host functions: values both ways, exceptions that pass through, guests that are called from within."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from purewasm import Caller, HostModule, Instance, Runtime, Trap, f32, f64, i32, i64, traps

if TYPE_CHECKING:
    from collections.abc import Callable


def module_of(function: Callable[..., object]) -> HostModule:
    made = HostModule("env")
    made.function(function)
    return made


def test_values_both_ways(runtime: Runtime) -> None:
    seen: list[tuple[object, ...]] = []

    def take(a: i32, b: i64, c: f32, d: f64) -> tuple[i32, i64, f32, f64]:
        seen.append((a, b, c, d))
        return a + 1, b + 1, c * 2, -d

    instance = runtime.instantiate(
        '(module (import "env" "take" (func $take (param i32 i64 f32 f64) (result i32 i64 f32 f64)))'
        '(func (export "f") (param i32 i64 f32 f64) (result i32 i64 f32 f64)'
        " (call $take (local.get 0) (local.get 1) (local.get 2) (local.get 3))))",
        imports=[module_of(take)],
    )
    assert instance.exports.f(-1, -(2**63), 0.1, 2.5) == (0, 1 - 2**63, seen[0][2] * 2, -2.5)  # type: ignore[operator]
    assert seen == [(-1, -(2**63), seen[0][2], 2.5)]


@pytest.mark.parametrize(("signature", "value", "error"), [
    ("(result i32)", "text", TypeError), ("(result i32)", None, TypeError), ("(result i32)", 2**32, OverflowError), ("", 5, TypeError),
    ("(result i32 i32)", 5, TypeError), ("(result i32 i32)", (1, 2, 3), TypeError), ("(result f64)", "1.0", TypeError),
])  # fmt: skip
def test_wrong_results_are_errors(runtime: Runtime, signature: str, value: object, error: type[Exception]) -> None:
    env = HostModule("env")
    results = signature.strip("()").split()[1:]
    env.add_function("bad", lambda: value, [], results)
    instance = runtime.instantiate(
        f'(module (import "env" "bad" (func $bad {signature})) (func (export "f") {signature} (call $bad)))', imports=[env]
    )
    with pytest.raises(error):
        instance.exports.f()


@pytest.mark.parametrize("kind", [IndexError, ZeroDivisionError, OverflowError, AttributeError, KeyError, RuntimeError])
def test_exception_of_the_host_passes_unchanged(runtime: Runtime, kind: type[Exception]) -> None:
    raised = kind("mine")

    def fail(x: i32) -> None:
        raise raised

    instance = runtime.instantiate(
        '(module (import "env" "fail" (func $fail (param i32))) (memory 1) (func $inner (call $fail (i32.load (i32.const 0))))'
        '(func (export "f") (call $inner)))',
        imports=[module_of(fail)],
    )
    with pytest.raises(kind) as caught:
        instance.exports.f()
    assert caught.value is raised
    (note,) = caught.value.__notes__
    assert "inner" in note
    assert note.index("inner") < note.index("\n  f at")


def test_exception_of_a_builtin_is_no_trap(runtime: Runtime) -> None:
    env = HostModule("env")
    env.add_function("pop", [].pop, [], ["i32"])
    instance = runtime.instantiate(
        '(module (import "env" "pop" (func $p (result i32))) (func (export "f") (result i32) (call $p)))', imports=[env]
    )
    with pytest.raises(IndexError, match="pop from empty list"):
        instance.exports.f()


def reentrant(runtime: Runtime, again: Callable[[Instance, int], int]) -> Instance:
    """A guest whose `f(n)` calls `again(instance, n)` in the host."""
    env = HostModule("env")

    @env.function
    def call(caller: Caller, n: i32) -> i32:
        return again(caller.instance, n)

    return runtime.instantiate(
        '(module (import "env" "call" (func $call (param i32) (result i32)))'
        '(func $f (export "f") (param i32) (result i32) (i32.add (i32.const 1) (call $call (local.get 0))))'
        '(func $deep (export "deep") (param i32 i32) (result i32)'
        " (if (local.get 0) (then (return (call $deep (i32.sub (local.get 0) (i32.const 1)) (local.get 1))))) (call $call (local.get 1))))",
        imports=[env],
    )


def test_guest_calls_host_calls_guest(runtime: Runtime) -> None:
    instance = reentrant(runtime, lambda instance, n: instance.exports.f(n - 1) if n else 0)
    assert instance.exports.f(50) == 51


def test_endless_re_entry_is_a_trap(runtime: Runtime) -> None:
    limit = sys.getrecursionlimit()
    instance = reentrant(runtime, lambda instance, n: instance.exports.f(n))
    with pytest.raises(Trap) as caught:
        instance.exports.f(1)
    assert traps.CALL_STACK_EXHAUSTED == caught.value.code
    assert sys.getrecursionlimit() == limit


def test_trap_of_an_inner_guest_has_the_frames_of_both(runtime: Runtime) -> None:
    inner = runtime.instantiate('(module $inner (func $bad (unreachable)) (func (export "f") (call $bad)))')
    instance = reentrant(runtime, lambda _, n: inner.exports.f())
    with pytest.raises(Trap) as caught:
        instance.exports.deep(2, 0)
    assert [0, 1, 2, 2, 2] == [frame.function_index for frame in caught.value.frames]


@pytest.mark.parametrize("guest_depth", [0, 3000])
def test_host_function_that_recurses_without_end(runtime: Runtime, guest_depth: int) -> None:
    def endless(n: int) -> int:
        return endless(n + 1)

    def endless_in_c(n: int) -> list[int]:
        return sorted([n], key=endless_in_c)

    for function in (endless, endless_in_c):
        limit = sys.getrecursionlimit()
        instance = reentrant(runtime, lambda _, n, function=function: function(n))  # type: ignore[misc]
        with pytest.raises(RecursionError):
            instance.exports.deep(guest_depth, 0)
        assert sys.getrecursionlimit() == limit


def test_host_function_deep_inside_a_guest_has_room(runtime: Runtime) -> None:
    def down(n: int) -> int:
        return down(n - 1) + 1 if n else 0

    instance = reentrant(runtime, lambda _, n: down(n))
    for depth in (0, 300, 900, 5000):
        assert instance.exports.deep(depth, 200) == 200


def test_recursion_deep_in_a_guest_that_the_host_calls(runtime: Runtime) -> None:
    instance = reentrant(runtime, lambda instance, n: instance.exports.deep(n, 0) if n else 5)
    assert instance.exports.f(6000) == 6
