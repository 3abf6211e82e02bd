"""Builtins of exceptions: throwing one that was caught, and keeping one."""

from __future__ import annotations

from purewasm.engine.native import handles, libc
from purewasm.engine.native.assembler import SAVED_BYTES, Assembler
from purewasm.engine.native.control import put_python_call, put_resume, put_take_gil
from purewasm.engine.native.host_calls import put_failed_call
from purewasm.engine.native.landing import put_landing, put_raise, put_search
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_A, CC_E, CC_NE
from purewasm.isa.x64.control import RET
from purewasm.isa.x64.integer import ADD_RM64_IMM32, CMP_R64_RM64, SUB_RM64_IMM32, TEST_RM64_R64
from purewasm.isa.x64.registers import R12, R13, RAX, RBP, RCX, RDI, RDX, RSI, RSP


def throw_ref() -> bytes:
    answer = 0
    frame = (answer + 15 & -16) + 8
    a = Assembler()
    a.push_saved()
    a.put(SUB_RM64_IMM32(RSP, frame))
    a.move(R12, RSI)
    put_take_gil(a)
    a.move(RDI, R12)
    a.call(libc.api_address("Py_IncRef"))
    a.load(RDI, RSP, frame + SAVED_BYTES)
    a.lea(RSI, RSP, frame + SAVED_BYTES + 8)
    put_search(a, answer, "nobody", "failed")
    put_landing(a, answer)
    a.label("nobody")
    put_raise(a)
    a.label("failed")
    put_failed_call(a, RSP, frame + SAVED_BYTES)
    return a.finish()


def exception_keep() -> bytes:
    """The guest may hold the exception from now on, without the Python frames that it came through."""
    frame = 8
    a = Assembler()
    a.push_saved()
    a.put(SUB_RM64_IMM32(RSP, frame))
    a.move(R12, RSI)
    put_take_gil(a)
    a.move(RDI, R12)
    a.constant(RSI, id(None))
    a.call(libc.api_address("PyException_SetTraceback"))
    a.move(RDI, R12)
    a.call(libc.api_address("PyLong_FromUnsignedLongLong"))
    a.move(RBP, RAX)
    a.put(TEST_RM64_R64(RAX, RAX))
    a.jump_if(CC_E, "failed")
    a.constant(RDI, id(handles.HELD))
    a.move(RSI, RBP)
    a.move(RDX, R12)
    a.call(libc.api_address("PyDict_SetItem"))
    a.move(R13, RAX)
    a.move(RDI, RBP)
    a.call(libc.api_address("Py_DecRef"))
    a.put(TEST_RM64_R64(R13, R13))
    a.jump_if(CC_NE, "failed")
    a.constant(RDI, id(handles.HELD))
    a.call(libc.api_address("PyDict_Size"))
    a.constant(RCX, handles.LIMIT.address)
    a.put(CMP_R64_RM64(RAX, Mem(RCX)))
    a.jump_if(CC_A, "many")
    a.label("done")
    put_resume(a)
    a.move(RAX, R12)
    a.put(ADD_RM64_IMM32(RSP, frame))
    a.pop_saved()
    a.put(RET())
    a.label("many")
    a.store(RSP, 0, R12)  # where it is found
    put_python_call(a, handles.relieve)
    a.move(RDI, RAX)
    a.put(TEST_RM64_R64(RAX, RAX))
    a.jump_if(CC_E, "failed")
    a.call(libc.api_address("Py_DecRef"))
    a.jump("done")
    a.label("failed")
    put_failed_call(a, RSP, frame + SAVED_BYTES)
    return a.finish()
