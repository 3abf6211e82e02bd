"""drop and select (spec: parametric instructions)."""

from __future__ import annotations

from purewasm.engine.interpreter.fragments import NOT, PLAIN, TERNARY, Fragment, inside
from purewasm.engine.interpreter.normalise import truth
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from purewasm.engine.interpreter.lowering import Handlers, Lowering


def lower_drop(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    value = stack.pop()
    if value[5]:
        low.flush_impure()
        low.body.append((value[0], value[5] - 1))


def lower_select(low: Lowering, stack: list[Fragment], imm: object, at: int) -> None:
    """Python evaluates the condition first and one operand only: operands that may trap are evaluated before."""
    if stack[-2][5] or stack[-3][5]:
        low.flush_impure()
    test, no, yes = stack.pop(), stack.pop(), stack.pop()
    text = f"{inside(yes, NOT)} if {truth(test)[0]} else {inside(no, TERNARY)}"
    reads = test[4] | no[4] | yes[4]
    low.push((text, TERNARY, min(yes[2], no[2]), max(yes[3], no[3]), reads, test[5], PLAIN, "", ""))


HANDLERS: Final[Handlers] = {0x1A: lower_drop, 0x1B: lower_select, 0x1C: lower_select}
