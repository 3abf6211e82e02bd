"""Landing pads and handlers in IR."""

from __future__ import annotations

from random import Random

import pytest

from core.tests.differential.throwing import Throwing
from core.tests.unit.frontend.functions import build, module_of
from purewasm.frontend.build import build_function
from purewasm.frontend.context import ModuleContext
from purewasm.ir import ops
from purewasm.ir.function import Function
from purewasm.ir.parser import parse_function
from purewasm.ir.printer import format_function
from purewasm.ir.verifier import verify


def landings(function: Function) -> list[tuple[int, ...]]:
    """Tags that each landing pad takes, in the order of the code."""
    return [inst[3] for inst in function.insts if inst[0] == ops.LANDING_TAG]


@pytest.mark.parametrize("legacy", [False, True], ids=["exceptions", "legacy"])
@pytest.mark.parametrize("fuel", [False, True], ids=["plain", "fuel"])
def test_ir_of_random_functions_is_right(legacy: bool, fuel: bool) -> None:
    pads = 0
    for seed in range(15):
        module = module_of(Throwing(Random(seed), legacy=legacy).text())
        context = ModuleContext(module, False, fuel)
        for index in range(len(module.functions)):
            function = build_function(context, index)
            verify(function)
            again = parse_function(format_function(function))
            assert again.pads == function.pads
            verify(again)
            pads += len(function.pads)
    assert pads > 100


def test_only_calls_in_a_try_have_a_landing_pad() -> None:
    function = build("(module (tag) (func $f) (func (call $f) (block $h (try_table (catch 0 $h) (call $f) (call $f))) (call $f)))")
    verify(function)
    calls = [value for value, inst in enumerate(function.insts) if inst[0] == ops.CALL]
    assert len(calls) == 4
    assert list(function.pads) == calls[1:3]


def test_a_try_in_which_nothing_is_thrown_has_no_handler() -> None:
    function = build("(module (tag) (func (param i32) (result i32) (block $h (try_table (catch 0 $h))) (local.get 0)))")
    assert function.pads == {}
    assert [ops.NAMES[inst[0]] for inst in function.insts] == ["arg.i", "return"]


def test_landing_pads_know_what_the_handlers_from_there_outwards_take() -> None:
    function = build(
        "(module (tag $a) (tag $b) (tag $c) (func $f) (func (block $h"
        " (try_table (catch $a $h) (catch $b $h)"
        "  (try_table (catch $c $h) (catch $a $h) (call $f))"
        "  (try_table (catch_all $h) (call $f))"
        "  (call $f)))))"
    )
    verify(function)
    assert sorted(landings(function)) == [(-1,), (0, 1), (2, 0, 1)]


def test_a_delegate_passes_over_the_handlers_between() -> None:
    function = build(
        "(module (tag $a) (tag $b) (func $f) (func"
        " (try $outer (do (try (do (try (do (call $f)) (delegate $outer))) (catch $b))) (catch $a))))"
    )
    verify(function)
    assert landings(function) == [(0,)]


def test_a_catch_is_not_covered_by_its_own_try() -> None:
    function = build("(module (tag $a) (func $f) (func (try (do (call $f)) (catch $a (call $f)) (catch_all (rethrow 0)))))")
    verify(function)
    assert len(function.pads) == 1


def test_tail_calls_leave_the_try() -> None:
    function = build("(module (tag) (func $f) (func (block $h (try_table (catch 0 $h) (return_call $f)))))")
    verify(function)
    assert function.pads == {}
