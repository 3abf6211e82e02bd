"""Register allocation: weighted linear scan over intervals that are sorted already, since a value's id is where its interval starts.

A register is free when what it held last has ended, so there is no active list. Values that live across a call only get registers that
calls preserve (none, for vectors: they get a slot). Where no register is free, the value among the candidates' occupants and the new
one that is used least for its length goes to the stack, all of it: code is made later, so a decision can still be taken back.
What a call throws arrives at its landing pad with every register lost, so values that are needed there get a slot.
Hints make moves disappear: a value that becomes a block parameter gets the register of that parameter, a parameter that of its first
argument, a result that of an operand which dies, an argument the register it came in. A register that a loop's parameter has, and that
the parameter's next value will want back before the loop's end, is given meanwhile to values which will have ended by then. That next
value may have it too where no turn needs the parameter any more, though something behind the loop does: the way there does not come past.
"""

from __future__ import annotations

from purewasm.backend.placement import place_arguments
from purewasm.backend.splitting import OpenLoop, Split, find_rest
from purewasm.backend.target import SLOT
from purewasm.ir import ops
from purewasm.light_library import bisect_right
from purewasm.light_typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from purewasm.backend.target import Target
    from purewasm.ir.function import Function
    from purewasm.passes.intervals import Intervals

_FOREVER = 1 << 60
_SLOTS_SEARCHED = 12
_WANTS = -2
"""`_WANTS - register` as a hint: the value is an argument of the call that ends it, and goes there."""


@final
class Allocation:
    """Place of every value (-1 for none), number of 8-byte slots, the bit set of registers used, splits around loops; (value, register,
    end of the loop) where another value has a register before the end of the loop."""

    __slots__ = ("lent", "places", "slots", "splits", "used")

    def __init__(self, places: list[int], slots: int, used: int, splits: list[Split], lent: list[tuple[int, int, int]]) -> None:
        self.places, self.slots, self.used, self.splits, self.lent = places, slots, used, splits, lent


@final
class _Slots:
    """Stack slots, used again when their values have ended."""

    __slots__ = ("count", "ends", "wide_ends")

    def __init__(self) -> None:
        self.count = 0
        self.ends: list[list[int]] = []  # [end, place]
        self.wide_ends: list[list[int]] = []

    def take(self, value: int, end: int, wide: bool) -> int:
        """A slot that is free from `value` on, until `end`."""
        known = self.wide_ends if wide else self.ends
        for entry in known[-_SLOTS_SEARCHED:]:
            if entry[0] <= value:
                entry[0] = end
                return entry[1]
        place = SLOT + self.count
        self.count += 2 if wide else 1
        known.append([end, place])
        return place


def _want_argument_registers(function: Function, found: Intervals, target: Target) -> None:
    """Hints for values whose last use is as an argument of a call."""
    end, hint, insts = found.end, found.hint, function.insts
    for position in found.calls:
        op, _, _, imm = insts[position]
        if op & ~3 == ops.BUILTIN:
            registers: tuple[int, ...] = target.int_arguments[1:]
        else:
            registers = place_arguments(target, imm[2][0])[0]
        for value, register in zip(imm[0], registers, strict=False):
            if value >= 0 and end[value] == position and hint[value] == -1 and register < SLOT:
                hint[value] = _WANTS - register


def _landings(function: Function) -> tuple[list[int], list[int]]:
    """Calls that have a landing pad, ascending, and for each the first pad of it and of those behind it."""
    covered = sorted(function.pads)
    first = [_FOREVER]
    for call in reversed(covered):
        first.append(min(first[-1], function.pads[call]))
    return covered, first[::-1]


def allocate(function: Function, live: bytearray, found: Intervals, target: Target, classes: tuple[int, ...]) -> Allocation:
    """`classes` are those of the function's arguments, the pointer to results included."""
    insts = function.insts
    end, weight, hint, calls = found.end, found.weight, found.hint, found.calls
    places = [-1] * len(insts)
    busy = [0] * 32
    wanted_at = [0] * 32  # where the value begins that goes back to the parameter of a loop which has this register
    occupant = [-1] * 32
    limit = [_FOREVER] * 32  # where the value that rests meanwhile comes back
    open_loops: list[OpenLoop] = []
    splits: list[Split] = []
    lent: list[tuple[int, int, int]] = []
    holes = found.holes
    preferred: dict[int, int] = {}
    slots = _Slots()
    used = 0
    class_of = ops.CLASS
    any_int, spoiled_register, spoiling = target.int_registers, target.spoiled_register, target.spoiling
    without_spoiled = tuple([register for register in any_int if register != spoiled_register])
    next_spoils = iter([position for position, inst in enumerate(insts) if spoiling[inst[0]]])
    next_spoil = next(next_spoils, _FOREVER)
    saved, vectors = target.saved_registers, target.vector_registers
    nothing: tuple[int, ...] = ()
    incoming = place_arguments(target, classes)[0]
    _want_argument_registers(function, found, target)
    param, arg, return_, loop, endloop = ops.PARAM, ops.ARG, ops.RETURN, ops.LOOP, ops.ENDLOOP
    covered, pads = _landings(function)
    next_calls = iter(calls)
    next_call = next(next_calls, _FOREVER)
    value = -1
    for op, a, _, imm in insts:
        value += 1
        value_class = class_of[op]
        if not value_class or not live[value]:
            if op == loop:
                open_loops.append(OpenLoop(value, *found.loops[value], len(open_loops)))
            elif op == endloop:
                for register, other, before in open_loops.pop().resting:
                    busy[register], occupant[register], limit[register] = end[other], other, before
            continue
        last = end[value]
        if last <= value:
            places[value] = target.unused_int if value_class == 1 else target.unused_vector
            continue
        if (
            last == value + 1
            and value_class == 1
            and insts[last][0] == return_
            and len(insts[last][3]) == 1
            and op & ~3 != param
            and op & ~3 != arg
        ):
            places[value] = target.int_result
            continue
        while next_call <= value:
            next_call = next(next_calls, _FOREVER)
        crosses = next_call < last
        if value_class == 1:
            while next_spoil < value:
                next_spoil = next(next_spoils, _FOREVER)
            candidates = saved if crosses else any_int if last < next_spoil else without_spoiled
        else:
            candidates = nothing if crosses else vectors
        if crosses and covered and pads[bisect_right(covered, value)] <= last:
            candidates = nothing
        register = -1
        if candidates:
            wanted = hint[value]
            if wanted != -1:
                if wanted < 0:
                    guess = _WANTS - wanted
                    if wanted_at[guess] < last and value < wanted_at[guess]:
                        guess = -1
                else:
                    guess = preferred.get(wanted, -1)
                    if guess < 0 and hint[wanted] >= 0:
                        guess = preferred.get(hint[wanted], -1)
                if guess >= 0 and last <= limit[guess] and guess in candidates:
                    if busy[guess] <= value:
                        register = guess
                    elif (
                        occupant[guess] == wanted and wanted in holes and open_loops
                        and not any(split.value == wanted for split in splits)  # it comes back to its register behind the inner loop
                    ):  # fmt: skip
                        inside = open_loops[-1]
                        if holes[wanted][0] <= value and last <= inside.end == holes[wanted][1]:
                            register = guess
                            inside.resting.append((register, wanted, limit[register]))
                            limit[register] = inside.end
                            lent.append((wanted, register, inside.end))
            if register < 0:
                if op & ~3 == param:
                    guess = preferred.get(value, -1)
                    if guess >= 0 and busy[guess] <= value and last <= limit[guess] and guess in candidates:
                        register = guess
                    else:
                        for x in imm:
                            if 0 <= x < value:
                                guess = places[x]
                                if 0 <= guess < SLOT and busy[guess] <= value and last <= limit[guess] and guess in candidates:
                                    register = guess
                                    break
                elif a >= 0:
                    guess = places[a]
                    if (
                        guess < SLOT and end[a] == value and busy[guess] <= value and last <= limit[guess] and guess in candidates
                        and not value < wanted_at[guess] < last
                    ):  # fmt: skip
                        register = guess
                elif op & ~3 == arg:
                    guess = incoming[imm]
                    if guess in candidates and busy[guess] <= value:  # never in a loop
                        register = guess
            if register < 0:
                for guess in candidates:
                    if busy[guess] <= value and last <= limit[guess]:
                        if not value < wanted_at[guess] < last:
                            register = guess
                            break
                        if register < 0:
                            register = guess
                if register < 0:
                    lowest = weight[value] / (last - value)
                    for guess in candidates:
                        other = occupant[guess]
                        cost = weight[other] / (end[other] - other)
                        if cost < lowest and last <= limit[guess] and busy[guess] > value:
                            lowest, register = cost, guess
                    other = value if register < 0 else occupant[register]
                    rest = open_loops and find_rest(insts, open_loops, candidates, occupant, limit, end, last, weight[other])
                    if rest:
                        outside, register = rest
                        other = occupant[register]
                        outside.resting.append((register, other, limit[register]))
                        limit[register] = outside.end
                        slot = slots.take(outside.start, outside.end, wide=False)
                        splits.append(Split(other, register, slot, outside.start, outside.end))
                    elif register >= 0:
                        places[other] = slots.take(other, end[other], class_of[insts[other][0]] == ops.VEC)
        if register < 0:
            places[value] = slots.take(value, last, value_class == ops.VEC)
            continue
        places[value] = register
        busy[register] = last
        occupant[register] = value
        used |= 1 << register
        if hint[value] >= 0 and hint[value] not in preferred:
            preferred[hint[value]] = register
        if op & ~3 == param:
            if value not in preferred:
                preferred[value] = register
            for x in imm:
                if x >= last:  # comes from below, when this value is not needed any more
                    wanted_at[register] = x
                    break
    return Allocation(places, slots.count, used, [split for split in splits if places[split.value] == split.register], lent)
