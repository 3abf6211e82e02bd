"""The handlers of SIGSEGV, SIGBUS, SIGILL and SIGFPE: generated code that tells a guest's fault from any other.

A fault in the range of guest code goes to the trap exit. Any other one goes to the handler that was there before, as if this one were not:
with the same arguments where it is a function; for the default action that action is put back and the signal comes again.

When somebody replaces the handler, another *layer* of ours goes on top of theirs: an entry of its own that remembers what it found.
So whoever chained to us still finds the layer below, and no chain of handlers is a circle. `handler_check` is what puts layers
there; it is called with each new instance, behind `faulthandler.enable`, and by the ticker's thread every few hundredths of a second.
"""

from __future__ import annotations

import faulthandler
from struct import Struct

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.code_memory import code_range
from purewasm.engine.native.control import STUBS, permanent_bytes, put_block
from purewasm.engine.native.libc import system
from purewasm.engine.native.traps import trap_exit
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_A, CC_AE, CC_B, CC_E, CC_G, CC_LE, CC_NE
from purewasm.isa.x64.control import JMP_RM64, RET
from purewasm.isa.x64.integer import (
    ADD_R64_RM64,
    ADD_RM64_IMM8,
    ADD_RM64_IMM32,
    AND_RM32_IMM32,
    CMP_R64_RM64,
    CMP_RM32_IMM8,
    CMP_RM64_IMM8,
    IMUL_R64_RM64_IMM32,
    INC_RM64,
    OR_RM32_IMM32,
    SUB_RM64_IMM8,
    SUB_RM64_IMM32,
)
from purewasm.isa.x64.memory import MOV_R32_RM32, MOV_RM32_R32, XCHG_RM64_R64
from purewasm.isa.x64.registers import R8, R9, R12, RAX, RBX, RCX, RDI, RDX, RSI, RSP
from purewasm.light_library import lru_cache
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.store import layout

if TYPE_CHECKING:
    from collections.abc import Callable

_FACTS: Final = system.SIGNAL_FACTS
SIGNALS: Final = (system.SIGSEGV, system.SIGBUS, system.SIGILL, system.SIGFPE)
LAYERS: Final = 16
"""Layers of each signal: so often may somebody put a function in our place; from then on the last layer is used again."""
_SI_CODE: Final = 8
_ACTION_BYTES: Final = _FACTS.action_bytes + 63 & -64

_ENTRY: Final = Struct("<HQHQHxxxxxxxxxx")  # mov rcx, previous; mov rax, handler; jmp rax
_ENTRY_BYTES: Final = _ENTRY.size
_NUMBER: Final = 0
_USED: Final = 8
_STATE_BYTES: Final = 16
_FRAME: Final = 168


@lru_cache(maxsize=1)
def _handler() -> int:
    """The handler of every layer; rcx: address of the action that was there before."""
    codes = code_range()
    a = Assembler()
    a.put(SUB_RM64_IMM8(RSP, 8))
    registers = RDX
    if _FACTS.machine_context >= 0:
        registers = R9
        a.load(R9, RDX, _FACTS.machine_context)
    a.load(RAX, registers, _FACTS.rip)
    a.constant(R8, codes.start)
    a.put(CMP_R64_RM64(RAX, R8))
    a.jump_if(CC_B, "other")
    a.constant(R8, codes.end)
    a.put(CMP_R64_RM64(RAX, R8))
    a.jump_if(CC_AE, "other")
    a.put(CMP_RM32_IMM8(Mem(RSI, _SI_CODE), 0))
    a.jump_if(CC_LE, "other")  # sent by a process: no fault
    put_block(a, RCX)
    a.store(RCX, layout.TRAP_PC, RAX)
    for register, field in ((_FACTS.rsp, layout.TRAP_SP), (_FACTS.r11, layout.TRAP_OPERAND)):
        a.load(RAX, registers, register)
        a.store(RCX, field, RAX)
    a.constant(RAX, trap_exit())
    a.store(registers, _FACTS.rip, RAX)
    a.jump("return")
    a.label("other")
    a.load(RAX, RCX)
    a.put(CMP_RM64_IMM8(RAX, 1))
    a.jump_if(CC_A, "function")
    a.jump_if(CC_NE, "default")
    a.put(CMP_RM32_IMM8(Mem(RSI, _SI_CODE), 0))
    a.jump_if(CC_G, "default")  # a fault cannot be ignored
    a.label("return")
    a.put(ADD_RM64_IMM8(RSP, 8), RET())
    a.label("function")
    a.put(ADD_RM64_IMM8(RSP, 8), JMP_RM64(RAX))
    a.label("default")
    _default_action(a)
    return STUBS.add(a.finish())


def _default_action(a: Assembler) -> None:
    """Put the default action back. A fault happens again by itself, a signal that was sent is sent again."""
    a.put(SUB_RM64_IMM8(RSP, 16))
    a.store(RSP, 0, RSI)
    a.store(RSP, 8, RDI)
    a.constant(RSI, permanent_bytes(_FACTS.action_bytes))
    a.constant(RDX, 0)
    a.call(libc.c_address("sigaction"))
    a.load(RSI, RSP, 0)
    a.load(RDI, RSP, 8)
    a.put(CMP_RM32_IMM8(Mem(RSI, _SI_CODE), 0))
    a.jump_if(CC_G, "again")
    a.call(libc.c_address("raise"))
    a.label("again")
    a.put(ADD_RM64_IMM8(RSP, 24), RET())


@lru_cache(maxsize=1)
def handler_check() -> int:
    """C function `long f(void)`: make sure that a layer of ours is on top for each signal. 0 if another thread is at it."""
    count = len(SIGNALS) * LAYERS
    previous = permanent_bytes(_ACTION_BYTES * count)
    states = permanent_bytes(_STATE_BYTES * len(SIGNALS) + 8)
    handler = _handler()
    entries = STUBS.add(b"".join(_ENTRY.pack(0xB948, previous + _ACTION_BYTES * i, 0xB848, handler, 0xE0FF) for i in range(count)))
    for position, number in enumerate(SIGNALS):
        libc.write_word(states + _STATE_BYTES * position + _NUMBER, number)
        libc.write_word(states + _STATE_BYTES * position + _USED, LAYERS * position)
    busy = states + _STATE_BYTES * len(SIGNALS)
    a = Assembler()
    a.push_saved()
    a.put(SUB_RM64_IMM32(RSP, _FRAME))
    a.constant(RAX, 1)
    a.constant(RCX, busy)
    a.put(XCHG_RM64_R64(Mem(RCX), RAX), CMP_RM64_IMM8(RAX, 0))
    a.constant(RAX, 0)
    a.jump_if(CC_NE, "end")
    for position in range(len(SIGNALS)):
        _check_signal(a, states + _STATE_BYTES * position, LAYERS * position, range(entries, entries + _ENTRY_BYTES * count), previous)
    a.constant(RCX, busy)
    a.constant(RAX, 0)
    a.store(RCX, 0, RAX)
    a.constant(RAX, 1)
    a.label("end")
    a.put(ADD_RM64_IMM32(RSP, _FRAME))
    a.pop_saved()
    a.put(RET())
    return STUBS.add(a.finish())


def _check_signal(a: Assembler, state: int, first: int, entries: range, previous: int) -> None:
    """Look at one signal; its layers are numbered from `first`. The present action is on the stack. rbx: the state, r12: the layer."""
    fresh, room, last, install, done, foreign = (f"{name}{first}" for name in ("fresh", "room", "last", "install", "done", "foreign"))
    a.constant(RBX, state)
    a.load(RDI, RBX, _NUMBER)
    a.constant(RSI, 0)
    a.lea(RDX, RSP, 0)
    a.call(libc.c_address("sigaction"))
    a.load(RAX, RSP)
    a.constant(RCX, entries.start)
    a.put(CMP_R64_RM64(RAX, RCX))
    a.jump_if(CC_B, foreign)
    a.constant(RCX, entries.stop)
    a.put(CMP_R64_RM64(RAX, RCX))
    a.jump_if(CC_B, done)
    a.label(foreign)
    a.load(R12, RBX, _USED)
    a.put(CMP_RM64_IMM8(RAX, 1))
    a.jump_if(CC_A, fresh)
    # no function: if the first layer stands for this action, it serves once more
    a.put(CMP_RM64_IMM8(R12, first))
    a.jump_if(CC_E, fresh)
    a.constant(RCX, previous + _ACTION_BYTES * first)
    a.put(CMP_R64_RM64(RAX, Mem(RCX)))
    a.jump_if(CC_NE, fresh)
    a.constant(R12, first)
    a.jump(install)
    a.label(fresh)
    a.put(CMP_RM64_IMM8(R12, first + LAYERS))
    a.jump_if(CC_NE, room)
    # the last layer stands for this action from now on: guests' faults must always come to us
    a.constant(R12, first + LAYERS - 1)
    a.jump(last)
    a.label(room)
    a.put(INC_RM64(Mem(RBX, _USED)))
    a.label(last)
    a.put(IMUL_R64_RM64_IMM32(RDI, R12, _ACTION_BYTES))
    a.constant(RAX, previous)
    a.put(ADD_R64_RM64(RDI, RAX))
    a.lea(RSI, RSP, 0)
    a.constant(RDX, _FACTS.action_bytes)
    a.call(libc.c_address("memcpy"))
    a.label(install)
    a.put(IMUL_R64_RM64_IMM32(RAX, R12, _ENTRY_BYTES))
    a.constant(RCX, entries.start)
    a.put(ADD_R64_RM64(RAX, RCX))
    a.store(RSP, 0, RAX)
    flags = Mem(RSP, _FACTS.flags)
    a.put(MOV_R32_RM32(RAX, flags), AND_RM32_IMM32(RAX, _FACTS.kept), OR_RM32_IMM32(RAX, _FACTS.siginfo | _FACTS.onstack))
    a.put(MOV_RM32_R32(flags, RAX))
    a.load(RDI, RBX, _NUMBER)
    a.lea(RSI, RSP, 0)
    a.constant(RDX, 0)
    a.call(libc.c_address("sigaction"))
    a.label(done)


_wrapped: Final[list[Callable[..., object]]] = []


def prepare() -> None:
    """Make all the code; it fails where something that it needs is missing."""
    handler_check()


def install() -> None:
    """Make sure that ours are the present handlers."""
    while not libc.call(handler_check()):
        pass
    if not _wrapped:
        _watch_faulthandler()


def _watch_faulthandler() -> None:
    """`faulthandler.enable` takes the signals over: put a layer on top at once."""
    original = faulthandler.enable
    _wrapped.append(original)

    def enable(*args: object, **options: object) -> None:
        original(*args, **options)  # type: ignore[arg-type]
        install()

    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(enable, name, getattr(original, name))
    faulthandler.enable = enable
