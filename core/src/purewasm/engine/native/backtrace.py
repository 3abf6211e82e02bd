"""From addresses of code to the guest's frames.

Compiled code keeps no frame pointers: the distance to the return address is the same in all of a function's body, so a frame is walked with
the numbers that the compiler gave (`MachineCode`). The walk ends where a return address is not a guest's: at the activation's entry.
"""

from __future__ import annotations

import sys

from purewasm import traps
from purewasm.backend.machine_code import HIDDEN_PLACE
from purewasm.engine.native import libc
from purewasm.engine.native.code_memory import find_function
from purewasm.engine.native.tail_calls import who_waits
from purewasm.errors import GuestException, Trap, WasmError
from purewasm.light_library import bisect_left, bisect_right
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import TracebackType

MAX_FRAMES: Final = 1000
"""Frames kept of a backtrace, the innermost ones."""
_NOTE: Final = "guest frames, innermost first:"
_EXHAUSTED: Final = ("maximum recursion depth exceeded", "Stack overflow")
"""How Python's own `RecursionError` begins; one that a host function raises itself is that function's business."""


def walk(pc: int, sp: int, *, returns: bool, framed: bool = True) -> tuple[traps.Frame, ...]:
    """The guest's frames from an address in a function's code and the stack pointer there.

    `returns`: the address is where a call returns to, and `sp` what the stack pointer is then. Not `framed`: the function has not made
    its frame yet, `sp` is where the return address is.
    """
    frames: list[traps.Frame] = []
    while len(frames) < MAX_FRAMES:
        pc, sp = who_waits(pc, sp)
        found = find_function(pc)
        if found is None:
            break
        function, start = found
        machine, at = function.machine, pc - start
        if returns:
            sites = machine.call_sites
            position = bisect_left(sites, (at,))
            if position == len(sites) or sites[position][0] != at:
                break
            _, offset, stack_bytes = sites[position]
            sp -= stack_bytes
        else:
            position = bisect_right(machine.traps, (at, 1 << 60)) - 1
            offset = machine.traps[position][2] if position >= 0 else 0
        if offset != HIDDEN_PLACE:
            frames.append(function.frame(offset))
        slot = sp + machine.frame_bytes if framed else sp
        pc = libc.read_word(slot)
        sp = slot + 8 + machine.argument_bytes
        returns = framed = True
    return tuple(frames)


def host_failed(error: BaseException, pc: int, sp: int) -> None:
    """A host function or a builtin that was called at `pc` raised, and no guest of this activation catches it: traps get the frames that
    they pass, other exceptions a note of them.

    What this raises takes the exception's place: guests and hosts that called each other until Python had no room left are a trap of the
    guest, unless a host function ran away on its own.
    """
    exhausted = isinstance(error, RecursionError) and str(error).startswith(_EXHAUSTED)
    if exhausted and 4 * _depth(error.__traceback__) < sys.getrecursionlimit():
        raise Trap(traps.CALL_STACK_EXHAUSTED, frames=walk(pc, sp, returns=True)) from None
    if isinstance(error, (Trap, GuestException)):
        error.frames += walk(pc, sp, returns=True)
    elif isinstance(error, Exception) and not isinstance(error, WasmError):
        _add_note(error, walk(pc, sp, returns=True))


def _depth(trace: TracebackType | None) -> int:
    """Number of frames in a traceback."""
    depth = 0
    while trace is not None:
        depth += 1
        trace = trace.tb_next
    return depth


def _add_note(error: Exception, frames: tuple[traps.Frame, ...]) -> None:
    """One note, however many guests the exception passes through."""
    lines = "".join(f"\n  {frame}" for frame in frames)
    notes: list[str] = getattr(error, "__notes__", [])
    for position, note in enumerate(notes):
        if note.startswith(_NOTE):
            notes[position] = note + lines
            return
    error.add_note(_NOTE + lines)
