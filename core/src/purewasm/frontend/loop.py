"""One loop of a function to SSA, for a function that is in the middle of it: its baseline code enters what is made of this.

The code of a loop is a function of its own. It gets the address of local 0's slot and that of the operand slot where the loop's
parameters begin; local and operand number n are n times `slot_bytes` further on. It loads what it needs and runs the loop from its head.
Where control leaves the loop it stores what the loop has set and somebody may read there, puts the operands of the way out where the
parameters were, and returns the number of that way: 0 for the function itself, n for the n-th of the blocks around the loop counted from
outside, and the loop's own for its end.

    block (result i32)       0: arg.i 0                        the locals
      loop                   1: arg.i 1                        the operands
        …                    2: object_get.i 0 (40, 8, 0, -1)  local 1
        br_if 1              4: br -> L2 (6 = 2)
        br 0                 5: loop L2 …
      end                   12: endloop L2
    end                     13: label L1                       where `br_if 1` goes
                            14: object_set 0 6 ((), 55, 8, 0, -1)
                            15: object_set 1 9 ((), 55, 0, 0, -1)
                            16: return (1)

Each block around the loop is one around its instructions here, at whose end the way out begins: branches, joins and values are those of
any function.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import compress

from purewasm.binary.body import Body, decode_body
from purewasm.errors import InternalError
from purewasm.frontend.build import build_instructions, charge
from purewasm.frontend.context import classes_of, slot_bytes
from purewasm.frontend.control import join
from purewasm.frontend.invariants import COSTLY_CODES
from purewasm.frontend.known_types import note
from purewasm.frontend.live_locals import live_behind
from purewasm.frontend.state import BLOCK, Block, Builder, locals_set_by_loops
from purewasm.ir import ops
from purewasm.ir.function import Function
from purewasm.light_typing import TYPE_CHECKING, Any, Final, final
from purewasm.wasm import valtypes as vt
from purewasm.wasm.fuel import segments

if TYPE_CHECKING:
    from purewasm.frontend.context import ModuleContext

    Types = tuple[int, ...]

_NO: Final = ops.NO
_BLOCK_OP: Final = 0x02
_LOOP_OP: Final = 0x03
_IF_OP: Final = 0x04
_END_OP: Final = 0x0B
_NESTING: Final = frozenset((_BLOCK_OP, _LOOP_OP, _IF_OP, _END_OP))
_LOCALS: Final = frozenset((0x20, 0x21, 0x22))
_UNFIT: Final = frozenset((0x06, 0x07, 0x09, 0x12, 0x13, 0x15, 0x18, 0x19, 0x1F))
"""Exceptions that are caught, and tail calls: functions with these have no baseline code that could enter a loop's."""
_LOCALS_AT: Final = 0
_OPERANDS_AT: Final = 1
# How a slot of each type is read and written. An i32 is written with its upper half, which is zero.
_ACCESSES: Final = {
    vt.I32: (0x28, 0x37), vt.F32: (0x2A, 0x38), vt.F64: (0x2B, 0x39), vt.V128: (ops.VECTOR_BASE, ops.VECTOR_BASE + 0xB),
}  # fmt: skip
_WORD: Final = (0x29, 0x37)
_LOOKED_AT: Final = 8
"""What is behind the loop is looked at if it is not longer than so many loops."""


def build_loop(context: ModuleContext, index: int, place: int) -> Function:
    """IR of the loop whose instruction stands at `place` in the module, in the function at `index` of the function index space."""
    loops = context.loops
    if loops is None or loops.index != index:
        loops = context.loops = LoopsOfFunction(context, index)
    body = loops.body
    start, behind = loops.find(place)
    labels, is_outermost = loops.labels_around(start)
    part = slice(start, behind)
    body_ops, places = body.ops[part], body.offsets[part]
    imms = locals_set_by_loops(Body(body_ops, body.imms[part], places))
    operands, results, assigned = imms[0]
    b = Builder(context, loops.classes, (ops.INT,))
    b.is_loop = True
    b.moves = not COSTLY_CODES.isdisjoint(body_ops)
    if context.has_objects:
        b.local_types = loops.types
    frame = _Frame(b, loops.stride, loops.types)
    frame.load(sorted(set(compress(imms, map(_LOCALS.__contains__, body_ops)))), operands)
    b.blocks += [Block(BLOCK, b.new_label(), 0, classes_of(label_types)) for label_types in labels]
    if context.fuel:
        body_ops, imms, places = charge(segments(body.ops, body.imms), body_ops, imms, places, start)
    needed = _needed(body, start, behind, assigned, labels, is_outermost)
    if build_instructions(b, body_ops, imms, places):
        frame.leave(len(labels), needed[-1], results)
    for number in range(len(labels) - 1, -1, -1):
        closed = b.blocks.pop()
        if closed.snapshots:
            join(b, closed)
            frame.leave(number, needed[number], labels[number])
    function = Function(index, b.insts, b.constants)
    function.labels, function.places, function.results = b.labels, b.places, b.result_classes
    function.loops, function.place = b.loops, place
    return function


def _needed(body: Body, start: int, behind: int, assigned: set[int], labels: list[Types], is_outermost: bool) -> list[list[int]]:
    """By the number of the way out: locals that the loop sets and that may be read there."""
    if is_outermost and len(body.ops) - behind < _LOOKED_AT * (behind - start):
        return [sorted(locals_) for locals_ in live_behind(body.ops, body.imms, behind, assigned)]
    everything = sorted(assigned)
    return [everything] * (len(labels) + 1)


@final
class LoopsOfFunction:
    """What is the same for all loops of a function, worked out once: where one of them is hot, those around it soon are."""

    __slots__ = ("_ends", "_outer", "_results", "body", "classes", "index", "stride", "types")

    def __init__(self, context: ModuleContext, index: int) -> None:
        module = context.module
        code = module.codes[index - module.imported_functions]
        func = module.func_types[index].func
        self.index, self._results = index, func.results
        self.body = body = decode_body(module, code)
        used = frozenset(body.ops)
        if not used.isdisjoint(_UNFIT):
            raise InternalError(f"function {index} catches exceptions or makes tail calls: its loops cannot be entered")
        self.stride = slot_bytes(context, index, used)
        self.types = (*func.params, *[valtype for count, valtype in code.locals for _ in range(count)])
        self.classes = list(classes_of(self.types))
        self._outer: dict[int, int] = {}
        """By number of the instruction that opens a block: that of the one around it, or -1."""
        self._ends: dict[int, int] = {}
        opened = [-1]
        body_ops = body.ops
        for at in compress(range(len(body_ops)), map(_NESTING.__contains__, body_ops)):
            if body_ops[at] == _END_OP:
                self._ends[opened.pop()] = at
            else:
                self._outer[at] = opened[-1]
                opened.append(at)

    def find(self, place: int) -> tuple[int, int]:
        """The number of the `loop` instruction at a place in the module, and that of the instruction behind its end."""
        body = self.body
        start = bisect_left(body.offsets, place)
        if body.offsets[start : start + 1] != [place] or body.ops[start] != _LOOP_OP:
            raise InternalError(f"function {self.index} has no loop at 0x{place:x}")
        return start, self._ends[start] + 1

    def labels_around(self, start: int) -> tuple[list[Types], bool]:
        """The types of what a branch to each label around a block carries, from the function's own to the innermost; whether none of them
        is a loop's."""
        labels: list[Types] = []
        is_outermost = True
        imms: list[Any] = self.body.imms
        while (start := self._outer[start]) >= 0:
            if self.body.ops[start] == _LOOP_OP:
                is_outermost = False
                labels.append(imms[start][0])
            else:
                labels.append(imms[start][1])
        labels.append(self._results)
        labels.reverse()
        return labels, is_outermost


@final
class _Frame:
    """The slots of the code that enters, as the first two arguments give them."""

    __slots__ = ("b", "stride", "types")

    def __init__(self, b: Builder, stride: int, types: Types) -> None:
        self.b, self.stride, self.types = b, stride, types

    def load(self, locals_: list[int], operands: Types) -> None:
        """The values at the loop's head; nobody asks for a local that the loop does not name."""
        b = self.b
        b.insts += [(ops.ARG + ops.INT, _NO, _NO, _LOCALS_AT), (ops.ARG + ops.INT, _NO, _NO, _OPERANDS_AT)]
        b.locals += [_NO] * len(self.types)
        for local in locals_:
            b.locals[local] = self._get(_LOCALS_AT, local, self.types[local])
        b.stack += [self._get(_OPERANDS_AT, number, valtype) for number, valtype in enumerate(operands)]

    def _get(self, base: int, number: int, valtype: int) -> int:
        b = self.b
        value = len(b.insts)
        load, _ = _ACCESSES.get(valtype, _WORD)
        value_class = ops.CLASS_OF_TYPE.get(valtype, ops.INT)
        b.insts.append((ops.OBJECT_GET + value_class, base, _NO, (load, self.stride * number, 0, -1)))
        if b.local_types is not None:
            note(b, value, valtype)
        return value

    def leave(self, number: int, needed: list[int], operands: Types) -> None:
        """Where control leaves the loop: all that is on the stack is what it carries."""
        b = self.b
        for local in needed:
            self._set(_LOCALS_AT, local, self.types[local], b.locals[local])
        for position, (valtype, value) in enumerate(zip(operands, b.stack[len(b.stack) - len(operands) :], strict=True)):
            self._set(_OPERANDS_AT, position, valtype, value)
        b.insts.append((ops.RETURN, _NO, _NO, (b.constant(number),)))
        b.stack.clear()

    def _set(self, base: int, number: int, valtype: int, value: int) -> None:
        _, store = _ACCESSES.get(valtype, _WORD)
        self.b.insts.append((ops.OBJECT_SET, base, value, ((), store, self.stride * number, 0, -1)))
