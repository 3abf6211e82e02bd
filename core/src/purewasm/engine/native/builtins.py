"""The builtin functions that compiled code calls by number (`ir.builtins`): the context comes first, then integers.

Most are made when they are first called: until then the table leads to code that asks for the builtin and starts it. A builtin that
traps or raises does not return: it ends the activation.
"""

from __future__ import annotations

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import SAVED_BYTES, Assembler
from purewasm.engine.native.control import STUBS, keep, put_back_activation, put_keep_activation, put_resume, put_take_gil
from purewasm.engine.native.host_calls import put_failed_call
from purewasm.engine.native.interrupts import interrupt_builtin
from purewasm.engine.native.lazy import optimizer, started_after, stub
from purewasm.engine.native.tail_calls import return_context
from purewasm.ir.builtins import BUILTINS, NUMBER
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_E
from purewasm.isa.x64.control import JMP_RM64, RET
from purewasm.isa.x64.integer import ADD_RM64_IMM32, CMP_R64_RM64, DEC_RM64, SUB_RM64_IMM32, TEST_RM64_R64
from purewasm.isa.x64.memory import MOV_R64_RM64, MOV_RM64_R64
from purewasm.isa.x64.registers import R8, R9, R10, R11, R12, R13, R15, RAX, RBP, RCX, RDI, RDX, RSI, RSP
from purewasm.light_importing import import_module
from purewasm.light_library import cache
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.store import layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.native.space import Space

_GENERATED: Final = {
    "memory_builtins": "memory_copy memory_fill memory_init data_drop",
    "exception_builtins": "throw_ref exception_keep",
    "array_builtins": "gc_allocate array_copy array_init_data",
}
"""Functions that generate the code of a builtin of their name, by module."""
_IN_PYTHON: Final = {
    "memory_builtins": "memory_grow memory_wait32 memory_wait64 memory_notify",
    "table_builtins": "table_grow table_fill table_copy table_init elem_drop",
    "array_builtins": "array_init_elem any_convert_extern extern_convert_any",
    "tiers": "enter_loop",
}
"""Functions that are called with the instance's object and the builtin's arguments."""


def _places(functions: dict[str, str]) -> dict[int, str]:
    return {NUMBER[name]: module for module, names in functions.items() for name in names.split()}


_GENERATED_IN: Final = _places(_GENERATED)
_PYTHON_IN: Final = _places(_IN_PYTHON)


@cache
def builtin_table() -> libc.Block:
    """Addresses of the builtins by number."""
    table = libc.Block(8 * len(BUILTINS))
    libc.immortal(table.words)  # other threads may run guests until the process ends, also when Python is gone
    for number in (*_GENERATED_IN, *_PYTHON_IN):
        table.words[number] = STUBS.add(stub(number, _maker()))
    # these are not called as functions are: registers hold something else, and what makes builtins would change them
    table.words[NUMBER["interrupt"]] = interrupt_builtin()
    table.words[NUMBER["return_context"]] = return_context()
    table.words[NUMBER["optimize"]] = optimizer()
    return table


@cache
def add_heap_builtins() -> None:
    """`gc_allocate`, which preserves all registers as well: when the first heap is made."""
    _make(None, NUMBER["gc_allocate"])


@cache
def _maker() -> int:
    """Shared code behind all entries of builtins that are still to be made: number eax, called by the instance r14."""
    return started_after(_make, layout.BUILTINS)


def _make(space: Space | None, number: int) -> None:
    """Put a builtin into the table."""
    name, arguments, _ = BUILTINS[number]
    is_generated = number in _GENERATED_IN
    module = import_module(f"purewasm.engine.native.{_GENERATED_IN[number] if is_generated else _PYTHON_IN[number]}")
    function = getattr(module, name)
    builtin_table().words[number] = STUBS.add(function() if is_generated else _call_python(function, arguments))


# ---- calls of Python


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
    put_failed_call(a, RSP, frame + SAVED_BYTES)
    return STUBS.add(a.finish())
