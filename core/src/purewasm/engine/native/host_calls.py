"""Calls from a guest to Python: generated code for each function type, called like a compiled function.

r14 is the host function's own context (`layout.HOST_CALLABLE` and what follows). Arguments are boxed into an array on the stack and
passed with `PyObject_Vectorcall`; a result that is not exactly what the type asks for goes through `HOST_CONVERT` first. NULL ends
the activation: the Python exception stays set and comes out of the innermost entry, with the guest's frames noted on it.
"""

from __future__ import annotations

from purewasm.backend.placement import RESULT_BYTES, place_arguments
from purewasm.backend.target import STACK_ARGUMENT, VECTOR_REGISTER
from purewasm.engine.native import boxing, libc
from purewasm.engine.native.assembler import SAVED_BYTES, Assembler
from purewasm.engine.native.backtrace import host_failed
from purewasm.engine.native.control import (
    STUBS,
    keep,
    put_back_activation,
    put_block,
    put_keep_activation,
    put_resume,
    put_take_gil,
    put_unwind,
)
from purewasm.engine.native.entry import box, classes_of
from purewasm.engine.native.landing import put_landing, put_search
from purewasm.errors import GuestException
from purewasm.ir.classes import CLASS_OF_TYPE, INT
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_E, CC_NE
from purewasm.isa.x64.control import JMP_RM64, RET, RET_IMM16
from purewasm.isa.x64.guest_arguments import GUEST_ARGUMENTS
from purewasm.isa.x64.integer import ADD_RM64_IMM32, AND_RM64_IMM8, CMP_R64_RM64, DEC_RM64, SUB_RM64_IMM32, TEST_RM32_R32, TEST_RM64_R64
from purewasm.isa.x64.memory import MOV_R64_RM64
from purewasm.isa.x64.registers import R12, R13, R14, R15, RAX, RBP, RCX, RDI, RDX, RSI, RSP
from purewasm.isa.x64.xmm_moves import MOVDQU_XM128_XMM, MOVDQU_XMM_XM128
from purewasm.light_library import cache
from purewasm.light_typing import Final
from purewasm.store import layout
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import FuncType

_SCRATCH: Final = 0
_AREA: Final = 8
_RESULT: Final = _AREA + 8
_ACTIVATION: Final = _RESULT + 8
_ARRAY: Final = _ACTIVATION + 32  # below it is room for a vector
_OFFSET_FLAG: Final = 1 << 63


def put_failed_call(a: Assembler, base: int, offset: int, stack_bytes: int = 0) -> None:
    """The end of code whose call out of a guest failed: the return address is at `base` + `offset`, below its stack arguments."""
    a.load(RDI, base, offset)
    a.lea(RSI, base, offset + 8 + stack_bytes)
    a.constant(RAX, failed_call())
    a.put(JMP_RM64(RAX))


@cache
def failed_call() -> int:
    """Shared end of a call out of a guest that failed: what a guest threw goes to the landing pad that takes it, on any other exception
    the guest's frames are noted, and the activation ends.

    This thread has the GIL. rdi: return address, rsi: stack pointer there.
    """
    array, answer = 64, 96
    a = Assembler()
    a.move(R15, RDI)
    a.move(R14, RSI)
    a.put(AND_RM64_IMM8(RSP, -16), SUB_RM64_IMM32(RSP, 128))
    put_block(a)
    fetched = ((RDI, 0), (RSI, 8), (RDX, 16))
    for name in ("PyErr_Fetch", "PyErr_NormalizeException"):
        for register, slot in fetched:
            a.lea(register, RSP, slot)
        a.call(libc.api_address(name))
    a.load(RDI, RSP, 8)
    a.store(RSP, array, RDI)
    a.load(RSI, RSP, 16)
    a.put(TEST_RM64_R64(RSI, RSI))
    a.jump_if(CC_E, "untraced")
    a.call(libc.api_address("PyException_SetTraceback"))
    a.label("untraced")
    a.load(R12, RSP, 8)
    a.move(RDI, R12)
    a.constant(RSI, id(GuestException))
    a.call(libc.api_address("PyErr_GivenExceptionMatches"))
    a.put(TEST_RM32_R32(RAX, RAX))
    a.jump_if(CC_E, "note")
    a.move(RDI, R15)
    a.move(RSI, R14)
    put_search(a, answer, "note", "forget")
    for slot in (0, 16):
        a.load(RDI, RSP, slot)
        a.call(libc.api_address("Py_DecRef"))
    put_landing(a, answer)
    a.label("note")
    for position, register in enumerate((R15, R14), 1):
        a.move(RDI, register)
        a.call(libc.api_address("PyLong_FromLongLong"))
        a.store(RSP, array + 8 * position, RAX)
        a.put(TEST_RM64_R64(RAX, RAX))
        a.jump_if(CC_E, "restore")
    a.constant(RDI, keep(host_failed))
    a.lea(RSI, RSP, array)
    a.constant(RDX, 3)
    a.constant(RCX, 0)
    a.call(libc.api_address("PyObject_Vectorcall"))
    a.move(RBP, RAX)
    for position in (1, 2):
        a.load(RDI, RSP, array + 8 * position)
        a.call(libc.api_address("Py_DecRef"))
    a.put(TEST_RM64_R64(RBP, RBP))
    a.jump_if(CC_NE, "noted")
    a.label("forget")  # another exception takes its place
    for _, slot in fetched:
        a.load(RDI, RSP, slot)
        a.call(libc.api_address("Py_DecRef"))
    a.jump("unwind")
    a.label("noted")
    a.move(RDI, RBP)
    a.call(libc.api_address("Py_DecRef"))
    a.label("restore")
    for register, slot in fetched:
        a.load(register, RSP, slot)
    a.call(libc.api_address("PyErr_Restore"))
    a.label("unwind")
    put_unwind(a)
    return STUBS.add(a.finish())


@cache
def host_code(shape: FuncType, with_caller: bool) -> int:
    """Address of the code that calls a host function of this shape."""
    count, first = len(shape.params), 2 if with_caller else 1
    spill = _ARRAY + 8 * (first + count)
    spill += spill & 8
    made = spill + RESULT_BYTES * count
    frame = made + RESULT_BYTES * max(len(shape.results), 1)
    frame += 8 - frame % 16
    places, stack_bytes = place_arguments(GUEST_ARGUMENTS, classes_of(shape))
    a = Assembler()
    a.push_saved()
    a.put(SUB_RM64_IMM32(RSP, frame))
    take_arguments(a, shape, places, spill, frame + SAVED_BYTES + 8)
    put_take_gil(a)
    put_keep_activation(a, _ACTIVATION)
    a.constant(R13, 0)
    for i, valtype in enumerate(shape.params):
        box(a, valtype, spill + 16 * i, f"a{i}")
        a.put(TEST_RM64_R64(RAX, RAX))
        a.jump_if(CC_E, "drop")
        a.store(RSP, _ARRAY + 8 * (first + i), RAX)
        a.put(ADD_RM64_IMM32(R13, 1))
    if with_caller:
        a.load(RAX, R14, layout.HOST_CALLER)
        a.store(RSP, _ARRAY + 8, RAX)
    a.load(RDI, R14, layout.HOST_CALLABLE)
    a.lea(RSI, RSP, _ARRAY + 8)
    a.constant(RDX, _OFFSET_FLAG | count + first - 1)
    a.constant(RCX, 0)
    a.call(libc.api_address("PyObject_Vectorcall"))
    a.label("drop")
    a.store(RSP, _RESULT, RAX)
    if count:
        a.label("next")
        a.put(TEST_RM64_R64(R13, R13))
        a.jump_if(CC_E, "dropped")
        a.put(DEC_RM64(R13), MOV_R64_RM64(RDI, Mem(RSP, _ARRAY + 8 * first, index=R13, scale=8)))
        a.call(libc.api_address("Py_DecRef"))
        a.jump("next")
        a.label("dropped")
    a.load(RBP, RSP, _RESULT)
    a.put(TEST_RM64_R64(RBP, RBP))
    a.jump_if(CC_E, "failed")
    _take_results(a, shape, made)
    put_back_activation(a, _ACTIVATION)
    put_resume(a)
    if shape.results:
        if CLASS_OF_TYPE.get(shape.results[0], INT) == INT:
            a.load(RAX, RSP, made)
        else:
            a.put(MOVDQU_XMM_XM128(0, Mem(RSP, made)))
    a.put(ADD_RM64_IMM32(RSP, frame))
    a.pop_saved()
    a.put(RET_IMM16(stack_bytes) if stack_bytes else RET())
    a.label("failed")
    put_back_activation(a, _ACTIVATION)
    put_failed_call(a, RSP, frame + SAVED_BYTES, stack_bytes)
    return STUBS.add(a.finish())


def take_arguments(a: Assembler, shape: FuncType, places: tuple[int, ...], spill: int, incoming: int) -> None:
    """From where compiled code puts them to slots."""
    for position, place in enumerate(places):
        is_area = len(shape.results) > 1 and position == len(places) - 1
        slot = _AREA if is_area else spill + 16 * position
        if place >= STACK_ARGUMENT:
            at = incoming + place - STACK_ARGUMENT
            if not is_area and shape.params[position] == vt.V128:
                a.put(MOVDQU_XMM_XM128(15, Mem(RSP, at)), MOVDQU_XM128_XMM(Mem(RSP, slot), 15))
            else:
                a.load(RAX, RSP, at)
                a.store(RSP, slot, RAX)
        elif place >= VECTOR_REGISTER:
            a.put(MOVDQU_XM128_XMM(Mem(RSP, slot), place - VECTOR_REGISTER))
        else:
            a.store(RSP, slot, place)


def _take_results(a: Assembler, shape: FuncType, made: int) -> None:
    """The result in rbp, which is given up, into its slot or the caller's area."""
    numeric = len(shape.results) == 1 and shape.results[0] < vt.REF_BASE
    if numeric:
        a.move(RDI, RBP)
        boxing.unbox(a, shape.results[0], made, _SCRATCH, "convert", "r")
        a.jump("taken")
    elif not shape.results:
        a.constant(RAX, id(None))
        a.put(CMP_R64_RM64(RAX, RBP))
        a.jump_if(CC_E, "taken")
    a.label("convert")
    a.load(RDI, R14, layout.HOST_CONVERT)
    a.lea(RSI, RSP, _RESULT)
    a.constant(RDX, 1)
    a.constant(RCX, 0)
    a.call(libc.api_address("PyObject_Vectorcall"))
    a.store(RSP, _RESULT, RAX)
    # nothing else may refer to the objects whose words are not on the stack yet
    keeps = any(valtype >= vt.REF_BASE for valtype in shape.results)
    if keeps:
        a.move(R13, RBP)
    else:
        a.move(RDI, RBP)
        a.call(libc.api_address("Py_DecRef"))
    a.load(RBP, RSP, _RESULT)
    a.put(TEST_RM64_R64(RBP, RBP))
    a.jump_if(CC_E, "lost" if keeps else "failed")
    if len(shape.results) == 1:
        a.move(RDI, RBP)
        boxing.unbox(a, shape.results[0], made, _SCRATCH, "impossible", "c")
    for i, valtype in enumerate(shape.results if len(shape.results) > 1 else ()):
        a.load(RDI, RBP, boxing.TUPLE_ITEMS + 8 * i)
        boxing.unbox(a, valtype, made, _SCRATCH, "impossible", f"c{i}")
        if i == 0:
            a.put(MOVDQU_XMM_XM128(0, Mem(RSP, made)), MOVDQU_XM128_XMM(Mem(RSP, _ARRAY & -16), 0))
        else:
            a.load(RCX, RSP, _AREA)
            a.put(MOVDQU_XMM_XM128(0, Mem(RSP, made)), MOVDQU_XM128_XMM(Mem(RCX, RESULT_BYTES * i), 0))
    if len(shape.results) > 1:
        a.put(MOVDQU_XMM_XM128(0, Mem(RSP, _ARRAY & -16)), MOVDQU_XM128_XMM(Mem(RSP, made), 0))
    if keeps:
        a.move(RDI, R13)
        a.call(libc.api_address("Py_DecRef"))
    a.jump("taken")
    if keeps:
        a.label("lost")
        a.move(RDI, R13)
        a.call(libc.api_address("Py_DecRef"))
        a.jump("failed")
    a.label("impossible")
    a.put(bytes((0x0F, 0x0B)))
    a.label("taken")
    a.move(RDI, RBP)
    a.call(libc.api_address("Py_DecRef"))
