"""Stubs: what is called in place of code that is not made yet, and what function records start with.

For each function there is a *stub* (its number in eax, then the shared code that compiles it and starts it with the
arguments that are still in their registers) and a *thunk*, which jumps to what is in the function's slot. Code that has run so often
that there should be better code goes the way of a stub too, and so do builtins that nobody has called yet.
"""

from __future__ import annotations

from struct import Struct, pack

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.control import STUBS, keep, permanent_bytes, put_resume, put_take_gil
from purewasm.engine.native.host_calls import put_failed_call
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_E
from purewasm.isa.x64.control import JMP_RM64
from purewasm.isa.x64.integer import ADD_RM64_IMM32, SUB_RM64_IMM32, TEST_RM64_R64
from purewasm.isa.x64.memory import MOV_R64_RM64, POP_R64, PUSH_R64
from purewasm.isa.x64.registers import R8, R9, R10, R11, R14, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP
from purewasm.isa.x64.xmm_moves import MOVDQU_XM128_XMM, MOVDQU_XMM_XM128
from purewasm.light_library import lru_cache
from purewasm.light_typing import TYPE_CHECKING, Any, Final, Protocol
from purewasm.store import layout

if TYPE_CHECKING:
    from collections.abc import Callable

# mov eax, index; movabs rcx is no choice (arguments), so the shared code is reached through r11, which holds none
_STUB: Final = Struct("<BIHQBH")  # b8 index, 49 bb address, 41 ff e3
STUB_BYTES: Final = 20
_STUB_INDEX: Final = 1
_STUB_PADDING: Final = b"\xcc\xcc"
_THUNK: Final = Struct("<IHi")  # 49 8b 46 20: mov rax, [r14 + SLOTS]; ff a0 disp32: jmp [rax + 8 * index]
THUNK_BYTES: Final = 10
_THUNK_SLOT: Final = 6


if TYPE_CHECKING:

    class Compiles(Protocol):
        """The engine's object of an instance."""

        def compile(self, index: int) -> None:
            """Compile a function and put it into its slot."""

        def optimize(self, index: int) -> None:
            """The same for the best code that there can be."""


def _compile(space: Compiles, index: int) -> None:
    space.compile(index)


def _optimize(space: Compiles, index: int) -> None:
    space.optimize(index)


_REGISTERS: Final = (RDI, RSI, RDX, RCX, R8, R9, RBX, RBP)


@lru_cache(maxsize=1)
def _compiler() -> int:
    """Shared code behind every stub: compile function eax of the instance r14, then start it."""
    return started_after(_compile, layout.SLOTS)


@lru_cache(maxsize=1)
def optimizer() -> int:
    """The builtin `optimize`: the same for code that is hot."""
    return started_after(_optimize, layout.SLOTS)


def started_after(hook: Callable[[Any, int], None], table: int) -> int:
    """Address of code that calls Python with the object of the instance r14 and the number eax, then starts, with the arguments that are
    in their registers, what is under that number in the context's `table` (its offset)."""
    how = permanent_bytes(16)
    libc.write_word(how, keep(hook))
    libc.write_word(how + 8, table)
    a = Assembler()
    a.constant(R10, how)
    a.constant(R11, _starter())
    a.put(JMP_RM64(R11))
    return STUBS.add(a.finish())


@lru_cache(maxsize=1)
def _starter() -> int:
    """What all those share. r10: address of the hook, and of the table's offset behind it."""
    index, how = 16, 24
    vectors = how + 8
    frame = vectors + 16 * 8
    frame += 8 - frame % 16
    a = Assembler()
    a.put(*map(PUSH_R64, _REGISTERS))
    a.put(SUB_RM64_IMM32(RSP, frame))
    for i in range(8):
        a.put(MOVDQU_XM128_XMM(Mem(RSP, vectors + 16 * i), i))
    a.store(RSP, index, RAX)
    a.store(RSP, how, R10)
    put_take_gil(a)
    a.load(RAX, R14, layout.INSTANCE)
    a.store(RSP, 0, RAX)
    a.load(RDI, RSP, index)
    a.call(libc.api_address("PyLong_FromLongLong"))
    a.store(RSP, 8, RAX)
    a.move(RBP, RAX)
    a.put(TEST_RM64_R64(RAX, RAX))
    a.jump_if(CC_E, "failed")
    a.load(RDI, RSP, how)
    a.load(RDI, RDI)
    a.lea(RSI, RSP, 0)
    a.constant(RDX, 2)
    a.constant(RCX, 0)
    a.call(libc.api_address("PyObject_Vectorcall"))
    a.store(RSP, 8, RAX)
    a.move(RDI, RBP)
    a.call(libc.api_address("Py_DecRef"))
    a.load(RDI, RSP, 8)
    a.put(TEST_RM64_R64(RDI, RDI))
    a.jump_if(CC_E, "failed")
    a.call(libc.api_address("Py_DecRef"))
    put_resume(a)
    a.load(RCX, RSP, how)
    a.load(RCX, RCX, 8)
    a.load(RAX, RSP, index)
    a.put(MOV_R64_RM64(RCX, Mem(R14, index=RCX)), MOV_R64_RM64(RAX, Mem(RCX, index=RAX, scale=8)))
    for i in range(8):
        a.put(MOVDQU_XMM_XM128(i, Mem(RSP, vectors + 16 * i)))
    a.put(ADD_RM64_IMM32(RSP, frame), *map(POP_R64, reversed(_REGISTERS)), JMP_RM64(RAX))
    a.label("failed")
    put_failed_call(a, RSP, frame + 8 * len(_REGISTERS))
    return STUBS.add(a.finish())


def stub(number: int, shared: int) -> bytes:
    """Code that goes to the shared code at that address with a number in eax."""
    return _STUB.pack(0xB8, number, 0xBB49, shared, 0x41, 0xE3FF) + _STUB_PADDING


def make_stubs(first: int, end: int) -> bytes:
    """Stubs of functions `first` … `end - 1`, then their thunks."""
    assert layout.SLOTS == 0x20
    stubs, thunks = bytearray(stub(0, _compiler()) * (end - first)), bytearray(_THUNK.pack(0x20468B49, 0xA0FF, 0) * (end - first))
    # only four bytes of each differ, which are put into all of them at once
    indices, slots = (pack(f"{end - first}I", *range(step * first, step * end, step)) for step in (1, 8))
    for byte in range(4):
        stubs[_STUB_INDEX + byte :: STUB_BYTES] = indices[byte::4]
        thunks[_THUNK_SLOT + byte :: THUNK_BYTES] = slots[byte::4]
    return bytes(stubs + thunks)


def thunk_offset(position: int, count: int) -> int:
    """Where the thunk of the defined function number `position` is."""
    return STUB_BYTES * count + THUNK_BYTES * position
