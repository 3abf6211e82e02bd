"""Calls from compiled code to Python."""

from __future__ import annotations

import gc

import pytest

from purewasm import Caller, HostModule, Instance, Runtime, Trap

ECHO = '(module (import "e" "h" (func $h (param {t}) (result {t}))) (func (export "f") (param {t}) (result {t}) (call $h (local.get 0))))'


@pytest.mark.parametrize(
    ("type_", "value"),
    [("i32", -5), ("i64", -(2**63)), ("f32", 0.5), ("f64", 1e300), ("v128", bytes(range(16))), ("externref", ["x"]), ("externref", None)],
)
def test_arguments_and_results(runtime: Runtime, type_: str, value: object) -> None:
    seen = []

    def h(x: object) -> object:
        seen.append(x)
        return x

    f = runtime.instantiate(ECHO.format(t=type_), imports={"e": {"h": h}}).exports.f
    assert f(value) == value
    assert seen == [value]


@pytest.mark.parametrize(("type_", "result", "error"), [
    ("i32", "x", TypeError), ("i32", 2**32, OverflowError), ("i64", None, TypeError), ("f64", "1", TypeError),
    ("v128", b"1", OverflowError),
])  # fmt: skip
def test_wrong_results(runtime: Runtime, type_: str, result: object, error: type[Exception]) -> None:
    f = runtime.instantiate(ECHO.format(t=type_), imports={"e": {"h": lambda x: result}}).exports.f
    with pytest.raises(error):
        f(b"\0" * 16 if type_ == "v128" else 0)


def test_unusual_results_are_converted(runtime: Runtime) -> None:
    f = runtime.instantiate(ECHO.format(t="i32"), imports={"e": {"h": lambda x: 2**32 - 1}}).exports.f
    assert f(0) == -1
    g = runtime.instantiate(ECHO.format(t="f64"), imports={"e": {"h": lambda x: 3}}).exports.f
    assert g(0.0) == 3.0


def test_several_results(runtime: Runtime) -> None:
    text = """(module (import "e" "h" (func $h (param i32) (result i32 f64 i64 v128 externref)))
        (func (export "f") (result i32 f64 i64 v128 externref) (call $h (i32.const 1))))"""
    values = (1, 2.5, -3, bytes(range(16)), "x")
    assert runtime.instantiate(text, imports={"e": {"h": lambda x: values}}).exports.f() == values
    with pytest.raises(TypeError, match="tuple of 5 values"):
        runtime.instantiate(text, imports={"e": {"h": lambda x: (1, 2)}}).exports.f()


def test_many_arguments(runtime: Runtime) -> None:
    types = ["i32", "f64", "i64", "f32", "v128"] * 5
    gets = " ".join(f"(local.get {i})" for i in range(25))
    text = f"""(module (import "e" "h" (func $h (param {" ".join(types)}) (result i64)))
        (func (export "f") (param {" ".join(types)}) (result i64) (call $h {gets})))"""
    values: list[object] = []
    for i in range(5):
        values += [i, i + 0.5, -i, i + 0.25, bytes([i] * 16)]
    seen = []

    def h(*args: object) -> int:
        seen.append(args)
        return 77

    f = runtime.instantiate(text, imports={"e": {"h": h}}).exports.f
    assert f(*values) == 77
    assert seen == [tuple(values)]


def test_no_result_must_be_none(runtime: Runtime) -> None:
    text = '(module (import "e" "h" (func $h)) (func (export "f") (call $h)))'
    runtime.instantiate(text, imports={"e": {"h": lambda: None}}).exports.f()
    with pytest.raises(TypeError, match="must return None"):
        runtime.instantiate(text, imports={"e": {"h": lambda: 1}}).exports.f()


def test_caller(runtime: Runtime) -> None:
    def h(caller: Caller, at: int) -> int:
        return caller.memory.read_i32(at)

    text = """(module (import "e" "h" (func $h (param i32) (result i32))) (memory (export "memory") 1) (data (i32.const 8) "\\2a")
        (func (export "f") (result i32) (call $h (i32.const 8))))"""
    host = HostModule("e")
    host.add_function("h", h, ["i32"], ["i32"])
    assert runtime.instantiate(text, imports=host).exports.f() == 42


def test_exceptions_pass_through_with_a_note(runtime: Runtime) -> None:
    error = ValueError("boo")

    def h(x: int) -> int:
        raise error

    text = """(module (import "e" "h" (func $h (param i32) (result i32))) (func $inner (result i32) (call $h (i32.const 1)))
        (func $outer (export "f") (result i32) (call $inner)))"""
    f = runtime.instantiate(text, imports={"e": {"h": h}}).exports.f
    with pytest.raises(ValueError, match="boo") as caught:
        f()
    assert caught.value is error
    note = caught.value.__notes__[0]
    assert note.index("inner at 0x") < note.index("outer at 0x")


def test_guests_and_hosts_nest(runtime: Runtime) -> None:
    text = """(module (import "e" "h" (func $h (param i32) (result i32)))
        (func (export "f") (param i32) (result i32) (if (result i32) (local.get 0)
            (then (i32.add (i32.const 1) (call $h (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0)))))"""
    instance: Instance = runtime.instantiate(text, imports={"e": {"h": lambda x: instance.exports.f(x)}})
    assert instance.exports.f(100) == 100
    gc.collect()  # what other tests left: a finalizer that runs where recursion ends cannot run
    with pytest.raises((RecursionError, Trap)):
        instance.exports.f(100_000)
    assert instance.exports.f(50) == 50


def test_a_trap_in_a_nested_call_can_be_caught(runtime: Runtime) -> None:
    def h() -> int:
        with pytest.raises(Trap, match="unreachable"):
            instance.exports.bad()
        gc.collect()
        return 5

    text = """(module (import "e" "h" (func $h (result i32))) (func (export "bad") unreachable)
        (func (export "f") (result i32) (i32.add (call $h) (call $h))))"""
    instance: Instance = runtime.instantiate(text, imports={"e": {"h": h}})
    assert instance.exports.f() == 10


def test_frames_of_both_activations(runtime: Runtime) -> None:
    text = """(module (import "e" "h" (func $h)) (func $bad (export "bad") unreachable) (func $f (export "f") (call $h)))"""
    instance: Instance = runtime.instantiate(text, imports={"e": {"h": lambda: instance.exports.bad()}})
    with pytest.raises(Trap) as caught:
        instance.exports.f()
    assert [frame.function for frame in caught.value.frames] == ["bad", "f"]


def test_a_bound_host_function_can_be_called_from_python(runtime: Runtime) -> None:
    text = '(module (import "e" "h" (func $h (param i32) (result i32))) (export "h" (func $h)))'
    assert runtime.instantiate(text, imports={"e": {"h": lambda x: x + 1}}).exports.h(4) == 5
