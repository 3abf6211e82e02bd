"""The C library and CPython's C API: the only file of the core in which `ctypes` objects have no types of their own.

Addresses are plain ints. Nothing here takes a number that a guest chose without the caller having checked it.
"""

from __future__ import annotations

import ctypes
import sys
from struct import pack

from purewasm.light_typing import TYPE_CHECKING, Any, Final, NamedTuple, final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

if sys.platform == "win32":
    from purewasm.engine.native import windows as _system
else:
    from purewasm.engine.native import posix as _system

system = _system
"""What the operating system gives, under the same names on each."""

_api: Any = getattr(ctypes, "pythonapi", None)


def _declare(name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(_api, name)
    function.restype, function.argtypes = result, arguments
    return function


TYPE_OFFSET: Final = 8
"""Where every object has the address of its type."""
_int = ctypes.c_int
_memmove: Final[Any] = ctypes.memmove


# ---- reading and writing at addresses


_MOST_TOUCHED: Final = 1 << 16
"""Larger blocks come from the system page by page as they are touched."""


@final
class Block:
    """Zeroed bytes at a fixed address that is a multiple of 16, freed with this object and all views of it.

    `words` is a view of them as unsigned 64-bit numbers.
    """

    __slots__ = ("__weakref__", "address", "words")

    address: int
    words: memoryview

    def __init__(self, size: int) -> None:
        if size > _MOST_TOUCHED:
            self._allocate(size)
        else:
            self._use(bytearray(size + 31 & -16))

    @classmethod
    def of_bytes(cls, content: bytearray) -> Block:
        """The block of these bytes, words of 8 each, which nobody else has."""
        made = cls.__new__(cls)
        made._use(content)
        return made

    def _use(self, content: bytearray) -> None:
        self.address = read_word(id(content) + _BYTEARRAY_DATA)
        if self.address & 15:  # no allocator of today does this
            self._allocate(len(content))
            self.bytes[: len(content)] = content
        else:
            self.words = memoryview(content).cast("Q")

    def _allocate(self, size: int) -> None:
        size = size + 31 & -16
        buffer: Any = (ctypes.c_char * size)()
        start = ctypes.addressof(buffer)
        skip = -start & 15
        self.address = start + skip
        self.words = memoryview(buffer).cast("B")[skip : skip + size - 16].cast("Q")

    @property
    def bytes(self) -> memoryview:
        """A view of the single bytes."""
        return self.words.cast("B")


def view_at(address: int, size: int) -> memoryview:
    """A writable view of `size` bytes of this process. The caller keeps the pages mapped for as long as the view lives."""
    return memoryview((ctypes.c_char * size).from_address(address)).cast("B")


_array_types: Final[dict[int, Any]] = {}


def owned_view(address: int, size: int, owner: object) -> memoryview:
    """The same; `owner` lives at least as long as the view and every view made of it."""
    array: Any = _array_types.get(size)
    if array is None:
        # a class of our own: its objects have room for an attribute
        array = type("GuestBytes", (ctypes.c_char * size,), {})
        if not size & 0xFFFF:  # there are many other sizes, of memories that grow by small pages
            _array_types[size] = array
    made = array.from_address(address)
    made.owner = owner
    return memoryview(made).cast("B")


def read_word(address: int) -> int:
    return int(ctypes.c_uint64.from_address(address).value)


def write_word(address: int, value: int) -> None:
    ctypes.c_uint64.from_address(address).value = value


def _bytearray_data() -> int:
    """Where an object of type `bytearray` has the address of its first byte. What is behind that differs between Pythons."""
    probe = bytearray(64)
    del probe[:16]  # so that the address of what is allocated, which it has too, is another one
    address = ctypes.addressof(ctypes.c_char.from_buffer(probe))
    for offset in range(bytearray.__basicsize__ - 8, 0, -8):
        if read_word(id(probe) + offset) == address:
            return offset
    raise OSError("objects of type bytearray do not say where their bytes are")


_BYTEARRAY_DATA: Final = _bytearray_data()


def words_of(values: Iterable[int]) -> memoryview:
    """Words of memory with these values. (`array` has them sooner, but a start that imports it waits for `collections`.)"""
    known = tuple(values)
    return memoryview(bytearray(pack(f"{len(known)}Q", *known))).cast("Q")


def repeated(word: int, count: int) -> memoryview:
    """So many words of memory with the same value, to be read."""
    return memoryview(pack("Q", word) * count).cast("Q")


_BYTES_DATA: Final = bytes.__basicsize__ - 1
"""Where an object of type `bytes` has its first byte: it ends with one more, a zero."""


def bytes_address(data: bytes) -> int:
    """Where the bytes are, for as long as the object lives."""
    return id(data) + _BYTES_DATA


def copy_bytes(target: int, source: int, size: int) -> None:
    _memmove(target, source, size)


def object_at(address: int) -> object:
    """The Python object at an address; it has to be alive."""
    found: object = ctypes.cast(address, ctypes.py_object).value
    return found


def immortal(made: object) -> int:
    """Address of an object, which is never freed from now on: also not when its module goes, at the end."""
    if has_api():
        _api.Py_IncRef(ctypes.py_object(made))
    else:
        _immortal.append(made)
    return id(made)


_immortal: Final[list[object]] = []


# ---- names


def c_address(name: str) -> int:
    """What the engine's code calls for a function of the C library or of the system."""
    return outgoing(system.c_address(name))


def api_address(name: str) -> int:
    """What the engine's code calls for a function of CPython's C API."""
    return outgoing(_raw_address(name)) if not _boundary else _boundary[0].api_address(name)


class Boundary(NamedTuple):
    """Another way between Python and generated code than CPython's C API by name (`callbacks`)."""

    api_address: Callable[[str], int]
    call: Callable[[int, int, tuple[object, ...]], object]


_boundary: Final[list[Boundary]] = []


def set_boundary(boundary: Boundary) -> None:
    _boundary[:] = [boundary]


def lacks_api() -> bool:
    """True in a process where CPython's C API cannot be had by name: the functions are not there, or nobody may look them up."""
    return not all(hasattr(_api, name) for name in _NEEDED)


_NEEDED: Final = ("PyObject_Vectorcall", "PyCFunction_NewEx", "PyType_FromSpecWithBases", "PyEval_SaveThread", "PyErr_Fetch")
"""What is missing where anything is."""


def has_api() -> bool:
    """False where the C API cannot be had by name."""
    return not _boundary


def _raw_address(name: str) -> int:
    return int(ctypes.cast(getattr(_api, name), ctypes.c_void_p).value or 0)


_bridge: Final[list[Callable[[int], int]]] = []


def set_bridge(outgoing: Callable[[int], int], incoming: Callable[[int], int]) -> None:
    """What stands between the engine's code and C where these differ in how functions are called (`conventions`)."""
    _bridge[:] = outgoing, incoming


def outgoing(function: int) -> int:
    """What the engine's code calls for a C function."""
    return _bridge[0](function) if _bridge else function


def incoming(code: int) -> int:
    """What C calls for a piece of the engine's code."""
    return _bridge[1](code) if _bridge else code


# ---- CPython objects


class _MethodDef(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("meth", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p)]


_METH_FASTCALL: Final = 0x80
_definitions: Final[list[_MethodDef]] = []


def builtin(name: bytes, code: int) -> Any:
    """A builtin function whose body is the code at this address (METH_FASTCALL). It is never freed."""
    if _boundary:
        call = _boundary[0].call
        return lambda *args: call(code, 0, args)
    definition = _MethodDef(name, incoming(code), _METH_FASTCALL, None)
    _definitions.append(definition)
    new = _declare("PyCFunction_NewEx", ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.py_object)
    return new(ctypes.addressof(definition), None, None)


class _Slot(ctypes.Structure):
    _fields_ = [("slot", ctypes.c_int), ("value", ctypes.c_void_p)]


class _Member(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p), ("type", ctypes.c_int), ("offset", ctypes.c_ssize_t), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p),
    ]  # fmt: skip


class _Spec(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p), ("basicsize", ctypes.c_int), ("itemsize", ctypes.c_int), ("flags", ctypes.c_uint),
        ("slots", ctypes.c_void_p),
    ]  # fmt: skip


def slot_offset(made: type, name: str) -> int:
    """Where a slot of a class lies in its objects."""
    new: Any = made.__new__
    probe, mark = new(made), object()
    setattr(probe, name, mark)
    for offset in range(16, made.__basicsize__, 8):
        if read_word(id(probe) + offset) == id(mark):
            return offset
    raise TypeError(f"no slot {name} in objects of {made}")


def new_of(made: type) -> int:
    """What the engine's code calls for the C function behind a class's `__new__`."""
    if _boundary:
        return _boundary[0].api_address("tp_new")
    return outgoing(int(_declare("PyType_GetSlot", ctypes.c_size_t, ctypes.py_object, _int)(made, _TP_NEW)))


_TP_CALL: Final = 50
_TP_NEW: Final = 65
_TP_MEMBERS: Final = 72
_T_PYSSIZET: Final = 19
_READONLY: Final = 1
_HAVE_VECTORCALL: Final = 1 << 11
_specs: Final[list[object]] = []


def vectorcall_type(name: str, base: type, extra_bytes: int) -> tuple[type, int]:
    """A subclass of `base` whose objects are called through a pointer in them, and the offset of that pointer.

    Behind it are `extra_bytes` more, for whoever made the type.
    """
    offset = base.__basicsize__
    members = (_Member * 2)(_Member(b"__vectorcalloffset__", _T_PYSSIZET, offset, _READONLY, None), _Member())
    slots = (_Slot * 3)(
        _Slot(_TP_CALL, _raw_address("PyVectorcall_Call")), _Slot(_TP_MEMBERS, ctypes.addressof(members)), _Slot()
    )
    spec = _Spec(name.encode(), offset + 8 + extra_bytes, 0, _HAVE_VECTORCALL, ctypes.addressof(slots))
    _specs.extend((members, slots, spec))
    make = _declare("PyType_FromSpecWithBases", ctypes.py_object, ctypes.c_void_p, ctypes.py_object)
    made: type = make(ctypes.addressof(spec), (base,))
    return made, offset


# ---- calls


_functions: Final[dict[int, Any]] = {}


def call(code: int) -> int:
    """Call a C function `long f(void)` that is never freed, without the GIL."""
    function = _functions.get(code)
    if function is None:
        function = _functions[code] = ctypes.CFUNCTYPE(ctypes.c_long)(incoming(code))
    return int(function())


def call_with_words(code: int, count: int) -> list[int]:
    """Call a C function `void f(uint32_t *)` and return the words that it writes."""
    words = (ctypes.c_uint32 * count)()
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(incoming(code))(ctypes.addressof(words))
    return list(words)


def word_function(code: int) -> Callable[[int, int, int], int]:
    """A C function of three 64-bit words that gives one, called with the GIL."""
    return ctypes.PYFUNCTYPE(ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64)(incoming(code))
