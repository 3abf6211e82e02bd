"""The builtin functions that compiled code calls by number (`ir.builtins`): the context comes first, then integers.

What moves bytes is generated code around the C library's functions; the others are Python, called with ints.
A builtin that traps or raises does not return: it ends the activation.
"""

from __future__ import annotations

from array import array
from functools import cache

from purewasm import traps
from purewasm.engine.native import libc
from purewasm.engine.native.assembler import SAVED_BYTES, Assembler
from purewasm.engine.native.control import STUBS, keep, put_back_activation, put_block, put_keep_activation, put_resume, put_take_gil
from purewasm.engine.native.host_calls import failed_call
from purewasm.engine.native.interrupts import interrupt_builtin
from purewasm.engine.native.landing import exception_keep, throw_ref
from purewasm.engine.native.lazy import optimizer
from purewasm.engine.native.tail_calls import return_context
from purewasm.errors import Trap
from purewasm.ir.builtins import BUILTINS, NUMBER
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_A, CC_B, CC_E, CC_NE
from purewasm.isa.x64.control import CALL_RM64, JMP_RM64, RET
from purewasm.isa.x64.integer import (
    ADD_R64_RM64,
    ADD_RM64_IMM8,
    ADD_RM64_IMM32,
    AND_RM64_IMM8,
    CMOVCC_R64_RM64,
    CMP_R64_RM64,
    CMP_RM64_IMM8,
    CMP_RM64_IMM32,
    DEC_RM64,
    SHL_RM64_IMM8,
    SUB_RM64_IMM8,
    SUB_RM64_IMM32,
    TEST_RM64_R64,
)  # fmt: skip
from purewasm.isa.x64.memory import MOV_R64_RM64, MOV_RM64_R64
from purewasm.isa.x64.registers import R8, R9, R10, R11, R12, R13, R15, RAX, RBP, RCX, RDI, RDX, RSI, RSP
from purewasm.light_typing import TYPE_CHECKING, Final, NoReturn
from purewasm.store import layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.native.space import Space


_LONG_BYTES: Final = 1 << 20
"""Moving more bytes than this takes so long that it ends with a poll: a function without loops and calls has room for many of these."""


# ---- in Python. What takes long polls, since no loop need be around it


def _memory_grow(space: Space, memory: int, delta: int) -> int:
    return space.memories[memory].grow_pages(delta)


def _wait(size: int) -> Callable[[Space, int, int, int, int, int], int]:
    def memory_wait(space: Space, memory: int, index: int, offset: int, expected: int, timeout: int) -> int:
        from purewasm.store.waiting import wait  # few modules have threads

        with space.resting():
            return wait(space.memories[memory], index + offset, size, expected, timeout, space.poll)

    return memory_wait


def _memory_notify(space: Space, memory: int, index: int, offset: int, count: int) -> int:
    from purewasm.store.waiting import notify

    return notify(space.memories[memory], index + offset, count)


def _table_grow(space: Space, table: int, word: int, delta: int) -> int:
    space.poll()
    return space.tables[table].grow_words(delta, word)


def _check_table(size: int, start: int, count: int) -> None:
    if start + count > size:
        raise Trap(traps.OUT_OF_BOUNDS_TABLE)


def _table_fill(space: Space, table: int, start: int, word: int, count: int) -> None:
    space.poll()
    target = space.tables[table]
    _check_table(target.size, start, count)
    target.write_words(start, memoryview(array("Q", (word,)) * count))
    target.changed(start, count)


def _table_copy(space: Space, table: int, source: int, start: int, source_start: int, count: int) -> None:
    space.poll()
    target, origin = space.tables[table], space.tables[source]
    _check_table(target.size, start, count)
    _check_table(origin.size, source_start, count)
    target.take_words(start, origin, source_start, count)
    target.changed(start, count)


def _table_init(space: Space, segment: int, table: int, start: int, source_start: int, count: int) -> None:
    space.poll()
    target, source = space.tables[table], space.elements[segment]
    _check_table(target.size, start, count)
    _check_table(len(source), source_start, count)
    target.write_raw(start, source[source_start : source_start + count])
    target.changed(start, count)


def _elem_drop(space: Space, segment: int) -> None:
    space.elements[segment] = []


def _enter_loop(space: Space, index: int, place: int) -> int:
    return space.enter_loop(index, place)


_PYTHON: Final[dict[str, Callable[..., int | None]]] = {
    "memory_grow": _memory_grow,
    "table_grow": _table_grow,
    "table_fill": _table_fill,
    "table_copy": _table_copy,
    "table_init": _table_init,
    "elem_drop": _elem_drop,
    "memory_wait32": _wait(4),
    "memory_wait64": _wait(8),
    "memory_notify": _memory_notify,
    "enter_loop": _enter_loop,
}
_ARGUMENTS: Final = (RSI, RDX, RCX, R8, R9)


_MOST: Final = len(_ARGUMENTS)


def _call_python(hook: Callable[..., int | None], count: int) -> bytes:
    """Code that calls a Python function with the instance's object and `count` unsigned numbers."""
    a = Assembler()
    a.constant(RAX, keep(hook))
    a.constant(R10, count)
    a.constant(R11, _python_call())
    a.put(JMP_RM64(R11))
    return a.finish()


@cache
def _python_call() -> int:
    """What all those share. rax: the function, r10: how many numbers."""
    array = 8
    values = array + 8 * (_MOST + 1)
    activation = values + 8 * _MOST
    frame = activation + 16
    frame += 8 + (-frame & 15) if frame % 16 != 8 else 0
    a = Assembler()
    a.push_saved()
    a.put(SUB_RM64_IMM32(RSP, frame))
    for position, register in enumerate(_ARGUMENTS):
        a.store(RSP, values + 8 * position, register)
    a.move(R12, RAX)
    a.move(R13, R10)
    a.load(RAX, RDI, layout.INSTANCE)
    a.store(RSP, array, RAX)
    put_take_gil(a)
    put_keep_activation(a, activation)
    a.constant(R15, 0)
    a.label("next")
    a.put(CMP_R64_RM64(R15, R13))
    a.jump_if(CC_E, "made")
    a.put(MOV_R64_RM64(RDI, Mem(RSP, values, index=R15, scale=8)))
    a.call(libc.api_address("PyLong_FromUnsignedLongLong"))
    a.put(TEST_RM64_R64(RAX, RAX))
    a.jump_if(CC_E, "failed")  # out of memory: what was made before is lost
    a.put(ADD_RM64_IMM32(R15, 1), MOV_RM64_R64(Mem(RSP, array, index=R15, scale=8), RAX))
    a.jump("next")
    a.label("made")
    a.move(RDI, R12)
    a.lea(RSI, RSP, array)
    a.lea(RDX, R13, 1)
    a.constant(RCX, 0)
    a.call(libc.api_address("PyObject_Vectorcall"))
    a.move(RBP, RAX)
    a.label("drop")
    a.put(TEST_RM64_R64(R15, R15))
    a.jump_if(CC_E, "dropped")
    a.put(MOV_R64_RM64(RDI, Mem(RSP, array, index=R15, scale=8)))
    a.call(libc.api_address("Py_DecRef"))
    a.put(DEC_RM64(R15))
    a.jump("drop")
    a.label("dropped")
    a.put(TEST_RM64_R64(RBP, RBP))
    a.jump_if(CC_E, "failed")
    a.constant(RAX, id(None))
    a.put(CMP_R64_RM64(RAX, RBP))
    a.jump_if(CC_E, "done")
    a.move(RDI, RBP)
    a.call(libc.api_address("PyLong_AsLongLong"))
    a.store(RSP, values, RAX)
    a.label("done")
    a.move(RDI, RBP)
    a.call(libc.api_address("Py_DecRef"))
    put_back_activation(a, activation)
    put_resume(a)
    a.load(RAX, RSP, values)
    a.put(ADD_RM64_IMM32(RSP, frame))
    a.pop_saved()
    a.put(RET())
    a.label("failed")
    put_back_activation(a, activation)
    a.load(RDI, RSP, frame + SAVED_BYTES)
    a.lea(RSI, RSP, frame + SAVED_BYTES + 8)
    a.constant(RAX, failed_call())
    a.put(JMP_RM64(RAX))
    return STUBS.add(a.finish())


# ---- generated


def _trap_out_of_bounds() -> NoReturn:
    raise Trap(traps.OUT_OF_BOUNDS_MEMORY)


def put_trap(a: Assembler) -> None:
    """The return address is at rsp: raise `out of bounds memory access` of the call there."""
    a.load(R12, RSP)
    a.lea(R13, RSP, 8)
    a.put(SUB_RM64_IMM32(RSP, 64), AND_RM64_IMM8(RSP, -16))
    put_take_gil(a)
    a.constant(RDI, keep(_trap_out_of_bounds))
    for register in (RSI, RDX, RCX):
        a.constant(register, 0)
    a.call(libc.api_address("PyObject_Vectorcall"))
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


def _memory_copy() -> bytes:
    a = Assembler()
    _put_range(a, RSI, RCX, R9)
    _put_range(a, RDX, R8, R9)
    return _moved(a, "memmove", RCX, R8, R9)


def _memory_fill() -> bytes:
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


def _memory_init() -> bytes:
    a = Assembler()
    _put_range(a, RDX, RCX, R9)
    put_source(a, RSI, R8, R9)
    return _moved(a, "memcpy", RCX, R8, R9)


def _data_drop() -> bytes:
    a = Assembler()
    a.put(SHL_RM64_IMM8(RSI, _SEGMENT_LOG2), ADD_R64_RM64(RSI, Mem(RDI, layout.SEGMENTS)))
    a.constant(RAX, 0)
    a.store(RSI, layout.SEGMENT_SIZE, RAX)
    a.put(RET())
    return a.finish()


_SEGMENT_LOG2: Final = layout.SEGMENT_BYTES.bit_length() - 1


@cache
def builtin_table() -> libc.Block:
    """Addresses of the builtins by number; `add_heap_builtins` adds the others."""
    table = libc.Block(8 * len(BUILTINS))
    generated: dict[str, Callable[[], int]] = {
        "interrupt": interrupt_builtin,
        "memory_copy": lambda: STUBS.add(_memory_copy()),
        "memory_fill": lambda: STUBS.add(_memory_fill()),
        "memory_init": lambda: STUBS.add(_memory_init()),
        "data_drop": lambda: STUBS.add(_data_drop()),
        "throw_ref": lambda: throw_ref(failed_call()),
        "exception_keep": lambda: exception_keep(failed_call()),
        "return_context": return_context,
        "optimize": optimizer,
    }
    _fill(table, generated, _PYTHON)
    return table


@cache
def add_heap_builtins() -> None:
    """Those that only modules with structures and arrays need: when the first heap is made."""
    from purewasm.engine.native.array_builtins import GENERATED, IN_PYTHON

    _fill(builtin_table(), GENERATED, IN_PYTHON)


def _fill(table: libc.Block, generated: dict[str, Callable[[], int]], in_python: dict[str, Callable[..., int | None]]) -> None:
    for name, make in generated.items():
        table.words[NUMBER[name]] = make()
    for name, hook in in_python.items():
        number = NUMBER[name]
        table.words[number] = STUBS.add(_call_python(hook, BUILTINS[number][1]))
