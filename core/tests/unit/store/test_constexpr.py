"""Constant expressions: what globals, tables and segments start with."""

from __future__ import annotations

import pytest

from purewasm import I31, ArrayObject, Function, Runtime, StructObject
from purewasm.store.constexpr import packed


@pytest.fixture
def runtime() -> Runtime:
    return Runtime(engine="interpreter")


@pytest.mark.parametrize(
    ("type_", "expression", "value"),
    [
        ("i32", "i32.const -1", -1),
        ("i64", "i64.const 0x8000000000000000", -(2**63)),
        ("f32", "f32.const 0.1", 0.10000000149011612),
        ("f64", "f64.const -0.5", -0.5),
        ("v128", "v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", bytes(range(16))),
        ("funcref", "ref.null func", None),
        ("i32", "i32.sub (i32.const 1) (i32.const 2)", -1),
        ("i32", "i32.mul (i32.const 0x10000) (i32.const 0x10001)", 0x10000),
        ("i64", "i64.add (i64.const -1) (i64.const -1)", -2),
        ("i32", "i32.add (global.get $base) (i32.mul (i32.const 2) (global.get $base))", 15),
        ("i31ref", "ref.i31 (i32.const 0x7fffffff)", I31(-1)),
        ("externref", "extern.convert_any (ref.null any)", None),
        ("anyref", "any.convert_extern (ref.null extern)", None),
    ],
)
def test_values(runtime: Runtime, type_: str, expression: str, value: object) -> None:
    source = f'(module (global $base i32 (i32.const 5)) (global (export "g") {type_} ({expression})))'
    assert runtime.instantiate(source).exports.g.value == value


def test_a_function(runtime: Runtime) -> None:
    exports = runtime.instantiate('(module (func $f (export "f")) (global (export "g") funcref (ref.func $f)))').exports
    assert isinstance(exports.g.value, Function)
    assert exports.g.value is exports.f


@pytest.mark.parametrize(
    ("expression", "fields"),
    [
        ("struct.new $s (i32.const 0x1ff) (i64.const -1)", [0xFF, 2**64 - 1]),
        ("struct.new_default $s", [0, 0]),
    ],
)
def test_structures(runtime: Runtime, expression: str, fields: list[object]) -> None:
    source = f'(module (type $s (struct (field i8) (field i64))) (global (export "g") (ref $s) ({expression})))'
    made = runtime.instantiate(source).exports.g.value
    assert isinstance(made, StructObject)
    assert made.fields == fields


@pytest.mark.parametrize(
    ("expression", "elements"),
    [
        ("array.new $a (i32.const 0x12345) (i32.const 3)", [0x2345] * 3),
        ("array.new_default $a (i32.const 2)", [0, 0]),
        ("array.new_fixed $a 3 (i32.const 1) (i32.const -1) (i32.const 3)", [1, 0xFFFF, 3]),
        ("array.new_fixed $a 0", []),
    ],
)
def test_arrays(runtime: Runtime, expression: str, elements: list[object]) -> None:
    source = f'(module (type $a (array (mut i16))) (global (export "g") (ref $a) ({expression})))'
    made = runtime.instantiate(source).exports.g.value
    assert isinstance(made, ArrayObject)
    assert made.elements == elements


def test_a_table_and_its_segments(runtime: Runtime) -> None:
    exports = runtime.instantiate(
        """(module (func $f (export "f")) (table (export "t") 5 funcref (ref.func $f)) (global $at i32 (i32.const 2))
          (elem (offset (i32.add (global.get $at) (i32.const 1))) funcref (ref.null func) (item (ref.func $f))))"""
    ).exports
    assert [exports.t[index] is exports.f for index in range(5)] == [True, True, True, False, True]
    assert exports.t[3] is None


@pytest.mark.parametrize(("storage", "value"), [(0x78, 0xFF), (0x77, 0xFFFF), (0x7F, 0xFFFF_FFFF)])
def test_packed_fields(storage: int, value: int) -> None:
    assert packed(0xFFFF_FFFF, storage) == value
