"""What happens when compiled code faults: the trap exit, and which trap it was.

The signal handler (`signals`) stores the address and the stack pointer in the control block and sends the thread to the trap exit, which
calls Python on top of the guest's stack, below whatever the guest has there, and then ends the activation.
"""

from __future__ import annotations

from purewasm import traps
from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.backtrace import walk
from purewasm.engine.native.code_memory import find_function
from purewasm.engine.native.control import STUBS, keep, put_take_gil, put_unwind
from purewasm.errors import FuelExhausted, InternalError, Trap
from purewasm.isa.x64.conditions import CC_E
from purewasm.isa.x64.integer import AND_RM64_IMM8, SUB_RM64_IMM32, TEST_RM64_R64
from purewasm.isa.x64.registers import RAX, RBX, RCX, RDI, RDX, RSI, RSP
from purewasm.light_library import bisect_left, lru_cache
from purewasm.light_typing import NoReturn
from purewasm.store import layout

RED_ZONE_BYTES = 128


def _raise_trap(pc: int, sp: int, operand: int) -> NoReturn:
    """Called by the trap exit: raise what the faulting instruction stands for."""
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
        raise FuelExhausted(code, frames=frames)
    if code == traps.UNINITIALIZED_ELEMENT:
        raise Trap(f"{code} {operand}", code=code, frames=frames)
    raise Trap(code, frames=frames)


@lru_cache(maxsize=1)
def trap_exit() -> int:
    """Address of the code that the signal handler sends a faulting guest to."""
    array = 16
    a = Assembler()
    a.put(SUB_RM64_IMM32(RSP, RED_ZONE_BYTES + 96), AND_RM64_IMM8(RSP, -16))
    put_take_gil(a)
    # read now: while Python runs, another guest of this thread may trap too
    for position, offset in enumerate((layout.TRAP_PC, layout.TRAP_SP, layout.TRAP_OPERAND)):
        a.load(RAX, RBX, offset)
        a.store(RSP, array + 8 * position, RAX)
    for position in range(3):
        a.load(RDI, RSP, array + 8 * position)
        a.call(libc.api_address("PyLong_FromLongLong"))
        a.store(RSP, array + 8 * position, RAX)
        a.put(TEST_RM64_R64(RAX, RAX))
        a.jump_if(CC_E, "unwind")
    a.constant(RDI, keep(_raise_trap))
    a.lea(RSI, RSP, array)
    a.constant(RDX, 3)
    a.constant(RCX, 0)
    a.call(libc.api_address("PyObject_Vectorcall"))
    for position in range(3):
        a.load(RDI, RSP, array + 8 * position)
        a.call(libc.api_address("Py_DecRef"))
    a.label("unwind")
    put_unwind(a)
    return STUBS.add(a.finish())
