"""A proof that an allocation is right: the function is run through abstractly, places holding values, along every edge.

Going forward through the instructions, each place holds at most one value (writing it makes it forget the former one, a call makes
caller-saved registers forget theirs; what it throws arrives at its landing pad with nothing but the slots). Every operand must be found
in its place. At a label the contents are what all the ways to it agree on, after the moves of each edge; at a loop's head what comes
from above, less what the loop's body overwrites: a fixed point. The moves of an edge, those of splits among them, have no order: two
that write to one place are wrong, even where one of the values is not needed any more. Each place must be one that the frame has, for
a value of that class.
This shares nothing with the allocator but the description of the machine.
"""

from __future__ import annotations

from purewasm.backend.splitting import Split, Splits
from purewasm.backend.target import SLOT, VECTOR_REGISTER
from purewasm.errors import InternalError
from purewasm.ir import ops
from purewasm.ir.printer import format_instruction
from purewasm.ir.uses import edges, operands
from purewasm.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from purewasm.backend.linear_scan import Allocation
    from purewasm.backend.target import Target
    from purewasm.ir.function import Edge, Function, Inst

Contents = dict[int, int]
"""Value by place."""


def check_allocation(function: Function, live: bytearray, end: list[int], allocation: Allocation, target: Target) -> None:
    """InternalError where a value would not be found in its place when it is read. `end` says where live ranges end."""
    entries: dict[int, Contents] = {}
    while True:
        before = {label: dict(contents) for label, contents in entries.items()}
        _run(function, live, end, allocation, target, entries, check=False)
        if entries == before:
            break
    _run(function, live, end, allocation, target, entries, check=True)
    _check_frame(function, live, allocation, target)


def _check_frame(function: Function, live: bytearray, allocation: Allocation, target: Target) -> None:
    """Registers are of a value's class, and those that calls preserve are known to be used; slots are within their number."""
    placed = [(value, place) for value, place in enumerate(allocation.places) if live[value] and place >= 0]
    for value, place in placed + [(split.value, split.slot) for split in allocation.splits]:
        value_class = ops.CLASS[function.insts[value][0]]
        if place >= SLOT:
            if place + (2 if value_class == ops.VEC else 1) > SLOT + allocation.slots:
                raise InternalError(f"value {value} is in a slot that the frame does not have")
        elif (place < VECTOR_REGISTER) != (value_class == ops.INT):
            raise InternalError(f"value {value} is in a register of another class")
        elif place in target.saved_registers and not allocation.used >> place & 1:
            raise InternalError(f"value {value} is in a register that would not be saved")


def _run(
    function: Function, live: bytearray, end: list[int], allocation: Allocation, target: Target, entries: dict[int, Contents], *,
    check: bool,
) -> None:  # fmt: skip
    places, splits = allocation.places, Splits(function, allocation.splits, allocation.lent)
    lost = [r for r in (*target.int_registers, *target.vector_registers) if r not in target.saved_registers]
    contents: Contents | None = {}
    for value, inst in enumerate(function.insts):
        op, _, _, imm = inst
        if op in (ops.LABEL, ops.LOOP):
            arriving = entries.get(imm)
            if contents is not None:
                arriving = contents if arriving is None else _common(contents, arriving)
                entries[imm] = arriving
            contents = None if arriving is None else dict(arriving)
            continue
        if contents is None or not live[value]:
            continue
        spoils = target.spoiling[op]
        if spoils:
            contents.pop(target.spoiled_register, None)
            if check and places[value] == target.spoiled_register:
                raise InternalError(f"the result is in a register that is spoiled by {format_instruction(value, *inst)}")
        if check:
            for operand in _read(function, live, inst):
                if contents.get(places[operand]) != operand:
                    raise InternalError(f"value {operand} is not in its place for {format_instruction(value, *inst)}")
        if ops.IS_CALL[op]:
            for register in lost:
                contents.pop(register, None)
        pad = function.pads.get(value)
        if pad is not None:
            label = function.insts[pad - 1][3]
            kept = {place: held for place, held in contents.items() if place >= SLOT}
            entries[label] = _common(kept, entries.get(label, kept))
        for edge, label in edges(inst):
            resting = splits.on_edge(value, label, end) if allocation.splits else []
            moved = _moved(function, live, end, places, contents, edge, resting, check)
            known = entries.get(label)
            entries[label] = moved if known is None else _common(moved, known)
        if op == ops.ENDLOOP:
            back = [(split, False) for split in splits.at_end(value)]
            contents = _moved(function, live, end, places, contents, [], back, check)
        if op in ops.NO_FALL_THROUGH:
            contents = None
        elif ops.CLASS[op] and op & ~3 != ops.PARAM and places[value] >= 0:
            _write(function, contents, places[value], value)


def _read(function: Function, live: bytearray, inst: Inst) -> list[int]:
    """Values that must be in their places; a sunk address is made of others here."""
    read: list[int] = []
    for operand in operands(inst):
        if operand >= 0:
            read += (operand,) if live[operand] else _read(function, live, function.insts[operand])
    return read


def _moved(
    function: Function, live: bytearray, end: list[int], places: list[int], contents: Contents, edge: Edge, split: list[tuple[Split, bool]],
    check: bool,
) -> Contents:  # fmt: skip
    """Contents behind the parallel move of an edge, values of splits included."""
    after = dict(contents)
    written: dict[int, int] = {}
    for (value, register, slot, _, _), begins in split:
        source, target = (register, slot) if begins else (slot, register)
        if check:
            _take(function, written, target, value)
        _write(function, after, target, value)
        if contents.get(source) != value:  # on a way on which the value does not exist: whoever reads it all the same is found there
            del after[target]
    for parameter, argument in edge:
        if live[parameter]:
            if check:
                if argument >= 0 and contents.get(places[argument]) != argument:
                    raise InternalError(f"value {argument} is not in its place for the edge to parameter {parameter}")
                if end[parameter] > parameter:
                    _take(function, written, places[parameter], parameter)
            _write(function, after, places[parameter], parameter)
    return after


def _take(function: Function, written: dict[int, int], place: int, value: int) -> None:
    """All moves of an edge happen at once, so no two of them may write to one place: nobody says which would come last."""
    for part in (place, place + 1) if place >= SLOT and ops.CLASS[function.insts[value][0]] == ops.VEC else (place,):
        if part in written:
            raise InternalError(f"values {written[part]} and {value} go to the same place at once")
        written[part] = value


def _write(function: Function, contents: Contents, place: int, value: int) -> None:
    """A vector in a slot fills two of them."""
    contents[place] = value
    if place >= SLOT:
        if ops.CLASS[function.insts[value][0]] == ops.VEC:
            contents.pop(place + 1, None)
        below = contents.get(place - 1)
        if below is not None and place - 1 >= SLOT and ops.CLASS[function.insts[below][0]] == ops.VEC:
            del contents[place - 1]


def _common(one: Contents, other: Contents) -> Contents:
    return {place: value for place, value in one.items() if other.get(place) == value}
