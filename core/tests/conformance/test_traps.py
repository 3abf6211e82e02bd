"""Every kind of trap, by its code, and which of two comes first."""

from __future__ import annotations

import pytest

from core.tests.conformance.externs import global_of
from purewasm import Runtime, Trap, traps


def trap_of(runtime: Runtime, body: str, fields: str = "") -> Trap:
    """The trap of a function with this body."""
    instance = runtime.instantiate(f'(module {fields} (func (export "f") {body}))')
    with pytest.raises(Trap) as caught:
        instance.exports.f()
    return caught.value


MEMORY = "(memory 1)"
TABLE = "(type $v (func)) (type $i (func (param i32))) (func $g) (table 3 funcref) (elem (i32.const 0) $g)"
GC = "(type $s (struct (field (mut i32)))) (type $a (array (mut i8))) (type $f (func)) (type $t (sub (struct)))"

CASES = [
    ("(unreachable)", "", traps.UNREACHABLE),
    ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", "", traps.INTEGER_DIVIDE_BY_ZERO),
    ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", "", traps.INTEGER_DIVIDE_BY_ZERO),
    ("(drop (i64.rem_s (i64.const 1) (i64.const 0)))", "", traps.INTEGER_DIVIDE_BY_ZERO),
    ("(drop (i64.rem_u (i64.const 1) (i64.const 0)))", "", traps.INTEGER_DIVIDE_BY_ZERO),
    ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", "", traps.INTEGER_OVERFLOW),
    ("(drop (i32.trunc_f64_s (f64.const nan)))", "", traps.INVALID_CONVERSION),
    ("(drop (i64.trunc_f32_u (f32.const -1)))", "", traps.INTEGER_OVERFLOW),
    ("(drop (i32.load (i32.const 65533)))", MEMORY, traps.OUT_OF_BOUNDS_MEMORY),
    ("(drop (i32.load8_u (i32.const -1)))", MEMORY, traps.OUT_OF_BOUNDS_MEMORY),
    ("(i64.store offset=4294967295 (i32.const -1) (i64.const 0))", MEMORY, traps.OUT_OF_BOUNDS_MEMORY),
    ("(drop (v128.load (i32.const 65521)))", MEMORY, traps.OUT_OF_BOUNDS_MEMORY),
    ("(memory.fill (i32.const 65535) (i32.const 0) (i32.const 2))", MEMORY, traps.OUT_OF_BOUNDS_MEMORY),
    ("(drop (i64.load offset=0xffffffffffffffff (i64.const -1)))", "(memory i64 1)", traps.OUT_OF_BOUNDS_MEMORY),
    ("(v128.store offset=0xffffffffffffffff (i64.const -1) (v128.const i64x2 0 0))", "(memory i64 1)", traps.OUT_OF_BOUNDS_MEMORY),
    ("(drop (i32.atomic.load (i32.const 2)))", "(memory 1 1 shared)", traps.UNALIGNED_ATOMIC),
    ("(drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 0)))", MEMORY, traps.EXPECTED_SHARED),
    ("(drop (table.get (i32.const 3)))", TABLE, traps.OUT_OF_BOUNDS_TABLE),
    ("(table.set (i32.const -1) (ref.null func))", TABLE, traps.OUT_OF_BOUNDS_TABLE),
    ("(table.copy (i32.const 2) (i32.const 0) (i32.const 2))", TABLE, traps.OUT_OF_BOUNDS_TABLE),
    ("(call_indirect (type $v) (i32.const 3))", TABLE, traps.UNDEFINED_ELEMENT),
    ("(call_indirect (type $v) (i32.const 1))", TABLE, traps.UNINITIALIZED_ELEMENT),
    ("(call_indirect (type $i) (i32.const 7) (i32.const 0))", TABLE, traps.INDIRECT_CALL_TYPE),
    ("(return_call_indirect (type $v) (i32.const -1))", TABLE, traps.UNDEFINED_ELEMENT),
    ("(call_ref $f (ref.null $f))", GC, traps.NULL_FUNCTION),
    ("(drop (ref.as_non_null (ref.null any)))", GC, traps.NULL_REFERENCE),
    ("(drop (struct.get $s 0 (ref.null $s)))", GC, traps.NULL_STRUCTURE),
    ("(struct.set $s 0 (ref.null $s) (i32.const 1))", GC, traps.NULL_STRUCTURE),
    ("(drop (array.get_u $a (ref.null $a) (i32.const 0)))", GC, traps.NULL_ARRAY),
    ("(drop (array.len (ref.null array)))", GC, traps.NULL_ARRAY),
    ("(drop (array.get_s $a (array.new $a (i32.const 1) (i32.const 4)) (i32.const 4)))", GC, traps.OUT_OF_BOUNDS_ARRAY),
    ("(array.fill $a (array.new $a (i32.const 1) (i32.const 4)) (i32.const 3) (i32.const 0) (i32.const 2))", GC, traps.OUT_OF_BOUNDS_ARRAY),
    ("(array.fill $a (array.new_default $a (i32.const 4)) (i32.const 0) (i32.const 0) (i32.const -1))", GC, traps.OUT_OF_BOUNDS_ARRAY),
    ("(drop (i31.get_s (ref.null i31)))", GC, traps.NULL_I31),
    ("(drop (ref.cast (ref $t) (struct.new_default $s)))", GC, traps.CAST_FAILURE),
    ("(throw_ref (ref.null exn))", "", traps.NULL_EXCEPTION),
]


@pytest.mark.parametrize(("body", "fields", "code"), CASES)
def test_trap_code(runtime: Runtime, body: str, fields: str, code: str) -> None:
    trap = trap_of(runtime, body, fields)
    assert code == trap.code
    assert str(trap).startswith(code)


# The first operand that traps, traps: whatever an engine does with the order of its own code.
ORDER = [
    ("(drop (i32.add (i32.load (i32.const -1)) (i32.div_u (i32.const 1) (i32.const 0))))", traps.OUT_OF_BOUNDS_MEMORY),
    ("(drop (i32.add (i32.div_u (i32.const 1) (i32.const 0)) (i32.load (i32.const -1))))", traps.INTEGER_DIVIDE_BY_ZERO),
    ("(i32.store (i32.div_s (i32.const 1) (i32.const 0)) (i32.load (i32.const -1)))", traps.INTEGER_DIVIDE_BY_ZERO),
    ("(i32.store (i32.load (i32.const -1)) (i32.div_s (i32.const 1) (i32.const 0)))", traps.OUT_OF_BOUNDS_MEMORY),
    ("(drop (select (i32.load (i32.const -1)) (i32.div_u (i32.const 1) (i32.const 0)) (i32.const 0)))", traps.OUT_OF_BOUNDS_MEMORY),
    ("(drop (select (i32.const 1) (i32.div_u (i32.const 1) (i32.const 0)) (i32.load (i32.const -1))))", traps.INTEGER_DIVIDE_BY_ZERO),
    ("(call_indirect (type $i) (i32.load (i32.const -1)) (i32.const 99))", traps.OUT_OF_BOUNDS_MEMORY),
    ("(call_indirect (type $i) (i32.const 0) (i32.load (i32.const -1)))", traps.OUT_OF_BOUNDS_MEMORY),
    ("(block (i32.load (i32.const -1)) (br 0))", traps.OUT_OF_BOUNDS_MEMORY),
    ("(i32.load (i32.const -1)) (unreachable)", traps.OUT_OF_BOUNDS_MEMORY),
    ("(i32.load (i32.const -1)) (return)", traps.OUT_OF_BOUNDS_MEMORY),
    ("(i32.load (i32.const -1)) (drop (i32.div_u (i32.const 1) (i32.const 0))) (drop)", traps.OUT_OF_BOUNDS_MEMORY),
    ("(local i32) (i32.load (i32.const -1)) (local.set 0 (i32.div_u (i32.const 1) (i32.const 0))) (drop)", traps.OUT_OF_BOUNDS_MEMORY),
    ("(drop (array.get $a (ref.null $a) (i32.load (i32.const -1))))", traps.OUT_OF_BOUNDS_MEMORY),
    ("(call_ref $i (i32.load (i32.const -1)) (ref.null $i))", traps.OUT_OF_BOUNDS_MEMORY),
    (
        "(drop (block (result i32) (br_if 0 (i32.load (i32.const -1)) (i32.div_u (i32.const 1) (i32.const 0)))))",
        traps.OUT_OF_BOUNDS_MEMORY,
    ),
]


@pytest.mark.parametrize(("body", "code"), ORDER)
def test_first_operand_traps_first(runtime: Runtime, body: str, code: str) -> None:
    fields = "(type $i (func (param i32))) (type $a (array i32)) (memory 1) (table 1 funcref)"
    assert code == trap_of(runtime, body, fields).code


def test_store_that_traps_writes_nothing(runtime: Runtime) -> None:
    instance = runtime.instantiate('(module (memory (export "memory") 1) (func (export "f") (i64.store (i32.const 65532) (i64.const -1))))')
    with pytest.raises(Trap):
        instance.exports.f()
    assert bytes(8) == instance.memory.read(65528, 8)


def test_value_of_a_store_is_computed_before_its_bounds_are_checked(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        '(module (memory 1) (global $g (export "g") (mut i32) (i32.const 0))'
        "(func $set (result i32) (global.set $g (i32.const 7)) (i32.const 1))"
        '(func (export "f") (i32.store (i32.const -1) (call $set))))'
    )
    with pytest.raises(Trap):
        instance.exports.f()
    assert global_of(instance, "g").value == 7


@pytest.mark.parametrize("type_", ["(func)", "(struct)"])  # the second one may be run by another engine inside
def test_a_trap_of_the_start_function(runtime: Runtime, type_: str) -> None:
    with pytest.raises(Trap, match="out of bounds memory access") as caught:
        runtime.instantiate(f"(module (type {type_}) (memory 1) (func $boot (drop (i32.load (i32.const 65533)))) (start $boot))")
    assert [frame.function for frame in caught.value.frames] == ["boot"]
