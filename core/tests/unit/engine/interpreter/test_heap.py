"""A limit of structures and arrays is the same on both engines."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Final

import pytest

from purewasm import Runtime, Trap

LIMIT: Final = 1 << 20
FULL: Final = rf"out of heap memory: \d+ of at most {LIMIT} bytes are in use"

LIST: Final = """(module
  (type $node (struct (field $next (mut (ref null $node))) (field i32)))
  (type $bytes (array (mut i8))) (type $wide (array (mut i64))) (type $refs (array (mut funcref)))
  (data $data "0123456789abcdef") (elem $elem func $list $list)
  (global $kept (mut (ref null $node)) (ref.null $node))
  (func $list (export "list") (param $n i32) (result anyref) (local $last (ref null $node))
    (loop $again
      (local.set $last (struct.new $node (local.get $last) (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $last))
  (func (export "circles") (param $n i32) (local $node (ref null $node))
    (loop $again
      (local.set $node (struct.new $node (ref.null $node) (i32.const 0)))
      (struct.set $node $next (local.get $node) (local.get $node))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "defaults") (param $n i32)
    (loop $again (drop (struct.new_default $node)) (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "bytes") (param i32) (result anyref) (array.new_default $bytes (local.get 0)))
  (func (export "wide") (param i32) (result anyref) (array.new $wide (i64.const 1) (local.get 0)))
  (func (export "fixed") (param i32) (result anyref) (array.new_fixed $bytes 2 (local.get 0) (local.get 0)))
  (func (export "data") (param i32) (result anyref) (array.new_data $bytes $data (i32.const 0) (i32.const 16)))
  (func (export "elem") (param i32) (result anyref) (array.new_elem $refs $elem (i32.const 0) (i32.const 2))))"""


@pytest.fixture(params=["interpreter", "compiler"])
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    with Runtime(engine=request.param, heap_limit_bytes=LIMIT) as made:
        yield made


def test_a_full_heap_is_a_trap_and_the_runtime_goes_on(runtime: Runtime) -> None:
    exports = runtime.instantiate(LIST).exports
    for _ in range(3):
        with pytest.raises(Trap, match=FULL) as caught:
            exports.list(1_000_000)
        assert caught.value.code == "out of heap memory"
        assert exports.list(1000) is not None


def test_what_is_dropped_does_not_count(runtime: Runtime) -> None:
    exports = runtime.instantiate(LIST).exports
    for _ in range(10):
        exports.defaults(20_000)
        exports.bytes(900_000)
        exports.wide(100_000)


def test_what_refers_to_itself_goes_too(runtime: Runtime) -> None:
    enabled = gc.isenabled()
    gc.disable()
    try:
        runtime.instantiate(LIST).exports.circles(200_000)
    finally:
        if enabled:
            gc.enable()


@pytest.mark.parametrize(("name", "argument"), [("bytes", 1 << 21), ("wide", 1 << 18), ("bytes", 1 << 27)])
def test_an_array_larger_than_the_heap(runtime: Runtime, name: str, argument: int) -> None:
    exports = runtime.instantiate(LIST).exports
    with pytest.raises(Trap, match=FULL):
        getattr(exports, name)(argument)
    assert getattr(exports, name)(10) is not None


@pytest.mark.parametrize(("name", "size"), [("fixed", 32), ("data", 32), ("elem", 32), ("list", 32)])
def test_everything_that_makes_objects_counts(runtime: Runtime, name: str, size: int) -> None:
    make = getattr(runtime.instantiate(LIST).exports, name)
    held: list[object] = []
    with pytest.raises(Trap, match=FULL):
        held.extend(make(1) for _ in range(LIMIT // size + 1))
    assert len(held) > LIMIT // size * 3 // 4
    held.clear()
    assert make(1) is not None


def test_objects_of_constant_expressions_count(runtime: Runtime) -> None:
    text = f"(module (type $a (array i8)) (global (ref $a) (array.new_default $a (i32.const {LIMIT * 2}))))"
    with pytest.raises(Trap, match=FULL):
        runtime.instantiate(text)


def test_all_instances_of_a_runtime_share_it(runtime: Runtime) -> None:
    first, second = (runtime.instantiate(LIST) for _ in range(2))
    held = first.exports.bytes(LIMIT * 3 // 4)
    with pytest.raises(Trap, match=FULL):
        second.exports.bytes(LIMIT // 2)
    del held
    assert second.exports.bytes(LIMIT // 2) is not None


@pytest.mark.parametrize("engine", ["interpreter", "compiler"])
def test_an_array_of_vectors_is_too_large_on_both_engines(engine: str) -> None:
    count = (1 << 30) // 16 + 1
    with Runtime(engine=engine) as runtime:
        text = """(module (type $v (array (mut v128)))
          (func (export "new") (param i32) (result i32) (array.len (array.new_default $v (local.get 0)))))"""
        with pytest.raises(Trap, match="allocation size too large"):
            runtime.instantiate(text).exports.new(count)
        constant = f"(module (type $v (array v128)) (global (ref $v) (array.new_default $v (i32.const {count}))))"
        with pytest.raises(Trap, match="allocation size too large"):
            runtime.instantiate(constant)
