"""Polls: which loops do without, also for the sake of another poll, and how the turns of a loop are counted."""

from __future__ import annotations

import operator

import pytest

from core.tests.unit.frontend.functions import build
from purewasm.ir import ops
from purewasm.ir.function import Function
from purewasm.passes.polls import place_polls, turns


def _polled(body: str) -> list[bool]:
    """Of each poll that is left: whether it has the address in a value."""
    function = build(f"(module (memory 1) (func $f (param i32) (local i32 i64 i32) {body}))")
    place_polls(function)
    return [inst[1] >= 0 and _is_control(function, inst[1]) for inst in function.insts if inst[0] == ops.POLL]


def _is_control(function: Function, value: int) -> bool:
    return function.insts[value][0] == ops.CONTROL


def _count(step: str, condition: str) -> str:
    return f"(loop (local.set 1 ({step})) (br_if 0 ({condition})))"


def test_a_loop_of_few_turns_is_not_polled() -> None:
    up = "i32.add (local.get 1) (i32.const 1)"
    assert _polled(_count(up, "i32.ne (local.get 1) (i32.const 1000)")) == []
    assert _polled(_count(up, "i32.lt_s (local.get 1) (i32.const 1000)")) == []
    assert _polled("(loop (i32.lt_u (local.get 1) (i32.const 9)) (local.set 1 (i32.add (local.get 1) (i32.const 1))) (br_if 0))") == []


def test_a_poll_far_inside_is_not_looked_for() -> None:
    inside = _count("i32.add (local.get 1) (i32.const 1)", "local.get 1")
    assert len(_polled(f"(loop {inside} (br_if 0 (local.get 0)))")) == 1
    far = "(i32.store (i32.const 0) (i32.load (local.get 0)))" * 1000
    assert len(_polled(f"(loop {far} {inside} (br_if 0 (local.get 0)))")) == 2
    assert len(_polled("(loop " * 100 + inside + " (br_if 0 (local.get 0)))" * 100)) == 1


def test_many_loops_of_few_turns_are_not_all_without_polls() -> None:
    loop = "(local.set 1 (i32.const 0))" + _count("i32.add (local.get 1) (i32.const 1)", "i32.ne (local.get 1) (i32.const 1000)")
    assert _polled(loop * 10) == []
    assert 1 < len(_polled(loop * 1000)) < 1000


def _while(condition: str, rest: str = "") -> str:
    return f"(block (loop (br_if 1 (i32.eqz ({condition}))) {rest} (local.set 1 (i32.add (local.get 1) (i32.const 1))) (br 0)))"


@pytest.mark.parametrize(
    "body",
    [
        _while("i32.lt_s (local.get 1) (i32.const 1000)"),
        _while("i32.le_u (local.get 1) (i32.const 1000)"),
        _while("i32.ne (local.get 1) (i32.const 1000)", "(if (local.get 0) (then (local.set 2 (i64.const 1))))"),
        f"(local.set 1 (local.get 0)) {_while('i32.lt_u (local.get 1) (i32.const 1000)')}",  # wherever it begins
        "(block (loop (br_if 1 (i32.ge_s (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 9))) (br 0)))",
    ],
)
def test_a_loop_of_few_turns_with_its_test_at_the_head_is_not_polled(body: str) -> None:
    assert _polled(body) == []


@pytest.mark.parametrize(
    "body",
    [
        _while("i32.lt_s (local.get 1) (local.get 0)"),
        _while("i32.gt_u (local.get 1) (i32.const 5)"),
        f"(local.set 1 (local.get 0)) {_while('i32.lt_s (local.get 1) (i32.const 1000)')}",
        # Some turns do not come to the test, or it does not leave the loop.
        (f"(block (loop (if (local.get 0) (then {'nop ' * 3} (br_if 2 (i32.ge_s (local.get 1) (i32.const 9)))))"
        "(local.set 1 (i32.add (local.get 1) (i32.const 1))) (br 0)))"),
        "(loop (block (br_if 0 (i32.ge_s (local.get 1) (i32.const 9)))) (local.set 1 (i32.add (local.get 1) (i32.const 1))) (br 0))",
    ],
)
def test_a_loop_whose_test_at_the_head_says_nothing_is_polled(body: str) -> None:
    assert _polled(body) == [True]


def test_the_counter_of_an_inner_loop_counts_no_turns_of_the_outer_one() -> None:
    inner = _count("i32.add (local.get 1) (i32.const 1)", "i32.lt_u (local.get 1) (i32.const 5)")
    assert _polled(f"(loop (local.set 1 (i32.const 0)) {inner} (br_if 0 (i32.ne (local.get 1) (i32.const 9))))") == [False]


@pytest.mark.parametrize(
    "body",
    [
        _count("i32.add (local.get 1) (i32.const 1)", "i32.ne (local.get 1) (i32.const 100000000)"),
        _count("i32.add (local.get 1) (i32.const 1)", "i32.ne (local.get 1) (local.get 0)"),
        _count("i32.add (local.get 1) (i32.const 2)", "i32.ne (local.get 1) (i32.const 1001)"),
        _count("i32.add (local.get 1) (i32.const 0)", "i32.ne (local.get 1) (i32.const 1)"),
        _count("i32.mul (local.get 1) (i32.const 3)", "i32.ne (local.get 1) (i32.const 9)"),
        _count("i32.add (local.get 0) (i32.const 1)", "i32.ne (local.get 1) (i32.const 9)"),
        "(loop (br_if 0 (local.get 0)) (local.set 1 (i32.add (local.get 1) (i32.const 1))) (br_if 0 (i32.ne (local.get 1) (i32.const 9))))",
        "(loop (br 0))",
    ],
)
def test_other_loops_keep_the_address_in_a_value(body: str) -> None:
    assert _polled(body) == [True]


_INNER = _count("i32.add (local.get 1) (i32.const 1)", "local.get 1")


@pytest.mark.parametrize(
    "body",
    [
        f"(loop {_INNER} (br_if 0 (local.get 0)))",
        f"(loop (loop {_INNER} (br_if 0 (local.get 0))) (br_if 0 (local.get 1)))",
        f"(loop (if (local.get 0) (then (local.set 1 (i32.const 7)))) {_INNER} (br_if 0 (local.get 0)))",
        f"(block (loop (br_if 1 (local.get 1)) {_INNER} (br_if 0 (local.get 0))))",
    ],
)
def test_a_loop_each_turn_of_which_comes_past_another_poll_has_none(body: str) -> None:
    assert _polled(body) == [True]


@pytest.mark.parametrize(
    "body",
    [
        f"(loop (if (local.get 0) (then {_INNER})) (br_if 0 (local.get 0)))",
        f"(loop (br_if 0 (local.get 1)) {_INNER} (br_if 0 (local.get 0)))",
        f"(loop (block (br_table 0 1 (local.get 1))) {_INNER} (br_if 0 (local.get 0)))",
        f"(loop (block (loop (br_if 1 (local.get 1)) {_INNER} (br_if 0 (local.get 0)))) (br_if 0 (local.get 1)))",
    ],
)
def test_a_loop_that_can_get_round_the_other_poll_keeps_its_own(body: str) -> None:
    assert _polled(body) == [False, True]


def test_loops_of_few_turns_in_each_other_are_not_polled() -> None:
    assert _polled(_nested(100, 100)) == []
    assert _polled(_nested(100, 100000)) == [False]


def _nested(inner: int, outer: int) -> str:
    count = "(local.set {0} (i32.add (local.get {0}) (i32.const 1))) (br_if 0 (i32.ne (local.get {0}) (i32.const {1})))"
    return f"(loop (local.set 1 (i32.const 0)) (loop {count.format(1, inner)}) {count.format(3, outer)})"


def test_loops_that_call_read_the_address_each_time() -> None:
    assert _polled("(loop (call $f (local.get 1)) (br_if 0 (local.get 0)))") == [False]


def _simulated(condition: int, bits: int, first: int, step: int, limit: int) -> int:
    mask, half = (1 << bits) - 1, 1 << bits - 1
    flip = half if condition >= ops.CC_L else 0
    holds = {
        ops.CC_NE: operator.ne, ops.CC_E: operator.eq, ops.CC_B: operator.lt, ops.CC_L: operator.lt, ops.CC_A: operator.gt,
        ops.CC_G: operator.gt, ops.CC_BE: operator.le, ops.CC_LE: operator.le, ops.CC_AE: operator.ge, ops.CC_GE: operator.ge,
    }[condition]  # fmt: skip
    value, count = first & mask, 1
    while holds(value ^ flip, limit & mask ^ flip):
        value = value + step & mask
        count += 1
        if count > 1 << bits:
            return 1 << 64
    return count


@pytest.mark.parametrize("condition", [cc for cc in ops.CONDITION_NAMES if cc < ops.CC_FEQ])
def test_turns_are_never_underestimated(condition: int) -> None:
    values = (0, 1, 3, 7, 8, 9, 14, 15)
    for first in values:
        for limit in values:
            for step in range(16):
                assert turns(condition, 4, first, step, limit) >= _simulated(condition, 4, first, step, limit)
