"""Exceptions in compiled code: the search for who catches one.

An exception is a `GuestException`, as on every engine; guests hold its address. Whoever throws looks for a call with a landing pad that
takes the tag, from the innermost frame of the activation outwards. If there is one, control goes there; nothing between is run, since
compiled frames have nothing to undo. Otherwise the exception leaves the activation as a Python exception, and goes on from there.
"""

from __future__ import annotations

from _thread import _local
from bisect import bisect_left
from typing import Final, NamedTuple, NoReturn, final

from purewasm.engine.native import libc
from purewasm.engine.native.code_memory import find_function
from purewasm.engine.native.control import field
from purewasm.engine.native.handles import object_of, word_of
from purewasm.errors import GuestException, InternalError
from purewasm.store import layout
from purewasm.store.tag import Tag


class Landing(NamedTuple):
    """Where an exception is caught: the address of the landing pad, and the stack pointer there."""

    address: int
    sp: int


def find_landing(tag: Tag, pc: int, sp: int) -> Landing | None:
    """The innermost landing pad that takes an exception thrown by a call which returns to `pc` with this stack pointer."""
    while (found := find_function(pc)) is not None:
        function, start = found
        machine, at = function.machine, pc - start
        sites = machine.call_sites
        position = bisect_left(sites, (at,))
        if position == len(sites) or sites[position][0] != at:
            raise InternalError(f"an exception passes through function {function.index}, which makes no call at offset {at:#x}")
        sp -= sites[position][2]
        landings = machine.landings
        position = bisect_left(landings, (at,))
        if position < len(landings) and landings[position][0] == at:
            _, pad, taken = landings[position]
            if taken[-1] < 0 or _takes(libc.read_word(sp + machine.context_offset), taken, id(tag)):
                return Landing(start + pad, sp)
        slot = sp + machine.frame_bytes
        pc, sp = libc.read_word(slot), slot + 8 + machine.argument_bytes
    return None


def _takes(context: int, taken: tuple[int, ...], tag: int) -> bool:
    return any(libc.read_word(libc.read_word(context + offset) + layout.TAG_OBJECT) == tag for offset in taken)


@final
class _Landed(_local):
    """Exceptions that arrived at a landing pad, the last one of each activation of a thread: (its ENTRY_SP, exception). The guest
    looks at what it caught at once, or has it kept by `keep`."""

    def __init__(self) -> None:
        self.exceptions: list[tuple[int, GuestException]] = []

    def put(self, exception: GuestException) -> None:
        entry, known = field(layout.ENTRY_SP), self.exceptions
        while known and known[-1][0] <= entry:  # stacks grow downwards: that activation has ended, or is this one
            known.pop()
        known.append((entry, exception))


_landed: Final = _Landed()


def land(error: BaseException, pc: int, sp: int, answer: int) -> bool:
    """Whether a guest catches what a call that returns to `pc` has raised. If so, `answer` is the address of room for the landing pad's
    address, the stack pointer there, the words of the exception and of its tag."""
    if not isinstance(error, GuestException):
        return False
    tag = error.tag
    found = find_landing(tag, pc, sp) if isinstance(tag, Tag) else None
    if found is None:
        return False
    _landed.put(error)
    for position, word in enumerate((*found, id(error), id(tag))):
        libc.write_word(answer + 8 * position, word)
    return True


def keep(word: int) -> int:
    """The guest holds a caught exception from now on: without the frames that it came through, which it would keep alive."""
    exception = object_of(word)
    assert isinstance(exception, GuestException)
    exception.__traceback__ = None
    return word_of(exception)


def throw_again(word: int) -> NoReturn:
    exception = object_of(word)
    assert isinstance(exception, GuestException)
    raise exception
