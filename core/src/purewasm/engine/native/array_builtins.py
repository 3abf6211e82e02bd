"""Builtins of structures and arrays: allocation where there is no room at hand, and arrays filled from other arrays and from segments.

The code has checked null and the array's bounds. `array_copy` gets addresses of elements, since it cannot collect.
"""

from __future__ import annotations

from purewasm import traps
from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.collector_code import ALLOCATE, GUEST
from purewasm.engine.native.control import keep, put_resume, put_take_gil
from purewasm.engine.native.handles import Converting, object_of
from purewasm.engine.native.heap import put_locked_call
from purewasm.engine.native.host_calls import put_failed_call
from purewasm.engine.native.memory_builtins import put_move, put_source, put_trap
from purewasm.engine.native.references import externalize, internalize, reference_of
from purewasm.errors import Trap
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_A, CC_E
from purewasm.isa.x64.control import RET
from purewasm.isa.x64.integer import AND_RM64_IMM8, CMP_RM64_IMM32, IMUL_R64_RM64, SUB_RM64_IMM32, TEST_RM64_R64
from purewasm.isa.x64.memory import LEA_R64_M, POP_R64, PUSH_R64
from purewasm.isa.x64.registers import R8, R9, R10, R11, R12, R13, R14, R15, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP
from purewasm.isa.x64.xmm_moves import MOVDQA_XM128_XMM, MOVDQA_XMM_XM128
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.store import layout
from purewasm.wasm.limits import MAX_ARRAY_BYTES

if TYPE_CHECKING:

    from purewasm.engine.native.space import Space

_VECTORS: Final = 32
_FRAME: Final = _VECTORS + 16 * 16
_GENERAL: Final = (RAX, RCX, RDX, RBX, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13)
_PUSHED: Final = 8 * len(_GENERAL)
_SIZE: Final = _PUSHED - 8
"""Where rax was pushed: the bytes that are wanted, then the address."""


def _allocate(space: Space, size: int, stack: int) -> int:
    assert space.heap is not None
    space.poll()  # a function without loops and calls has room for many large arrays
    return space.heap.allocate(size, stack)


def gc_allocate() -> bytes:
    """The builtin `gc_allocate`: bytes in rax, the address comes back there. Every other register is preserved, and lies on the stack
    where a collection finds what it refers to."""
    a = Assembler()
    a.put(*map(PUSH_R64, _GENERAL))
    a.move(RBP, RSP)
    a.put(SUB_RM64_IMM32(RSP, _FRAME), AND_RM64_IMM8(RSP, -16))
    for i in range(16):
        a.put(MOVDQA_XM128_XMM(Mem(RSP, _VECTORS + 16 * i), i))
    a.load(R13, RBP, _SIZE)
    a.put(CMP_RM64_IMM32(R13, MAX_ARRAY_BYTES))
    a.jump_if(CC_A, "python")
    a.store(RSP, 0, R15)
    a.load(R15, R14, layout.HEAP)
    a.move(RDI, R13)
    a.constant(RSI, GUEST)
    a.load(RAX, R15, ALLOCATE)
    put_locked_call(a, RAX)
    a.put(LEA_R64_M(RCX, Mem(R15, index=RAX, scale=1)))
    a.load(R15, RSP, 0)
    a.put(TEST_RM64_R64(RAX, RAX))
    a.jump_if(CC_E, "python")
    a.store(RBP, _SIZE, RCX)
    a.jump("allocated")
    a.label("python")
    put_take_gil(a)
    for slot, register in ((8, R13), (16, RSP)):  # values may be in vector registers too
        a.move(RDI, register)
        a.call(libc.api_address("PyLong_FromUnsignedLongLong"))
        a.store(RSP, slot, RAX)
        a.put(TEST_RM64_R64(RAX, RAX))
        a.jump_if(CC_E, "failed")
    a.load(RAX, R14, layout.INSTANCE)
    a.store(RSP, 0, RAX)
    a.constant(RDI, keep(_allocate))
    a.lea(RSI, RSP, 0)
    a.constant(RDX, 3)
    a.constant(RCX, 0)
    a.call(libc.api_address("PyObject_Vectorcall"))
    a.move(R12, RAX)
    for slot in (8, 16):
        a.load(RDI, RSP, slot)
        a.call(libc.api_address("Py_DecRef"))
    a.put(TEST_RM64_R64(R12, R12))
    a.jump_if(CC_E, "failed")
    a.move(RDI, R12)
    a.call(libc.api_address("PyLong_AsUnsignedLongLong"))
    a.store(RBP, _SIZE, RAX)
    a.move(RDI, R12)
    a.call(libc.api_address("Py_DecRef"))
    put_resume(a)
    a.label("allocated")
    for i in range(16):
        a.put(MOVDQA_XMM_XM128(i, Mem(RSP, _VECTORS + 16 * i)))
    a.move(RSP, RBP)
    a.put(*map(POP_R64, reversed(_GENERAL)), RET())
    a.label("failed")
    put_failed_call(a, RBP, _PUSHED)
    return a.finish()


def array_copy() -> bytes:
    """The builtin `array_copy` is `memmove` behind the context."""
    a = Assembler()
    a.move(RDI, RSI)
    a.move(RSI, RDX)
    a.move(RDX, RCX)
    put_move(a, "memmove")
    return a.finish()


def _elements(array: int, start: int, count: int, size: int) -> memoryview:
    """Bytes of elements of the array with a word."""
    return libc.view_at(array - layout.OBJECT_TAG + layout.ARRAY_ELEMENTS + start * size, count * size)


def array_init_data() -> bytes:
    """The builtin `array_init_data`. rsi: array, rdx: first element, rcx: segment, r8: first byte of it, r9: number of elements."""
    a = Assembler()
    a.load(RAX, RSI, layout.OBJECT_TYPE - layout.OBJECT_TAG)
    a.load(RAX, RAX, layout.TYPE_SIZE)
    a.put(IMUL_R64_RM64(RDX, RAX), IMUL_R64_RM64(R9, RAX))
    put_source(a, RCX, R8, R9)
    a.put(LEA_R64_M(RDI, Mem(RSI, layout.ARRAY_ELEMENTS - layout.OBJECT_TAG, index=RDX, scale=1)))
    a.move(RSI, R8)
    a.move(RDX, R9)
    put_move(a, "memcpy")
    a.label("trap")
    put_trap(a)
    return a.finish()


def array_init_elem(space: Space, array: int, start: int, segment: int, source_start: int, count: int) -> None:
    space.poll()
    source = space.elements[segment]
    if source_start + count > len(source):
        raise Trap(traps.OUT_OF_BOUNDS_TABLE)
    if count:
        space.copy_references(segment, source_start, _elements(array, start, count, 8).cast("Q"))


def any_convert_extern(space: Space, word: int) -> int:
    _kept = Converting((object_of(word),))
    return internalize(word, space.heap)


def extern_convert_any(space: Space, word: int) -> int:
    _kept = Converting((reference_of(word),))
    return externalize(word)
