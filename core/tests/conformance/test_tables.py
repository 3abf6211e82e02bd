"""Tables: calls through them see every change, whoever makes it."""

from __future__ import annotations

import pytest

from core.tests.conformance.externs import function_of, table_of
from purewasm import Runtime, Trap, traps

OWNER = """(module
  (type $t (func (result i32)))
  (table $table (export "table") 4 10 funcref) (elem (i32.const 0) $one $two)
  (elem $passive func $three $one)
  (elem declare func $four)
  (func $one (export "one") (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
  (func $three (export "three") (result i32) (i32.const 3)) (func $four (export "four") (result i32) (i32.const 4))
  (func $other (export "other") (param i32))
  (func (export "call") (param i32) (result i32) (call_indirect (type $t) (local.get 0)))
  (func (export "set") (param i32) (table.set (local.get 0) (ref.func $four)))
  (func (export "null") (param i32) (table.set (local.get 0) (ref.null func)))
  (func (export "init") (param i32) (table.init $passive (local.get 0) (i32.const 0) (i32.const 2)))
  (func (export "drop") (elem.drop $passive))
  (func (export "copy") (param i32 i32 i32) (table.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "fill") (param i32 i32) (table.fill (local.get 0) (ref.func $four) (local.get 1)))
  (func (export "grow") (param i32) (result i32) (table.grow (ref.func $four) (local.get 0)))
  (func (export "size") (result i32) (table.size)))"""

USER = """(module
  (type $t (func (result i32))) (type $v (func (param i32)))
  (import "owner" "table" (table 1 funcref))
  (func $five (result i32) (i32.const 5)) (elem declare func $five)
  (func (export "call") (param i32) (result i32) (call_indirect (type $t) (local.get 0)))
  (func (export "other") (param i32) (call_indirect (type $v) (i32.const 0) (local.get 0)))
  (func (export "set") (param i32) (table.set (local.get 0) (ref.func $five))))"""


def test_every_change_is_seen_by_calls(runtime: Runtime) -> None:
    owner = runtime.instantiate(OWNER, name="owner")
    user = runtime.instantiate(USER)
    table = table_of(owner, "table")

    def seen() -> list[object]:
        values: list[list[object]] = []
        for call in (owner.exports.call, user.exports.call):
            row: list[object] = []
            for index in range(table.size):
                try:
                    row.append(call(index))
                except Trap as trap:
                    row.append("null" if trap.code == traps.UNINITIALIZED_ELEMENT else "type")
            values.append(row)
        assert values[0] == values[1]
        return values[0]

    assert seen() == [1, 2, "null", "null"]
    owner.exports.set(2)
    assert seen() == [1, 2, 4, "null"]
    user.exports.set(3)
    assert seen() == [1, 2, 4, 5]
    table.set(0, owner.exports.other)
    assert seen() == ["type", 2, 4, 5]
    user.exports.other(0)
    owner.exports.init(1)
    assert seen() == ["type", 3, 1, 5]
    owner.exports.copy(0, 1, 3)
    assert seen() == [3, 1, 5, 5]
    owner.exports.null(1)
    assert seen() == [3, "null", 5, 5]
    assert owner.exports.grow(2) == 4
    assert seen() == [3, "null", 5, 5, 4, 4]
    assert table.grow(1, owner.exports.one) == 6
    assert seen() == [3, "null", 5, 5, 4, 4, 1]
    owner.exports.fill(2, 3)
    assert seen() == [3, "null", 4, 4, 4, 4, 1]
    assert [owner.exports.grow(4), owner.exports.size()] == [-1, 7]
    for call in (owner.exports.call, user.exports.call):
        with pytest.raises(Trap, match=traps.UNDEFINED_ELEMENT):
            call(7)
    owner.exports.drop()
    with pytest.raises(Trap, match=traps.OUT_OF_BOUNDS_TABLE):
        owner.exports.init(0)


def test_trap_names_the_empty_slot(runtime: Runtime) -> None:
    owner = runtime.instantiate(OWNER, name="owner")
    with pytest.raises(Trap, match=f"{traps.UNINITIALIZED_ELEMENT} 3"):
        owner.exports.call(3)


def test_table_too_large_for_a_list_of_each_type(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        "(module (type $t (func (result i32))) (type $v (func)) (table 10 funcref) (elem (i32.const 0) $f)"
        "(func $f (result i32) (i32.const 7))"
        '(func (export "grow") (param i32) (result i32) (table.grow (ref.null func) (local.get 0)))'
        '(func (export "copy") (param i32) (table.copy (local.get 0) (i32.const 0) (i32.const 1)))'
        '(func (export "call") (param i32) (result i32) (call_indirect (type $t) (local.get 0)))'
        '(func (export "void") (param i32) (call_indirect (type $v) (local.get 0))))'
    )
    assert instance.exports.call(0) == 7
    with pytest.raises(Trap, match=traps.INDIRECT_CALL_TYPE):
        instance.exports.void(0)
    assert instance.exports.grow(3_000_000) == 10
    function_of(instance, "copy")(2_999_999)
    assert instance.exports.call(0) == instance.exports.call(2_999_999) == 7
    with pytest.raises(Trap, match=f"{traps.UNINITIALIZED_ELEMENT} 77"):
        instance.exports.call(77)
    with pytest.raises(Trap, match=traps.INDIRECT_CALL_TYPE):
        instance.exports.void(2_999_999)
    with pytest.raises(Trap, match=traps.UNDEFINED_ELEMENT):
        instance.exports.call(3_000_010)


def test_function_called_through_a_table_after_its_slot_changed_under_it(runtime: Runtime) -> None:
    # the first call of $f replaces its own slot
    instance = runtime.instantiate(
        "(module (type $t (func (result i32))) (table 1 funcref) (elem (i32.const 0) $f) (elem declare func $g)"
        "(func $f (result i32) (table.set (i32.const 0) (ref.func $g)) (i32.const 1)) (func $g (result i32) (i32.const 2))"
        '(func (export "call") (result i32) (call_indirect (type $t) (i32.const 0))))'
    )
    assert [instance.exports.call() for _ in range(3)] == [1, 2, 2]


def test_an_index_past_the_end_is_a_trap_in_a_module_with_structures(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        """(module (type (struct)) (table 3 funcref) (table $e 3 externref)
        (func (export "get") (param i32) (result i32) (ref.is_null (table.get 0 (local.get 0))))
        (func (export "set") (param i32) (table.set $e (local.get 0) (ref.null extern))))"""
    )
    read, write = function_of(instance, "get"), function_of(instance, "set")
    assert read(2) == 1
    for call in (read, write):
        with pytest.raises(Trap, match="out of bounds table access") as caught:
            call(3)
        assert len(caught.value.frames) == 1


def test_segments_in_any_order_whole_and_in_parts(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        """(module (type $t (func (result i32))) (import "m" "host" (func $host (result i32)))
        (func $zero (result i32) (i32.const 0)) (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
        (func $three (result i32) (i32.const 3)) (func (export "four") (result i32) (i32.const 4))
        (table 12 funcref)
        (elem (i32.const 0) func $three $one $host $one)
        (elem $later func $two $host $zero $three 5)
        (func (export "init") (param i32 i32 i32) (table.init $later (local.get 0) (local.get 1) (local.get 2)))
        (func (export "call") (param i32) (result i32) (call_indirect (type $t) (local.get 0))))""",
        imports={"m": {"host": lambda: 9}},
    )
    exports = instance.exports
    for target, source, count in ((4, 0, 1), (5, 1, 2), (7, 2, 3), (10, 0, 2)):
        exports.init(target, source, count)
    assert [exports.call(index) for index in range(12)] == [3, 1, 9, 1, 2, 9, 0, 0, 3, 4, 2, 9]
