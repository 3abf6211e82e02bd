"""The control block, and the ways out of a guest that all generated code shares.

There is one block for the process: the GIL is held while a guest runs, and whatever leaves a guest (host calls, builtins, polls) saves
its fields and puts them back, since other threads may run guests in between.

`unwind` leaves the innermost activation: its entry returns NULL, and a Python exception is set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.libc import Block
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_NE
from purewasm.isa.x64.control import RET
from purewasm.isa.x64.integer import CMOVCC_R64_RM64, CMP_RM64_IMM8
from purewasm.isa.x64.registers import RAX, RBX, RCX, RSP
from purewasm.store import layout

if TYPE_CHECKING:
    from collections.abc import Callable

ALL_ONES: Final = (1 << 64) - 1

CONTROL: Final = Block(layout.CONTROL_BYTES)
"""Never freed: the ticker's thread writes to it until the process ends."""


def field(offset: int) -> int:
    """A field of the control block."""
    return CONTROL.words[offset >> 3]


def set_field(offset: int, value: int) -> None:
    CONTROL.words[offset >> 3] = value


def request_poll() -> None:
    """Make running code look at its next poll whether it has to stop."""
    CONTROL.words[layout.INTERRUPT >> 3] = 1
    CONTROL.words[layout.STACK_LIMIT >> 3] = ALL_ONES


@final
class PermanentCode:
    """The engine's own code: in pages of its own outside of the range of guest code, alive as long as the process."""

    def __init__(self) -> None:
        self._start = self._mirror = self._used = self._size = 0

    def add(self, code: bytes) -> int:
        """Address of the code."""
        if self._used + len(code) > self._size:
            self._map(max(1 << 16, len(code) + 4095 & -4096))
        at = self._used
        libc.view_at(self._mirror + at, len(code))[:] = code
        self._used = at + len(code) + 63 & -64
        return self._start + at

    def _map(self, size: int) -> None:
        fd = libc.anonymous_file(size)
        try:
            self._mirror = libc.map_pages(size, libc.PROT_READ | libc.PROT_WRITE, libc.MAP_SHARED, fd)
            self._start = libc.map_pages(size, libc.PROT_READ | libc.PROT_EXEC, libc.MAP_SHARED, fd)
        finally:
            libc.close_file(fd)
        self._used, self._size = 0, size

    def forget_after_fork(self) -> None:
        """In the child: its pages are shared with the parent, so new code goes elsewhere."""
        self._used = self._size


STUBS: Final = PermanentCode()
_kept: Final[list[object]] = []


def keep(hook: Callable[..., object]) -> int:
    """Address of a Python callable that generated code calls; it is never freed."""
    _kept.append(hook)
    return id(hook)


# ---- pieces of code


def put_limit(a: Assembler, register: int, control: int = RBX) -> None:
    """`register` is the limit from now on; what was requested meanwhile stays requested. Uses rcx."""
    a.store(control, layout.REAL_LIMIT, register)
    a.constant(RCX, ALL_ONES)
    a.put(CMP_RM64_IMM8(Mem(control, layout.INTERRUPT), 0), CMOVCC_R64_RM64[CC_NE](register, RCX))
    a.store(control, layout.STACK_LIMIT, register)


ENTRY_LANDED: Final = 56
"""In the frame of an activation's entry: the exception that arrived at a landing pad last (owned), or 0."""
SAVED_FIELDS: Final = (layout.ENTRY_SP, layout.REAL_LIMIT, layout.FUEL)
SAVED_FIELDS_BYTES: Final = 8 * len(SAVED_FIELDS)


def save_fields(a: Assembler, at: int, control: int = RBX) -> None:
    """Save at rsp + `at` what other activations may change while Python runs. Uses rax."""
    for position, offset in enumerate(SAVED_FIELDS):
        a.load(RAX, control, offset)
        a.store(RSP, at + 8 * position, RAX)


def restore_fields(a: Assembler, at: int, control: int = RBX, *, fuel: bool = True) -> None:
    """Put them back. Uses rax and rcx. After host calls the fuel that is left is what the host's wrapper has written."""
    a.load(RAX, RSP, at)
    a.store(control, layout.ENTRY_SP, RAX)
    if fuel:
        a.load(RAX, RSP, at + 16)
        a.store(control, layout.FUEL, RAX)
    a.load(RAX, RSP, at + 8)
    put_limit(a, RAX, control)


def put_unwind(a: Assembler) -> None:
    """Leave the innermost activation. A Python exception is set."""
    a.constant(RAX, CONTROL.address)
    a.load(RSP, RAX, layout.ENTRY_SP)
    a.put(RET())
