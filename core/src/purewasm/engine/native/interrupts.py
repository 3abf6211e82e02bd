"""Stopping guests: the builtin that polls call, and the thread that makes them poll.

A thread of machine code (it never touches Python) looks every few milliseconds at the threads that run guests. Those that have the GIL
are made to poll, which is where they release it, once CPython has handled what waits (`_poll`); from then on they run beside Python. The
main thread is made to poll now and then also when it has released it, for signals (Ctrl-C). Whoever wants to stop a guest (a deadline,
`close()`) makes every thread poll at once (`control.request_poll`).
"""

from __future__ import annotations

import sys

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.control import (
    FIRST_BLOCK,
    STUBS,
    keep,
    put_back_activation,
    put_flags,
    put_keep_activation,
    put_release_gil,
    put_take_gil,
    put_unwind,
)
from purewasm.engine.native.entry import ENTRY_RECORD
from purewasm.engine.native.libc import system
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_B, CC_E, CC_L, CC_NE
from purewasm.isa.x64.control import RET
from purewasm.isa.x64.integer import (
    ADD_RM64_IMM8,
    AND_RM64_IMM8,
    CMOVCC_R64_RM64,
    CMP_R64_RM64,
    CMP_RM64_IMM8,
    SUB_RM64_IMM32,
    TEST_RM32_IMM32,
    TEST_RM64_R64,
)  # fmt: skip
from purewasm.isa.x64.memory import POP_R64, PUSH_R64
from purewasm.isa.x64.registers import R8, R9, R10, R11, R12, R13, R14, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP
from purewasm.isa.x64.xmm_moves import MOVDQA_XM128_XMM, MOVDQA_XMM_XM128
from purewasm.light_library import lru_cache
from purewasm.light_typing import TYPE_CHECKING, Final, Protocol
from purewasm.store import layout

if sys.platform != "win32":
    from purewasm.engine.native.signals import handler_check

IDLE_MICROSECONDS: Final = 20_000
"""Between two looks while no guest runs …"""
RELEASED_MICROSECONDS: Final = 5_000
"""… while those that run have released the GIL, or have been told to poll …"""
HELD_MICROSECONDS: Final = 1_000
"""… and when one was found that has the GIL: it may keep others waiting for that long."""
_SIGNALS_EVERY: Final = 4
"""Looks (a power of two) from one poll of the main thread to the next, while it has released the GIL."""
_LONG_CALLS: Final = 8
"""Calls of a function that release the GIL at once after one that ran until a poll."""


if TYPE_CHECKING:

    class Pollable(Protocol):
        """The engine's object of an instance."""

        def poll(self) -> None:
            """Raise where its code has to stop."""


def _poll(space: Pollable) -> None:
    # calling a Python function is what makes CPython look for signals and for threads that wait
    space.poll()


_ACTIVATION: Final = 32
_VECTORS: Final = _ACTIVATION + 16
_FRAME: Final = _VECTORS + 16 * 16
_GENERAL: Final = (RAX, RCX, RDX, RBX, RBP, RSI, RDI, R8, R9, R10, R11)


@lru_cache(maxsize=1)
def interrupt_builtin() -> int:
    """The builtin `interrupt`: every register is preserved, except where the activation ends. Runs on without the GIL."""
    a = Assembler()
    a.put(*map(PUSH_R64, _GENERAL))
    a.move(RBP, RSP)
    a.put(SUB_RM64_IMM32(RSP, _FRAME), AND_RM64_IMM8(RSP, -16))
    for i in range(16):
        a.put(MOVDQA_XM128_XMM(Mem(RSP, _VECTORS + 16 * i), i))
    put_take_gil(a)
    put_keep_activation(a, _ACTIVATION)
    a.load(RAX, RBX, layout.REAL_LIMIT)
    a.store(RSP, 16, RAX)
    a.constant(RAX, 0)
    a.store(RSP, 24, RAX)
    # (limit, flag) in one store, as the ticker writes them: a guest never sees one without the other
    a.put(MOVDQA_XMM_XM128(0, Mem(RSP, 16)), MOVDQA_XM128_XMM(Mem(RBX, layout.STACK_LIMIT), 0))
    a.load(RAX, R14, layout.INSTANCE)
    a.store(RSP, 0, RAX)
    a.constant(RDI, keep(_poll))
    a.lea(RSI, RSP, 0)
    a.constant(RDX, 1)
    a.constant(RCX, 0)
    a.call(libc.api_address("PyObject_Vectorcall"))
    a.move(RDI, RAX)
    put_back_activation(a, _ACTIVATION)
    a.put(TEST_RM64_R64(RDI, RDI))
    a.jump_if(CC_E, "stop")
    a.call(libc.api_address("Py_DecRef"))
    a.load(RAX, RBX, layout.ENTRY_SP)
    a.load(RAX, RAX, ENTRY_RECORD)
    a.put(CMP_RM64_IMM8(Mem(RAX, layout.RECORD_LONG), 0))
    a.jump_if(CC_L, "always")
    a.constant(RCX, _LONG_CALLS)
    a.store(RAX, layout.RECORD_LONG, RCX)
    a.label("always")
    put_release_gil(a)
    for i in range(16):
        a.put(MOVDQA_XMM_XM128(i, Mem(RSP, _VECTORS + 16 * i)))
    a.move(RSP, RBP)
    a.put(*map(POP_R64, reversed(_GENERAL)), RET())
    a.label("stop")
    put_unwind(a)
    return STUBS.add(a.finish())


def _ticker() -> bytes:
    """rbp: a thread's block, r12: microseconds until the next look, r13: number of looks."""
    a = Assembler()
    a.put(SUB_RM64_IMM32(RSP, 24))  # the thread ends with the process: nothing is saved
    a.constant(R13, 0)
    a.constant(R12, _sleep(IDLE_MICROSECONDS))
    a.label("sleep")
    a.move(RDI, R12)
    a.call(libc.c_address(system.SLEEP))
    a.put(ADD_RM64_IMM8(R13, 1), TEST_RM32_IMM32(R13, 15))
    a.jump_if(CC_E, "handlers")
    a.label("look")
    a.constant(R12, _sleep(IDLE_MICROSECONDS))
    put_flags(a)
    a.constant(RBP, FIRST_BLOCK)
    a.load(RBP, RBP)
    a.label("block")
    a.put(TEST_RM64_R64(RBP, RBP))
    a.jump_if(CC_E, "sleep")
    a.put(CMP_RM64_IMM8(Mem(RBP, layout.ACTIVE), 0))
    a.jump_if(CC_E, "next")
    a.put(CMP_RM64_IMM8(Mem(RBP, layout.THREAD_STATE), 0))
    a.jump_if(CC_E, "held")
    _at_most(a, RELEASED_MICROSECONDS)
    a.put(CMP_RM64_IMM8(Mem(RBP, layout.INTERRUPT), 0))
    a.jump_if(CC_NE, "flag")  # once more: it may have been overwritten when an activation began
    a.put(CMP_RM64_IMM8(Mem(RBP, layout.IS_MAIN), 0))
    a.jump_if(CC_E, "next")
    a.put(TEST_RM32_IMM32(R13, _SIGNALS_EVERY - 1))
    a.jump_if(CC_NE, "next")
    a.jump("flag")
    a.label("held")
    _at_most(a, RELEASED_MICROSECONDS)
    a.put(CMP_RM64_IMM8(Mem(RBP, layout.INTERRUPT), 0))
    a.jump_if(CC_NE, "flag")
    a.constant(R12, _sleep(HELD_MICROSECONDS))
    a.label("flag")
    a.put(MOVDQA_XM128_XMM(Mem(RBP, layout.STACK_LIMIT), 0))
    a.label("next")
    a.load(RBP, RBP, layout.NEXT)
    a.jump("block")
    a.label("handlers")
    if sys.platform != "win32":  # nobody takes an exception handler away there
        a.call(handler_check())
    a.jump("look")
    return a.finish()


def _sleep(microseconds: int) -> int:
    """In what the system counts in."""
    return -(-microseconds // system.SLEEP_MICROSECONDS)


def _at_most(a: Assembler, microseconds: int) -> None:
    """r12 becomes the smaller of itself and a number."""
    a.constant(RAX, _sleep(microseconds))
    a.put(CMP_R64_RM64(RAX, R12), CMOVCC_R64_RM64[CC_B](R12, RAX))


_state: Final = {"started": False, "code": 0}


def start_ticker() -> None:
    """Start the thread, once in a process. MemoryError where there is no room for it."""
    if not _state["started"]:
        _state["started"] = True
        try:
            if not _state["code"]:
                _state["code"] = libc.incoming(STUBS.add(_ticker()))
            system.start_thread(_state["code"])
        except OSError as error:
            _state["started"] = False
            raise MemoryError(f"no room for the thread that interrupts guests: {error}") from error
        except MemoryError:
            _state["started"] = False
            raise


def restart_after_fork() -> None:
    """The child has none of the parent's threads."""
    if _state["started"]:
        _state["started"] = False
        start_ticker()
