"""Programs over structures and arrays against Python: expression trees that Python builds out of the guest's objects, a search tree, a hash
table; on each engine, and with a collection at every allocation."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tests.conformance.conftest import AVAILABLE
from purewasm import Features, Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purewasm import Instance

WAYS = [*AVAILABLE, *(["collecting"] if "compiler" in AVAILABLE else [])]


@contextmanager
def running(way: str, text: str) -> Iterator[Instance]:
    if way != "collecting":
        with Runtime(engine=way, features=Features.all()) as runtime:
            yield runtime.instantiate(text)
        return
    from purewasm.engine.native.heap import set_stress

    set_stress(True)
    try:
        with Runtime(engine="compiler", features=Features.all()) as runtime:
            yield runtime.instantiate(text)
    finally:
        set_stress(False)


EXPRESSIONS = """(module
  (rec
    (type $expr (sub (struct (field $eval (ref $method)))))
    (type $method (func (param (ref $expr)) (result i32))))
  (type $num (sub final $expr (struct (field (ref $method)) (field $value i32))))
  (type $pair (sub $expr (struct (field (ref $method)) (field $left (ref $expr)) (field $right (ref $expr)))))
  (rec ;; in groups of their own they were one type
    (type $sum (sub final $pair (struct (field (ref $method)) (field (ref $expr)) (field (ref $expr)))))
    (type $product (sub final $pair (struct (field (ref $method)) (field (ref $expr)) (field (ref $expr))))))
  (type $items (array (mut (ref null $expr))))
  (type $list (sub final $expr (struct (field (ref $method)) (field $items (ref $items)))))
  (elem declare func $eval_num $eval_sum $eval_product $eval_list)
  (func (export "num") (param i32) (result (ref $expr)) (struct.new $num (ref.func $eval_num) (local.get 0)))
  (func (export "sum") (param (ref $expr) (ref $expr)) (result (ref $expr))
    (struct.new $sum (ref.func $eval_sum) (local.get 0) (local.get 1)))
  (func (export "product") (param (ref $expr) (ref $expr)) (result (ref $expr))
    (struct.new $product (ref.func $eval_product) (local.get 0) (local.get 1)))
  (func (export "list") (param i32) (result (ref $list)) (struct.new $list (ref.func $eval_list) (array.new_default $items (local.get 0))))
  (func (export "put") (param (ref $list) i32 (ref $expr))
    (array.set $items (struct.get $list $items (local.get 0)) (local.get 1) (local.get 2)))
  (func $eval_num (type $method) (struct.get $num $value (ref.cast (ref $num) (local.get 0))))
  (func $virtual (export "virtual") (param $e (ref $expr)) (result i32)
    (call_ref $method (local.get $e) (struct.get $expr $eval (local.get $e))))
  (func $eval_sum (type $method)
    (i32.add (call $virtual (struct.get $pair $left (ref.cast (ref $pair) (local.get 0))))
      (call $virtual (struct.get $pair $right (ref.cast (ref $sum) (local.get 0))))))
  (func $eval_product (type $method)
    (i32.mul (call $virtual (struct.get $pair $left (ref.cast (ref $product) (local.get 0))))
      (call $virtual (struct.get $pair $right (ref.cast (ref $pair) (local.get 0))))))
  (func $eval_list (type $method) (local $items (ref null $items)) (local $i i32) (local $s i32)
    (local.set $items (struct.get $list $items (ref.cast (ref $list) (local.get 0))))
    (block $end (loop $next
      (br_if $end (i32.ge_u (local.get $i) (array.len (local.get $items))))
      (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 3))
        (call $virtual (ref.as_non_null (array.get $items (local.get $items) (local.get $i))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
    (local.get $s))
  (func $match (export "match") (param $e (ref $expr)) (result i32) (local $p (ref null $pair)) (local $i i32) (local $s i32)
    (block $num (result (ref $num))
      (block $list (result (ref $list))
        (block $pair (result (ref $pair))
          (br_on_cast $num (ref $expr) (ref $num) (local.get $e))
          (br_on_cast $list (ref $expr) (ref $list))
          (ref.cast (ref $pair)))
        (local.set $p)
        (return (if (result i32) (ref.test (ref $sum) (local.get $p))
          (then (i32.add (call $match (struct.get $pair $left (local.get $p))) (call $match (struct.get $pair $right (local.get $p)))))
          (else (i32.mul (call $match (struct.get $pair $left (local.get $p))) (call $match (struct.get $pair $right (local.get $p))))))))
      (drop)
      (loop $next
        (if (i32.lt_u (local.get $i) (array.len (struct.get $list $items (ref.cast (ref $list) (local.get $e))))) (then
          (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 3)) (call $match (ref.as_non_null
            (array.get $items (struct.get $list $items (ref.cast (ref $list) (local.get $e))) (local.get $i))))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next))))
      (return (local.get $s)))
    (struct.get $num $value)))"""

_expressions: st.SearchStrategy[Any] = st.recursive(
    st.integers(-(2**31), 2**31 - 1),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(("sum", "product")), inner, inner), st.tuples(st.just("list"), st.lists(inner, max_size=5))
    ),
    max_leaves=25,
)


def _value(expression: Any) -> int:
    if isinstance(expression, int):
        return expression & 0xFFFF_FFFF
    if expression[0] == "list":
        total = 0
        for item in expression[1]:
            total = total * 3 + _value(item) & 0xFFFF_FFFF
        return total
    left, right = map(_value, expression[1:])
    return (left + right if expression[0] == "sum" else left * right) & 0xFFFF_FFFF


def _built(exports: Any, expression: Any) -> object:
    """The guest's object for an expression; Python has the parts meanwhile."""
    if isinstance(expression, int):
        return exports.num(expression)
    if expression[0] == "list":
        made = exports.list(len(expression[1]))
        for position, item in enumerate(expression[1]):
            exports.put(made, position, _built(exports, item))
        return made
    return exports[expression[0]](*[_built(exports, part) for part in expression[1:]])


@pytest.mark.parametrize("way", WAYS)
def test_expression_trees(way: str) -> None:
    with running(way, EXPRESSIONS) as instance:

        @settings(max_examples=60, deadline=None)
        @given(expression=_expressions)
        def check(expression: Any) -> None:
            made = _built(instance.exports, expression)
            for name in ("virtual", "match"):
                assert instance.exports[name](made) & 0xFFFF_FFFF == _value(expression)  # type: ignore[operator]

        check()


SEARCH_TREE = """(module
  (type $node (struct (field $key i64) (field $left (mut (ref null $node))) (field $right (mut (ref null $node)))))
  (global $root (mut (ref null $node)) (ref.null $node))
  (global $sum (mut i64) (i64.const 0))
  (func $insert (param $n (ref null $node)) (param $key i64) (result (ref $node))
    (block $none
      (br_on_null $none (local.get $n)) (drop)
      (if (i64.lt_s (local.get $key) (struct.get $node $key (local.get $n)))
        (then (struct.set $node $left (local.get $n) (call $insert (struct.get $node $left (local.get $n)) (local.get $key)))))
      (if (i64.gt_s (local.get $key) (struct.get $node $key (local.get $n)))
        (then (struct.set $node $right (local.get $n) (call $insert (struct.get $node $right (local.get $n)) (local.get $key)))))
      (return (ref.as_non_null (local.get $n))))
    (struct.new $node (local.get $key) (ref.null $node) (ref.null $node)))
  (func $walk (param $n (ref null $node))
    (block $none
      (br_on_null $none (local.get $n)) (drop)
      (call $walk (struct.get $node $left (local.get $n)))
      (global.set $sum (i64.add (i64.mul (global.get $sum) (i64.const 31)) (struct.get $node $key (local.get $n))))
      (call $walk (struct.get $node $right (local.get $n)))))
  (func (export "insert") (param i64) (global.set $root (call $insert (global.get $root) (local.get 0))))
  (func (export "clear") (global.set $root (ref.null $node)))
  (func (export "sum") (result i64) (global.set $sum (i64.const 7)) (call $walk (global.get $root)) (global.get $sum)))"""


@pytest.mark.parametrize("way", WAYS)
def test_a_search_tree(way: str) -> None:
    with running(way, SEARCH_TREE) as instance:
        exports: Any = instance.exports

        @settings(max_examples=40, deadline=None)
        @given(keys=st.lists(st.one_of(st.integers(-5, 5), st.integers(-(2**63), 2**63 - 1)), max_size=60))
        def check(keys: list[int]) -> None:
            exports.clear()
            for key in keys:
                exports.insert(key)
            expected = 7
            for key in sorted(set(keys)):
                expected = expected * 31 + key & (1 << 64) - 1
            assert exports.sum() & (1 << 64) - 1 == expected

        check()


HASH_TABLE = """(module
  (type $entry (struct (field $key i32) (field $value (mut anyref)) (field $next (mut (ref null $entry)))))
  (type $slots (array (mut (ref null $entry))))
  (type $box (struct (field i64)))
  (global $slots (mut (ref null $slots)) (ref.null $slots))
  (global $count (mut i32) (i32.const 0))
  (func (export "clear") (global.set $slots (array.new_default $slots (i32.const 2))) (global.set $count (i32.const 0)))
  (func $slot (param $key i32) (result i32)
    (i32.rem_u (i32.mul (local.get $key) (i32.const 0x9E3779B1)) (array.len (global.get $slots))))
  (func $find (param $key i32) (result (ref null $entry)) (local $e (ref null $entry))
    (local.set $e (array.get $slots (global.get $slots) (call $slot (local.get $key))))
    (block $end (loop $next
      (br_if $end (ref.is_null (local.get $e)))
      (br_if $end (i32.eq (struct.get $entry $key (local.get $e)) (local.get $key)))
      (local.set $e (struct.get $entry $next (local.get $e)))
      (br $next)))
    (local.get $e))
  (func $grow (local $old (ref null $slots)) (local $i i32) (local $e (ref null $entry)) (local $n (ref null $entry)) (local $s i32)
    (local.set $old (global.get $slots))
    (global.set $slots (array.new $slots (ref.null $entry) (i32.mul (array.len (local.get $old)) (i32.const 2))))
    (loop $each
      (local.set $e (array.get $slots (local.get $old) (local.get $i)))
      (block $end (loop $next
        (br_if $end (ref.is_null (local.get $e)))
        (local.set $n (struct.get $entry $next (local.get $e)))
        (local.set $s (call $slot (struct.get $entry $key (local.get $e))))
        (struct.set $entry $next (local.get $e) (array.get $slots (global.get $slots) (local.get $s)))
        (array.set $slots (global.get $slots) (local.get $s) (local.get $e))
        (local.set $e (local.get $n))
        (br $next)))
      (br_if $each (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (array.len (local.get $old))))))
  (func (export "put") (param $key i32) (param $value i64) (local $e (ref null $entry)) (local $s i32) (local $v anyref)
    (local.set $v (if (result anyref) (i64.lt_u (local.get $value) (i64.const 0x40000000))
      (then (ref.i31 (i32.wrap_i64 (local.get $value)))) (else (struct.new $box (local.get $value)))))
    (local.set $e (call $find (local.get $key)))
    (if (ref.is_null (local.get $e)) (then
      (global.set $count (i32.add (global.get $count) (i32.const 1)))
      (if (i32.gt_u (global.get $count) (array.len (global.get $slots))) (then (call $grow)))
      (local.set $s (call $slot (local.get $key)))
      (array.set $slots (global.get $slots) (local.get $s)
        (struct.new $entry (local.get $key) (local.get $v) (array.get $slots (global.get $slots) (local.get $s)))))
    (else (struct.set $entry $value (local.get $e) (local.get $v)))))
  (func (export "get") (param $key i32) (result i64) (local $e (ref null $entry)) (local $v anyref)
    (local.set $e (call $find (local.get $key)))
    (if (ref.is_null (local.get $e)) (then (return (i64.const -1))))
    (local.set $v (struct.get $entry $value (local.get $e)))
    (if (ref.test (ref i31) (local.get $v)) (then (return (i64.extend_i32_s (i31.get_s (ref.cast (ref i31) (local.get $v)))))))
    (struct.get $box 0 (ref.cast (ref $box) (local.get $v)))))"""


@pytest.mark.parametrize("way", WAYS)
def test_a_hash_table(way: str) -> None:
    with running(way, HASH_TABLE) as instance:
        exports: Any = instance.exports
        keys = st.integers(-20, 20) | st.integers(-(2**31), 2**31 - 1)

        @settings(max_examples=40, deadline=None)
        @given(pairs=st.lists(st.tuples(keys, st.integers(0, 10) | st.integers(0, 2**63 - 1)), max_size=80))
        def check(pairs: list[tuple[int, int]]) -> None:
            exports.clear()
            for key, value in pairs:
                exports.put(key, value)
            expected = dict(pairs)
            for key in [*expected, 12345]:
                assert exports.get(key) == expected.get(key, -1)

        check()
