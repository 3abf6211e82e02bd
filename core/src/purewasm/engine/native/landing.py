"""Exceptions in compiled code: who catches one, and how control gets there.

An exception is a `GuestException`, as on every engine; guests hold its address. Whoever throws searches for a call with a landing pad
that takes the tag, from the innermost frame of the activation outwards. If there is one, control goes there; nothing between is run,
since compiled frames have nothing to undo. Otherwise the exception leaves the activation as a Python exception, and goes on from there.

The search looks return addresses up in a table of its own, in which Python fills in what is missing. An exception that has arrived
belongs to its activation until the next one arrives: the guest looks at what it caught at once, or has it kept (`exception_keep`).
"""

from __future__ import annotations

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.code_memory import find_function, when_code_goes
from purewasm.engine.native.control import ENTRY_LANDED, STUBS, keep
from purewasm.engine.native.tail_calls import RETURN_FRAME_BYTES, return_context
from purewasm.errors import GuestException, InternalError
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_E, CC_NE
from purewasm.isa.x64.control import CALL_RM64, JMP_RM64, RET
from purewasm.isa.x64.integer import (
    ADD_R64_RM64,
    ADD_RM64_IMM32,
    CMP_R64_RM64,
    CMP_RM64_IMM8,
    IMUL_R64_RM64,
    SHL_RM64_IMM8,
    SHR_RM64_IMM8,
    SUB_R64_RM64,
    SUB_RM64_IMM32,
    TEST_RM64_R64,
)  # fmt: skip
from purewasm.isa.x64.memory import MOV_R64_RM64
from purewasm.isa.x64.registers import R12, R13, R14, R15, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP
from purewasm.light_library import bisect_left, lru_cache
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.store import layout

if TYPE_CHECKING:
    _Lists = dict[tuple[int, ...], libc.Block]

EXCEPTION_TAG: Final = libc.slot_offset(GuestException, "tag")
EXCEPTION_RAW: Final = libc.slot_offset(GuestException, "raw")
EXCEPTION_FRAMES: Final = libc.slot_offset(GuestException, "frames")
OB_TYPE: Final = 8

# ---- the table: what a frame is, by the address to which it is returned

_INDEX_BITS: Final = 12
_ENTRY_BYTES: Final = 64
_MULTIPLIER: Final = 0x9E37_79B9_7F4A_7C15
_KEY: Final = 0
_PAD: Final = 8
"""Address of the landing pad; 0: there is none; 1: the address is no guest's, the activation begins here."""
_STACK_BYTES: Final = 16
_FRAME_BYTES: Final = 24
_RETURN_BYTES: Final = 32
"""What is above the frame: the return address, and stack arguments of the function."""
_CONTEXT: Final = 40
_TAKES: Final = 48
"""Address of offsets in the context, the last one 0, of the tags that the pad takes; 0: it takes every exception."""
_OUTSIDE: Final = 1

_table: Final[libc.Block] = libc.Block(_ENTRY_BYTES << _INDEX_BITS)
_lists: _Lists = {}
"""What entries of the table point to. Replaced as a whole, so that a thread that fills in an entry keeps those that it has found."""


def _resolve(pc: int) -> None:
    """Fill in the entry of a return address."""
    lists = _lists
    entry = ((pc * _MULTIPLIER) & (1 << 64) - 1) >> (64 - _INDEX_BITS)
    words = _table.words[8 * entry : 8 * entry + 8]
    try:
        words[:] = libc.words_of((pc, *_frame_at(pc, lists), 0))
    finally:
        if _lists is not lists:  # code has gone meanwhile, and with `lists` goes what the entry points to: the search asks again
            words[0] = 0


def _frame_at(pc: int, lists: _Lists) -> tuple[int, int, int, int, int, int]:
    """(pad, bytes of stack arguments, frame, and return address, place of the context, tags)."""
    if pc == return_context():
        return 0, 0, RETURN_FRAME_BYTES, 8, 0, 0
    found = find_function(pc)
    if found is None:
        return _OUTSIDE, 0, 0, 0, 0, 0
    function, start = found
    machine, at = function.machine, pc - start
    position = bisect_left(machine.call_sites, (at,))
    if position == len(machine.call_sites) or machine.call_sites[position][0] != at:
        raise InternalError(f"an exception passes through function {function.index}, which makes no call at offset {at:#x}")
    pad = takes = 0
    landing = bisect_left(machine.landings, (at,))
    if landing < len(machine.landings) and machine.landings[landing][0] == at:
        _, offset, taken = machine.landings[landing]
        pad, takes = start + offset, 0 if taken[-1] < 0 else _list_of(taken, lists)
    stack_bytes = machine.call_sites[position][2]
    return pad, stack_bytes, machine.frame_bytes, 8 + machine.argument_bytes, machine.context_offset, takes


def _list_of(offsets: tuple[int, ...], lists: _Lists) -> int:
    known = lists.get(offsets)
    if known is None:
        made = libc.Block(8 * (len(offsets) + 1))
        made.words[: len(offsets)] = libc.words_of(offsets)
        known = lists.setdefault(offsets, made)
    return known.address


def _forget() -> None:
    """Code is gone, other code may come to its addresses."""
    global _lists
    content = _table.bytes
    zeros = bytes(len(content))
    _kept = _lists  # as long as an entry points to them
    _lists = {}
    content[:] = zeros


when_code_goes(_forget)


@lru_cache(maxsize=1)
def search() -> int:
    """A C function of (return address, stack pointer there, tag, answer): address of the landing pad, whose stack pointer goes to
    `*answer`; 0 if nobody catches this; -1 with a Python exception set."""
    a = Assembler()
    a.push_saved()
    a.put(SUB_RM64_IMM32(RSP, 24))
    for register, argument in ((RBX, RDI), (RBP, RSI), (R12, RDX), (R13, RCX)):
        a.move(register, argument)
    a.constant(R14, _table.address)
    a.label("next")
    a.constant(RAX, _MULTIPLIER)
    a.put(IMUL_R64_RM64(RAX, RBX), SHR_RM64_IMM8(RAX, 64 - _INDEX_BITS), SHL_RM64_IMM8(RAX, 6), ADD_R64_RM64(RAX, R14))
    a.put(CMP_R64_RM64(RBX, Mem(RAX, _KEY)))
    a.jump_if(CC_NE, "unknown")
    a.load(RCX, RAX, _PAD)
    a.put(CMP_RM64_IMM8(RCX, _OUTSIDE))
    a.jump_if(CC_E, "nobody")
    a.put(SUB_R64_RM64(RBP, Mem(RAX, _STACK_BYTES)), TEST_RM64_R64(RCX, RCX))
    a.jump_if(CC_E, "outwards")
    a.load(RDX, RAX, _TAKES)
    a.put(TEST_RM64_R64(RDX, RDX))
    a.jump_if(CC_E, "found")
    a.load(RSI, RAX, _CONTEXT)
    a.put(MOV_R64_RM64(RSI, Mem(RBP, index=RSI, scale=1)))
    a.label("tag")
    a.load(RDI, RDX)
    a.put(TEST_RM64_R64(RDI, RDI))
    a.jump_if(CC_E, "outwards")
    a.put(MOV_R64_RM64(RDI, Mem(RSI, index=RDI, scale=1)), CMP_R64_RM64(R12, Mem(RDI, layout.TAG_OBJECT)))
    a.jump_if(CC_E, "found")
    a.put(ADD_RM64_IMM32(RDX, 8))
    a.jump("tag")
    a.label("outwards")
    a.put(ADD_R64_RM64(RBP, Mem(RAX, _FRAME_BYTES)))
    a.load(RBX, RBP)
    a.put(ADD_R64_RM64(RBP, Mem(RAX, _RETURN_BYTES)))
    a.jump("next")
    a.label("nobody")
    a.constant(RCX, 0)
    a.label("found")
    a.store(R13, 0, RBP)
    a.move(RAX, RCX)
    a.label("leave")
    a.put(ADD_RM64_IMM32(RSP, 24))
    a.pop_saved()
    a.put(RET())
    a.label("unknown")
    a.move(RDI, RBX)
    a.call(libc.api_address("PyLong_FromLongLong"))
    a.store(RSP, 0, RAX)
    a.put(TEST_RM64_R64(RAX, RAX))
    a.jump_if(CC_E, "failed")
    a.constant(RDI, keep(_resolve))
    a.move(RSI, RSP)
    a.constant(RDX, 1)
    a.constant(RCX, 0)
    a.call(libc.api_address("PyObject_Vectorcall"))
    a.move(R15, RAX)
    for place in (Mem(RSP), R15):
        a.put(MOV_R64_RM64(RDI, place))
        a.call(libc.api_address("Py_DecRef"))
    a.put(TEST_RM64_R64(R15, R15))
    a.jump_if(CC_NE, "next")
    a.label("failed")
    a.constant(RAX, (1 << 64) - 1)
    a.jump("leave")
    return STUBS.add(a.finish())


# ---- pieces of code for whoever throws


def put_search(a: Assembler, answer: int, nobody: str, failed: str) -> None:
    """Search from (rdi, rsi) for who catches the exception r12, and go on behind this with its tag in r13 and the landing pad in rbp.

    The stack pointer of the pad is at rsp + `answer` then.
    """
    a.load(R13, R12, EXCEPTION_TAG)
    a.move(RDX, R13)
    a.lea(RCX, RSP, answer)
    a.constant(RAX, search())
    a.put(CALL_RM64(RAX), TEST_RM64_R64(RAX, RAX))
    a.jump_if(CC_E, nobody)
    a.put(CMP_RM64_IMM8(RAX, -1))
    a.jump_if(CC_E, failed)
    a.move(RBP, RAX)


def put_landing(a: Assembler, answer: int) -> None:
    """Go to the landing pad in rbp with the exception r12, whose reference is handed over, and its tag r13; rbx: this thread's block."""
    a.load(RCX, RBX, layout.ENTRY_SP)
    a.load(RDI, RCX, ENTRY_LANDED)
    a.store(RCX, ENTRY_LANDED, R12)
    a.call(libc.api_address("Py_DecRef"))
    a.move(RAX, R12)
    a.move(RDX, R13)
    a.move(RCX, RBP)
    a.load(RSP, RSP, answer)
    a.put(JMP_RM64(RCX))


def put_raise(a: Assembler) -> None:
    """Set the exception r12, whose reference is given up, as the Python exception."""
    a.load(RDI, R12, OB_TYPE)
    a.move(RSI, R12)
    a.call(libc.api_address("PyErr_SetObject"))
    a.move(RDI, R12)
    a.call(libc.api_address("Py_DecRef"))
