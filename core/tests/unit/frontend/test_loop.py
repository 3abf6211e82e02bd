"""Loops on their own: what they load, where they can be left to and what they store there, and what a segment of fuel belongs to."""

from __future__ import annotations

import re

import pytest

from core.tests.unit.frontend.functions import module_of
from purewasm.binary.body import decode_body
from purewasm.errors import InternalError
from purewasm.frontend.context import ModuleContext, slot_bytes
from purewasm.frontend.loop import build_loop
from purewasm.ir import ops
from purewasm.ir.function import Function
from purewasm.ir.verifier import verify


def loop_of(text: str, number: int = 0, *, fuel: bool = False) -> Function:
    """The loop of this number in the last function of a module."""
    module = module_of(text)
    body = decode_body(module, module.codes[-1])
    places = [place for op, place in zip(body.ops, body.offsets, strict=True) if op == 0x03]
    function = build_loop(ModuleContext(module, explicit_checks=False, fuel=fuel), len(module.func_types) - 1, places[number])
    verify(function)
    assert function.place == places[number]
    return function


def body_of(text: str, header: str = "(param i32 i64) (result i32) (local f32 f64)", number: int = 0) -> Function:
    return loop_of(f"(module (memory 1) (func {header} {text}))", number)


def loads(function: Function, base: int = 0) -> list[int]:
    """Offsets from one of the two arguments."""
    return [imm[1] for op, a, _, imm in function.insts if op & ~3 == ops.OBJECT_GET and a == base]


def ways_out(function: Function) -> dict[int, tuple[list[int], list[int]]]:
    """By number: offsets of the locals and of the operands that are stored there."""
    found: dict[int, tuple[list[int], list[int]]] = {}
    stored: tuple[list[int], list[int]] = [], []
    for op, a, _, imm in function.insts:
        if op == ops.OBJECT_SET and a < 2:
            stored[a].append(imm[2])
        elif op == ops.RETURN:
            number = function.constants[~imm[0]]
            assert isinstance(number, int)
            assert number not in found
            found[number] = stored
            stored = [], []
    return found


def test_only_locals_that_the_loop_names_are_loaded_and_only_those_that_it_sets_are_stored() -> None:
    function = body_of("(local.set 3 (f64.const 1)) (loop (local.set 1 (i64.extend_i32_u (local.get 0)))) (i32.wrap_i64 (local.get 1))")
    assert loads(function) == [0, 8]
    assert ways_out(function) == {1: ([8], [])}


def test_ways_out_are_numbered_from_outside() -> None:
    text = """(block (loop (block (loop
        (br_if 0 (i32.load (local.get 0)))
        (br_if 1 (i32.load (local.get 0)))
        (br_if 3 (i32.load (local.get 0)))
        (if (i32.load (local.get 0)) (then (return (i32.const 5))))))))
      (i32.const 0)"""
    assert list(ways_out(body_of(text, number=1))) == [4, 3, 1, 0]
    assert list(ways_out(body_of(text, number=0))) == [2, 1, 0]


def test_closed_blocks_and_arms_in_front_of_a_loop_are_not_around_it() -> None:
    text = "(block (nop)) (if (local.get 0) (then (nop)) (else (block (loop (br_if 2 (i32.load (local.get 0))) (br 1))))) (i32.const 0)"
    assert list(ways_out(body_of(text))) == [2, 1]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("(loop (br_table 1 0 1 (local.get 0)))", [0]),
        ("(block (loop (br_table 0 1 (local.get 0)))) (unreachable)", [1]),
        ("(loop (br 0))", []),
        ("(loop (unreachable))", []),
        ("(loop (nop))", [1]),
    ],
)
def test_there_is_no_way_out_that_nobody_takes(text: str, numbers: list[int]) -> None:
    assert list(ways_out(body_of(text, "(param i32)"))) == numbers


def test_operands_stand_where_the_parameters_were() -> None:
    text = """(block $out (result f64 i32) (f64.const 1) (i64.const 2)
      (loop (param f64 i64) (result f32)
        (drop) (drop)
        (br_if $out (f64.const 3) (i32.const 4) (local.get 0)) (drop) (drop)
        (f32.const 5))
      (drop) (f64.const 1) (i32.const 1))
     (drop) (drop) (local.get 0)"""
    function = body_of(text)
    assert loads(function, 1) == [0, 8]
    assert ways_out(function) == {2: ([], [0]), 1: ([], [0, 8])}


def test_a_branch_to_a_loop_around_takes_its_parameters_along() -> None:
    text = """(i32.const 1) (i64.const 2) (loop $again (param i32 i64) (result i32)
      (loop $inner (param i32 i64) (result i32)
        (br_if $again (local.get 0))
        (drop)))"""
    assert ways_out(body_of(text, number=1)) == {2: ([], [0]), 1: ([], [0, 8])}


@pytest.mark.parametrize(
    ("around", "stored"),
    [
        ("{0} (local.get 0)", {1: [0]}),
        ("{0} (i32.wrap_i64 (local.get 1))", {1: [8]}),
        ("{0} (local.set 0 (i32.const 1)) (local.get 0)", {1: []}),
        ("(block {0} (br 0)) (local.get 0)", {2: [0], 1: [0]}),
        ("(block {0} (return (local.get 0))) (i32.wrap_i64 (local.get 1))", {2: [0], 1: [8]}),
        ("(loop {0} (br_if 0 (i32.const 0))) (i32.const 0)", {2: [0, 8], 1: [0, 8]}),
        ("{0} (i32.const 0)" + "(drop) (i32.const 0)" * 60, {1: [0, 8]}),
    ],
)
def test_what_nobody_reads_behind_the_loop_is_not_stored(around: str, stored: dict[int, list[int]]) -> None:
    loop = "(loop $next (local.set 0 (i32.add (local.get 0) (i32.const 1))) (local.set 1 (i64.const 5)) (br_if 1 (local.get 0)))"
    if len(stored) == 1:
        loop = loop.replace("(br_if 1", "(br_if 0")
    function = body_of(around.format(loop), number=around.startswith("(loop"))
    assert {number: offsets for number, (offsets, _) in ways_out(function).items()} == stored


def slot_of(fields: str, header: str, text: str) -> int:
    module = module_of(f"(module {fields} (func {header} {text}))")
    body = decode_body(module, module.codes[-1])
    return slot_bytes(ModuleContext(module, explicit_checks=False, fuel=False), len(module.func_types) - 1, body.ops)


@pytest.mark.parametrize(
    ("fields", "header", "text", "expected"),
    [
        ("", "(param i32 i64 f32 f64 funcref)", "", 8),
        ("", "(param v128)", "", 16),
        ("", "(local v128)", "", 16),
        ("", "", "(drop (v128.const i64x2 0 0))", 16),
        ("(memory 1 1 shared)", "", "(drop (i32.atomic.load (i32.const 0)))", 8),
        ("(func $v (result v128) (unreachable))", "", "(drop (call $v))", 16),
        ("(global $v v128 (v128.const i64x2 0 0))", "", "(drop (global.get $v))", 16),
        ("(type $s (struct (field v128)))", "(param (ref $s))", "(drop (struct.get $s 0 (local.get 0)))", 16),
        ("(type $a (array v128))", "(param (ref $a))", "(drop (array.get $a (local.get 0) (i32.const 0)))", 16),
        ("(func (local v128))", "", "", 8),
    ],
)
def test_slots_are_as_wide_as_the_widest_value_there_can_be(fields: str, header: str, text: str, expected: int) -> None:
    assert slot_of(fields, header, text) == expected


def test_wide_slots_are_twice_as_far_apart() -> None:
    function = body_of("(loop (local.set 2 (local.get 1))) (drop (local.get 2))", "(param v128 i64) (local i64)")
    assert loads(function) == [16, 32]
    assert ways_out(function) == {1: ([32], [])}


def test_fuel_is_charged_in_the_loop_for_what_begins_in_it() -> None:
    text = """(module (memory 1) (func (param i32) (result i32)
      (i32.store (local.get 0) (i32.const 1))
      (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (i32.const 7)))"""
    # `end` begins a segment, with the constant behind it
    assert [inst[3] for inst in loop_of(text, fuel=True).insts if inst[0] == ops.FUEL] == [5, 1]


def test_types_of_references_are_known_as_in_the_whole_function() -> None:
    text = """(module (type $s (struct (field (mut i32)))) (func (param (ref $s) (ref null $s))
      (loop (struct.set $s 0 (local.get 0) (i32.const 1)) (struct.set $s 0 (local.get 1) (i32.const 1)) (br 0))))"""
    traps = [imm[4] for op, a, _, imm in loop_of(text).insts if op == ops.OBJECT_SET and a > 1]
    assert traps[0] == -1
    assert traps[1] >= 0


@pytest.mark.parametrize("delta", [-1, 1])
def test_a_place_without_a_loop_is_refused(delta: int) -> None:
    module = module_of("(module (func (nop) (loop (nop))))")
    body = decode_body(module, module.codes[0])
    place = body.offsets[body.ops.index(0x03)] + delta
    with pytest.raises(InternalError, match=re.escape(f"function 0 has no loop at 0x{place:x}")):
        build_loop(ModuleContext(module, explicit_checks=False, fuel=False), 0, place)


@pytest.mark.parametrize("text", ["(try_table (loop (nop)))", "(loop (nop)) (return_call 0)"])
def test_loops_of_functions_without_baseline_code_are_refused(text: str) -> None:
    with pytest.raises(InternalError, match="cannot be entered"):
        loop_of(f"(module (func {text}))")


def test_instructions_are_decoded_once_for_loops_that_are_built_one_after_the_other() -> None:
    module = module_of("(module (func (loop (nop)) (loop (nop))) (func))")
    context = ModuleContext(module, explicit_checks=False, fuel=False)
    body = decode_body(module, module.codes[0])
    kept = []
    for place in [place for op, place in zip(body.ops, body.offsets, strict=True) if op == 0x03]:
        build_loop(context, 0, place)
        assert context.loops is not None
        kept.append(context.loops.body)
    assert kept[0] is kept[1]
    assert context.body(0) is kept[0]
    assert context.body(0) is not kept[0]
    build_loop(context, 0, place)
    assert len(context.body(1).ops) == 1
    assert context.loops is None
