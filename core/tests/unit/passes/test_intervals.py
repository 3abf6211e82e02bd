"""Intervals reach to the last use, and to the end of a loop for what comes from outside; loads go into their users."""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.ir.function import Function
from purewasm.ir.parser import parse_function
from purewasm.isa.x64.machine import TARGET
from purewasm.passes.dead_code import count_uses
from purewasm.passes.intervals import Intervals, find_intervals


def intervals(text: str) -> tuple[Function, bytearray, Intervals]:
    function = parse_function(text + "\n  c0 = 0\n  c1 = 0")
    live = count_uses(function.insts)
    return function, live, find_intervals(function, live, TARGET.foldable)


LOOP = """function 0 results (1) labels 2
  0: arg.i _ _ 0
  1: arg.i _ _ 1
  2: br _ _ ([(4, 0)], 1)
  3: loop _ _ 1
  4: param.i _ _ [0, 5]
  5: i32.sub 4 1 0
  6: br_if 5 c1 (5, 0, [(4, 5)], 1)
  7: endloop _ _ 1
  8: return _ _ (5)"""


def test_a_value_from_outside_lives_through_the_loop_that_uses_it() -> None:
    _, _, found = intervals(LOOP)
    assert found.end[1] == 7
    assert found.end[0] == 2
    assert found.end[4] == 5
    assert found.end[5] == 8


def test_uses_in_loops_weigh_more_and_arguments_know_their_parameter() -> None:
    _, _, found = intervals(LOOP)
    assert found.weight[1] == 8
    assert found.hint[5] == 4


def test_a_load_with_one_use_becomes_an_operand() -> None:
    function, live, found = intervals("""function 0 results (1) labels 1
      0: arg.i _ _ 0
      1: arg.i _ _ 1
      2: i32.load 0 _ 8
      3: i32.sub 1 2 0
      4: return _ _ (3)""")
    assert function.insts[3] == (0x6B, 1, ops.MEM, (0, 8, 2))
    assert not live[2]
    assert found.end[0] == 3


def test_a_load_does_not_cross_a_store() -> None:
    function, live, _ = intervals("""function 0 results (1) labels 1
      0: arg.i _ _ 0
      1: arg.i _ _ 1
      2: i32.load 0 _ 8
      3: i32.store 0 1 0
      4: i32.sub 1 2 0
      5: return _ _ (4)""")
    assert function.insts[4] == (0x6B, 1, 2, 0)
    assert live[2] == 1


def test_calls_are_listed() -> None:
    _, _, found = intervals("""function 0 results () labels 1
      0: call _ _ ((), 1, ((), ()))
      1: tail_call _ _ ((), 1, ((), ()))""")
    assert (found.calls, found.tail_calls) == ([0], [1])


SUNK = """function 0 results (1) labels 1
  0: arg.i _ _ 0
  1: arg.i _ _ 1
  2: i32.add 0 1 0
  3: i32.load 2 _ 4
  4: i32.clz 1 _ 0
  5: i32.add 4 3 0
  6: return _ _ (5)"""


def test_an_address_goes_with_its_load_into_the_user_of_that() -> None:
    function, live, found = intervals(SUNK)
    assert function.insts[5] == (0x6A, 4, ops.MEM, (2, 4, 3))
    assert [live[2], live[3]] == [0, 0]
    assert found.sunk == {2: (0, 1)}
    assert [found.end[0], found.end[1]] == [5, 5]


def test_an_address_that_is_used_again_stays() -> None:
    _, live, found = intervals(SUNK.replace("i32.clz 1", "i32.clz 2"))
    assert live[2] == 2
    assert not found.sunk
    assert found.end[2] == 5


def test_an_address_does_not_go_into_a_loop_or_across_a_call() -> None:
    crossing = """function 0 results (1) labels 2
  0: arg.i _ _ 0
  1: i32.add 0 c1 0
  2: {}
  3: {}
  4: i32.load 1 _ 0
  5: {}
  6: return _ _ (4)"""
    call = crossing.format("call _ _ ((), 0, ((), ()))", "label _ _ 0", "label _ _ 1")
    loop = crossing.format("br _ _ ([], 1)", "loop _ _ 1", "endloop _ _ 1")
    straight = crossing.format("label _ _ 0", "i32.clz 0 _ 0", "label _ _ 1")
    assert not intervals(call)[2].sunk
    assert not intervals(loop)[2].sunk
    assert intervals(straight)[2].sunk == {1: (0,)}


MODIFIED = """function 0 results () labels 1
  0: arg.i _ _ 0
  1: arg.i _ _ 1
  2: i32.load 0 _ 4
  3: {}
  4: {}
  5: i32.store 0 4 4
  6: return _ _ ()"""


def test_memory_that_is_loaded_changed_and_stored_is_modified() -> None:
    for line in ("i32.add 2 1 0", "i32.add 1 2 0", "i32.sub 2 1 0", "i32.xor 2 c1 0"):
        function, live, found = intervals(MODIFIED.format("i32.clz 1 _ 0", line))
        assert ops.NAMES[function.insts[5][0]] == "modify", line
        assert [live[2], live[4]] == [0, 0]
        assert found.end[0] == 5
        assert found.end[1] == (0 if "c1" in line else 5)


def test_memory_is_not_modified_where_something_comes_between_or_the_result_is_another() -> None:
    for between, line in (
        ("i32.load 1 _ 0", "i32.add 2 1 0"),  # which may trap first
        ("i32.store 1 1 0", "i32.add 2 1 0"),
        ("i32.clz 1 _ 0", "i32.sub 1 2 0"),
        ("i32.clz 1 _ 0", "i32.mul 2 1 0"),
        ("i32.load 0 _ 8", "i32.add 3 1 0"),
        ("i32.load 1 _ 4", "i32.add 3 1 0"),
    ):
        function, _, _ = intervals(MODIFIED.format(between, line))
        assert ops.NAMES[function.insts[5][0]] == "i32.store", (between, line)


def test_a_load_does_not_cross_another_that_may_trap() -> None:
    text = """function 0 results (1) labels 1
  0: arg.i _ _ 0
  1: arg.i _ _ 1
  2: i32.load 0 _ 0
  3: i32.load8_u 1 _ 0
  4: i32.add 3 2 0
  5: return _ _ (4)"""
    function, _, _ = intervals(text)
    assert function.insts[4] == (0x6A, 3, 2, 0)


WHILE = """function 0 results (1) labels 3
  0: arg.i _ _ 0
  1: br _ _ ([(3, 0)], 1)
  2: loop _ _ 1
  3: param.i _ _ [0, 5]
  4: br_if 3 c1 (4, 0, [], 2)
  5: i32.sub 3 c0 0
  6: br _ _ ([(3, 5)], 1)
  7: endloop _ _ 1
  8: label _ _ 2
  9: return _ _ (3)"""


def test_a_parameter_is_not_needed_from_its_last_use_in_a_turn_or_the_last_way_out() -> None:
    assert intervals(WHILE)[2].holes == {3: (5, 7)}
    later = WHILE.replace("  5: i32.sub 3 c0 0\n  6: br _ _ ([(3, 5)], 1)", "  5: i32.sub c0 c1 0\n  6: br_if 5 c1 (5, 0, [(3, 5)], 1)")
    assert intervals(later)[2].holes == {}  # control runs out of the loop at its end
