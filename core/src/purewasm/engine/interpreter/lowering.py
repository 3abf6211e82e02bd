"""The state of one function's lowering, and the discipline of its operand stack.

The stack holds fragments (see `fragments`). Statements are appended to the body that is open. The rules that keep the order of the
guest's effects, whatever expressions are still pending:

- before a statement with an effect (store, call, write of a global, trap), every impure fragment below it is put in a variable;
- before a write of local x, every fragment that reads x is put in a variable, and the impure ones below those with it;
- a fragment pending where a block begins is put in a variable, so that each block starts with variables and constants only;
- what a branch drops from the stack is evaluated if it is impure: its trap is owed.

Operands of one expression are evaluated from left to right by Python as by the guest.
"""

from __future__ import annotations

from purewasm.engine.interpreter.fragments import (
    CONST,
    MASK32,
    MASK64,
    MAX_TEXT,
    NAME,
    Fragment,
    variable,
)
from purewasm.engine.interpreter.normalise import unsigned
from purewasm.engine.interpreter.tree import Body, Label
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.wasm import valtypes as vt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from purewasm.engine.interpreter.context import ModuleContext
    from purewasm.wasm.module import WasmModule

    Handlers = dict[int, Callable[..., bool | None]]
    """What lowers each instruction: `handler(lowering, stack, immediate, index)`, True where nothing reaches what follows."""

MASKS: Final = {vt.I32: MASK32, vt.I64: MASK64}
COMPACT_INSTRUCTIONS: Final = 120
"""A longer function is lowered to compact text where it is not in a loop."""


@final
class Lowering:
    """What handlers of instructions work on: the operand stack, the open body, the labels around it."""

    __slots__ = (
        "again",
        "body",
        "call_pending",
        "compact",
        "context",
        "function",
        "globals_written",
        "label_count",
        "labels",
        "local_masks",
        "local_types",
        "locals",
        "long_function",
        "loop_depth",
        "may_fold",
        "module",
        "ops",
        "stack",
        "tail_calls",
        "temp_floor",
        "temp_next",
    )

    def __init__(self, module: WasmModule, function: int, ops: Sequence[int], local_types: Sequence[int], context: ModuleContext) -> None:
        self.module, self.function, self.ops, self.context = module, function, ops, context
        self.local_types = local_types
        self.local_masks = [MASKS.get(valtype, 0) for valtype in local_types]
        self.locals: list[Fragment | None] = [None] * len(local_types)
        self.stack: list[Fragment] = []
        self.body = Body()
        self.labels: list[Label] = []
        self.label_count = 0
        self.globals_written: set[int] = set()
        self.tail_calls = False
        self.again: Label | None = None  # where a tail call of the function to itself goes
        self.call_pending = False  # a call is part of a pending fragment
        self.may_fold = True
        self.long_function = len(ops) > COMPACT_INSTRUCTIONS
        self.compact = self.long_function
        self.loop_depth = 0
        self.temp_floor = self.temp_next = 0

    def new_label(self, kind: int) -> Label:
        """A label with a number of its own."""
        self.label_count += 1
        return Label(kind, self.label_count)

    # ---- variables

    def local(self, index: int) -> Fragment:
        """The fragment that reads local `index`."""
        known = self.locals[index]
        if known is None:
            known = variable(f"l{index}", 0, self.local_masks[index], 1 << index)
            self.locals[index] = known
        return known

    def temp(self) -> str:
        """A variable that nothing pending uses. Numbers start again whenever nothing at all is pending."""
        number = self.temp_next if self.stack else self.temp_floor
        self.temp_next = number + 1
        return f"a{number}"

    def reserve(self) -> str:
        """A variable that stays in use while a block is open."""
        number = self.temp_next
        self.temp_next = number + 1
        return f"a{number}"

    # ---- statements

    def poll(self, at: int) -> None:
        """Entry of the function or a loop, and behind what may take long: where an interruption is noticed."""
        if self.context.interruptible:
            self.body.append(("if stop: interrupted(stop)", at))

    def emit(self, text: str, at: int) -> None:
        """Append a statement; `at` is the index of the instruction that a trap in it is blamed on."""
        self.body.append((text, at))

    def materialise(self, position: int) -> None:
        """Put stack entry `position` in a variable."""
        text, prec, lo, hi, reads, impure, form, _, _ = self.stack[position]
        if form == CONST or (prec == NAME and not reads and not impure):
            return
        name = self.temp()
        self.body.append((f"{name} = {text}", impure - 1))
        self.stack[position] = (name, NAME, lo, hi, 0, 0, 0, "", "")

    def flush_impure(self) -> None:
        """Put every impure pending fragment in a variable, in order: an effect is about to be emitted."""
        self.call_pending = False
        for position, entry in enumerate(self.stack):
            if entry[5]:
                self.materialise(position)

    def flush(self) -> None:
        """Put every pending fragment in a variable: a block begins."""
        self.call_pending = False
        for position in range(len(self.stack)):
            self.materialise(position)

    def flush_local(self, index: int) -> None:
        """Local `index` is about to be written: save the fragments that read it."""
        bit = 1 << index
        stack = self.stack
        last = -1
        for position, entry in enumerate(stack):
            if entry[4] & bit:
                last = position
        for position in range(last + 1):
            entry = stack[position]
            if entry[4] & bit or entry[5]:
                self.materialise(position)

    # ---- the stack

    def push(self, fragment: Fragment) -> None:
        """Push a fragment, in a variable if its text is long."""
        self.stack.append(fragment)
        if len(fragment[0]) > MAX_TEXT:
            self.shorten()

    def shorten(self) -> None:
        """Put the top of the stack in a variable."""
        if self.stack[-1][5]:
            self.flush_impure()
        else:
            self.materialise(len(self.stack) - 1)

    def push_statement(self, text: str, at: int, lo: int = 0, hi: int = 0) -> None:
        """Evaluate `text`, which may trap in its own way, in a statement of its own, and push its value."""
        self.flush_impure()
        name = self.temp()
        self.body.append((f"{name} = {text}", at))
        self.stack.append((name, NAME, lo, hi, 0, 0, 0, "", ""))

    def settle_address(self) -> None:
        """The topmost operand becomes an address: a call in it may make memory move, so it is made before the memory is looked up."""
        if self.call_pending and self.stack[-1][5]:
            self.flush_impure()

    def settle_operands(self, count: int) -> None:
        """The top `count` fragments become operands of a statement that must trap after all of them: no impure one is left pending."""
        if count and any(entry[5] for entry in self.stack[-count:]):
            self.flush_impure()

    def canonical(self, fragment: Fragment, valtype: int) -> str:
        """Text of the fragment as a value of `valtype`: integers unsigned canonical."""
        mask = MASKS.get(valtype, 0)
        if not mask or (fragment[2] >= 0 and fragment[3] <= mask):
            return fragment[0]
        return unsigned(fragment, mask, self.compact)[0]

    def canonical_fragment(self, fragment: Fragment, valtype: int) -> Fragment:
        """The fragment with text as `canonical` gives it."""
        mask = MASKS.get(valtype, 0)
        if not mask or (fragment[2] >= 0 and fragment[3] <= mask):
            return fragment
        text, prec = unsigned(fragment, mask, self.compact)
        return (text, prec, 0, mask, fragment[4], fragment[5], 0, "", "")

    def mask(self, valtype: int) -> int:
        """Largest unsigned value of an integer type, 0 for the others."""
        return MASKS.get(valtype, 0)

    def reads_of(self, count: int) -> int:
        """Locals that the topmost `count` fragments read."""
        reads = 0
        if count:
            for entry in self.stack[-count:]:
                reads |= entry[4]
        return reads

    def ref(self, name: str, valtype: int) -> Fragment:
        """A variable that holds a canonical value of `valtype`."""
        return (name, NAME, 0, MASKS.get(valtype, 0), 0, 0, 0, "", "")

    def assign(self, names: Sequence[str], types: Sequence[int], at: int) -> None:
        """Assign the topmost fragments to variables, all at once; the fragments stay on the stack."""
        if not names:
            return
        values = self.stack[-len(names) :]
        pairs = [(name, self.canonical(value, valtype)) for name, value, valtype in zip(names, values, types, strict=True)]
        pairs = [pair for pair in pairs if pair[0] != pair[1]]
        if pairs:
            first = next((value[5] for value in values if value[5]), 0)
            self.body.append((f"{', '.join(p[0] for p in pairs)} = {', '.join(p[1] for p in pairs)}", first - 1 if first else at))
