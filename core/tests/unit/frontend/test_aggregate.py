"""Structures, arrays and casts in IR: what is read once, what is not asked, which traps are where."""

from __future__ import annotations

import pytest

from core.tests.unit.frontend.functions import build
from purewasm.ir import ops
from purewasm.ir.function import Function
from purewasm.ir.parser import parse_function
from purewasm.ir.printer import format_function
from purewasm.ir.verifier import verify
from purewasm.passes.polls import place_polls

TYPES = """
  (type $t (sub (struct (field $i i32) (field $m (mut i32)) (field $b (mut i8)) (field $r (mut (ref null $t))))))
  (type $u (sub final $t (struct (field i32) (field (mut i32)) (field (mut i8)) (field (mut (ref null $t))) (field f64))))
  (type $v (sub $t (struct (field i32) (field (mut i32)) (field (mut i8)) (field (mut (ref null $t))))))
  (type $a (array (mut i32)))
  (type $f (sub (func))) (type $g (sub $f (func)))
"""


CAST_T = "(drop (ref.cast (ref $t) (local.get 0)))"


def function(text: str, head: str) -> Function:
    made = build(f"(module {TYPES} (func {head} {text}))")
    verify(made)
    assert format_function(parse_function(format_function(made))) == format_function(made)
    return made


def count(made: Function, name: str) -> int:
    return sum(ops.NAMES[inst[0]].partition(".")[0] == name for inst in made.insts)


# ---- reading and writing


@pytest.mark.parametrize(
    ("field", "between", "reads"),
    [
        ("$i", "", 1),
        ("$m", "", 1),
        ("$i", "(struct.set $t $m (local.get 1) (i32.const 1))", 1),
        ("$m", "(struct.set $t $m (local.get 1) (i32.const 1))", 2),
        ("$m", "(array.set $a (local.get 2) (i32.const 0) (i32.const 1))", 2),
        ("$m", "(drop (struct.new_default $t))", 1),
        ("$m", "(drop (array.new $a (i32.const 1) (i32.const 3)))", 1),
        ("$m", "(call 0 (local.get 0) (local.get 1) (local.get 2)) (drop)", 2),
        ("$i", "(call 0 (local.get 0) (local.get 1) (local.get 2)) (drop)", 1),
        ("$i", "(loop (br_if 0 (i32.const 0)))", 2),
    ],
)
def test_fields_are_read_once_as_long_as_nothing_can_write_them(field: str, between: str, reads: int) -> None:
    get = f"(struct.get $t {field} (local.get 0))"
    head = "(param (ref null $t) (ref null $t) (ref null $a)) (result i32)"
    made = function(f"(i32.add {get} (block (result i32) {between} {get}))", head)
    assert count(made, "object_get") == reads


def test_what_has_been_written_is_what_is_read() -> None:
    text = "(struct.set $t $m (local.get 0) (local.get 1)) (struct.get $t $m (local.get 0))"
    assert count(function(text, "(param (ref null $t) i32) (result i32)"), "object_get") == 0


def test_a_narrow_field_is_read_after_it_has_been_written() -> None:
    text = "(struct.set $t $b (local.get 0) (local.get 1)) (struct.get_u $t $b (local.get 0))"
    assert count(function(text, "(param (ref null $t) i32) (result i32)"), "object_get") == 1


def test_fields_of_a_new_structure_are_known() -> None:
    text = "(struct.get $t $i (struct.new $t (local.get 0) (i32.const 1) (i32.const 2) (ref.null $t)))"
    made = function(text, "(param i32) (result i32)")
    assert made.insts[-1] == (ops.RETURN, ops.NO, ops.NO, (0,))


def test_an_access_is_the_null_check() -> None:
    made = function("(struct.get $t $i (local.get 0))", "(param (ref null $t)) (result i32)")
    assert count(made, "trap_if") == 0
    assert next(inst for inst in made.insts if ops.NAMES[inst[0]] == "object_get.i")[3][3] >= 0


@pytest.mark.parametrize("head", ["(param (ref $t)) (result i32)", "(param (ref $v)) (result i32)"])
def test_what_is_never_null_is_not_checked(head: str) -> None:
    made = function("(struct.get $t $i (local.get 0))", head)
    assert next(inst for inst in made.insts if ops.NAMES[inst[0]] == "object_get.i")[3][3] == -1


def test_a_field_that_lies_far_off_is_checked() -> None:
    fields = "(field i64)" * 600
    made = build(f"(module (type $t (struct {fields})) (func (param (ref null $t)) (result i64) (struct.get $t 599 (local.get 0))))")
    verify(made)
    assert count(made, "trap_if") == 1


@pytest.mark.parametrize("text", ["(drop (struct.get $t $i (ref.null $t)))", "(drop (array.len (ref.null $a)))"])
def test_an_access_to_null_is_a_trap(text: str) -> None:
    made = function(f"{text} (call 0)", "")
    assert count(made, "trap") == 1
    assert count(made, "call") == 0


def test_an_index_is_checked_once() -> None:
    element = "(array.get $a (local.get 0) (local.get 1))"
    made = function(f"(array.set $a (local.get 0) (local.get 1) (i32.add {element} {element}))", "(param (ref null $a) i32)")
    assert count(made, "array_check") == 1
    assert count(made, "object_get") == 1


@pytest.mark.parametrize(("index", "checks"), [(3, 0), (4, 1)])
def test_constant_indices_of_an_array_of_known_length(index: int, checks: int) -> None:
    made = function(f"(array.get $a (array.new $a (i32.const 7) (i32.const 4)) (i32.const {index}))", "(result i32)")
    assert count(made, "array_check") == checks


def test_the_length_of_a_new_array_is_known() -> None:
    made = function("(array.len (array.new_default $a (local.get 0)))", "(param i32) (result i32)")
    assert made.insts[-1] == (ops.RETURN, ops.NO, ops.NO, (0,))


@pytest.mark.parametrize(
    ("text", "polls"),
    [
        ("(array.set $a (local.get 0) (i32.const 1) (local.get 1))", 0),
        ("(drop (struct.new_default $t))", 0),
        ("(array.fill $a (local.get 0) (i32.const 0) (i32.const 1) (local.get 1))", 2),  # one is behind it
        ("(array.fill $a (local.get 0) (i32.const 0) (i32.const 1) (i32.const 9))", 1),
        ("(drop (array.new_default $a (local.get 1)))", 1),
    ],
)
def test_what_may_take_long_counts_as_a_call_for_polls(text: str, polls: int) -> None:
    turn = "(br_if $l (i32.lt_u (local.tee 2 (i32.add (local.get 2) (i32.const 1))) (i32.const 100)))"
    made = function(f"(local.set 2 (i32.const 0)) (loop $l {text} {turn})", "(param (ref $a) i32 i32)")
    place_polls(made)
    assert count(made, "poll") == polls


# ---- tests and casts


@pytest.mark.parametrize(
    ("source", "target", "answer"),
    [
        ("(ref $u)", "(ref $t)", 1),
        ("(ref null $u)", "(ref null $t)", 1),
        ("(ref $u)", "(ref struct)", 1),
        ("(ref null $u)", "(ref array)", 0),
        ("(ref $u)", "(ref null $v)", 0),
        ("(ref $u)", "(ref null none)", 0),
        ("(ref $u)", "(ref any)", 1),
        ("anyref", "(ref null any)", 1),
        ("(ref i31)", "(ref eq)", 1),
        ("(ref i31)", "(ref null $t)", 0),
        ("(ref $g)", "(ref $f)", 1),
        ("(ref $f)", "(ref null nofunc)", 0),
        ("externref", "(ref noextern)", 0),
    ],
)
def test_what_types_say_is_not_asked(source: str, target: str, answer: int) -> None:
    made = function(f"(ref.test {target} (local.get 0))", f"(param {source}) (result i32)")
    op, _, _, imm = made.insts[-1]
    assert op == ops.RETURN
    assert made.constants[~imm[0]] == answer
    cast = function(f"(drop (ref.cast {target} (local.get 0)))", f"(param {source})")
    assert count(cast, "ref_cast") == count(cast, "trap_if") == 0
    assert count(cast, "trap") == (not answer)


@pytest.mark.parametrize(
    ("source", "target", "flags"),
    [
        ("anyref", "(ref $t)", 0),
        ("anyref", "(ref null $t)", ops.TEST_NULL),
        ("(ref any)", "(ref null $t)", ops.TEST_NULL | ops.TEST_NOT_NULL),
        ("(ref null $t)", "(ref $u)", ops.TEST_HEAP),
        ("structref", "(ref $u)", ops.TEST_HEAP),
        ("(ref $t)", "(ref $u)", ops.TEST_HEAP | ops.TEST_NOT_NULL),
    ],
)
def test_a_test_looks_at_no_more_than_it_needs(source: str, target: str, flags: int) -> None:
    made = function(f"(ref.test {target} (local.get 0))", f"(param {source}) (result i32)")
    test = next(inst for inst in made.insts if inst[0] == ops.REF_TEST)
    asked = made.constants[~test[2]]
    assert isinstance(asked, int)
    assert asked & (ops.TEST_NULL | ops.TEST_NOT_NULL | ops.TEST_HEAP) == flags


@pytest.mark.parametrize(
    ("text", "casts"),
    [
        ("(drop (ref.cast (ref $t) (local.get 0))) (drop (ref.cast (ref $t) (local.get 0)))", 1),
        ("(drop (ref.cast (ref $v) (local.get 0))) (drop (ref.cast (ref $t) (local.get 0)))", 1),
        ("(drop (ref.cast (ref $t) (local.get 0))) (drop (ref.cast (ref $v) (local.get 0)))", 2),
        ("(if (ref.test (ref $t) (local.get 0)) (then (drop (ref.cast (ref $t) (local.get 0)))))", 0),
        ("(if (ref.test (ref $t) (local.get 0)) (then) (else (drop (ref.cast (ref $t) (local.get 0)))))", 1),
        ("(br_if 0 (i32.eqz (ref.test (ref $t) (local.get 0)))) (drop (ref.cast (ref $t) (local.get 0)))", 0),
        (f"{CAST_T} (if (ref.test (ref $v) (local.get 0)) (then) (else (drop (ref.cast (ref $v) (local.get 0)))))", 2),
        (f"{CAST_T} (if (ref.test (ref $v) (local.get 0)) (then) (else {CAST_T}))", 1),
        ("(if (local.get 1) (then (drop (ref.cast (ref $t) (local.get 0))))) (drop (ref.cast (ref $t) (local.get 0)))", 2),
        ("(local.set 0 (struct.new_default $v)) (drop (ref.cast (ref $t) (local.get 0)))", 0),
        ("(drop (struct.get $t $i (ref.cast (ref null $t) (local.get 0)))) (drop (ref.cast (ref $t) (local.get 0)))", 1),
    ],
)
def test_a_cast_is_done_once(text: str, casts: int) -> None:
    assert count(function(text, "(param anyref i32)"), "ref_cast") == casts


def test_a_branch_on_a_cast_that_is_certain_is_none() -> None:
    text = "(block $l (result (ref $t)) (drop (br_on_cast $l anyref (ref $t) (struct.new_default $u))) (unreachable)) (drop)"
    made = function(text, "")
    assert count(made, "br_if") == count(made, "trap") == 0


def test_small_integers_are_computed() -> None:
    made = function("(i31.get_s (ref.i31 (i32.const 0x40000000)))", "(result i32)")
    assert made.constants[~made.insts[-1][3][0]] == 0xC0000000
    assert count(function("(i31.get_u (ref.i31 (local.get 0)))", "(param i32) (result i32)"), "trap_if") == 0
    assert count(function("(i31.get_u (local.get 0))", "(param i31ref) (result i32)"), "trap_if") == 1


# ---- many elements


@pytest.mark.parametrize(
    ("count_", "constant"), [("(i32.const 4)", "04" * 16), ("(local.get 0)", "04" * 16)], ids=["constant", "variable"]
)
def test_equal_elements_are_16_bytes_at_a_time(count_: str, constant: str) -> None:
    made = build(f"(module (type $b (array i8)) (func (param i32) (drop (array.new $b (i32.const 0x104) {count_}))))")
    verify(made)
    new = next(inst for inst in made.insts if inst[0] == ops.ARRAY_NEW)
    assert made.constants[~new[2]] == bytes.fromhex(constant)


def test_the_bounds_of_a_segment_are_checked_before_anything_is_allocated() -> None:
    new = "(array.new_data $b $d (local.get 0) (i32.const 2))"
    made = build(f'(module (type $b (array i8)) (data $d "abc") (func (param i32) (drop {new})))')
    verify(made)
    order = [ops.NAMES[inst[0]] for inst in made.insts]
    assert order.index("trap_if") < order.index("array_new") < order.index("builtin")
