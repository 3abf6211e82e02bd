"""The way back from a function that was tail called in another instance.

Compiled code (`isa.x64.emit.tail_calls`) lets such a function return here. At the stack pointer are the context of whoever waits for the
result, and the address at which it waits. Every register but r14 and r15 may hold a part of the result.
"""

from __future__ import annotations

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.control import STUBS
from purewasm.isa.x64.control import RET
from purewasm.isa.x64.memory import POP_R64
from purewasm.isa.x64.registers import R14, R15
from purewasm.light_library import lru_cache
from purewasm.light_typing import Final
from purewasm.store import layout

RETURN_FRAME_BYTES: Final = 8
"""Between the stack pointer here and the return address behind: the context."""


def who_waits(pc: int, sp: int) -> tuple[int, int]:
    """The return address of a function, and the stack pointer there, as they are where the way back leads on."""
    if pc == return_context():
        return libc.read_word(sp + RETURN_FRAME_BYTES), sp + RETURN_FRAME_BYTES + 8
    return pc, sp


@lru_cache(maxsize=1)
def return_context() -> int:
    """Address of the code."""
    a = Assembler()
    a.put(POP_R64(R14))
    a.load(R15, R14, layout.MEMORY0_BASE)
    a.put(RET())
    return STUBS.add(a.finish())
