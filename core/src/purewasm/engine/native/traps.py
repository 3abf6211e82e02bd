"""What happens when compiled code faults: the trap exit, and which trap it was.

The signal handler (`signals`) stores the address and the stack pointer in the control block and sends the thread to the trap exit, which
calls Python on top of the guest's stack, below whatever the guest has there, and then ends the activation.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from typing import NoReturn

from purewasm import traps
from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.backtrace import frames_of_call, walk
from purewasm.engine.native.code_memory import find_function
from purewasm.engine.native.control import STUBS, field, keep, put_unwind, set_field
from purewasm.errors import FuelExhausted, InternalError, Trap
from purewasm.isa.x64.integer import AND_RM64_IMM8, SUB_RM64_IMM32
from purewasm.isa.x64.registers import RCX, RDI, RDX, RSI, RSP
from purewasm.store import layout

RED_ZONE_BYTES = 128


def _raise_trap() -> NoReturn:
    """Called by the trap exit: raise what the faulting instruction stands for."""
    pc, sp = field(layout.TRAP_PC), field(layout.TRAP_SP)
    found = find_function(pc)
    if found is None:
        raise InternalError(f"compiled code faulted at an address without a function: {pc:#x}")
    function, start = found
    table = function.machine.traps
    position = bisect_left(table, (pc - start,))
    if position == len(table) or table[position][0] != pc - start:
        raise InternalError(f"compiled code of function {function.index} faulted where no trap is known: offset {pc - start:#x}")
    code = layout.TRAP_CODES[table[position][1]]
    # the stack is checked before a function makes its frame
    frames = walk(pc, sp, returns=False, framed=code != traps.CALL_STACK_EXHAUSTED)
    if code == traps.FUEL_EXHAUSTED:
        set_field(layout.FUEL, 0)
        raise FuelExhausted(code, frames=frames)
    if code == traps.UNINITIALIZED_ELEMENT:
        raise Trap(f"{code} {field(layout.TRAP_OPERAND)}", code=code, frames=frames)
    raise Trap(code, frames=frames)


def trap_in_call(code: str) -> NoReturn:
    """Raise a trap of a builtin that a guest has called."""
    raise Trap(code, frames=frames_of_call())


@lru_cache(maxsize=1)
def trap_exit() -> int:
    """Address of the code that the signal handler sends a faulting guest to."""
    a = Assembler()
    a.put(SUB_RM64_IMM32(RSP, RED_ZONE_BYTES), AND_RM64_IMM8(RSP, -16))
    a.constant(RDI, keep(_raise_trap))
    for register in (RSI, RDX, RCX):
        a.constant(register, 0)
    a.call(libc.api_address("PyObject_Vectorcall"))
    put_unwind(a)
    return STUBS.add(a.finish())
