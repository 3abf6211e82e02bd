"""A function under construction: instructions so far, values of locals and of the operand stack, open blocks.

Where control flow joins, a value that differs between the ways in becomes a block parameter. A forward branch leaves a snapshot of
the locals (and of the operands it carries) with its block, and the block's end compares them; a loop's head, which is reached from
below, gets a parameter for each local that the loop assigns.

    local.get 0             0: arg.i 0
    if                      1: br_if 0 c0 -> L1 ()      condition eq: to the end
      i32.const 5           2: br -> L2 (4 = c1)        L2 is the block's label
      local.set 0           3: label L1 … label L2
    end                     4: param.i [c1, 0]          local 0 from here on
"""

from __future__ import annotations

from itertools import compress

from purewasm.ir import ops
from purewasm.ir.function import Edge, Inst
from purewasm.light_typing import TYPE_CHECKING, Any, Final, final

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.binary.body import Body
    from purewasm.frontend.context import ModuleContext
    from purewasm.frontend.invariants import Room

BLOCK: Final = 0
LOOP: Final = 1
IF: Final = 2
ELSE: Final = 3
TRY_TABLE: Final = 4
TRY: Final = 5  # of the older form
CATCH: Final = 6  # the same behind its first `catch`
HANDLER: Final = 7  # where what is thrown in one of them goes: not a block that code can branch to

ZERO: Final = -2
"""The constant 0: always at index 1."""
NO: Final = ops.NO
_SETS_AND_BLOCKS: Final = frozenset((0x02, 0x03, 0x04, 0x06, 0x0B, 0x18, 0x1F, 0x21, 0x22))
_IS_CALL: Final = ops.IS_CALL


@final
class Block:
    """An open block; `head` is where a loop begins.

    `snapshots` holds (edge, values of all locals and then of the block's results) for each branch to its end. `types`: value types of the
    results, in modules that have objects.
    """

    __slots__ = (
        "caught", "clauses", "else_edge", "else_label", "entry", "handler", "head", "height", "kind", "label", "parameters", "results",
        "sites", "snapshots", "takes", "types",
    )  # fmt: skip

    def __init__(self, kind: int, label: int, height: int, results: tuple[int, ...]) -> None:
        self.kind, self.label, self.height, self.results = kind, label, height, results
        self.snapshots: list[tuple[Edge, list[int]]] = []
        self.parameters: list[tuple[int, int]] = []  # of a loop: (local or -1 for an operand, parameter)
        self.entry: list[int] = []  # of an `if`: locals and operands where the arms begin; of a `catch`: locals
        self.else_edge: Edge = []
        self.else_label = self.head = -1
        self.handler: Block | None = None  # of a `try` while it is open; of a handler: the one that gets what it does not take
        self.takes: list[int] = []  # of a handler: tags of its clauses, -1 for one that takes everything
        self.sites: list[tuple[int, list[int]]] = []  # of a handler: (call, values of all locals there)
        self.clauses: tuple[tuple[int, int, int], ...] = ()  # of a `try_table`
        self.caught: tuple[int, int] | None = None  # of a `catch`: exception and tag
        self.types: tuple[int, ...] | None = None


@final
class Builder:
    """Lists are changed in place only: the loop in `build` holds on to them."""

    __slots__ = (
        "blocks", "changes", "constant_ids", "constants", "context", "handlers", "insts", "is_loop", "labels", "landings", "local_classes",
        "local_types", "locals", "loops", "marks", "move", "moves", "numbering", "pads", "place", "places", "result_area", "result_classes",
        "rethrows", "rooms", "stack", "types", "writes",
    )  # fmt: skip

    def __init__(self, context: ModuleContext, local_classes: list[int], result_classes: tuple[int, ...]) -> None:
        self.context, self.local_classes, self.result_classes = context, local_classes, result_classes
        self.insts: list[Inst] = []
        self.constants: list[int | bytes] = [0, 0]
        self.constant_ids: dict[int | bytes, int] = {0: ZERO}
        self.stack: list[int] = []
        self.locals: list[int] = []
        self.numbering: dict[Inst, int] = {}
        """Value numbering: pure instructions that come before this one on every way, by what they are, and loads, also what was just
        stored, with `writes` for their missing operand, globals with `changes`."""
        self.marks: dict[int, tuple[int, int]] = {}
        """`writes` and `changes` where the first branch to a label is."""
        self.writes = 0
        """Effects so far, each of which may have written to memory: only a load with none since an equal one is that one."""
        self.changes = 0
        """Calls and assignments to globals so far: of a global that can change, what was read or written since the last is known."""
        self.labels = 1
        self.loops: list[tuple[int, int]] = []
        """(`loop`, `endloop`) of the closed loops."""
        self.moves = False
        """There may be operations that are worth moving out of loops (`invariants`)."""
        self.rooms: list[Room] = []
        """Of the open loops, if so: places in front of them."""
        self.move: Callable[[Builder, Inst], int]
        """Where there are some: the value of a pure operation in one of them, or -1 (`invariants.move`)."""
        self.blocks = [Block(BLOCK, 0, 0, result_classes)]
        self.handlers: list[Block] = []
        """Of the open `try` blocks."""
        self.pads: dict[int, int] = {}
        """By call: its landing pad."""
        self.landings: list[tuple[Block, int]] = []
        """(handler, landing pad of a call that it covers)."""
        self.local_types: tuple[int, ...] | None = None
        """Value types of the locals, where the module has objects: then types are noted."""
        self.types: dict[int, int] = {}
        """By value: the reference type that it is known to have (`known_types`)."""
        self.is_loop = False
        """It is no function but a loop of one, whose blocks are inside of one more (`frontend.loop`)."""
        self.rethrows = False
        """The body has a `rethrow`: caught exceptions are kept for it."""
        self.place = 0
        """Where the present instruction stands in the module."""
        self.places: dict[int, int] = {}
        self.result_area = ZERO
        """The pointer to further results that came as an argument."""

    def constant(self, value: int | bytes) -> int:
        """Operand for an integer (unsigned) or the bytes of a float or vector."""
        known = self.constant_ids.get(value)
        if known is None:
            known = self.constant_ids[value] = ~len(self.constants)
            self.constants.append(value)
        return known

    def pure(self, inst: Inst) -> int:
        """Value of an instruction without effects: the one that is there, or a new one."""
        known = self.numbering.get(inst)
        if known is None:
            if self.rooms:
                known = self.move(self, inst)
                if known >= 0:
                    self.numbering[inst] = known
                    return known
            known = self.numbering[inst] = len(self.insts)
            self.insts.append(inst)
        return known

    def effect(self, inst: Inst) -> int:
        """Append an instruction that may trap, call or write."""
        number = len(self.insts)
        self.places[number] = self.place
        self.insts.append(inst)
        self.writes += 1
        if _IS_CALL[inst[0]]:
            self.changes += 1
        return number

    def mark(self, label: int) -> None:
        """A branch goes from here to a label, the first."""
        self.numbering[ops.LABEL, NO, NO, label] = label
        self.marks[label] = self.writes, self.changes

    def forget(self) -> None:
        """Control may come here on several ways: nothing is known."""
        self.numbering.clear()

    def remember(self, label: int) -> None:
        """Control comes here from where the label was marked alone: what was known there still is, and nothing else."""
        numbering, key = self.numbering, (ops.LABEL, NO, NO, label)
        if key in numbering:
            while numbering.popitem()[0] != key:  # entries are added at the end, and none is replaced
                pass
            self.writes, self.changes = self.marks[label]
        else:
            numbering.clear()

    def new_label(self) -> int:
        self.labels += 1
        return self.labels - 1

    def class_of(self, operand: int) -> int:
        """Class of a value or constant."""
        if operand >= 0:
            return ops.CLASS[self.insts[operand][0]]
        constant = self.constants[~operand]
        if isinstance(constant, int):
            return ops.INT
        return ops.VEC if len(constant) == 16 else ops.FLT

    def pop_many(self, count: int) -> tuple[int, ...]:
        """The top operands, deepest first."""
        if not count:
            return ()
        stack = self.stack
        taken = tuple(stack[-count:])
        del stack[-count:]
        return taken


def locals_set_by_loops(body: Body) -> list[Any]:
    """Immediates with the set of locals that each loop assigns added to its own: (parameters, results, locals)."""
    imms: list[Any] = list(body.imms)
    open_sets: list[set[int] | None] = []
    current: set[int] = set()
    body_ops = body.ops
    for index in compress(range(len(body_ops)), map(_SETS_AND_BLOCKS.__contains__, body_ops)):
        op = body_ops[index]
        if op == 0x21 or op == 0x22:
            current.add(imms[index])
        elif op == 0x0B or op == 0x18:
            if open_sets:
                outer = open_sets.pop()
                if outer is not None:
                    outer |= current
                    current = outer
        elif op == 0x03:
            open_sets.append(current)
            current = set()
            imms[index] = (*imms[index], current)
        else:
            open_sets.append(None)
    return imms
