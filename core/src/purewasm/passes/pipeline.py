"""The passes over a function's IR, in their order. Everything about one function is in its `Function` and in what comes back from here.

polls       drops polls that are not needed, and chooses how the others are done
dead_code   use counts; what is not used is left out from here on
intervals   where each value begins and ends; loads become operands of their users
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING
from purewasm.passes.dead_code import count_uses
from purewasm.passes.intervals import Intervals, find_intervals
from purewasm.passes.polls import place_polls

if TYPE_CHECKING:
    from purewasm.ir.function import Function


def run_passes(function: Function, foldable: list[int]) -> tuple[bytearray, Intervals]:
    """Use counts and live intervals of the function, which is changed in place. `foldable` is the target's table."""
    place_polls(function)
    live = count_uses(function.insts)
    return live, find_intervals(function, live, foldable)
