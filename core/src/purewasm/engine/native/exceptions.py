"""Faults of guests on Windows: a vectored exception handler of generated code, in place of what `signals` does elsewhere.

It is called in front of every other one, tells a guest's fault by its address, and sends it to the trap exit; of any other fault it wants
to know nothing, so the next handler gets it.

Offsets are those of EXCEPTION_RECORD and CONTEXT in <winnt.h>.
"""

from __future__ import annotations

import faulthandler
from functools import wraps

from purewasm.engine.native import windows
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.code_memory import code_range
from purewasm.engine.native.control import STUBS, put_block
from purewasm.engine.native.traps import trap_exit
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_AE, CC_B, CC_E
from purewasm.isa.x64.control import RET
from purewasm.isa.x64.integer import CMP_R64_RM64, CMP_RM32_IMM32
from purewasm.isa.x64.registers import R8, R9, R10, RAX, RCX
from purewasm.light_library import lru_cache
from purewasm.light_typing import Final
from purewasm.store import layout

_RECORD: Final = 0
_CONTEXT: Final = 8
_CODE: Final = 0
_CONTEXT_RSP: Final = 0x98
_CONTEXT_R11: Final = 0xD0
_CONTEXT_RIP: Final = 0xF8
_FAULTS: Final = (
    0xC000_0005,  # access violation
    0xC000_0006,  # a page that could not be read
    0xC000_001D,  # illegal instruction
    0xC000_0094,  # integer divide by zero
    0xC000_0095,  # integer overflow
    0xC000_0096,  # privileged instruction
)
_GO_ON: Final = -1


@lru_cache(maxsize=1)
def handler() -> int:
    """Address of `LONG handler(EXCEPTION_POINTERS *)`, called as Windows does: rcx has the argument."""
    codes = code_range()
    a = Assembler()
    a.load(R9, RCX, _CONTEXT)
    a.load(R10, RCX, _RECORD)
    a.load(RAX, R9, _CONTEXT_RIP)
    a.constant(R8, codes.start)
    a.put(CMP_R64_RM64(RAX, R8))
    a.jump_if(CC_B, "other")
    a.constant(R8, codes.end)
    a.put(CMP_R64_RM64(RAX, R8))
    a.jump_if(CC_AE, "other")
    for code in _FAULTS:
        a.put(CMP_RM32_IMM32(Mem(R10, _CODE), code - (1 << 32)))
        a.jump_if(CC_E, "fault")
    a.label("other")
    a.constant(RAX, 0)
    a.put(RET())
    a.label("fault")
    put_block(a, RCX)
    a.store(RCX, layout.TRAP_PC, RAX)
    for register, field in ((_CONTEXT_RSP, layout.TRAP_SP), (_CONTEXT_R11, layout.TRAP_OPERAND)):
        a.load(RAX, R9, register)
        a.store(RCX, field, RAX)
    a.constant(RAX, trap_exit())
    a.store(R9, _CONTEXT_RIP, RAX)
    a.constant(RAX, _GO_ON)
    a.put(RET())
    return STUBS.add(a.finish())


_installed: Final[list[int]] = []


def prepare() -> None:
    """Make all the code; it fails where something that it needs is missing."""
    handler()


def install() -> None:
    """Make sure that ours is there."""
    if not _installed:
        _installed.append(windows.first_exception_handler(handler(), 0))
        _watch_faulthandler()


def _watch_faulthandler() -> None:
    """`faulthandler.enable` puts its own in front, which would tell of every trap: ours comes in front of that."""
    original = faulthandler.enable

    @wraps(original)
    def enable(*args: object, **options: object) -> None:
        original(*args, **options)  # type: ignore[arg-type]
        _installed[:] = [windows.first_exception_handler(handler(), _installed[0])]

    faulthandler.enable = enable
