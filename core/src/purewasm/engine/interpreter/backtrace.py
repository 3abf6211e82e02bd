"""From a Python exception that leaves generated code to the guest's: which trap it is, and the guest's frames.

Some traps are raised as what Python itself raises for them: an index past the end of a list or a view, a division by zero, an
attribute of None. Such an exception is a trap only if it was raised in a generated frame itself, not in something that it called, and
which one it is follows from the instruction that the line is blamed on.
"""

from __future__ import annotations

import struct

from purewasm import traps
from purewasm.engine.interpreter import depth
from purewasm.engine.interpreter.lower import FILENAME
from purewasm.errors import GuestException, InternalError, Interrupted, Trap, WasmError
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple
from purewasm.wasm import opcodes

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from purewasm.engine.interpreter.namespace import Namespace

STATE: Final = "__purewasm__"
"""Name in a namespace of its `Namespace` object."""
ENTRY: Final = "<entry>"
"""File name in the code objects of public entries."""
MAX_FRAMES: Final = 1000
"""Frames kept of a backtrace, the innermost ones."""
_NOTE: Final = "guest frames, innermost first:"
_PACKAGE: Final = "purewasm."
_ROOM: Final = 8
"""A host function that used up less than this part of the process's own recursion limit is not to blame for its end."""
_EXHAUSTED: Final = ("maximum recursion depth exceeded", "Stack overflow")
"""How Python's own `RecursionError` begins; one that a host function raises itself is that function's business."""


def _codes(*names: str) -> frozenset[int]:
    return frozenset(opcodes.CODE[name] for name in names)


_UNDEFINED: Final = _codes("call_indirect", "return_call_indirect")
_TABLE: Final = _codes("table.get", "table.set")
_ARRAY: Final = frozenset(code for code, name in opcodes.NAME.items() if name.startswith("array."))
_STRUCT: Final = frozenset(code for code, name in opcodes.NAME.items() if name.startswith("struct."))
_CALL_REF: Final = _codes("call_ref", "return_call_ref")


class _Guest(NamedTuple):
    """A generated frame of a traceback."""

    namespace: Namespace
    function: int
    line: int


class _Trace(NamedTuple):
    """What a traceback holds, outermost first; `foreign` counts the innermost frames that are neither generated nor ours."""

    guests: list[_Guest]
    innermost: _Guest | None
    foreign: int
    has_foreign: bool


def _read(trace: TracebackType | None) -> _Trace:
    guests: list[_Guest] = []
    innermost: _Guest | None = None
    foreign, has_foreign, entries = 0, False, 0
    last: FrameType | None = None
    while trace is not None:
        frame = trace.tb_frame
        code = frame.f_code
        innermost = None
        if code.co_filename == ENTRY or code.co_name == "call_raw":
            entries += 1
        if code.co_filename == FILENAME:
            namespace = frame.f_globals.get(STATE)
            foreign = 0
            name = code.co_name
            if namespace is not None and name[1:].isdigit() and not namespace.is_wrapper(name):
                innermost = _Guest(namespace, int(name[1:]), trace.tb_lineno)
                if frame is last:  # passed on (`delegate`): where it came from is the next entry of the same frame
                    guests[-1] = innermost
                elif entries < 2:  # the frames of a guest that runs inside this one are known already
                    guests.append(innermost)
                    last = frame
        elif not frame.f_globals.get("__name__", "").startswith(_PACKAGE):
            foreign += 1
            has_foreign = True
        trace = trace.tb_next
    return _Trace(guests, innermost, foreign, has_foreign)


def _frames(guests: list[_Guest]) -> tuple[traps.Frame, ...]:
    frames = []
    for guest in reversed(guests[-MAX_FRAMES:]):
        code = guest.namespace.code
        offsets = code.places(guest.function).offsets
        offset = offsets[guest.line - 1] if guest.line <= len(offsets) else -1
        if offset < 0:
            offset = code.module.codes[guest.function - code.module.imported_functions].start
        module = code.names.module or guest.namespace.instance_name
        frames.append(traps.Frame(module, guest.function, code.function_name(guest.function), offset))
    return tuple(frames)


def _trap_code(error: BaseException, guest: _Guest) -> str | None:
    """The trap that a Python exception raised in a generated frame stands for."""
    if isinstance(error, ZeroDivisionError):
        return traps.INTEGER_DIVIDE_BY_ZERO
    places = guest.namespace.code.places(guest.function)
    op = places.ops[guest.line - 1] if guest.line <= len(places.ops) else -1
    if isinstance(error, (IndexError, struct.error, OverflowError)):
        if op in _UNDEFINED:
            return traps.UNDEFINED_ELEMENT
        if op in _TABLE:
            return traps.OUT_OF_BOUNDS_TABLE
        return traps.OUT_OF_BOUNDS_ARRAY if op in _ARRAY else traps.OUT_OF_BOUNDS_MEMORY
    if isinstance(error, AttributeError) and error.obj is None:
        if op in _CALL_REF:
            return traps.NULL_FUNCTION
        if op in _STRUCT:
            return traps.NULL_STRUCTURE
        return traps.NULL_ARRAY if op in _ARRAY else traps.NULL_I31
    return None


def explain(error: BaseException) -> BaseException | None:
    """What a call of a guest raises where `error` came out of the generated code; None to raise `error` as it is.

    A trap or a guest's exception gets the frames that it passed, any other exception a note of them.
    """
    trace = _read(error.__traceback__)
    if isinstance(error, RecursionError):
        if trace.guests and trace.foreign * _ROOM < depth.host_limit() and str(error).startswith(_EXHAUSTED):
            # not a host function that ran away on its own: it had hardly any room left
            return Trap(traps.CALL_STACK_EXHAUSTED, frames=_frames(trace.guests))
    elif trace.innermost is not None and not isinstance(error, WasmError) and isinstance(error, Exception):
        if trace.innermost.namespace.closed:
            return Interrupted("the instance is closed")
        code = _trap_code(error, trace.innermost)
        if code is None:
            made = InternalError(f"generated code raised {type(error).__name__}: {error}")
            made.__cause__ = error
            return made
        return Trap(code, frames=_frames(trace.guests))
    if isinstance(error, (Trap, GuestException)):
        error.frames += _frames(trace.guests)
        if not trace.has_foreign:
            error.__traceback__ = None
            return error
    elif trace.guests and isinstance(error, Exception) and not isinstance(error, WasmError):
        _add_note(error, _frames(trace.guests))
    return None


def _add_note(error: Exception, frames: tuple[traps.Frame, ...]) -> None:
    """One note on an exception of the host, however many guests it passes through."""
    lines = "".join(f"\n  {frame}" for frame in frames)
    notes: list[str] = getattr(error, "__notes__", [])
    for position, note in enumerate(notes):
        if note.startswith(_NOTE):
            notes[position] = note + lines
            return
    error.add_note(_NOTE + lines)
