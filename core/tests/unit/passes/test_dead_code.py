"""Use counts: exact where they say 1, and nothing that is needed is lost."""

from __future__ import annotations

from core.tests.unit.frontend.functions import build
from purewasm.ir.parser import parse_function
from purewasm.passes.dead_code import count_uses


def test_what_nobody_uses_is_dead_but_loads_stay() -> None:
    function = build("(module (memory 1) (func (param i32) (drop (i32.mul (local.get 0) (local.get 0))) (drop (i32.load (local.get 0)))))")
    live = count_uses(function.insts)
    by_op = {inst[0]: live[value] for value, inst in enumerate(function.insts)}
    assert by_op[0x6C] == 0
    assert by_op[0x28] == 1


def test_two_uses_are_not_one() -> None:
    body = "(local i32) (local.set 1 (i32.clz (local.get 0))) (i32.mul (local.get 1) (local.get 1))"
    function = build(f"(module (func (param i32) (result i32) {body}))")
    live = count_uses(function.insts)
    assert [live[value] for value, inst in enumerate(function.insts) if inst[0] == 0x67] == [2]


def test_a_value_that_only_a_later_turn_of_the_loop_needs_is_alive_with_all_it_needs() -> None:
    function = parse_function("""function 0 results (1) labels 3
      0: arg.i _ _ 0
      1: br _ _ ([(3, 0)], 1)
      2: loop _ _ 1
      3: param.i _ _ [0, 5]
      4: i32.clz 0 _ 0
      5: i32.ctz 4 _ 0
      6: br_if 3 c1 (5, 0, [(3, 5)], 1)
      7: endloop _ _ 1
      8: return _ _ (3)
      c0 = 0
      c1 = 0""")
    live = count_uses(function.insts)
    assert all(live)
    assert live[5] == 2  # an argument of a parameter is never folded into a user
