"""Arrays that constant expressions make, on each engine: all ways of making them, empty ones, large ones."""

from __future__ import annotations

import pytest

from core.tests.conformance.conftest import AVAILABLE
from purewasm import Features, Runtime


@pytest.mark.parametrize("engine", AVAILABLE)
@pytest.mark.parametrize(
    ("made", "values"),
    [
        ("(array.new $a (i32.const 0x12345) (i32.const 5))", [0x2345] * 5),
        ("(array.new $a (i32.const 7) (i32.const 0))", []),
        ("(array.new_default $a (i32.const 3))", [0, 0, 0]),
        ("(array.new_default $a (i32.const 0))", []),
        ("(array.new_fixed $a 3 (i32.const 1) (i32.const -1) (i32.const 2))", [1, 0xFFFF, 2]),
        ("(array.new_fixed $a 0)", []),
        ("(array.new $a (i32.const 9) (i32.const 40001))", [9] * 40001),
    ],
)
def test_what_they_hold(engine: str, made: str, values: list[int]) -> None:
    text = f"""(module (type $a (array i16)) (global $g (ref $a) {made})
      (func (export "length") (result i32) (array.len (global.get $g)))
      (func (export "get") (param i32) (result i32) (array.get_u $a (global.get $g) (local.get 0))))"""
    with Runtime(engine=engine, features=Features.all()) as runtime:
        exports = runtime.instantiate(text).exports
        assert exports.length() == len(values)
        for index in (*range(min(len(values), 5)), *range(len(values))[-2:]):
            assert exports.get(index) == values[index]


@pytest.mark.parametrize("engine", AVAILABLE)
def test_equal_elements_are_no_work_of_their_own(engine: str) -> None:
    text = """(module (type $a (array (mut v128))) (global $g (ref $a) (array.new_default $a (i32.const 5000000)))
      (func (export "last") (result i64) (i64x2.extract_lane 1 (array.get $a (global.get $g) (i32.const 4999999)))))"""
    with Runtime(engine=engine, features=Features.all()) as runtime:
        assert runtime.instantiate(text).exports.last() == 0
