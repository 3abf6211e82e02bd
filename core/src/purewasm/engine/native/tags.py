"""Exception tags as compiled code sees them: a function that throws, and one that gives the values of an exception.

Both are generated for each type of tag, and called like compiled functions in a context of the tag's own.
"""

from __future__ import annotations

from purewasm.backend.placement import RESULT_BYTES, place_arguments
from purewasm.engine.native import boxing, libc
from purewasm.engine.native.assembler import SAVED_BYTES, Assembler
from purewasm.engine.native.control import STUBS, keep, put_resume, put_take_gil
from purewasm.engine.native.entry import box, classes_of, shape_of
from purewasm.engine.native.functions import write_record
from purewasm.engine.native.host_binding import HostBinding
from purewasm.engine.native.host_calls import put_failed_call, take_arguments
from purewasm.engine.native.landing import (
    EXCEPTION_FRAMES,
    EXCEPTION_RAW,
    EXCEPTION_TAG,
    put_landing,
    put_raise,
    put_search,
)  # fmt: skip
from purewasm.errors import GuestException
from purewasm.ir.classes import CLASS_OF_TYPE, INT
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_E, CC_NE
from purewasm.isa.x64.control import CALL_RM64, RET
from purewasm.isa.x64.guest_arguments import GUEST_ARGUMENTS
from purewasm.isa.x64.integer import ADD_RM64_IMM32, CMP_RM64_IMM32, SUB_RM64_IMM32, TEST_RM64_R64
from purewasm.isa.x64.memory import MOV_R32_RM32
from purewasm.isa.x64.registers import R12, R13, R14, RAX, RBP, RCX, RDI, RDX, RSI, RSP
from purewasm.isa.x64.xmm_moves import MOVDQU_XM128_XMM, MOVDQU_XMM_XM128
from purewasm.light_library import cache
from purewasm.light_typing import TYPE_CHECKING, Final, NoReturn, final
from purewasm.store import layout
from purewasm.store.tag import Tag
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import FuncType, func_type

if TYPE_CHECKING:
    from purewasm.engine.native.heap import Heap

_NEW: Final = libc.new_of(GuestException)
_EMPTY: Final = ()
_ANSWER: Final = 0
_RAW: Final = _ANSWER + 8
_ARGUMENTS: Final = _RAW + 8
_SPILL: Final = _ARGUMENTS + 8 & -16


def _frame(size: int) -> int:
    """The least frame that leaves the stack pointer at a multiple of 16 behind a call and `push_saved`."""
    return (size + 7 & -16) + 8


def _reference(a: Assembler, register: int) -> None:
    """One more reference to an object."""
    a.move(RDI, register)
    a.call(libc.api_address("Py_IncRef"))


def _box_raw(a: Assembler, valtype: int, slot: int, unique: str) -> None:
    """The raw value of a slot: integers are unsigned there."""
    if valtype in (vt.I32, vt.I64):
        a.load(RDI, RSP, slot)
        a.call(libc.api_address("PyLong_FromUnsignedLongLong"))
    else:
        box(a, valtype, slot, unique)


@cache
def throw_code(shape: FuncType) -> int:
    """Code that throws an exception with its arguments."""
    count = len(shape.params)
    frame = _frame(_SPILL + 16 * count)
    places, stack_bytes = place_arguments(GUEST_ARGUMENTS, classes_of(shape))
    a = Assembler()
    a.push_saved()
    a.put(SUB_RM64_IMM32(RSP, frame))
    take_arguments(a, shape, places, _SPILL, frame + SAVED_BYTES + 8)
    put_take_gil(a)
    a.load(R13, R14, layout.HOST_CALLABLE)
    a.constant(RDI, count)
    a.call(libc.api_address("PyTuple_New"))
    a.store(RSP, _RAW, RAX)
    a.put(TEST_RM64_R64(RAX, RAX))
    a.jump_if(CC_E, "failed")
    for i, valtype in enumerate(shape.params):
        _box_raw(a, valtype, _SPILL + 16 * i, f"a{i}")
        a.put(TEST_RM64_R64(RAX, RAX))
        a.jump_if(CC_E, "drop")
        a.load(RDI, RSP, _RAW)
        a.constant(RSI, i)
        a.move(RDX, RAX)
        a.call(libc.api_address("PyTuple_SetItem"))
    _make_exception(a)
    a.load(RDI, RSP, frame + SAVED_BYTES)
    a.lea(RSI, RSP, frame + SAVED_BYTES + 8 + stack_bytes)
    put_search(a, _ANSWER, "nobody", "lost")
    put_landing(a, _ANSWER)
    a.label("nobody")
    put_raise(a)
    a.jump("failed")
    a.label("lost")
    a.move(RDI, R12)
    a.call(libc.api_address("Py_DecRef"))
    a.jump("failed")
    a.label("drop")
    a.load(RDI, RSP, _RAW)
    a.call(libc.api_address("Py_DecRef"))
    a.label("failed")
    put_failed_call(a, RSP, frame + SAVED_BYTES, stack_bytes)
    return STUBS.add(a.finish())


def _make_exception(a: Assembler) -> None:
    """`GuestException(tag, raw)` in r12, of the tag in r13: what `__init__` does, without calling it."""
    a.constant(RDI, 2)
    a.call(libc.api_address("PyTuple_New"))
    a.store(RSP, _ARGUMENTS, RAX)
    a.put(TEST_RM64_R64(RAX, RAX))
    a.jump_if(CC_E, "drop")
    _reference(a, R13)
    a.load(RDI, RSP, _ARGUMENTS)
    a.constant(RSI, 0)
    a.move(RDX, R13)
    a.call(libc.api_address("PyTuple_SetItem"))
    a.load(R12, RSP, _RAW)
    _reference(a, R12)
    a.load(RDI, RSP, _ARGUMENTS)
    a.constant(RSI, 1)
    a.move(RDX, R12)
    a.call(libc.api_address("PyTuple_SetItem"))
    a.constant(RDI, id(GuestException))
    a.load(RSI, RSP, _ARGUMENTS)
    a.constant(RDX, 0)
    a.constant(RAX, _NEW)
    a.put(CALL_RM64(RAX))
    a.move(R12, RAX)
    a.load(RDI, RSP, _ARGUMENTS)
    a.call(libc.api_address("Py_DecRef"))
    a.put(TEST_RM64_R64(R12, R12))
    a.jump_if(CC_E, "drop")
    _reference(a, R13)
    a.store(R12, EXCEPTION_TAG, R13)
    a.load(RAX, RSP, _RAW)
    a.store(R12, EXCEPTION_RAW, RAX)
    a.constant(RBP, id(_EMPTY))
    _reference(a, RBP)
    a.store(R12, EXCEPTION_FRAMES, RBP)




@cache
def catch_code(shape: FuncType) -> int:
    """Code of a function from an exception to its values, which are numbers."""
    count = len(shape.params)
    scratch, made = 0, RESULT_BYTES
    frame = _frame(made + RESULT_BYTES * count)
    a = Assembler()
    a.push_saved()
    a.put(SUB_RM64_IMM32(RSP, frame))
    a.move(R12, RDI)
    a.move(R13, RSI)
    put_take_gil(a)
    a.load(RBP, R12, EXCEPTION_RAW)
    a.put(TEST_RM64_R64(RBP, RBP))
    a.jump_if(CC_E, "wrong")
    boxing.check_type(a, RBP, id(tuple), "wrong")
    a.put(CMP_RM64_IMM32(Mem(RBP, boxing.TUPLE_ITEMS - 8), count))
    a.jump_if(CC_NE, "wrong")
    for i, valtype in enumerate(shape.params):
        a.load(RDI, RBP, boxing.TUPLE_ITEMS + 8 * i)
        if valtype in (vt.I32, vt.I64):
            boxing.check_type(a, RDI, id(int), "wrong")
            a.call(libc.api_address("PyLong_AsUnsignedLongLongMask"))
            if valtype == vt.I32:
                a.put(MOV_R32_RM32(RAX, RAX))
            a.store(RSP, made + 16 * i, RAX)
        else:
            boxing.unbox(a, valtype, made + 16 * i, scratch, "wrong", f"v{i}")
    for i in range(1, count):
        a.put(MOVDQU_XMM_XM128(0, Mem(RSP, made + 16 * i)), MOVDQU_XM128_XMM(Mem(R13, RESULT_BYTES * i), 0))
    put_resume(a)
    if count and CLASS_OF_TYPE.get(shape.params[0], INT) == INT:
        a.load(RAX, RSP, made)
    elif count:
        a.put(MOVDQU_XMM_XM128(0, Mem(RSP, made)))
    a.put(ADD_RM64_IMM32(RSP, frame))
    a.pop_saved()
    a.put(RET())
    a.label("wrong")
    a.constant(RDI, keep(_wrong_values))
    a.store(RSP, scratch, R12)
    a.lea(RSI, RSP, scratch)
    a.constant(RDX, 1)
    a.constant(RCX, 0)
    a.call(libc.api_address("PyObject_Vectorcall"))
    put_failed_call(a, RSP, frame + SAVED_BYTES)
    return STUBS.add(a.finish())


def _wrong_values(exception: GuestException) -> NoReturn:
    raise TypeError(f"an exception of {exception.tag!r} cannot carry {exception.raw!r}: make it with Tag.exception")


def _values(exception: GuestException) -> object:
    values = exception.values
    return values[0] if len(values) == 1 else values


@final
class NativeTag:
    """The records of a tag's functions, as contexts point to them."""

    __slots__ = ("__weakref__", "_block", "_catch")

    def __init__(self, tag: Tag, heap: Heap | None) -> None:
        block = self._block = libc.Block(layout.TAG_BYTES + layout.HOST_BYTES)
        context = block.address + layout.TAG_BYTES
        libc.write_word(context + layout.HOST_CALLABLE, id(tag))
        libc.write_word(block.address + layout.TAG_OBJECT, id(tag))
        throw, catch = (block.address + layout.TAG_RECORDS + layout.RECORD_BYTES * which for which in (0, 1))
        shape = shape_of(tag.deftype.func)
        write_record(throw, throw_code(shape), context, 0, 0, 0)
        self._catch: HostBinding | None = None
        if any(valtype >= vt.REF_BASE for valtype in shape.params):
            self._catch = HostBinding(_values, func_type((vt.EXTERNREF,), tag.params), tag.name, None, None, 0, heap)
            libc.copy_bytes(catch, self._catch.record, layout.RECORD_BYTES)
        else:
            write_record(catch, catch_code(shape), context, 0, 0, 0)

    @property
    def address(self) -> int:
        return self._block.address


def native_tag(tag: Tag, heap: Heap | None) -> NativeTag:
    """What contexts have of a tag, where they use this heap. Who points to it keeps the tag alive, which keeps this."""
    if heap is not None and tag.deftype.names_objects:
        in_heap = heap.tags.get(tag)
        if in_heap is None:
            in_heap = heap.tags[tag] = NativeTag(tag, heap)
        return in_heap
    known = tag.engine_state
    if known is None:
        known = tag.engine_state = NativeTag(tag, None)
    assert isinstance(known, NativeTag)
    return known
