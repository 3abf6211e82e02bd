"""The allocator against its checker, on random functions and with few registers; and the checker against allocations that are wrong."""

from __future__ import annotations

from random import Random

import pytest

from core.tests.differential.aggregates import Aggregates
from core.tests.differential.throwing import Throwing
from core.tests.unit.frontend.functions import build, module_of
from core.tests.unit.isa.x64.random_loops import LoopGenerator
from core.tests.unit.isa.x64.random_programs import Generator
from purewasm.backend.allocation_checker import check_allocation
from purewasm.backend.linear_scan import Allocation, allocate
from purewasm.backend.placement import place_arguments
from purewasm.backend.splitting import Split
from purewasm.backend.target import SLOT, STACK_ARGUMENT, Target
from purewasm.errors import InternalError
from purewasm.frontend.build import build_function
from purewasm.frontend.context import ModuleContext
from purewasm.ir import ops
from purewasm.ir.function import Function
from purewasm.isa.x64.machine import TARGET
from purewasm.passes.pipeline import run_passes

SMALL = TARGET._replace(int_registers=(7, 3), saved_registers=(3,), vector_registers=(16, 17), int_arguments=(7,), vector_arguments=(16,))
SPOILED = SMALL._replace(int_registers=(TARGET.spoiled_register, 3))
THREE = TARGET._replace(int_registers=(7, 6, 3), saved_registers=(3,), int_arguments=(7, 6))


def allocated(function: Function, target: Target, classes: tuple[int, ...]) -> tuple[bytearray, list[int], Allocation]:
    live, found = run_passes(function, target.foldable)
    return live, found.end, allocate(function, live, found, target, classes)


@pytest.mark.parametrize("seed", range(100, 160))
@pytest.mark.parametrize("target", [TARGET, SMALL, SPOILED], ids=["x64", "two registers", "one of two is spoiled"])
def test_allocations_of_random_functions_are_right(seed: int, target: Target) -> None:
    module = module_of(Generator(seed).module())
    context = ModuleContext(module, False, False)
    for index, deftype in enumerate(module.func_types):
        function = build_function(context, index)
        classes = context.signature(deftype)[0]
        if len(deftype.func.results) > 1:
            classes = (*classes, ops.INT)
        live, end, allocation = allocated(function, target, classes)
        check_allocation(function, live, end, allocation, target)


@pytest.mark.parametrize("target", [TARGET, THREE, SMALL], ids=["x64", "three registers", "two registers"])
def test_allocations_of_loops_in_each_other_are_right(target: Target) -> None:
    for seed in range(150):
        function = build(LoopGenerator(seed).module())
        live, end, allocation = allocated(function, target, (ops.INT,) * 3)
        check_allocation(function, live, end, allocation, target)


@pytest.mark.parametrize("target", [TARGET, SMALL, SPOILED], ids=["x64", "two registers", "one of two is spoiled"])
def test_allocations_of_functions_with_objects_are_right(target: Target) -> None:
    for seed in range(8):
        module = module_of(Aggregates(Random(seed)).text())
        context = ModuleContext(module, False, False)
        for index, deftype in enumerate(module.func_types):
            function = build_function(context, index)
            live, end, allocation = allocated(function, target, context.signature(deftype)[0])
            check_allocation(function, live, end, allocation, target)


@pytest.mark.parametrize("legacy", [False, True], ids=["exceptions", "legacy"])
@pytest.mark.parametrize("target", [TARGET, SMALL], ids=["x64", "two registers"])
def test_allocations_of_functions_with_handlers_are_right(legacy: bool, target: Target) -> None:
    for seed in range(20):
        module = module_of(Throwing(Random(seed), legacy=legacy).text())
        context = ModuleContext(module, False, False)
        for index, deftype in enumerate(module.func_types):
            function = build_function(context, index)
            live, end, allocation = allocated(function, target, context.signature(deftype)[0])
            check_allocation(function, live, end, allocation, target)


def test_a_value_in_a_register_that_a_landing_pad_does_not_have_is_found() -> None:
    function = build(
        "(module (tag) (func $f) (func (param i32) (result i32) (block $h (try_table (catch_all $h) (call $f))) (local.get 0)))"
    )
    live, end, allocation = allocated(function, TARGET, (ops.INT,))
    assert allocation.places[0] >= SLOT
    check_allocation(function, live, end, allocation, TARGET)
    allocation.places[0] = TARGET.saved_registers[0]
    with pytest.raises(InternalError, match="not in its place"):
        check_allocation(function, live, end, allocation, TARGET)


def test_a_register_that_is_taken_twice_is_found() -> None:
    function = build("(module (func (param i32 i32) (result i32) (i32.sub (i32.clz (local.get 0)) (i32.ctz (local.get 1)))))")
    live, end, allocation = allocated(function, TARGET, (ops.INT, ops.INT))
    check_allocation(function, live, end, allocation, TARGET)
    allocation.places[1] = allocation.places[0]
    with pytest.raises(InternalError, match="not in its place"):
        check_allocation(function, live, end, allocation, TARGET)


def test_a_value_in_a_register_that_a_call_loses_is_found() -> None:
    function = build("(module (func $f) (func (param i32) (result i32) (call $f) (local.get 0)))")
    live, end, allocation = allocated(function, TARGET, (ops.INT,))
    assert allocation.places[0] in TARGET.saved_registers
    allocation.places[0] = 7
    with pytest.raises(InternalError, match="not in its place"):
        check_allocation(function, live, end, allocation, TARGET)


def test_a_slot_or_register_that_the_frame_does_not_have_is_found() -> None:
    function = build("(module (func $f) (func (param i32 v128) (result i32) (call $f) (i32x4.extract_lane 1 (local.get 1)) (local.get 0) "
                     "(i32.add)))")  # fmt: skip
    live, end, allocation = allocated(function, TARGET, (ops.INT, ops.VEC))
    check_allocation(function, live, end, allocation, TARGET)
    assert (allocation.slots, allocation.places[1]) == (2, SLOT)
    allocation.slots = 1
    with pytest.raises(InternalError, match="value 1 is in a slot that the frame does not have"):
        check_allocation(function, live, end, allocation, TARGET)
    allocation.slots, allocation.used = 2, allocation.used & ~(1 << allocation.places[0])
    with pytest.raises(InternalError, match="value 0 is in a register that would not be saved"):
        check_allocation(function, live, end, allocation, TARGET)
    allocation.used = -1
    check_allocation(function, live, end, allocation, TARGET)
    extracted = len(function.insts) - 3
    allocation.places[extracted] = TARGET.vector_registers[0]
    with pytest.raises(InternalError, match=f"value {extracted} is in a register of another class"):
        check_allocation(function, live, end, allocation, TARGET)


def test_vectors_take_two_slots() -> None:
    function = build("(module (func $f) (func (param v128 v128) (result v128) (call $f) (v128.and (local.get 0) (local.get 1))))")
    live, end, allocation = allocated(function, TARGET, (ops.VEC, ops.VEC))
    assert allocation.slots == 4
    assert abs(allocation.places[0] - allocation.places[1]) == 2
    assert min(allocation.places[:2]) == SLOT
    check_allocation(function, live, end, allocation, TARGET)


def test_arguments_are_placed_by_class_and_then_on_the_stack() -> None:
    classes = (ops.INT,) * 7 + (ops.FLT,) + (ops.VEC,) * 8
    places, stack_bytes = place_arguments(TARGET, classes)
    assert places[:6] == (7, 6, 2, 1, 8, 9)
    assert places[6] == STACK_ARGUMENT
    assert places[7:15] == tuple(range(16, 24))
    assert places[15] == STACK_ARGUMENT + 16
    assert stack_bytes == 32


@pytest.mark.parametrize("operand", [0, 1])
def test_a_value_in_a_register_that_an_operation_spoils_is_found(operand: int) -> None:
    function = build("(module (func (param i32 i32) (result i32) (i32.add (i32.div_u (local.get 0) (local.get 1)) (local.get 0))))")
    live, end, allocation = allocated(function, TARGET, (ops.INT, ops.INT))
    check_allocation(function, live, end, allocation, TARGET)
    allocation.places[operand] = TARGET.spoiled_register
    with pytest.raises(InternalError, match="not in its place"):
        check_allocation(function, live, end, allocation, TARGET)


def test_a_result_in_the_register_that_its_operation_spoils_is_found() -> None:
    function = build("(module (func (param i32 i32) (result i32) (i32.eqz (i32.div_u (local.get 0) (local.get 1)))))")
    live, end, allocation = allocated(function, TARGET, (ops.INT, ops.INT))
    allocation.places[2] = TARGET.spoiled_register
    with pytest.raises(InternalError, match="is spoiled by"):
        check_allocation(function, live, end, allocation, TARGET)


# One parameter is used on every turn of a loop, but not in the loop inside it, which needs its register.
RESTING = """(module (func (param i32 i32) (result i32) (local $turn i32) (local $sum i32)
  (local.set $turn (local.get 0))
  (loop $outer
    (if (i32.and (local.get $turn) (i32.const 1)) (then
      (local.set $sum (local.get $turn))
      (loop $inner
        (local.set $sum (i32.mul (i32.add (local.get $sum) (i32.ctz (local.get $sum))) (i32.xor (local.get $sum) (local.get $turn))))
        (br_if $inner (i32.gt_u (local.get $sum) (i32.const 1000))))))
    (local.set $turn (i32.sub (i32.xor (i32.add (local.get $turn) (local.get 1)) (local.get 1)) (local.get 1)))
    (local.set $turn (i32.sub (i32.xor (i32.add (local.get $turn) (local.get 1)) (local.get 1)) (local.get 1)))
    (br_if $outer (local.get $turn)))
  (i32.add (local.get $sum) (local.get 1))))"""


def test_a_value_rests_in_memory_during_a_loop_that_does_not_use_it() -> None:
    function = build(RESTING)
    live, end, allocation = allocated(function, THREE, (ops.INT,) * 2)
    check_allocation(function, live, end, allocation, THREE)
    assert allocation.splits
    for split in allocation.splits:
        assert allocation.places[split.value] == split.register
        assert split.value < split.start < split.end < end[split.value]


def test_a_split_that_is_forgotten_is_found() -> None:
    function = build(RESTING)
    live, end, allocation = allocated(function, THREE, (ops.INT,) * 2)
    allocation.splits.clear()
    with pytest.raises(InternalError, match="not in its place"):
        check_allocation(function, live, end, allocation, THREE)


def test_a_split_whose_slot_is_overwritten_is_found() -> None:
    function = build(RESTING)
    live, end, allocation = allocated(function, THREE, (ops.INT,) * 2)
    split = allocation.splits[0]
    inside = [value for value in range(split.start + 1, split.end) if live[value] and 0 <= allocation.places[value] < SLOT]
    parameter, made = inside[:2]
    places = allocation.places
    assert function.insts[parameter][0] == ops.PARAM + ops.INT != function.insts[made][0]
    for value, complaint in (made, "not in its place"), (parameter, "go to the same place at once"):
        former, places[value] = places[value], split.slot
        with pytest.raises(InternalError, match=complaint):
            check_allocation(function, live, end, allocation, THREE)
        places[value] = former
    check_allocation(function, live, end, allocation, THREE)


# The next value of the outer loop's parameter, which only what is behind that loop needs still, begins where the inner loop is left.
LEFT = """(module (func (param $next i32) (param $bits i32) (result i32)
  (block $out
    (loop $outer
      (br_if $out (i32.gt_u (local.get $next) (i32.const 1000)))
      (local.set $next (block $left (result i32)
        (loop $inner
          (drop (br_if $left (local.get $bits) (i32.and (local.get $bits) (i32.const 1))))
          (br_if $inner (local.tee $bits (i32.shr_u (local.get $bits) (i32.const 3)))))
        (i32.popcnt (local.get $bits))))
      (br $outer)))
  (local.get $next)))"""


def test_a_value_that_comes_back_over_the_one_that_got_its_register_is_found() -> None:
    function = build(LEFT)
    live, end, allocation = allocated(function, TARGET, (ops.INT,) * 2)
    check_allocation(function, live, end, allocation, TARGET)
    outer, inner = (position for position, inst in enumerate(function.insts) if inst[0] == ops.LOOP)
    inner_end = next(position for position, inst in enumerate(function.insts) if inst[0] == ops.ENDLOOP)
    parameter = outer + 1
    following = max(function.insts[parameter][3])
    register = allocation.places[parameter]
    assert allocation.lent == [(parameter, register, end[following] + 1)]
    allocation.splits.append(Split(parameter, register, SLOT + allocation.slots, inner, inner_end))
    allocation.slots += 1
    with pytest.raises(InternalError, match=f"values {parameter} and {following} go to the same place at once"):
        check_allocation(function, live, end, allocation, TARGET)
    allocation.places[following] = next(register for register in TARGET.int_registers if register not in allocation.places)
    check_allocation(function, live, end, allocation, TARGET)
