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

from itertools import compress

from purewasm.binary.body import Body, decode_body
from purewasm.errors import InternalError
from purewasm.frontend.build import build_instructions, charge
from purewasm.frontend.context import classes_of, slot_bytes
from purewasm.frontend.control import join
from purewasm.frontend.invariants import COSTLY_CODES
from purewasm.frontend.known_types import note
from purewasm.frontend.live_locals import live_behind, members
from purewasm.frontend.state import BLOCK, Block, Builder, locals_set_by_loops
from purewasm.ir import ops
from purewasm.ir.function import Function
from purewasm.light_library import bisect_left, bisect_right
from purewasm.light_typing import TYPE_CHECKING, Any, Final, cast, final
from purewasm.wasm import valtypes as vt
from purewasm.wasm.fuel import segments
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from purewasm.frontend.context import ModuleContext

    Types = tuple[int, ...]

_NO: Final = ops.NO
_BLOCK_OP: Final = 0x02
_LOOP_OP: Final = 0x03
_IF_OP: Final = 0x04
_END_OP: Final = 0x0B
_RETURN_OP: Final = 0x0F
_BR_TABLE_OP: Final = 0x0E
_CASTS: Final = frozenset(CODE[name] for name in ("br_on_cast", "br_on_cast_fail"))
_NESTING: Final = frozenset((_BLOCK_OP, _LOOP_OP, _IF_OP, _END_OP))
_JUMPING: Final = _NESTING | _CASTS | {_RETURN_OP, _BR_TABLE_OP, *(CODE[name] for name in ("br", "br_if", "br_on_null", "br_on_non_null"))}
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
    start, behind, own = loops.find(place)
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
    ways_out = {number: loops.label_types(number, start) for number in _labels_used(body_ops, imms, own)}
    b.blocks += [b.blocks[0]] * own  # nobody asks for one that no branch goes to: there may be very many
    for number, label_types in ways_out.items():
        b.blocks[number + 1] = Block(BLOCK, b.new_label(), 0, classes_of(label_types))
    written = sorted(assigned)
    live = [(1 << len(written)) - 1] * (own + 1)
    if start in loops.outermost and len(body.ops) - behind < _LOOKED_AT * (behind - start):
        live = live_behind(body.ops, body.imms, behind, written)
    if context.fuel:
        body_ops, imms, places = charge(segments(body.ops, body.imms), body_ops, imms, places, start)
    if build_instructions(b, body_ops, imms, places):
        frame.leave(own, members(live[own], written), results)
    for number, label_types in ways_out.items():
        closed = b.blocks[number + 1]
        if closed.snapshots:
            join(b, closed)
            frame.leave(number, members(live[number], written), label_types)
    function = Function(index, b.insts, b.constants)
    function.labels, function.places, function.results = b.labels, b.places, b.result_classes
    function.loops, function.place = b.loops, place
    return function


def _labels_used(body_ops: list[int], imms: list[Any], own: int) -> list[int]:
    """The numbers of the labels around a loop to which something in it branches, innermost first; `own` is the loop's."""
    found: set[int] = set()
    inside = own - 1  # number of the innermost label
    for at in compress(range(len(body_ops)), map(_JUMPING.__contains__, body_ops)):
        op = body_ops[at]
        if op == _END_OP:
            inside -= 1
        elif op in _NESTING:
            inside += 1
        elif op == _RETURN_OP:
            found.add(0)
        elif op == _BR_TABLE_OP:
            found.update([inside - depth for depth in imms[at]])
        else:
            found.add(inside - (imms[at][0] if op in _CASTS else imms[at]))
    return sorted([number for number in found if number < own], reverse=True)


@final
class LoopsOfFunction:
    """What is the same for all loops of a function, worked out once: where one of them is hot, those around it soon are."""

    __slots__ = ("_ends", "_numbers", "_opened", "_results", "body", "classes", "index", "outermost", "stride", "types")

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
        self._ends: dict[int, int] = {}
        """By number of the instruction that opens a block, for each block."""
        self._numbers: dict[int, int] = {}
        """Of the loops, as labels: how many are around each."""
        self.outermost: set[int] = set()
        """Loops around which there is no other."""
        self._opened: list[list[int]] = [[]]
        """By number of a label: where blocks open that have this number."""
        self._walk(body)

    def _walk(self, body: Body) -> None:
        body_ops, opened, within = body.ops, [-1], -1  # `within`: the end of the outermost open loop is not met yet
        for at in compress(range(len(body_ops)), map(_NESTING.__contains__, body_ops)):
            op = body_ops[at]
            if op == _END_OP:
                start = opened.pop()
                self._ends[start] = at
                if start == within:
                    within = -1
                continue
            number = len(opened)
            if op == _LOOP_OP:
                self._numbers[at] = number
                if within < 0:
                    within = at
                    self.outermost.add(at)
            if number == len(self._opened):
                self._opened.append([])
            self._opened[number].append(at)
            opened.append(at)

    def find(self, place: int) -> tuple[int, int, int]:
        """The number of the `loop` instruction at a place in the module, that of the instruction behind its end, and the loop's number as
        a label."""
        body = self.body
        start = bisect_left(body.offsets, place)
        if body.offsets[start : start + 1] != [place] or start not in self._numbers:
            raise InternalError(f"function {self.index} has no loop at 0x{place:x}")
        return start, self._ends[start] + 1, self._numbers[start]

    def label_types(self, number: int, start: int) -> Types:
        """What a branch to the label of this number carries, from an instruction that it is around."""
        if not number:
            return self._results
        opened = self._opened[number]
        block = opened[bisect_right(opened, start) - 1]
        imms: list[Any] = self.body.imms
        params, results = imms[block][:2]
        return cast("Types", params if self.body.ops[block] == _LOOP_OP else results)


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
