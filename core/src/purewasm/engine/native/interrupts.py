"""Stopping guests: the builtin that polls call, and the thread that makes them poll.

Guests hold the GIL, so nobody else can set a flag for them. A thread of machine code (it never touches Python) writes the flag every few
milliseconds while guests run; at its next poll the guest calls `_poll`, in which CPython handles signals (Ctrl-C) and lets other threads
run, as it does for Python code. Whoever wants to stop a guest (a deadline, `close()`) gets its turn there.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Protocol

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.control import (
    CONTROL,
    SAVED_FIELDS_BYTES,
    STUBS,
    keep,
    put_unwind,
    restore_fields,
    save_fields,
)  # fmt: skip
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_E
from purewasm.isa.x64.control import RET
from purewasm.isa.x64.integer import ADD_RM64_IMM32, AND_RM64_IMM8, CMP_RM64_IMM8, SUB_RM64_IMM32, TEST_RM64_R64
from purewasm.isa.x64.memory import POP_R64, PUSH_R64
from purewasm.isa.x64.registers import R8, R9, R10, R11, R14, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP
from purewasm.isa.x64.vector import MOVDQA_XM128_XMM, MOVDQA_XMM_XM128, MOVDQU_XM128_XMM, MOVDQU_XMM_XM128, PCMPEQD
from purewasm.store import layout

TICK_MICROSECONDS: Final = 5_000
IDLE_MICROSECONDS: Final = 20_000


class Pollable(Protocol):
    """The engine's object of an instance."""

    def poll(self) -> None:
        """Raise where its code has to stop."""


def _poll(space: Pollable) -> None:
    # calling a Python function is what makes CPython look for signals and for threads that wait
    space.poll()


_VECTORS: Final = 64
_FRAME: Final = _VECTORS + 16 * 16
_GENERAL: Final = (RAX, RCX, RDX, RBX, RBP, RSI, RDI, R8, R9, R10, R11)


@lru_cache(maxsize=1)
def interrupt_builtin() -> int:
    """The builtin `interrupt`: every register is preserved, except where the activation ends."""
    a = Assembler()
    a.put(*map(PUSH_R64, _GENERAL))
    a.move(RBP, RSP)
    a.put(SUB_RM64_IMM32(RSP, _FRAME), AND_RM64_IMM8(RSP, -16))
    for i in range(16):
        a.put(MOVDQA_XM128_XMM(Mem(RSP, _VECTORS + 16 * i), i))
    a.constant(RBX, CONTROL.address)
    a.load(RAX, RBX, layout.REAL_LIMIT)
    a.store(RSP, 48, RAX)
    a.constant(RAX, 0)
    a.store(RSP, 56, RAX)
    # (limit, flag) in one store, as the ticker writes them: a guest never sees one without the other
    a.put(MOVDQA_XMM_XM128(0, Mem(RSP, 48)), MOVDQA_XM128_XMM(Mem(RBX, layout.STACK_LIMIT), 0))
    save_fields(a, 8)
    a.load(RAX, R14, layout.INSTANCE)
    a.store(RSP, 0, RAX)
    a.constant(RDI, keep(_poll))
    a.lea(RSI, RSP, 0)
    a.constant(RDX, 1)
    a.constant(RCX, 0)
    a.call(libc.api_address("PyObject_Vectorcall"))
    a.store(RSP, 48, RAX)
    restore_fields(a, 8)
    a.load(RDI, RSP, 48)
    a.put(TEST_RM64_R64(RDI, RDI))
    a.jump_if(CC_E, "stop")
    a.call(libc.api_address("Py_DecRef"))
    for i in range(16):
        a.put(MOVDQA_XMM_XM128(i, Mem(RSP, _VECTORS + 16 * i)))
    a.move(RSP, RBP)
    a.put(*map(POP_R64, reversed(_GENERAL)), RET())
    a.label("stop")
    put_unwind(a)
    assert 8 + SAVED_FIELDS_BYTES <= 48
    return STUBS.add(a.finish())


def _ticker() -> bytes:
    a = Assembler()
    a.put(PUSH_R64(RBX))
    a.constant(RBX, CONTROL.address)
    a.label("idle")
    a.constant(RDI, IDLE_MICROSECONDS)
    a.label("sleep")
    a.call(libc.c_address("usleep"))
    a.put(CMP_RM64_IMM8(Mem(RBX, layout.ACTIVE), 0))
    a.jump_if(CC_E, "idle")
    a.put(PCMPEQD(0, 0), SUB_RM64_IMM32(RSP, 16), MOVDQU_XM128_XMM(Mem(RSP), 0))
    a.constant(RAX, 1)
    a.store(RSP, 8, RAX)
    a.put(MOVDQU_XMM_XM128(0, Mem(RSP)), MOVDQA_XM128_XMM(Mem(RBX, layout.STACK_LIMIT), 0), ADD_RM64_IMM32(RSP, 16))
    a.constant(RDI, TICK_MICROSECONDS)
    a.jump("sleep")
    return a.finish()


_state: Final = {"started": False, "code": 0}


def start_ticker() -> None:
    """Start the thread, once in a process."""
    if not _state["started"]:
        _state["started"] = True
        if not _state["code"]:
            _state["code"] = STUBS.add(_ticker())
        libc.start_thread(_state["code"])


def restart_after_fork() -> None:
    """The child has none of the parent's threads."""
    if _state["started"]:
        _state["started"] = False
        start_ticker()
