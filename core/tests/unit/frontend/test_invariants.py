"""What is moved in front of loops, how far, and what stays."""

from __future__ import annotations

import pytest

from core.tests.unit.frontend.functions import build
from purewasm.frontend import invariants
from purewasm.ir import ops
from purewasm.ir.function import Function
from purewasm.ir.verifier import verify

_LOCALS = "(param i32 i32 i64 f64) (local i32 i64 f64 v128)"


def loops(inside: str) -> Function:
    """A loop in a loop; both assign local 4, the inner one alone the others."""
    function = build(f"""(module (memory 1) (func {_LOCALS}
      (loop
        (local.set 4 (i32.add (local.get 4) (i32.const 1)))
        (loop {inside} (br_if 0 (local.get 1)))
        (br_if 0 (local.get 4)))))""")
    verify(function)
    return function


def depth_of(function: Function, name: str) -> list[int]:
    """How many loops are around each operation of this name."""
    depth, found = 0, []
    for op, _, _, _ in function.insts:
        depth += (op == ops.LOOP) - (op == ops.ENDLOOP)
        if ops.NAMES[op] == name:
            found.append(depth)
    return found


@pytest.mark.parametrize(
    ("name", "inside", "depths"),
    [
        ("i32.mul", "(i32.store (local.get 0) (i32.mul (local.get 0) (local.get 1)))", [0]),
        ("i32.mul", "(i32.store (local.get 0) (i32.mul (local.get 0) (local.get 4)))", [1]),
        ("f64.div", "(local.set 6 (f64.div (local.get 3) (f64.const 3)))", [0]),
        ("f64.convert_i32_s", "(f64.store (local.get 0) (f64.convert_i32_s (local.get 4)))", [1]),
        ("i8x16.splat", "(local.set 7 (i8x16.add (local.get 7) (i8x16.splat (local.get 0))))", [0]),
        # What changes in the loop stays, and what would only take a register for the time of an addition.
        ("f64.mul", "(local.set 6 (f64.mul (local.get 6) (local.get 3)))", [2]),
        ("i32.add", "(i32.store (local.get 0) (i32.add (local.get 0) (local.get 1)))", [1, 2]),
        # A cheap operation follows one that is moved, or goes ahead of it.
        ("i32.xor", "(i32.store (local.get 0) (i32.xor (i32.mul (local.get 0) (local.get 1)) (local.get 0)))", [0]),
        ("i64.mul", "(i64.store (local.get 0) (i64.mul (local.get 2) (i64.sub (local.get 2) (i64.const 1))))", [0]),
        # The loop may not come to what traps.
        ("i32.div_s", "(i32.store (local.get 0) (i32.div_s (local.get 0) (local.get 1)))", [2]),
        ("i64.trunc_f64_s", "(local.set 5 (i64.trunc_f64_s (local.get 3)))", [2]),
        ("f64.load", "(local.set 6 (f64.mul (local.get 3) (f64.load (local.get 0))))", [2]),
    ],
)
def test_operations_leave_the_loops_that_do_not_change_their_operands(name: str, inside: str, depths: list[int]) -> None:
    assert depth_of(loops(inside), name) == depths


def test_equal_operations_in_different_blocks_are_moved_once() -> None:
    store = "(i32.store (local.get 0) (i32.mul (local.get 0) (local.get 1)))"
    assert depth_of(loops(f"(if (local.get 0) (then {store}) (else {store})) {store}"), "i32.mul") == [0]


def test_where_no_place_is_left_the_rest_stays() -> None:
    count = 20
    products = "".join(f"(i32.store (local.get 0) (i32.mul (local.get 0) (i32.const {2 * n + 3})))" for n in range(count))
    depths = depth_of(loops(products), "i32.mul")
    assert len(depths) == count
    assert depths.count(0) == depths.count(1) == invariants._PLACES


def test_a_chain_is_moved_as_a_whole() -> None:
    text = "(i32.const 3) (f64.convert_i32_s (i32.add (local.get 4) (i32.const 1))) (f64.mul (local.get 3)) (f64.store)"
    function = loops(text)
    assert depth_of(function, "f64.convert_i32_s") == depth_of(function, "f64.mul") == [1]


def test_functions_with_nothing_to_move_have_no_places() -> None:
    function = loops("(i32.store (local.get 0) (i32.add (local.get 4) (local.get 0)))")
    assert [inst[0] for inst in function.insts].count(ops.CONTROL) == 2


def test_deep_loops_look_outwards_only_so_far() -> None:
    depth = 3 * invariants._LEVELS
    function = build(f"""(module (memory 1) (func (param i32) {"(loop" * depth}
      (i32.store (i32.const 0) (i32.mul (local.get 0) (local.get 0))) {")" * depth}))""")
    assert depth_of(function, "i32.mul") == [depth - invariants._LEVELS]
