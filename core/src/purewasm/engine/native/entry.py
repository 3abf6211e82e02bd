"""Calls from Python into a guest: generated code for each function type.

There are two entries of a type. The *public* one is the vectorcall of a `Function`: it takes what users give and, where that is
unusual (a wrong type, a number out of range, a reference), hands the call to the Python callable in `Function.invoke`, which converts
or raises. The *machine* one is a builtin that takes a record's address and values that are known to be right; references are
words there. Both then do the same: make an activation, call, end it, box the results.

A call takes the turn of the instance's link group (`turn`). It begins with the GIL and keeps it until a poll of the guest releases it;
where the function was seen to run for long, it is released at once (`RECORD_LONG`).

Frame, from rsp up: the address of `abnormal`, where an activation that ends early lands; saved fields; scratch; arguments; results.
"""

from __future__ import annotations

from purewasm.backend.placement import RESULT_BYTES, place_arguments
from purewasm.backend.target import STACK_ARGUMENT, VECTOR_REGISTER
from purewasm.engine.native import boxing, libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.control import (
    ENTRY_BEFORE,
    ENTRY_CONTROL,
    ENTRY_LANDED,
    STUBS,
    keep,
    new_block,
    put_block,
    put_limit,
    put_post,
    put_release_gil,
    put_restore,
)
from purewasm.ir.classes import CLASS_OF_TYPE, INT
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_B, CC_E, CC_L, CC_NE
from purewasm.isa.x64.control import CALL_RM64, JMP_RM64, RET
from purewasm.isa.x64.guest_arguments import GUEST_ARGUMENTS
from purewasm.isa.x64.integer import (
    ADD_RM64_IMM32,
    CMOVCC_R64_RM64,
    CMP_R64_RM64,
    CMP_RM64_IMM8,
    CMP_RM64_IMM32,
    DEC_RM64,
    INC_RM64,
    SHL_RM64_1,
    SUB_R64_RM64,
    SUB_RM64_IMM32,
    TEST_RM64_R64,
)  # fmt: skip
from purewasm.isa.x64.registers import R12, R13, R14, R15, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP
from purewasm.isa.x64.xmm_moves import MOVDQU_XM128_XMM, MOVDQU_XMM_XM128
from purewasm.light_library import cache
from purewasm.light_typing import TYPE_CHECKING, Any, Final, final
from purewasm.store import layout
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import FuncType, top_of

if TYPE_CHECKING:
    from collections.abc import Callable

_ABNORMAL: Final = 0
_OLD_LIMIT: Final = 16
_SCRATCH: Final = 32
_RECORD: Final = 40
_TUPLE: Final = 48
_TURN: Final = 64
_ARGUMENTS: Final = 80
ENTRY_RECORD: Final = _RECORD
"""Distance from `ENTRY_SP` of the address of the record that Python called."""


def kind_of(valtype: int) -> int:
    """A type as far as generated code depends on it: references to functions, of the `any` hierarchy, or the others."""
    if valtype < vt.REF_BASE:
        return valtype
    return _KIND_OF_TOP.get(top_of(vt.heap_of(valtype)), vt.EXTERNREF)


_KIND_OF_TOP: Final = {vt.FUNC: vt.FUNCREF, vt.ANY: vt.ANYREF}


def shape_of(functype: FuncType) -> FuncType:
    """The type that stands for all that share generated code."""
    return FuncType(tuple(map(kind_of, functype.params)), tuple(map(kind_of, functype.results)))


def classes_of(shape: FuncType) -> tuple[int, ...]:
    """Classes of the arguments as compiled code takes them: the pointer to further results is the last."""
    classes = tuple(CLASS_OF_TYPE.get(valtype, INT) for valtype in shape.params)
    return (*classes, INT) if len(shape.results) > 1 else classes


@final
class Entries:
    """The entries of a shape; each is generated when it is first asked for."""

    __slots__ = ("_call", "_public", "_self_invoke", "_self_record", "_shape")

    def __init__(self, shape: FuncType, self_record: int, self_invoke: int) -> None:
        self._shape, self._self_record, self._self_invoke = shape, self_record, self_invoke
        self._public: int | None = None
        self._call: Callable[..., Any] | None = None

    @property
    def public(self) -> int:
        """Code for the vectorcall pointer of a Function."""
        if self._public is None:
            self._public = libc.incoming(STUBS.add(_build(self._shape, self._self_record, self._self_invoke)))
        return self._public

    @property
    def call(self) -> Callable[..., Any]:
        """The builtin `call(record, *machine_values)`."""
        if self._call is None:
            self._call = libc.builtin(b"call", STUBS.add(_build(self._shape, -1, -1)))
        return self._call


def _make_block(context: int) -> None:
    """Python side of a thread's first call."""
    new_block()


_new_block: Final = keep(_make_block)


def _wait_for_turn(context: int) -> None:
    """Python side of a call while another thread runs the instance."""
    _waiters[0](context)


_wait: Final = keep(_wait_for_turn)
_waiters: Final[list[Callable[[int], None]]] = []


def set_waiter(wait: Callable[[int], None]) -> None:
    """`wait(context)` returns when it is the calling thread's turn to run the instance."""
    _waiters[:] = [wait]


_function_makers: Final[list[Callable[[int], object]]] = []


def function_of_record(record: int) -> object:
    """The Function of a record that has none yet."""
    return _function_makers[0](record)


def set_function_maker(make: Callable[[int], object]) -> None:
    _function_makers[:] = [make]


_reference_makers: Final[list[Callable[[int], object]]] = []


def reference_of(word: int) -> object:
    """The object of a word of the `any` hierarchy."""
    return _reference_makers[0](word)


def set_reference_maker(make: Callable[[int], object]) -> None:
    _reference_makers[:] = [make]


_MAKERS: Final = {vt.FUNCREF: keep(function_of_record), vt.ANYREF: keep(reference_of)}


def box(a: Assembler, valtype: int, slot: int, unique: str) -> None:
    """A new reference to the public value of the slot at rsp + `slot` in rax, 0 if that failed."""
    boxing.box(a, valtype, slot, _MAKERS.get(valtype, 0), unique)


@cache
def entries_of(shape: FuncType, self_record: int, self_invoke: int) -> Entries:
    """The entries of a shape. `self_record`, `self_invoke`: offsets in a Function of its record and of `invoke`."""
    return Entries(shape, self_record, self_invoke)


@cache
def forwarding_entry(self_invoke: int) -> int:
    """An entry that hands every call to `Function.invoke`."""
    a = Assembler()
    a.load(RDI, RDI, self_invoke)
    a.constant(RAX, libc.api_address("PyObject_Vectorcall"))
    a.put(JMP_RM64(RAX))
    return libc.incoming(STUBS.add(a.finish()))


def _build(shape: FuncType, self_record: int, self_invoke: int) -> bytes:
    public = self_record >= 0
    count = len(shape.params)
    results = _ARGUMENTS + RESULT_BYTES * count
    frame = results + RESULT_BYTES * max(len(shape.results), 1)
    frame += 8 - frame % 16
    places, stack_bytes = place_arguments(GUEST_ARGUMENTS, classes_of(shape))
    a = Assembler()
    a.push_saved()
    a.put(SUB_RM64_IMM32(RSP, frame))
    a.move(R12, RDI)
    a.move(R13, RSI)
    a.move(RBP, RDX)
    a.move(R15, RCX)
    if public:
        _public_prologue(a, count, self_record)
    else:
        _machine_prologue(a, count)
    if public and any(valtype >= vt.REF_BASE for valtype in shape.params):
        a.jump("other")
    else:
        for i, valtype in enumerate(shape.params):
            a.load(RDI, R13, 8 * i)
            boxing.unbox(a, valtype, _ARGUMENTS + 16 * i, _SCRATCH, "other", f"a{i}")
    _begin(a)
    _call(a, shape, places, stack_bytes, results)
    a.load(RBX, RSP, ENTRY_CONTROL)
    a.load(RDI, RBX, layout.THREAD_STATE)
    a.put(TEST_RM64_R64(RDI, RDI))
    a.jump_if(CC_NE, "take")
    a.label("taken")
    if vt.ANYREF in shape.results:
        _results(a, shape, results, "boxed")
        a.label("boxed")
        a.load(RBX, RSP, ENTRY_CONTROL)
        a.store(RSP, _TUPLE, RAX)
        _end(a, "unlanded")  # only now: whose turn is next may collect what nobody but a word refers to
        a.load(RAX, RSP, _TUPLE)
    else:
        _end(a, "unlanded")
        _results(a, shape, results, "ended")
    a.label("ended")
    a.load(RBX, RSP, ENTRY_CONTROL)
    a.put(DEC_RM64(Mem(RBX, layout.ACTIVE)))  # only now: until here nobody lets go of what guests hold
    a.label("leave")
    a.put(ADD_RM64_IMM32(RSP, frame))
    a.pop_saved()
    a.put(RET())
    a.label("abnormal")
    a.put(SUB_RM64_IMM32(RSP, 8))
    a.load(RBX, RSP, ENTRY_CONTROL)
    _end(a, "abandoned")
    a.constant(RAX, 0)
    a.jump("ended")
    a.label("release")
    _release(a)
    a.label("take")
    put_restore(a)
    a.jump("taken")
    a.label("thread")
    _ask_python(a, _new_block)
    a.label("wait")
    _ask_python(a, _wait)
    a.label("other")
    if public:
        a.load(RDI, R12, self_invoke)
        a.move(RSI, R13)
        a.move(RDX, RBP)
        a.move(RCX, R15)
        a.put(ADD_RM64_IMM32(RSP, frame))
        a.pop_saved()
        a.constant(RAX, libc.api_address("PyObject_Vectorcall"))
        a.put(JMP_RM64(RAX))
    else:
        a.constant(RDI, 0)
        a.call(libc.api_address("PyErr_BadInternalCall"))
        a.constant(RAX, 0)
        a.jump("leave")
    return a.finish()


def _public_prologue(a: Assembler, count: int, self_record: int) -> None:
    """No keywords, the right number of arguments, an open instance; r14: its context."""
    a.put(TEST_RM64_R64(R15, R15))
    a.jump_if(CC_NE, "other")
    a.put(SHL_RM64_1(RDX), CMP_RM64_IMM32(RDX, 2 * count))  # the top bit of nargsf is a flag
    a.jump_if(CC_NE, "other")
    a.load(RAX, RDI, self_record)
    a.store(RSP, _RECORD, RAX)
    a.load(R14, RAX, layout.RECORD_CONTEXT)
    a.put(CMP_RM64_IMM8(Mem(R14, layout.PENDING), 0))
    a.jump_if(CC_NE, "other")


def _machine_prologue(a: Assembler, count: int) -> None:
    """The record comes first."""
    a.put(CMP_RM64_IMM32(RDX, count + 1))
    a.jump_if(CC_NE, "other")
    a.load(RDI, R13)
    a.put(ADD_RM64_IMM32(R13, 8))
    boxing.unbox(a, vt.I64, _RECORD, _SCRATCH, "other", "record")
    a.load(RAX, RSP, _RECORD)
    a.load(R14, RAX, layout.RECORD_CONTEXT)


def _begin(a: Assembler) -> None:
    """An activation begins: this frame is where early ends go, and the stack limit counts from here."""
    a.label("begin")
    put_block(a)
    a.put(TEST_RM64_R64(RBX, RBX))
    a.jump_if(CC_E, "thread")
    a.store(RSP, ENTRY_CONTROL, RBX)
    _take_turn(a)
    for offset, slot in ((layout.ENTRY_SP, ENTRY_BEFORE), (layout.REAL_LIMIT, _OLD_LIMIT)):
        a.load(RAX, RBX, offset)
        a.store(RSP, slot, RAX)
    a.address_of(RAX, "abnormal")
    a.store(RSP, _ABNORMAL, RAX)
    a.constant(RAX, 0)
    a.store(RSP, ENTRY_LANDED, RAX)
    a.store(RBX, layout.ENTRY_SP, RSP)
    a.put(INC_RM64(Mem(RBX, layout.ACTIVE)))
    a.move(RAX, RSP)
    a.put(SUB_R64_RM64(RAX, Mem(R14, layout.STACK_BYTES)), CMP_R64_RM64(RAX, Mem(RBX, layout.THREAD_BOTTOM)))
    a.put(CMOVCC_R64_RM64[CC_B](RAX, Mem(RBX, layout.THREAD_BOTTOM)))
    put_limit(a, RAX)
    a.load(RAX, RSP, _RECORD)
    a.put(CMP_RM64_IMM8(Mem(RAX, layout.RECORD_LONG), 0))
    a.jump_if(CC_NE, "release")
    a.label("guest")
    a.load(R15, R14, layout.MEMORY0_BASE)


def _take_turn(a: Assembler) -> None:
    a.load(RCX, R14, layout.TURN)
    a.store(RSP, _TURN, RCX)
    a.put(TEST_RM64_R64(RCX, RCX))
    a.jump_if(CC_E, "mine")
    a.load(RAX, RCX, layout.TURN_OWNER)
    a.put(TEST_RM64_R64(RAX, RAX))
    a.jump_if(CC_E, "free")
    a.put(CMP_R64_RM64(RAX, RBX))
    a.jump_if(CC_NE, "wait")
    a.label("free")
    a.store(RCX, layout.TURN_OWNER, RBX)
    a.put(INC_RM64(Mem(RCX, layout.TURN_DEPTH)))
    a.label("mine")


def _give_turn_up(a: Assembler) -> None:
    given = f"given{len(a.code)}"
    a.load(RCX, RSP, _TURN)
    a.put(TEST_RM64_R64(RCX, RCX))
    a.jump_if(CC_E, given)
    a.put(DEC_RM64(Mem(RCX, layout.TURN_DEPTH)))
    a.jump_if(CC_NE, given)
    a.constant(RAX, 0)
    a.store(RCX, layout.TURN_OWNER, RAX)
    a.load(RDI, RCX, layout.TURN_WAITER)
    a.put(TEST_RM64_R64(RDI, RDI))
    a.jump_if(CC_E, given)
    a.constant(RAX, 1)
    a.store(RCX, layout.TURN_OWNER, RAX)
    put_post(a)
    a.label(given)


def _release(a: Assembler) -> None:
    """Run without the GIL from the start; a number above 0 counts down. rax: the record."""
    a.put(CMP_RM64_IMM8(Mem(RAX, layout.RECORD_LONG), 0))
    a.jump_if(CC_L, "always")
    a.put(DEC_RM64(Mem(RAX, layout.RECORD_LONG)))
    a.label("always")
    put_release_gil(a)
    a.jump("guest")


def _ask_python(a: Assembler, hook: int) -> None:
    """Call a Python function with the address of the context, then begin again."""
    a.move(RDI, R14)
    a.call(libc.api_address("PyLong_FromLongLong"))
    a.store(RSP, _TUPLE, RAX)
    a.put(TEST_RM64_R64(RAX, RAX))
    a.jump_if(CC_E, "leave")
    a.constant(RDI, hook)
    a.lea(RSI, RSP, _TUPLE)
    a.constant(RDX, 1)
    a.constant(RCX, 0)
    a.call(libc.api_address("PyObject_Vectorcall"))
    a.load(RDI, RSP, _TUPLE)
    a.store(RSP, _TUPLE, RAX)
    a.call(libc.api_address("Py_DecRef"))
    a.load(RAX, RSP, _TUPLE)
    a.put(TEST_RM64_R64(RAX, RAX))
    a.jump_if(CC_E, "leave")
    a.move(RDI, RAX)
    a.call(libc.api_address("Py_DecRef"))
    a.jump("begin")


def _call(a: Assembler, shape: FuncType, places: tuple[int, ...], stack_bytes: int, results: int) -> None:
    """Arguments to where compiled code takes them, the call, the first result to its slot."""
    if stack_bytes:
        a.put(SUB_RM64_IMM32(RSP, stack_bytes))
    many = len(shape.results) > 1
    slots = [stack_bytes + _ARGUMENTS + 16 * i for i in range(len(shape.params))]
    for position, place in enumerate(places):
        is_area = many and position == len(places) - 1
        slot = stack_bytes + results if is_area else slots[position]
        if place >= STACK_ARGUMENT:
            _stack_argument(a, place - STACK_ARGUMENT, slot, is_area, not is_area and shape.params[position] == vt.V128)
        elif place >= VECTOR_REGISTER:
            a.put(MOVDQU_XMM_XM128(place - VECTOR_REGISTER, Mem(RSP, slot)))
        elif is_area:
            a.lea(place, RSP, slot)
        else:
            a.load(place, RSP, slot)
    a.load(RAX, RSP, stack_bytes + _RECORD)
    a.put(CALL_RM64(Mem(RAX, layout.RECORD_CODE)))
    if shape.results:
        if CLASS_OF_TYPE.get(shape.results[0], INT) == INT:
            a.store(RSP, results, RAX)
        else:
            a.put(MOVDQU_XM128_XMM(Mem(RSP, results), 0))


def _stack_argument(a: Assembler, at: int, slot: int, is_area: bool, wide: bool) -> None:
    if is_area:
        a.lea(RAX, RSP, slot)
    elif wide:
        a.put(MOVDQU_XMM_XM128(15, Mem(RSP, slot)), MOVDQU_XM128_XMM(Mem(RSP, at), 15))
        return
    else:
        a.load(RAX, RSP, slot)
    a.store(RSP, at, RAX)


def _end(a: Assembler, unique: str) -> None:
    """The activation is over, and this thread has the GIL. rbx: its control block; `unique` makes a label."""
    a.load(RAX, RSP, ENTRY_BEFORE)
    a.store(RBX, layout.ENTRY_SP, RAX)
    a.load(RAX, RSP, _OLD_LIMIT)
    put_limit(a, RAX)
    _give_turn_up(a)
    a.load(RDI, RSP, ENTRY_LANDED)
    a.put(TEST_RM64_R64(RDI, RDI))
    a.jump_if(CC_E, f"{unique}")
    a.call(libc.api_address("Py_DecRef"))
    a.label(f"{unique}")


def _results(a: Assembler, shape: FuncType, results: int, done: str) -> None:
    """The Python object of the results in rax, 0 with an exception set; goes on at `done`, or behind this."""
    if not shape.results:
        a.constant(RDI, id(None))
        a.move(RBX, RDI)
        a.call(libc.api_address("Py_IncRef"))
        a.move(RAX, RBX)
        return
    if len(shape.results) == 1:
        box(a, shape.results[0], results, "r0")
        return
    a.constant(RDI, len(shape.results))
    a.call(libc.api_address("PyTuple_New"))
    a.store(RSP, _TUPLE, RAX)
    a.put(TEST_RM64_R64(RAX, RAX))
    a.jump_if(CC_E, done)
    for i, valtype in enumerate(shape.results):
        box(a, valtype, results + RESULT_BYTES * i, f"r{i}")
        a.put(TEST_RM64_R64(RAX, RAX))
        a.jump_if(CC_E, "drop")
        a.load(RDI, RSP, _TUPLE)
        a.constant(RSI, i)
        a.move(RDX, RAX)
        a.call(libc.api_address("PyTuple_SetItem"))
    a.load(RAX, RSP, _TUPLE)
    a.jump(done)
    a.label("drop")
    a.load(RDI, RSP, _TUPLE)
    a.call(libc.api_address("Py_DecRef"))
    a.constant(RAX, 0)


