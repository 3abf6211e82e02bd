"""What validation knows while it reads a body: operand stack, control frames, locals (spec: appendix, validation algorithm).

Three choices make the pass fast without a check at every step:

- Each block has an operand stack of its own, so that popping can never reach the values of the block around it.
- The lowest entry of a stack is a mark, never a type: `FLOOR`, or `POLY` once the rest of the block is unreachable. Popping too
  much finds the mark where it expects a type, and unreachability needs no flag.
- A local that must not be read yet has the negative of its type in `locals`.

The hot loop in `body` works on these lists directly where types are exactly the expected ones; every other case (subtypes,
unreachable code, errors) comes here.
"""

from __future__ import annotations

from itertools import accumulate

from purewasm.binary.types import TypeSpace
from purewasm.errors import InvalidError, UnsupportedError
from purewasm.light_library import bisect_right
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, NoReturn, final
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import FieldType, is_subtype
from purewasm.wasm.limits import MAX_BLOCK_NESTING, MAX_OPERANDS
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from purewasm.wasm.module import WasmModule

    # What checks one instruction: it is given the opcode, reads the immediates from `state.code`, changes the stack.
    Handler = Callable[["BodyState", int], None]
    HandlerTable = dict[int, Handler]

FLOOR: Final = -1
POLY: Final = -2
FLOOR_ONLY: Final = [FLOOR]
POLY_ONLY: Final = [POLY]

Types = tuple[int, ...]

# A control frame: opcode that opened it; parameters; results; types that a branch to it carries; the stack that the `end` of
# the block must find, or None where `end` has more to check or pushes several values; the stack of the block around it; how
# many locals had been initialised when it began.
Frame = tuple[int, Types, Types, Types, "list[int] | None", "list[int]", int]
SLOW_CALL: Final = -1

OPCODE: Final = 0
PARAMS: Final = 1
RESULTS: Final = 2
LABEL: Final = 3
ENDS: Final = 4
OUTER: Final = 5
INITS: Final = 6

# One function's type as a call needs it: number of parameters (SLOW_CALL if several results are pushed), parameters, results.
CallType = tuple[int, "list[int]", Types]

_SHOWN_TYPES: Final = 20  # in a message
_NEAR_LOCALS: Final = 128  # an index of one byte is always laid out
_IF: Final = CODE["if"]
_LOOP: Final = CODE["loop"]
_FUNCTION: Final = CODE["block"]  # the outermost frame branches like a block


class Structure(NamedTuple):
    """What structure instructions need of a type, found once: a type can have 10,000 fields and an instruction three bytes."""

    fields: tuple[FieldType, ...]
    heap: int
    operands: Types
    """Types of the fields' values on the stack."""
    undefaultable: int
    """Index of the first field without a default value, or -1."""


@final
class FarLocals:
    """Locals of a function that declares more of them than its body could ever use, found by search."""

    __slots__ = ("_ends", "_types", "written")

    def __init__(self, params: int, runs: tuple[tuple[int, int], ...]) -> None:
        self._types = [valtype for _, valtype in runs]
        self._ends = list(accumulate((count for count, _ in runs), initial=params))[1:]
        self.written: set[int] = set()  # those among them that started uninitialised and have a value now

    def __getitem__(self, index: int) -> int:
        """As in `BodyState.locals`. IndexError for a local that is not there."""
        valtype = self._types[bisect_right(self._ends, index)]
        return valtype if vt.is_defaultable(valtype) or index in self.written else -valtype


@final
class BodyState:
    """State of the pass over one body after the other; everything about the module is set once, in `module`."""

    __slots__ = (
        "address_types",
        "calls",
        "code",
        "constant",
        "declared",
        "enabled",
        "far_locals",
        "frames",
        "globals",
        "handlers",
        "initialised",
        "locals",
        "module",
        "prefixed",
        "settable",
        "space",
        "stack",
        "structures",
        "visible_globals",
    )

    def __init__(self, module: WasmModule, enabled: int) -> None:
        self.module, self.enabled = module, enabled
        self.space = TypeSpace(module.types, enabled)
        self.handlers: Sequence[Handler] = ()
        self.prefixed: HandlerTable = {}
        # index spaces in the form in which the loop uses them
        self.calls: list[CallType] = []
        self.globals = [made.valtype for made in module.global_types]
        self.structures: dict[int, Structure] = {}
        self.settable = [made.valtype if made.mutable else 0 for made in module.global_types]
        self.address_types = [vt.I64 if made.is_64 else vt.I32 for made in module.memory_types]
        self.declared: set[int] = set()
        self.visible_globals = 0  # how many globals a constant expression may read
        self.constant = False
        # the body at hand
        self.code: Iterator[int] = iter(b"")
        self.stack: list[int] = []
        self.frames: list[Frame] = []
        self.locals: list[int] = []
        self.far_locals: FarLocals | None = None
        self.initialised: list[int] = []

    def begin(self, body: bytes, results: Types) -> None:
        """Start at the first instruction of a body or an expression that leaves `results`."""
        self.code = iter(body)
        self.stack = [FLOOR]
        self.frames = [(_FUNCTION, (), results, results, None, [], 0)]
        self.locals, self.far_locals = [], None
        self.initialised = []

    def declare_locals(self, params: Types, runs: tuple[tuple[int, int], ...], size: int) -> None:
        """Set up the locals of a function whose body has `size` bytes.

        A few bytes can declare 50,000 locals, so only as many are laid out as a body of this size pays for.
        """
        made, near = list(params), max(_NEAR_LOCALS, size)
        for count, valtype in runs:
            room = near - len(made)
            made += [valtype if vt.is_defaultable(valtype) else -valtype] * min(count, room)
            if room < count:
                self.far_locals = FarLocals(len(params), runs)
                break
        self.locals = made

    # ---- the operand stack

    def pop(self, expected: int) -> None:
        """Take a value of a type."""
        have = self.stack.pop()
        if have != expected:
            self._pop_other(have, expected)

    def _pop_other(self, have: int, expected: int) -> None:
        if have < 0:
            self.stack.append(have)
            if have == FLOOR:
                self.mismatch((expected,))
        elif not is_subtype(have, expected):
            self.stack.append(have)
            self.mismatch((expected,))

    def pop_any(self) -> int:
        """Take a value and give its type, BOTTOM where the stack is polymorphic."""
        have = self.stack.pop()
        if have < 0:
            self.stack.append(have)
            if have == FLOOR:
                raise InvalidError("type mismatch: instruction requires a value but stack has []")
            return vt.BOTTOM
        return have

    def pop_reference(self) -> int:
        """Take a reference and give its type, BOTTOM_REF where it is not known."""
        have = self.pop_any()
        if have >= vt.REF_BASE:
            return have
        if have != vt.BOTTOM:
            raise InvalidError(f"type mismatch: instruction requires a reference but stack has [{vt.format_type(have)}]")
        return vt.BOTTOM_REF

    def pop_types(self, types: Sequence[int]) -> None:
        """Take values of several types, the last of them on top."""
        number = len(types)
        if not number:
            return
        stack = self.stack
        have = min(number, len(stack) - 1)
        if have < number and stack[0] == FLOOR:
            self.mismatch(types)
        # Where the stack is polymorphic, only what is there is looked at: the rest costs nothing, however much it is.
        if have:
            top, wanted = stack[-have:], list(types[number - have :])
            if top != wanted and not all(map(is_subtype, top, wanted)):
                self.mismatch(types)
            del stack[-have:]

    def push(self, valtype: int) -> None:
        self.stack.append(valtype)

    def push_types(self, types: Sequence[int]) -> None:
        self.stack += types
        if len(types) > 1 and len(self.stack) > MAX_OPERANDS:
            raise UnsupportedError(f"too many values on the operand stack: more than {MAX_OPERANDS}, the implementation limit")

    def mark_unreachable(self) -> None:
        """What follows in this block is never reached: its stack holds whatever is asked of it."""
        stack = self.stack
        stack[0] = POLY
        del stack[1:]

    # ---- control frames

    def open(self, opcode: int, params: Types, results: Types) -> None:
        """Begin a block, whose parameters are on its own stack."""
        if len(self.frames) > MAX_BLOCK_NESTING:
            raise UnsupportedError(f"too many nested blocks: more than {MAX_BLOCK_NESTING}, the implementation limit")
        label = params if opcode == _LOOP else results
        ends = None if len(results) > 1 or (opcode == _IF and params != results) else [FLOOR, *results]
        self.frames.append((opcode, params, results, label, ends, self.stack, len(self.initialised)))
        self.stack = [FLOOR, *params]

    def close(self) -> Frame:
        """End the innermost block: its results must be all that is on its stack. The stack is then the one around it."""
        frame = self.frames[-1]
        self.finish(frame)
        self.frames.pop()
        if len(self.initialised) > frame[INITS]:
            self.forget(frame[INITS])
        self.stack = frame[OUTER]
        return frame

    def finish(self, frame: Frame) -> None:
        """Check that the stack holds exactly the results of the innermost block."""
        number, stack = len(frame[RESULTS]), self.stack
        if len(stack) - 1 > number:
            have = self.format(stack[1:])
            raise InvalidError(f"type mismatch: block requires {self.format(frame[RESULTS])} but stack has {have}")
        self.pop_types(frame[RESULTS])

    def reference_to(self, function: int) -> int:
        """Type of a reference to the function with this index."""
        return vt.ref_type(self.module.func_types[function].id, False)

    def label(self, depth: int) -> Types:
        """Types that a branch to the label carries."""
        if depth >= len(self.frames):
            raise InvalidError(f"unknown label {depth}: {len(self.frames)} are open here")
        return self.frames[~depth][LABEL]

    def forget(self, number: int) -> None:
        """Locals that were initialised inside a block are uninitialised behind it, all but the first `number`."""
        near = len(self.locals)
        for index in self.initialised[number:]:
            if index < near:
                self.locals[index] = -self.locals[index]
            elif self.far_locals is not None:
                self.far_locals.written.discard(index)
        del self.initialised[number:]

    # ---- messages

    def mismatch(self, types: Sequence[int]) -> NoReturn:
        """Say what was wanted and what is there."""
        stack = self.stack[1:][-max(len(types), 1) :]
        raise InvalidError(f"type mismatch: instruction requires {self.format(types)} but stack has {self.format(stack)}")

    def format(self, types: Sequence[int]) -> str:
        """Types as the text format has them, defined types by their index in this module. Of many, only the last."""
        if len(types) > _SHOWN_TYPES:
            return f"[… {self.format(types[-_SHOWN_TYPES:])[1:]}"
        if any(made >= vt.REF_BASE and vt.heap_of(made) >= 0 for made in types):
            indices = {made.id: index for index, made in reversed(list(enumerate(self.module.types)))}
            return f"[{' '.join(_format_type(made, indices) for made in types)}]"
        return vt.format_types(tuple(types))


def non_null(reference: int) -> int:
    """The reference type without null."""
    return reference & ~1


def _format_type(valtype: int, indices: dict[int, int]) -> str:
    heap = vt.heap_of(valtype) if valtype >= vt.REF_BASE else -1
    if heap in indices:
        return f"(ref {'null ' if vt.is_nullable(valtype) else ''}{indices[heap]})"
    return vt.format_type(valtype)
