"""Calls from Python into compiled code: conversions, checks and messages are those of every engine."""

from __future__ import annotations

import math
import struct

import pytest

from purewasm import Function, Instance, Runtime

IDENTITIES = "\n".join(f'(func (export "{t}") (param {t}) (result {t}) local.get 0)' for t in ("i32", "i64", "f32", "f64", "v128"))
MANY = " ".join(["i32", "f64", "i64", "f32", "v128"] * 6)


def f64(bits: int) -> float:
    return float(struct.unpack("<d", struct.pack("<Q", bits))[0])


def bits(value: float) -> int:
    return int(struct.unpack("<Q", struct.pack("<d", value))[0])


@pytest.mark.parametrize("value", [0, 1, -1, 12345, -12345, 2**30 - 1, 2**30, -(2**30), 2**31 - 1, -(2**31)])
def test_ints_come_back_signed(runtime: Runtime, value: int) -> None:
    exports = runtime.instantiate(f"(module {IDENTITIES})").exports
    assert exports.i32(value) == value
    assert exports.i32(value & 0xFFFF_FFFF) == value
    assert exports.i64(value) == value
    assert exports.i64(value * 2**32) == value * 2**32
    assert exports.i64(value * 2**32 & 2**64 - 1) == value * 2**32


@pytest.mark.parametrize(("name", "value"), [("i32", 2**32), ("i32", -(2**31) - 1), ("i64", 2**64), ("i64", -(2**63) - 1), ("i32", 10**30)])
def test_ints_that_do_not_fit(runtime: Runtime, name: str, value: int) -> None:
    exports = runtime.instantiate(f"(module {IDENTITIES})").exports
    with pytest.raises(OverflowError, match=f"does not fit {name}"):
        getattr(exports, name)(value)


def test_bool_and_index_are_ints(runtime: Runtime) -> None:
    class Index:
        def __index__(self) -> int:
            return 7

    exports = runtime.instantiate(f"(module {IDENTITIES})").exports
    assert exports.i32(True) == 1
    assert exports.i64(Index()) == 7


@pytest.mark.parametrize(("name", "value"), [("i32", "1"), ("i32", 1.0), ("f64", "1"), ("v128", 5), ("i64", None)])
def test_wrong_types(runtime: Runtime, name: str, value: object) -> None:
    exports = runtime.instantiate(f"(module {IDENTITIES})").exports
    with pytest.raises(TypeError, match="expected"):
        getattr(exports, name)(value)


def test_floats(runtime: Runtime) -> None:
    exports = runtime.instantiate(f"(module {IDENTITIES})").exports
    assert exports.f64(0.1) == 0.1
    assert exports.f64(3) == 3.0
    assert exports.f32(0.1) == struct.unpack("<f", struct.pack("<f", 0.1))[0]
    assert exports.f32(1e300) == math.inf
    assert math.copysign(1, exports.f32(-0.0)) == -1


@pytest.mark.parametrize("pattern", [0x7FF8_0000_0000_0000, 0x7FF0_0000_2000_0000, 0xFFF4_5678_0000_0000, 0x7FFF_FFFF_E000_0000])
def test_nan_payloads_survive(runtime: Runtime, pattern: int) -> None:
    exports = runtime.instantiate(f"(module {IDENTITIES})").exports
    assert bits(exports.f64(f64(pattern))) == pattern
    assert bits(exports.f32(f64(pattern))) == pattern


def test_vectors_are_bytes(runtime: Runtime) -> None:
    exports = runtime.instantiate(f"(module {IDENTITIES})").exports
    assert exports.v128(bytes(range(16))) == bytes(range(16))
    assert exports.v128(bytearray(range(16))) == bytes(range(16))
    with pytest.raises(OverflowError, match="16 bytes"):
        exports.v128(b"short")


def test_number_of_arguments(runtime: Runtime) -> None:
    add = runtime.instantiate('(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))').exports.add
    for args in ((), (1,), (1, 2, 3)):
        with pytest.raises(TypeError, match=f"takes 2 arguments but {len(args)} "):
            add(*args)
    with pytest.raises(TypeError, match="keyword"):
        add(1, b=2)


def test_many_arguments_and_results(runtime: Runtime) -> None:
    gets = "\n".join(f"local.get {i}" for i in range(30))
    exports = runtime.instantiate(f'(module (func (export "f") (param {MANY}) (result {MANY}) {gets}))').exports
    values: list[object] = []
    for i in range(6):
        values += [i - 3, i / 4, -(i << 40), i / 2, bytes([i] * 16)]
    assert exports.f(*values) == tuple(values)


def test_results(runtime: Runtime) -> None:
    exports = runtime.instantiate(
        '(module (func (export "none")) (func (export "two") (result i64 f32) i64.const -5 f32.const 0.5))'
    ).exports
    assert exports.none() is None
    assert exports.two() == (-5, 0.5)


def test_it_is_a_function(runtime: Runtime) -> None:
    text = '(module (func $sum (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))'
    add = runtime.instantiate(text).exports.add
    assert isinstance(add, Function)
    assert add.type.params == ("i32", "i32")
    assert add.name == "sum"
    assert add.with_options(timeout=5)(2, 3) == 5
    assert "sum" in repr(add)


def test_default_limits_apply_to_calls() -> None:
    with Runtime(engine="compiler", fuel=True, call_fuel=50) as runtime:
        loop = "(loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))"
        f = runtime.instantiate(f'(module (func (export "f") (param i32) {loop}))').exports.f
        f(5)
        with pytest.raises(Exception, match="all fuel consumed"):
            f(500)


def test_fuel_is_what_the_interpreter_counts() -> None:
    text = """(module (import "e" "h" (func $h (param i32))) (func (export "f") (param i32) (result i32)
        (loop $l (call $h (local.get 0)) (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if $l (local.get 0))) (i32.const 9)))"""
    left = []
    for engine in ("interpreter", "compiler"):
        with Runtime(engine=engine, fuel=True) as runtime:
            seen: list[int | None] = []
            instance: Instance = runtime.instantiate(text, fuel=1000, imports={"e": {"h": lambda x: seen.append(instance.meter.fuel)}})  # noqa: B023
            assert instance.exports.f(7) == 9
            left.append((instance.meter.fuel, seen))
    assert left[0][0] == left[1][0]
    assert left[0] == left[1]
