"""CPython's C API by ctypes alone, for where its functions cannot be had by name: the other way over the boundary.

What generated code calls (`libc.api_address`) is here a ctypes callback, or a few bytes of code where that is all it takes; what Python
calls is a ctypes function pointer. The objects are CPython's own, so code that looks into them works as ever. Guests keep the GIL, but
for the moments at which they poll. It is slower, by some microseconds a call.
"""

from __future__ import annotations

import ctypes
from threading import local

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.control import STUBS
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_E, CC_L, CC_NE
from purewasm.isa.x64.control import JMP_RM64, RET
from purewasm.isa.x64.integer import ADD_RM32_IMM8, CMP_RM32_IMM8, SUB_RM32_IMM8, TEST_RM64_R64
from purewasm.isa.x64.memory import MOV_RM64_R64
from purewasm.isa.x64.registers import RAX, RDI, RDX, RSI
from purewasm.light_library import cache
from purewasm.light_typing import TYPE_CHECKING, Any, Final, final
from purewasm.store.function import Function

if TYPE_CHECKING:
    from collections.abc import Callable

_ITEMS: Final = 24
"""Where a tuple has its items."""
_DEALLOC: Final = 48
"""Where a type has the function that frees its objects."""
_FRAMES: Final = 60
"""More than there are between a callback and who called the guest."""
_COUNT_MASK: Final = (1 << 63) - 1
_word: Final = ctypes.c_uint64


@final
class _Raised(local):
    """What is raised in a thread, if anything. Callbacks are Python functions: any other thread may run before somebody takes it."""

    error: BaseException | None = None

    def take(self) -> BaseException | None:
        error, self.error = self.error, None
        return error

    def clear(self) -> None:
        self.error = None


_raised: Final = _Raised()


def _incref() -> Assembler:
    a = Assembler()
    a.put(TEST_RM64_R64(RDI, RDI))
    a.jump_if(CC_E, "done")
    a.put(CMP_RM32_IMM8(Mem(RDI), 0))
    a.jump_if(CC_L, "done")  # an object that lives for ever
    a.put(ADD_RM32_IMM8(Mem(RDI), 1))
    a.label("done")
    return a


def _decref() -> Assembler:
    a = Assembler()
    a.put(TEST_RM64_R64(RDI, RDI))
    a.jump_if(CC_E, "done")
    a.put(CMP_RM32_IMM8(Mem(RDI), 0))
    a.jump_if(CC_L, "done")
    a.put(SUB_RM32_IMM8(Mem(RDI), 1))
    a.jump_if(CC_NE, "done")
    a.load(RAX, RDI, libc.TYPE_OFFSET)
    a.put(JMP_RM64(Mem(RAX, _DEALLOC)))
    a.label("done")
    return a


def _nothing() -> Assembler:
    """No error, no thread state: the GIL stays."""
    a = Assembler()
    a.constant(RAX, 0)
    return a


def _set_item() -> Assembler:
    a = Assembler()
    a.put(MOV_RM64_R64(Mem(RDI, _ITEMS, index=RSI, scale=8), RDX))
    a.constant(RAX, 0)
    return a


_CODE: Final[dict[str, Callable[[], Assembler]]] = {
    "Py_IncRef": _incref, "Py_DecRef": _decref, "PyTuple_SetItem": _set_item,
    "PyEval_SaveThread": _nothing, "PyEval_RestoreThread": _nothing, "PyErr_NormalizeException": _nothing,
}  # fmt: skip


def _object(address: int) -> Any:
    return libc.object_at(address)


@cache
def _count(name: str) -> Any:
    return ctypes.PYFUNCTYPE(None, _word)(libc.incoming(api_address(name)))


def _new(made: object) -> int:
    """A new reference."""
    _count("Py_IncRef")(id(made))
    return id(made)


def _fail(error: BaseException) -> None:
    _raised.error = error


def _call(function: int, args: int, count: int, names: int) -> int:
    try:
        items = (_word * (count & _COUNT_MASK)).from_address(args) if count & _COUNT_MASK else ()
        return _new(_object(function)(*map(_object, items)))
    except BaseException as error:  # noqa: BLE001 (whatever it is, it is the caller's)
        _fail(error)
        return 0


def _new_exception(kind: int, args: int, names: int) -> int:
    try:
        made = _object(kind)
        return _new(made.__new__(made, *_object(args)))
    except BaseException as error:  # noqa: BLE001
        _fail(error)
        return 0


def _as_integer(low: int, high: int) -> Callable[..., int]:
    def convert(address: int, overflow: int = 0) -> int:
        value = _object(address)
        fits = isinstance(value, int) and low <= value < high
        if overflow:
            ctypes.c_int32.from_address(overflow).value = not fits
        elif not fits:
            _fail(OverflowError(f"an integer that does not fit: {value!r}"))
        return int(value) if fits else -1

    return convert


def _fetch(kind: int, value: int, trace: int) -> None:
    error = _raised.take()
    found = (None,) * 3 if error is None else (type(error), error, error.__traceback__)
    for place, part in zip((kind, value, trace), found, strict=True):
        libc.write_word(place, 0 if part is None else _new(part))


def _restore(kind: int, value: int, trace: int) -> None:
    _fail(_object(value))
    for part in (kind, value, trace):
        _count("Py_DecRef")(part)


def _set_trace(error: int, trace: int) -> int:
    _object(error).__traceback__ = _object(trace)
    return 0


def _set_dict_item(target: int, key: int, value: int) -> int:
    _object(target)[_object(key)] = _object(value)
    return 0


_signed, _double = ctypes.c_int64, ctypes.c_double
_CALLBACKS: Final[dict[str, tuple[Callable[..., Any], Any, tuple[Any, ...]]]] = {
    "PyObject_Vectorcall": (_call, _word, (_word,) * 4),
    "PyLong_FromLong": (_new, _word, (_signed,)),
    "PyLong_FromLongLong": (_new, _word, (_signed,)),
    "PyLong_FromUnsignedLongLong": (_new, _word, (_word,)),
    "PyFloat_FromDouble": (_new, _word, (_double,)),
    "PyLong_AsLongLong": (_as_integer(-(1 << 63), 1 << 63), _signed, (_word,)),
    "PyLong_AsLongLongAndOverflow": (_as_integer(-(1 << 63), 1 << 63), _signed, (_word, _word)),
    "PyLong_AsUnsignedLongLong": (_as_integer(0, 1 << 64), _word, (_word,)),
    "PyLong_AsUnsignedLongLongMask": (lambda value: int(_object(value)) & (1 << 64) - 1, _word, (_word,)),
    "PyBytes_FromStringAndSize": (lambda start, size: _new(ctypes.string_at(start, size)), _word, (_word, _word)),
    "PyTuple_New": (lambda size: _new(tuple([None] * size)), _word, (_word,)),  # a tuple of its own: it is filled in place
    "PyDict_SetItem": (_set_dict_item, _word, (_word,) * 3),
    "PyDict_Size": (lambda target: len(_object(target)), _word, (_word,)),
    "PyErr_Fetch": (_fetch, None, (_word,) * 3),
    "PyErr_Restore": (_restore, None, (_word,) * 3),
    "PyErr_SetObject": (lambda kind, value: _fail(_object(value)), None, (_word, _word)),
    "PyErr_Clear": (_raised.clear, None, ()),
    "PyErr_ExceptionMatches": (lambda kind: _raised.error is not None and isinstance(_raised.error, _object(kind)), _word, (_word,)),
    "PyErr_GivenExceptionMatches": (lambda value, kind: value != 0 and isinstance(_object(value), _object(kind)), _word, (_word, _word)),
    "PyErr_BadInternalCall": (lambda: _fail(SystemError("bad argument to internal function")), None, ()),
    "PyException_SetTraceback": (_set_trace, _word, (_word, _word)),
    "tp_new": (_new_exception, _word, (_word,) * 3),
}
_kept: Final[list[object]] = []


@cache
def api_address(name: str) -> int:
    """What generated code calls for a function of the C API."""
    if name in _CODE:
        a = _CODE[name]()
        a.put(RET())
        return STUBS.add(a.finish())
    function, result, arguments = _CALLBACKS[name]
    made = ctypes.PYFUNCTYPE(result, *arguments)(function)
    _kept.append(made)
    return libc.outgoing(ctypes.cast(made, ctypes.c_void_p).value or 0)


@cache
def _pointer(code: int) -> Any:
    return ctypes.PYFUNCTYPE(_word, _word, _word, _word, _word)(libc.incoming(code))


def _lost() -> BaseException:
    """What was raised where a callback had just begun, so that ctypes could only tell the user: for want of room, or by a signal."""
    try:
        _go_deeper(_FRAMES)
    except RecursionError as error:
        return error
    return KeyboardInterrupt()


def _go_deeper(frames: int) -> None:
    if frames:
        _go_deeper(frames - 1)


def call(code: int, first: int, args: tuple[object, ...]) -> object:
    """Call generated code that is called like a builtin: `first` is what it gets in front of the arguments."""
    words = (_word * (len(args) or 1))(*map(id, args))
    result = _pointer(code)(first, ctypes.addressof(words), len(args), 0)
    if not result:
        error = _raised.take()
        raise _lost() if error is None else error
    made = libc.object_at(result)
    _count("Py_DecRef")(result)
    return made


@final
class CallbackFunction(Function):
    """A function with a record. Code finds the record and `invoke` in two words that are made for the call."""

    __slots__ = ("code", "record")

    code: int
    """What to call; 0: `invoke`."""
    record: int

    def __call__(self, *args: object, **names: object) -> object:
        if names or not self.code:
            return self.invoke(*args, **names)
        words = (_word * 2)(self.record, id(self.invoke))
        return call(self.code, ctypes.addressof(words), args)


RECORD: Final = 0
INVOKE: Final = 8


def use() -> None:
    """From now on: before anything of the engine knows an address."""
    libc.set_boundary(libc.Boundary(api_address, call))
