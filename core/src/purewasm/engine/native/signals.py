"""The handler of SIGSEGV, SIGBUS, SIGILL and SIGFPE: generated code that tells a guest's fault from any other.

A fault in the range of guest code goes to the trap exit. Any other one goes to the handler that was there before, as if this one were not:
with the same arguments where it is a function; for the default action that action is put back and the signal comes again.
The handler is put back when something has replaced it: looked at with each instance, and when `faulthandler.enable` is called.
"""

from __future__ import annotations

import faulthandler
from functools import wraps
from typing import TYPE_CHECKING, Final

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.code_memory import code_range
from purewasm.engine.native.control import CONTROL, STUBS
from purewasm.engine.native.libc import Block
from purewasm.engine.native.traps import trap_exit
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_A, CC_AE, CC_B, CC_E, CC_G, CC_NE
from purewasm.isa.x64.control import JMP_RM64, RET
from purewasm.isa.x64.integer import ADD_RM64_IMM8, CMP_R64_RM64, CMP_RM32_IMM8, CMP_RM64_IMM8, SUB_RM64_IMM8
from purewasm.isa.x64.registers import RAX, RCX, RDI, RDX, RSI, RSP
from purewasm.store import layout

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNALS: Final = (libc.SIGSEGV, libc.SIGBUS, libc.SIGILL, libc.SIGFPE)
_SA_SIGINFO: Final = 4
_SA_ONSTACK: Final = 0x0800_0000
_UCONTEXT_R11: Final = 64
_UCONTEXT_RSP: Final = 160
_UCONTEXT_RIP: Final = 168
_SI_CODE: Final = 8

_handlers: Final[dict[int, int]] = {}
_previous: Final[dict[int, Block]] = {}
_present: Final = Block(libc.SIGACTION_BYTES)
_wrapped: Final[list[Callable[..., object]]] = []


def _build(number: int, previous: int) -> bytes:
    """The handler of one signal; `previous`: address of the action that was there before."""
    codes = code_range()
    a = Assembler()
    a.load(RAX, RDX, _UCONTEXT_RIP)
    a.constant(RCX, codes.start)
    a.put(CMP_R64_RM64(RAX, RCX))
    a.jump_if(CC_B, "other")
    a.constant(RCX, codes.end)
    a.put(CMP_R64_RM64(RAX, RCX))
    a.jump_if(CC_AE, "other")
    a.put(CMP_RM32_IMM8(Mem(RSI, _SI_CODE), 0))
    a.jump_if(CC_E, "other")  # sent by a process: no fault
    a.constant(RCX, CONTROL.address)
    a.store(RCX, layout.TRAP_PC, RAX)
    a.load(RAX, RDX, _UCONTEXT_RSP)
    a.store(RCX, layout.TRAP_SP, RAX)
    a.load(RAX, RDX, _UCONTEXT_R11)
    a.store(RCX, layout.TRAP_OPERAND, RAX)
    a.constant(RAX, trap_exit())
    a.store(RDX, _UCONTEXT_RIP, RAX)
    a.put(RET())
    a.label("other")
    a.constant(RCX, previous)
    a.load(RAX, RCX)
    a.put(CMP_RM64_IMM8(RAX, 1))
    a.jump_if(CC_A, "function")
    a.jump_if(CC_NE, "default")
    a.put(CMP_RM32_IMM8(Mem(RSI, _SI_CODE), 0))
    a.jump_if(CC_G, "default")  # a fault cannot be ignored
    a.put(RET())
    a.label("function")
    a.put(JMP_RM64(RAX))
    a.label("default")
    _default_action(a, number)
    return a.finish()


def _default_action(a: Assembler, number: int) -> None:
    """Put the default action back. A fault happens again by itself, a signal that was sent is sent again."""
    default = Block(libc.SIGACTION_BYTES)
    _kept.append(default)
    a.put(SUB_RM64_IMM8(RSP, 24))
    a.store(RSP, 0, RSI)
    a.constant(RDI, number)
    a.constant(RSI, default.address)
    a.constant(RDX, 0)
    a.call(libc.c_address("sigaction"))
    a.load(RSI, RSP, 0)
    a.put(CMP_RM32_IMM8(Mem(RSI, _SI_CODE), 0))
    a.jump_if(CC_G, "again")
    a.constant(RDI, number)
    a.call(libc.c_address("raise"))
    a.label("again")
    a.put(ADD_RM64_IMM8(RSP, 24), RET())


_kept: Final[list[Block]] = []


def install() -> None:
    """Make sure that ours are the present handlers."""
    for number in SIGNALS:
        libc.signal_action(number, 0, _present.address)
        handler = _present.words[0]
        if handler == _handlers.get(number):
            continue
        if number not in _handlers:
            _previous[number] = Block(libc.SIGACTION_BYTES)
            _handlers[number] = STUBS.add(_build(number, _previous[number].address))
        _previous[number].bytes[:] = _present.bytes
        _present.words[0] = _handlers[number]
        flags = libc.SIGACTION_FLAGS
        before = int.from_bytes(_present.bytes[flags : flags + 4], "little")
        _present.bytes[flags : flags + 4] = (before & 0x0400_0000 | _SA_SIGINFO | _SA_ONSTACK).to_bytes(4, "little")
        libc.signal_action(number, _present.address, 0)
    if not _wrapped:
        _watch_faulthandler()


def _watch_faulthandler() -> None:
    """`faulthandler.enable` takes the signals over: take them back behind it, so that it gets what is not ours."""
    original = faulthandler.enable
    _wrapped.append(original)

    @wraps(original)
    def enable(*args: object, **options: object) -> None:
        _remove()
        original(*args, **options)  # type: ignore[arg-type]
        install()

    faulthandler.enable = enable


def _remove() -> None:
    """Put back what was there before, where ours is still the present handler: nobody must chain to us, or we to ourselves."""
    for number, previous in _previous.items():
        libc.signal_action(number, 0, _present.address)
        if _present.words[0] == _handlers[number]:
            libc.signal_action(number, previous.address, 0)
