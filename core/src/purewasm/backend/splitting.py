"""Live ranges split around loops: a value that a loop does not use, but that is needed behind it, rests in memory meanwhile.

Its register is free for values of the loop then. The value is stored on the way into the loop and loaded again on every way out, which
costs less than having any value of the loop in memory.

    register              slot                  register
    definition … use    | loop … endloop |    use … end
                      store           load
"""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final

if TYPE_CHECKING:
    from purewasm.ir.function import Function, Inst

_FACTOR: Final = 8
"""How often a loop turns, as far as anybody knows."""
_MAX_WEIGHT: Final = 4096


class Split(NamedTuple):
    """`value`, which is in `register` otherwise, is in `slot` from the position `start` of a loop to its end."""

    value: int
    register: int
    slot: int
    start: int
    end: int


@final
class OpenLoop:
    """A loop that the allocator is in. `used`: values from outside that are used in it; `weight`: how often it is entered."""

    __slots__ = ("end", "resting", "start", "used", "weight")

    def __init__(self, start: int, end: int, used: set[int], depth: int) -> None:
        self.start, self.end, self.used = start, end, used
        self.weight = min(_FACTOR**depth, _MAX_WEIGHT)
        self.resting: list[tuple[int, int, int]] = []
        """(register, the value that comes back to it at the end, the limit that the register had)."""


def find_rest(
    insts: list[Inst], loops: list[OpenLoop], candidates: tuple[int, ...], occupant: list[int], limit: list[int], end: list[int],
    last: int, cost: int,
) -> tuple[OpenLoop, int] | None:  # fmt: skip
    """A loop, the outermost possible, and a register whose value (no vector) can rest during it, for a value that lives until `last` and
    must have ended with the loop. Nothing if that were no cheaper than `cost`, the weight of what would be in memory instead."""
    for loop in loops:
        if 2 * loop.weight >= cost:
            break
        if last <= loop.end:
            for register in candidates:
                other = occupant[register]
                if (
                    0 <= other < loop.start and end[other] > loop.end and last <= limit[register] and other not in loop.used
                    and ops.CLASS[insts[other][0]] != ops.VEC
                ):  # fmt: skip
                    return loop, register
    return None


@final
class Splits:
    """The moves that splits take, by the edge: for the emitter and for the checker."""

    __slots__ = ("_insts", "_positions", "lent", "splits")

    def __init__(self, function: Function, splits: list[Split], lent: list[tuple[int, int, int]]) -> None:
        self.splits, self.lent, self._insts = splits, lent, function.insts
        self._positions: dict[int, int] = {}

    def position_of(self, label: int) -> int:
        """Where a label stands."""
        if not self._positions:
            for position, (op, _, _, imm) in enumerate(self._insts):
                if op == ops.LABEL or op == ops.LOOP:
                    self._positions[imm] = position
        return self._positions[label]

    def on_edge(self, position: int, label: int, end: list[int]) -> list[tuple[Split, bool]]:
        """Splits that begin (True) or end on the way from the branch at `position` to the label."""
        target = self.position_of(label)
        found = []
        for split in self.splits:
            value, _, _, start, stop = split
            if start < position <= stop:
                if not start <= target <= stop and (value < target < end[value]):
                    found.append((split, False))
            elif target == start:
                found.append((split, True))
        return found

    def are_back(self, register: int, position: int, end: list[int]) -> bool:
        """Whether a value that was at rest, or had no need of the register, has it again behind the position."""
        if any(lent == register and stop < position < end[value] for value, lent, stop in self.lent):
            return True
        return any(split.register == register and split.end < position < end[split.value] for split in self.splits)

    def at_end(self, position: int) -> list[Split]:
        """Splits that end where control runs out of the loop whose end is at `position`."""
        return [split for split in self.splits if split.end == position]
