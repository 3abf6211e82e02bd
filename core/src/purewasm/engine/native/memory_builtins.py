"""Builtins of memories: what grows them, copies and fills, and waits at an address of a shared one.

What moves bytes is generated code around the C library's functions; the others are Python, called with ints.
"""

from __future__ import annotations

from purewasm import traps
from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.control import put_block, put_python_call, put_take_gil
from purewasm.engine.native.host_calls import failed_call
from purewasm.engine.native.interrupts import interrupt_builtin
from purewasm.errors import Trap
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_A, CC_B, CC_E, CC_NE
from purewasm.isa.x64.control import CALL_RM64, JMP_RM64, RET
from purewasm.isa.x64.integer import (
    ADD_R64_RM64,
    ADD_RM64_IMM8,
    AND_RM64_IMM8,
    CMOVCC_R64_RM64,
    CMP_R64_RM64,
    CMP_RM64_IMM8,
    CMP_RM64_IMM32,
    SHL_RM64_IMM8,
    SUB_RM64_IMM8,
    SUB_RM64_IMM32,
    TEST_RM64_R64,
)  # fmt: skip
from purewasm.isa.x64.registers import R8, R9, R10, R12, R13, RAX, RCX, RDI, RDX, RSI, RSP
from purewasm.light_typing import TYPE_CHECKING, Final, NoReturn
from purewasm.store import layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.native.space import Space


_LONG_BYTES: Final = 1 << 20
"""Moving more bytes than this takes so long that it ends with a poll: a function without loops and calls has room for many of these."""
_SEGMENT_LOG2: Final = layout.SEGMENT_BYTES.bit_length() - 1


# ---- in Python. What takes long polls, since no loop need be around it


def memory_grow(space: Space, memory: int, delta: int) -> int:
    return space.memories[memory].grow_pages(delta)


def _wait(size: int) -> Callable[[Space, int, int, int, int, int], int]:
    def memory_wait(space: Space, memory: int, index: int, offset: int, expected: int, timeout: int) -> int:
        from purewasm.store.waiting import wait  # few modules have threads

        return space.rest(lambda: wait(space.memories[memory], index + offset, size, expected, timeout, space.poll))

    return memory_wait


memory_wait32: Final = _wait(4)
memory_wait64: Final = _wait(8)


def memory_notify(space: Space, memory: int, index: int, offset: int, count: int) -> int:
    from purewasm.store.waiting import notify

    return notify(space.memories[memory], index + offset, count)


# ---- generated


def _trap_out_of_bounds() -> NoReturn:
    raise Trap(traps.OUT_OF_BOUNDS_MEMORY)


def put_trap(a: Assembler) -> None:
    """The return address is at rsp: raise `out of bounds memory access` of the call there."""
    a.load(R12, RSP)
    a.lea(R13, RSP, 8)
    a.put(SUB_RM64_IMM32(RSP, 64), AND_RM64_IMM8(RSP, -16))
    put_take_gil(a)
    put_python_call(a, _trap_out_of_bounds)
    a.move(RDI, R12)
    a.move(RSI, R13)
    a.constant(RAX, failed_call())
    a.put(JMP_RM64(RAX))


def _put_range(a: Assembler, memory: int, start: int, count: int) -> None:
    """`start` (an offset in the memory of that number) becomes an address; traps where `count` bytes do not fit. Uses rax and r10."""
    a.put(SHL_RM64_IMM8(memory, 4))
    a.lea(RAX, memory, layout.FIXED_BYTES - layout.PAIR_BYTES)
    a.put(TEST_RM64_R64(memory, memory), CMOVCC_R64_RM64[CC_E](RAX, memory), ADD_R64_RM64(RAX, RDI))
    a.move(R10, start)
    a.put(ADD_R64_RM64(R10, count))
    a.jump_if(CC_B, "trap")
    a.put(CMP_R64_RM64(R10, Mem(RAX, layout.MEMORY_BYTES)))
    a.jump_if(CC_A, "trap")
    a.put(ADD_R64_RM64(start, Mem(RAX, layout.MEMORY_BASE)))


def put_move(a: Assembler, function: str) -> None:
    """The end of a builtin: go to a function of the C library that writes as many bytes as rdx says. Many bytes end with a poll."""
    a.constant(RAX, libc.c_address(function))
    a.put(CMP_RM64_IMM32(RDX, _LONG_BYTES))
    a.jump_if(CC_A, "long")
    a.put(JMP_RM64(RAX))
    a.label("long")
    a.put(SUB_RM64_IMM8(RSP, 8), CALL_RM64(RAX), ADD_RM64_IMM8(RSP, 8))
    put_block(a, RAX)
    a.put(CMP_RM64_IMM8(Mem(RAX, layout.INTERRUPT), 0))
    a.constant(RAX, interrupt_builtin())
    a.jump_if(CC_NE, "interrupted")
    a.put(RET())
    a.label("interrupted")  # as if the guest had called it where it called this
    a.put(JMP_RM64(RAX))


def _moved(a: Assembler, function: str, target: int, second: int, count: int) -> bytes:
    """The rest of a builtin: a function of the C library with these registers as its arguments, or the trap that the checks jump to."""
    a.move(RDI, target)
    a.move(RSI, second)
    a.move(RDX, count)
    put_move(a, function)
    a.label("trap")
    put_trap(a)
    return a.finish()


def memory_copy() -> bytes:
    a = Assembler()
    _put_range(a, RSI, RCX, R9)
    _put_range(a, RDX, R8, R9)
    return _moved(a, "memmove", RCX, R8, R9)


def memory_fill() -> bytes:
    a = Assembler()
    _put_range(a, RSI, RDX, R8)
    return _moved(a, "memset", RDX, RCX, R8)


def put_source(a: Assembler, segment: int, start: int, count: int) -> None:
    """`start` (an offset in the data segment of that number) becomes an address; traps where `count` bytes are more than it has. Both
    numbers are so small that they can be added. Uses r10."""
    a.put(SHL_RM64_IMM8(segment, _SEGMENT_LOG2), ADD_R64_RM64(segment, Mem(RDI, layout.SEGMENTS)))
    a.move(R10, start)
    a.put(ADD_R64_RM64(R10, count), CMP_R64_RM64(R10, Mem(segment, layout.SEGMENT_SIZE)))
    a.jump_if(CC_A, "trap")
    a.put(ADD_R64_RM64(start, Mem(segment, layout.SEGMENT_DATA)))


def memory_init() -> bytes:
    a = Assembler()
    _put_range(a, RDX, RCX, R9)
    put_source(a, RSI, R8, R9)
    return _moved(a, "memcpy", RCX, R8, R9)


def data_drop() -> bytes:
    a = Assembler()
    a.put(SHL_RM64_IMM8(RSI, _SEGMENT_LOG2), ADD_R64_RM64(RSI, Mem(RDI, layout.SEGMENTS)))
    a.constant(RAX, 0)
    a.store(RSI, layout.SEGMENT_SIZE, RAX)
    a.put(RET())
    return a.finish()
