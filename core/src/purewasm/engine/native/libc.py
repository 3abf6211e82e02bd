"""The C library and CPython's C API: the only file of the core in which `ctypes` objects have no types of their own.

Addresses are plain ints. Nothing here takes a number that a guest chose without the caller having checked it.
"""

from __future__ import annotations

import ctypes
import os
import time

from purewasm.light_typing import TYPE_CHECKING, Any, Final, final

if TYPE_CHECKING:
    from collections.abc import Callable

PROT_NONE: Final = 0
PROT_READ: Final = 1
PROT_WRITE: Final = 2
PROT_EXEC: Final = 4
MAP_SHARED: Final = 1
MAP_PRIVATE: Final = 2
MAP_FIXED: Final = 0x10
MAP_ANONYMOUS: Final = 0x20
MAP_NORESERVE: Final = 0x4000
_MADV_DONTNEED: Final = 4
_MAP_FAILED: Final = (1 << 64) - 1

SIGILL: Final = 4
SIGBUS: Final = 7
SIGFPE: Final = 8
SIGSEGV: Final = 11

_c: Any = ctypes.CDLL(None, use_errno=True)
_api: Any = ctypes.pythonapi


def _declare(library: Any, name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments
    return function


_size, _int, _address = ctypes.c_size_t, ctypes.c_int, ctypes.c_size_t
_mmap: Final[Any] = _declare(_c, "mmap", _size, _address, _size, _int, _int, _int, ctypes.c_long)
_munmap: Final[Any] = _declare(_c, "munmap", _int, _address, _size)
_mprotect: Final[Any] = _declare(_c, "mprotect", _int, _address, _size, _int)
_madvise: Final[Any] = _declare(_c, "madvise", _int, _address, _size, _int)
_memmove: Final[Any] = ctypes.memmove


# ---- pages


def _error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")


def map_pages(size: int, protection: int, flags: int = MAP_PRIVATE | MAP_ANONYMOUS, fd: int = -1, at: int = 0) -> int:
    """Address of new pages; with MAP_FIXED they replace those at `at`. OSError where the system has none to give."""
    address = int(_mmap(at, size, protection, flags, fd, 0))
    if address == _MAP_FAILED:
        raise _error(f"cannot map {size} bytes")
    return address


def unmap_pages(address: int, size: int) -> None:
    if _munmap(address, size) != 0:
        raise _error(f"cannot unmap {size} bytes")


def protect_pages(address: int, size: int, protection: int) -> None:
    if size and _mprotect(address, size, protection) != 0:
        raise _error(f"cannot change the protection of {size} bytes")


def forget_pages(address: int, size: int) -> None:
    """Give the content of pages back to the system; they are zeros when they are used again."""
    _madvise(address, size, _MADV_DONTNEED)


def anonymous_file(size: int) -> int:
    """Descriptor of an unnamed file in memory."""
    if not hasattr(os, "memfd_create"):
        raise OSError("this system has no memfd_create")
    fd = os.memfd_create("purewasm", os.MFD_CLOEXEC)
    os.ftruncate(fd, size)
    return fd


def close_file(fd: int) -> None:
    os.close(fd)


# ---- reading and writing at addresses


@final
class Block:
    """Zeroed bytes at a fixed address, freed with this object. `words` is a view of them as unsigned 64-bit numbers."""

    __slots__ = ("__weakref__", "_buffer", "address", "bytes", "words")

    def __init__(self, size: int) -> None:
        size = size + 31 & -16
        self._buffer: Any = (ctypes.c_char * size)()
        start = ctypes.addressof(self._buffer)
        skip = -start & 15
        self.address: Final = start + skip
        self.bytes: Final = memoryview(self._buffer).cast("B")[skip : skip + size - 16]
        self.words: Final = self.bytes.cast("Q")


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


def copy_bytes(target: int, source: int, size: int) -> None:
    _memmove(target, source, size)


def object_at(address: int) -> object:
    """The Python object at an address; it has to be alive."""
    found: object = ctypes.cast(address, ctypes.py_object).value
    return found


def immortal(made: object) -> int:
    """Address of an object, which is never freed from now on: also not when its module goes, at the end."""
    _api.Py_IncRef(ctypes.py_object(made))
    return id(made)


# ---- names


def c_address(name: str) -> int:
    """Address of a function of the C library."""
    return int(ctypes.cast(getattr(_c, name), ctypes.c_void_p).value or 0)


def api_address(name: str) -> int:
    """Address of a function or an object of CPython's C API."""
    return int(ctypes.cast(getattr(_api, name), ctypes.c_void_p).value or 0)


# ---- CPython objects


class _MethodDef(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("meth", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p)]


_METH_FASTCALL: Final = 0x80
_definitions: Final[list[_MethodDef]] = []


def builtin(name: bytes, code: int) -> Any:
    """A builtin function whose body is the code at this address (METH_FASTCALL). It is never freed."""
    definition = _MethodDef(name, code, _METH_FASTCALL, None)
    _definitions.append(definition)
    new = _declare(_api, "PyCFunction_NewEx", ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.py_object)
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
    """Address of the C function behind a class's `__new__`."""
    return int(_declare(_api, "PyType_GetSlot", ctypes.c_size_t, ctypes.py_object, _int)(made, _TP_NEW))


_TP_CALL: Final = 50
_TP_NEW: Final = 65
_TP_MEMBERS: Final = 72
_T_PYSSIZET: Final = 19
_READONLY: Final = 1
_HAVE_VECTORCALL: Final = 1 << 11
_HAVE_GC: Final = 1 << 14
_specs: Final[list[object]] = []


def vectorcall_type(name: str, base: type, extra_bytes: int) -> tuple[type, int]:
    """A subclass of `base` whose objects are called through a pointer in them, and the offset of that pointer.

    Behind it are `extra_bytes` more, for whoever made the type.
    """
    offset = base.__basicsize__
    members = (_Member * 2)(_Member(b"__vectorcalloffset__", _T_PYSSIZET, offset, _READONLY, None), _Member())
    slots = (_Slot * 3)(
        _Slot(_TP_CALL, api_address("PyVectorcall_Call")), _Slot(_TP_MEMBERS, ctypes.addressof(members)), _Slot()
    )
    spec = _Spec(name.encode(), offset + 8 + extra_bytes, 0, _HAVE_VECTORCALL, ctypes.addressof(slots))
    _specs.extend((members, slots, spec))
    make = _declare(_api, "PyType_FromSpecWithBases", ctypes.py_object, ctypes.c_void_p, ctypes.py_object)
    made: type = make(ctypes.addressof(spec), (base,))
    return made, offset


# ---- threads


def stack_range() -> tuple[int, int]:
    """Lowest address and end of the calling thread's stack."""
    attributes, address, size = (ctypes.c_char * 256)(), ctypes.c_size_t(), ctypes.c_size_t()
    _c.pthread_self.restype = ctypes.c_size_t
    if _c.pthread_getattr_np(ctypes.c_size_t(_c.pthread_self()), attributes) != 0:
        raise OSError("cannot find the stack of this thread")
    _c.pthread_attr_getstack(attributes, ctypes.byref(address), ctypes.byref(size))
    _c.pthread_attr_destroy(attributes)
    return int(address.value), int(address.value + size.value)


def start_thread(code: int) -> None:
    """Run a C function in a new thread of the system that blocks every signal and that nobody waits for."""
    everything, before, thread = (ctypes.c_char * 128)(), (ctypes.c_char * 128)(), ctypes.c_size_t()
    _c.sigfillset(everything)
    _c.pthread_sigmask(2, everything, before)
    try:
        if _c.pthread_create(ctypes.byref(thread), None, ctypes.c_void_p(code), None) != 0:
            raise OSError("cannot start a thread")
        _c.pthread_detach(thread)
    finally:
        _c.pthread_sigmask(2, before, None)


def thread_pointer() -> int:
    """Address of the C library's record of the calling thread: what `fs` points to."""
    _c.pthread_self.restype = ctypes.c_size_t
    return int(_c.pthread_self())


def new_thread_key(destructor: int) -> int:
    """A key of thread-specific values."""
    key = ctypes.c_uint()
    if _c.pthread_key_create(ctypes.byref(key), ctypes.c_void_p(destructor)) != 0:
        raise OSError("cannot make a key for thread-specific values")
    return key.value


def set_thread_value(key: int, value: int) -> None:
    if _c.pthread_setspecific(ctypes.c_uint(key), ctypes.c_void_p(value)) != 0:
        raise MemoryError("cannot set a thread-specific value")


_sem_init: Final[Any] = _declare(_c, "sem_init", _int, _address, _int, ctypes.c_uint)
_sem_post: Final[Any] = _declare(_c, "sem_post", _int, _address)
_sem_timedwait: Final[Any] = _declare(_c, "sem_timedwait", _int, _address, ctypes.c_void_p)


def init_semaphore(address: int) -> None:
    """Make 32 bytes a semaphore of this process with the value 0."""
    if _sem_init(address, 0, 0) != 0:
        raise _error("cannot make a semaphore")


def post_semaphore(address: int) -> None:
    _sem_post(address)


def wait_semaphore(address: int, seconds: float) -> None:
    """Without the GIL, until it is posted, `seconds` have passed or a signal comes."""
    until = time.time() + seconds
    _sem_timedwait(address, (ctypes.c_long * 2)(int(until), int(until % 1 * 1e9)))


# ---- signals

SIGACTION_BYTES: Final = 152
SIGACTION_FLAGS: Final = 136
"""Offset of `sa_flags`; the handler is at 0, the mask at 8."""


def call(code: int) -> int:
    """Call a C function `long f(void)`, without the GIL."""
    return int(ctypes.CFUNCTYPE(ctypes.c_long)(code)())


def call_with_words(code: int, count: int) -> list[int]:
    """Call a C function `void f(uint32_t *)` and return the words that it writes."""
    words = (ctypes.c_uint32 * count)()
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(code)(ctypes.addressof(words))
    return list(words)


def word_function(code: int) -> Callable[[int, int, int], int]:
    """A C function of three 64-bit words that gives one, called with the GIL."""
    return ctypes.PYFUNCTYPE(ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64)(code)
