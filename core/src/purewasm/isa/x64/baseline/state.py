"""Where the operands of a function under compilation are, and the way to everything that the loop of `body` does not emit itself.

An operand is a number: from `FRAME` on the slot that holds it, its own or that of a local, below 0 a constant. Operand `i` has a slot of
its own, `tops[i]`; control flow joins only where each operand is there. A local that is pushed is read when it is needed: before it is
assigned, what was pushed of it is put to rest (`settle_local`).

What is not frequent takes the optimizing compiler's way: the front end's handler makes IR of it, with slots for values, and the emitters
make code of that, as if the allocator had put every value into a slot.
"""

from __future__ import annotations

from itertools import accumulate

from purewasm.backend.target import SLOT
from purewasm.frontend.families import HANDLERS
from purewasm.ir import ops
from purewasm.ir.function import Function
from purewasm.isa.x64.baseline.forms import (
    FRAME,
    LOAD_RAX,
    LOAD_RCX,
    LOAD_VECTOR,
    STORE_CONSTANT,
    STORE_RCX,
    STORE_VECTOR,
)
from purewasm.isa.x64.emit.families import EMITTERS
from purewasm.isa.x64.emit.state import Emitter
from purewasm.isa.x64.registers import RAX, RCX
from purewasm.light_typing import TYPE_CHECKING, Any, Final, final

if TYPE_CHECKING:
    from purewasm.backend.machine_code import TargetOptions
    from purewasm.frontend.state import Builder
    from purewasm.ir.function import Inst
    from purewasm.store.layout import ContextLayout

LAZY: Final = 64
"""So many operands may be locals that are read later: to look for one of them takes time."""
FOREVER: Final = 1 << 60
_MOVES_OF_EXIT: Final = 16
"""A way out of a loop counts as so many, besides the operands on it: it is compared with every number that comes out."""
_MOVES: Final = 1 << 20
_MOVES_OF_INSTRUCTION: Final = 2
"""So many operands may be moved to where control flow joins, and ways be out of loops, in any function, and for each of its instructions:
a branch of two bytes may carry a thousand operands, and loops in loops have as many ways out as the square of their number. Each is some
code."""
_ONES32: Final = 0xFFFF_FFFF
_SIGNED32: Final = 0xFFFF_FFFF_8000_0000


class TooManyMovesError(Exception):
    """The function's branches carry more than is sensible: baseline code is not for it."""


class Block:
    """An open block. `index`: its number, counted from the function's own, 0."""

    __slots__ = ("height", "index", "is_target", "label", "params", "results")
    is_loop = False
    else_label = -1

    def __init__(self, index: int, label: int, height: int, params: int, results: int) -> None:
        self.index, self.label, self.height, self.params, self.results = index, label, height, params, results
        self.is_target = False


@final
class If(Block):
    """`else_label`: where the other arm begins, -1 once that is open."""

    __slots__ = ("else_label",)

    def __init__(self, index: int, label: int, height: int, params: int, results: int, else_label: int) -> None:
        super().__init__(index, label, height, params, results)
        self.else_label = else_label


@final
class Loop(Block):
    """`end`: the label behind it; `exits`: the blocks around it that branches in it go to, by number, and its own where its end is
    reached."""

    __slots__ = ("end", "exits")
    is_loop = True

    def __init__(self, index: int, label: int, height: int, params: int, results: int, end: int) -> None:
        super().__init__(index, label, height, params, results)
        self.end = end
        self.exits: dict[int, Block] = {}


class _Places(dict[int, int]):
    """Places of values; slots have theirs by their numbers."""

    __slots__ = ()

    def __missing__(self, slot: int) -> int:
        return SLOT + slot - FRAME


class _Ends(list[int]):
    """Nothing ends."""

    __slots__ = ()

    def __getitem__(self, value: Any) -> Any:
        return FOREVER


class _Instructions(list["Inst"]):
    """What the front end makes; for a slot something of the class of what is in it, where that is asked for."""

    __slots__ = ("classes",)

    def __init__(self) -> None:
        super().__init__()
        self.classes: dict[int, int] = {}

    def __getitem__(self, value: Any) -> Any:
        if value.__class__ is int and value >= FRAME:
            return ops.ARG + self.classes.get(value, ops.INT), ops.NO, ops.NO, 0
        return super().__getitem__(value)


_MOST_NUMBERS: Final = 1 << 14
"""Frames of more words have numbers of their own."""
_numbers: Final = [list(range(FRAME, FRAME + 1024))]


def numbers(first: int, count: int, stride: int) -> list[int]:
    """`count` numbers of slots; the same objects for all functions, but for those of large frames."""
    end = first + count * stride
    if end - FRAME > _MOST_NUMBERS:
        return list(range(first, end, stride))
    known = _numbers[0]
    if len(known) < end - FRAME:  # another thread may do the same at the same time: one of the lists stays
        known = _numbers[0] = list(range(FRAME, FRAME + 2 * (end - FRAME)))
    return known[first - FRAME : end - FRAME : stride]


@final
class State:
    """One function. `stride`: words of a slot, two where there are vectors; `area`: the slot with the address for further results."""

    __slots__ = (
        "area", "blocks", "builder", "e", "first_operand", "highest", "index", "insts", "lazy", "locals_at", "loops", "moves_left",
        "result_classes",
        "stack", "stride", "tops", "vectors",
    )  # fmt: skip

    def __init__(
        self, builder: Builder, index: int, place: int, stride: int, area: int, locals_at: list[int], tops: list[int],
        layout: ContextLayout, options: TargetOptions,
    ) -> None:  # fmt: skip
        self.builder, self.index, self.stride, self.area = builder, index, stride, area
        self.locals_at, self.tops = locals_at, tops
        """The slot of each local, and of each operand by its position."""
        self.insts = builder.insts = _Instructions()
        function = Function(index, self.insts, builder.constants)
        function.places, function.place = builder.places, place
        places: Any = _Places()
        self.e = e = Emitter(function, layout, options, builder.context.module)
        e.end, e.place = _Ends(), places
        self.stack = builder.stack
        self.first_operand: Final = tops[0]
        self.vectors: frozenset[int] = frozenset()
        """Locals that are vectors."""
        self.result_classes = builder.result_classes
        self.lazy = LAZY
        """So many operands may be locals."""
        self.highest = tops[0]
        """The last slot in use."""
        self.blocks = [Block(0, 0, 0, 0, len(self.result_classes))]
        self.loops: list[Loop] = []
        """Those that are open."""
        self.moves_left = _MOVES + _MOVES_OF_INSTRUCTION * len(tops)
        """Operands that control flow may still want in their own slots, and ways out of loops."""

    def copy(self, operand: int, slot: int) -> None:
        """Put an operand into a slot, through rcx; leaves rax and the flags alone."""
        if slot > self.highest:
            self.highest = slot
        code = self.e.code
        if operand < 0:
            self.store_constant(operand, slot)
        elif self.stride == 1:
            code += LOAD_RCX[operand] + STORE_RCX[slot]
        else:
            code += LOAD_VECTOR[operand] + STORE_VECTOR[slot]

    def store_constant(self, operand: int, slot: int) -> None:
        """The same for a constant."""
        constant = self.e.constants[~operand]
        if not isinstance(constant, int):
            if len(constant) == 16:
                self._store_word(int.from_bytes(constant[8:], "little"), slot + 1)
            constant = int.from_bytes(constant[:8], "little")
        self._store_word(constant, slot)

    def _store_word(self, constant: int, slot: int) -> None:
        e = self.e
        if constant < 0x8000_0000 or constant >= _SIGNED32:
            e.code += STORE_CONSTANT[slot] + (constant & _ONES32).to_bytes(4, "little")
        else:
            e.move_constant(RCX, constant)
            e.code += STORE_RCX[slot]

    def load_rax(self, operand: int) -> None:
        """Leaves the flags alone."""
        if operand >= 0:
            self.e.code += LOAD_RAX[operand]
        else:
            self.e.move_constant(RAX, self.bits(operand))

    def bits(self, operand: int) -> int:
        """A constant that is no vector, as an integer."""
        constant = self.e.constants[~operand]
        return constant if isinstance(constant, int) else int.from_bytes(constant, "little")

    def count_moves(self, count: int) -> None:
        """Raises TooManyMovesError."""
        self.moves_left -= count
        if self.moves_left < 0:
            raise TooManyMovesError

    def settle(self) -> None:
        """Put every operand into its own slot, as control flow that joins wants them. Those below the innermost block are there."""
        stack, tops = self.stack, self.tops
        self.count_moves(len(stack) - self.blocks[-1].height)
        for position in range(self.blocks[-1].height, len(stack)):
            operand, slot = stack[position], tops[position]
            if operand != slot:
                self.copy(operand, slot)
                stack[position] = slot

    def settle_local(self, slot: int) -> None:
        """The same for those that are a local which changes now."""
        stack, tops = self.stack, self.tops
        for position, operand in enumerate(stack[: self.lazy]):
            if operand == slot:
                self.copy(slot, tops[position])
                stack[position] = tops[position]

    def carry(self, count: int, height: int) -> None:
        """Copy the top operands to where those from `height` on are: downwards, the deepest first, so that none is lost."""
        if count:
            self.count_moves(count)
            tops = self.tops
            for position, operand in enumerate(self.stack[-count:], height):
                if operand != tops[position]:
                    self.copy(operand, tops[position])

    def emit(self, op: int, a: int, b: int, imm: Any, slot: int, place: int) -> None:
        """One operation of the IR, its result into a slot. Spoils registers."""
        e, insts = self.e, self.insts
        value = len(insts)
        insts.append((op, a, b, imm))
        e.place[value] = SLOT + slot - FRAME
        e.marks[value] = place
        if slot > self.highest:
            self.highest = slot
        EMITTERS[op](e, value, a, b, imm)

    def in_slot(self, operand: int, position: int) -> int:
        """An operand that must not be a constant: in the slot of a position that is free."""
        if operand >= 0:
            return operand
        slot = self.tops[position]
        self.copy(operand, slot)
        return slot

    def generic(self, op: int, imm: Any, place: int) -> bool:
        """Any instruction that is no control flow; True where what follows cannot be reached."""
        b, e, stack, tops, insts = self.builder, self.e, self.stack, self.tops, self.insts
        first, room = len(insts), len(stack)
        b.place = place
        b.numbering.clear()
        ends = HANDLERS[op](b, op, imm)
        made = len(insts) - first
        if not made:
            return ends
        depth = len(stack)
        if made == 1 and depth and stack[-1] == first:
            slots = tops[depth - 1 : depth]
        else:  # results stay apart until all is done, since operands lie where they will be
            top = self.first_operand + self.stride * max(room, depth)
            classes = [ops.CLASS[insts[value][0]] for value in range(first, first + made)]
            words = [2 if value_class == ops.VEC else self.stride if value_class else 0 for value_class in classes]
            slots = list(accumulate(words[:-1], initial=top))
        if slots[-1] >= self.highest:
            self.highest = slots[-1] + 1
        for value, slot in enumerate(slots, first):
            e.place[value] = SLOT + slot - FRAME
        for value in range(first, first + made):
            one, x, y, what = insts[value]
            if self.stride > 1 and ops.IS_CALL[one]:
                self.insts.classes = dict(zip(what[0], what[2][0], strict=False))
            EMITTERS[one](e, value, x, y, what)
        for position in range(max(depth - made, 0), depth):
            if first <= stack[position] < FRAME:
                slot = slots[stack[position] - first]
                if slot != tops[position]:
                    self.copy(slot, tops[position])
                stack[position] = tops[position]
        return ends

    def note_exit(self, target: Block) -> None:
        """A branch goes to `target`: out of every loop that is inside of it. Raises TooManyMovesError."""
        for loop in reversed(self.loops):
            if loop.index <= target.index or target.index in loop.exits:
                break
            loop.exits[target.index] = target
            self.count_moves(_MOVES_OF_EXIT + (target.params if target.is_loop else target.results))


def immediate(constant: int, size: int) -> bytes:
    """The low bytes of a constant."""
    return (constant & (1 << 8 * size) - 1).to_bytes(size, "little")
