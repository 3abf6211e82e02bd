"""Between the engine's own code, which calls and is called as System V says, and a C compiler's code that does as Windows does.

One piece of code in front of each C function, and one in front of each function that C calls. Up to six integers or addresses, or one
floating-point number, are passed on; what Windows wants to be preserved and System V does not, the latter saves.
"""

from __future__ import annotations

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.control import STUBS
from purewasm.isa.x64.abi import WIN64
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.control import CALL_RM64, RET
from purewasm.isa.x64.integer import ADD_RM64_IMM32, SUB_RM64_IMM32
from purewasm.isa.x64.memory import POP_R64, PUSH_R64
from purewasm.isa.x64.registers import R8, R9, RAX, RCX, RDI, RDX, RSI, RSP
from purewasm.isa.x64.xmm_moves import MOVDQA_XM128_XMM, MOVDQA_XMM_XM128
from purewasm.light_library import cache

_MOVES = ((RCX, RDI), (RDX, RSI), (R8, RDX), (R9, RCX))
"""(where Windows passes an argument, where System V does)"""


@cache
def outgoing(function: int) -> int:
    """Code that the engine calls in place of a C function."""
    frame = WIN64.shadow_bytes + 24  # two more arguments, and the stack pointer at a multiple of 16
    a = Assembler()
    a.put(SUB_RM64_IMM32(RSP, frame))
    for position, register in enumerate((R8, R9)):
        a.store(RSP, WIN64.shadow_bytes + 8 * position, register)
    for target, source in reversed(_MOVES):
        a.move(target, source)
    a.constant(RAX, function)
    a.put(CALL_RM64(RAX), ADD_RM64_IMM32(RSP, frame), RET())
    return STUBS.add(a.finish())


@cache
def incoming(code: int) -> int:
    """Code that C calls in place of a piece of the engine's."""
    vectors = WIN64.callee_saved_xmm
    frame = 16 * len(vectors) + 8
    a = Assembler()
    a.put(PUSH_R64(RDI), PUSH_R64(RSI), SUB_RM64_IMM32(RSP, frame))
    for position, register in enumerate(vectors):
        a.put(MOVDQA_XM128_XMM(Mem(RSP, 16 * position), register))
    for source, target in _MOVES:
        a.move(target, source)
    a.constant(RAX, code)
    a.put(CALL_RM64(RAX))
    for position, register in enumerate(vectors):
        a.put(MOVDQA_XMM_XM128(register, Mem(RSP, 16 * position)))
    a.put(ADD_RM64_IMM32(RSP, frame), POP_R64(RSI), POP_R64(RDI), RET())
    return STUBS.add(a.finish())


def use() -> None:
    """From now on: before anything of the engine knows an address."""
    libc.set_bridge(outgoing, incoming)


def rehearse() -> None:
    """The same where C does as System V says: every call goes through both pieces, so that tests run them."""
    libc.set_bridge(lambda function: outgoing(incoming(function)), lambda code: outgoing(incoming(code)))
