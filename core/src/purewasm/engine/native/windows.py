"""What Windows gives, under the names of `posix`: pages, threads, semaphores. Run under Wine only so far.

Pages are reserved and committed in one step or two; a page that is protected against everything is one that is not committed.
"""

from __future__ import annotations

import ctypes

from purewasm.light_typing import Any, Final

PROT_NONE: Final = 0
PROT_READ: Final = 1
PROT_WRITE: Final = 2
PROT_EXEC: Final = 4
MAP_SHARED: Final = 1
MAP_PRIVATE: Final = 2
MAP_FIXED: Final = 0x10
MAP_ANONYMOUS: Final = 0x20
MAP_NORESERVE: Final = 0x4000

_COMMIT: Final = 0x1000
_RESERVE: Final = 0x2000
_DECOMMIT: Final = 0x4000
_RELEASE: Final = 0x8000
_PROTECTIONS: Final = {PROT_NONE: 0x01, PROT_READ: 0x02, PROT_READ | PROT_WRITE: 0x04, PROT_READ | PROT_EXEC: 0x20}

_windows: Any = ctypes  # with names that it has nowhere else
_kernel: Any = _windows.WinDLL("kernel32", use_last_error=True)
_c: Any = ctypes.CDLL("msvcrt")


def _declare(name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(_kernel, name)
    function.restype, function.argtypes = result, arguments
    return function


_size, _int = ctypes.c_size_t, ctypes.c_int
_alloc: Final[Any] = _declare("VirtualAlloc", _size, _size, _size, _int, _int)
_free: Final[Any] = _declare("VirtualFree", _int, _size, _size, _int)
_protect: Final[Any] = _declare("VirtualProtect", _int, _size, _size, _int, _size)
_C_NAMES: Final = frozenset(("memmove", "memset", "memcpy"))


def c_address(name: str) -> int:
    """Address of a function of the C library or of the system."""
    return int(ctypes.cast(getattr(_c if name in _C_NAMES else _kernel, name), ctypes.c_void_p).value or 0)


# ---- pages


def _error(what: str) -> OSError:
    return OSError(0, f"{what}: error {_windows.get_last_error()}")


def map_pages(size: int, protection: int, flags: int = MAP_PRIVATE | MAP_ANONYMOUS, fd: int = -1, at: int = 0) -> int:
    """Address of new pages; with MAP_FIXED those at `at`, which are reserved, become new. OSError where the system has none to give."""
    if fd >= 0:
        raise OSError("files are not mapped here")
    if flags & MAP_FIXED and not _free(at, size, _DECOMMIT):
        raise _error(f"cannot give {size} bytes back")
    if flags & MAP_FIXED and protection == PROT_NONE:
        return at
    kind = _RESERVE if protection == PROT_NONE else _COMMIT if flags & MAP_FIXED else _RESERVE | _COMMIT
    address = int(_alloc(at, size, kind, _PROTECTIONS[protection]))
    if not address:
        raise _error(f"cannot map {size} bytes")
    return address


def unmap_pages(address: int, size: int) -> None:
    if not _free(address, 0, _RELEASE):
        raise _error(f"cannot unmap {size} bytes")


def protect_pages(address: int, size: int, protection: int) -> None:
    if size and protection == PROT_READ | PROT_WRITE and not _alloc(address, size, _COMMIT, _PROTECTIONS[protection]):
        raise _error(f"cannot commit {size} bytes")
    before = ctypes.c_uint()
    if size and not _protect(address, size, _PROTECTIONS[protection], ctypes.addressof(before)):
        raise _error(f"cannot change the protection of {size} bytes")


def forget_pages(address: int, size: int) -> None:
    """Give the content of pages back to the system; they are zeros when they are used again."""
    map_pages(size, PROT_READ | PROT_WRITE, MAP_FIXED, at=address)


def anonymous_file(size: int) -> int:
    raise OSError("this system has no files in memory")


# ---- threads

STACK_IS_TOUCHED: Final = True
"""Pages of a stack come only when they are touched in order."""
THREAD_RECORD: Final = range(0x1480, 0x1680, 8)
"""Where a thread's record (TEB) has the values of the first 64 indices."""


def stack_range() -> tuple[int, int]:
    """Lowest address and end of the calling thread's stack."""
    low, high = ctypes.c_size_t(), ctypes.c_size_t()
    _kernel.GetCurrentThreadStackLimits(ctypes.byref(low), ctypes.byref(high))
    return int(low.value), int(high.value)


def is_main_thread() -> bool:
    """True in the thread in which Python handles signals."""
    import threading

    return threading.current_thread() is threading.main_thread()


def start_thread(code: int) -> None:
    """Run a C function in a new thread of the system that nobody waits for."""
    thread = _declare("CreateThread", _size, _size, _size, _size, _size, _int, _size)(0, 0, code, 0, 0, 0)
    if not thread:
        raise _error("cannot start a thread")
    _kernel.CloseHandle(ctypes.c_size_t(thread))


def thread_pointer() -> int:
    """Address of the calling thread's record, to which `gs` points: the second word of THREAD_BASIC_INFORMATION."""
    answer = (ctypes.c_size_t * 6)()
    if _windows.WinDLL("ntdll").NtQueryInformationThread(ctypes.c_size_t(_CURRENT_THREAD), 0, answer, ctypes.sizeof(answer), None) != 0:
        raise OSError("cannot find the record of this thread")
    return answer[1]


_CURRENT_THREAD: Final = (1 << 64) - 2


def new_thread_key(destructor: int) -> int:
    """An index of thread-specific values. Another kind of index has the destructor; both get each value."""
    key = int(_kernel.TlsAlloc())
    _destructors[key] = int(_kernel.FlsAlloc(ctypes.c_size_t(destructor)))
    if key < 0 or _destructors[key] < 0:
        raise OSError("cannot make an index for thread-specific values")
    return key


_destructors: Final[dict[int, int]] = {}


def set_thread_value(key: int, value: int) -> None:
    made = _kernel.TlsSetValue(key, ctypes.c_size_t(value)) and _kernel.FlsSetValue(_destructors[key], ctypes.c_size_t(value))
    if not made:
        raise MemoryError("cannot set a thread-specific value")


# ---- semaphores: a handle in the first of 32 bytes

POST_SEMAPHORE: Final = "ReleaseSemaphore"
SEMAPHORE_IS_POINTER: Final = True
_MOST: Final = 1 << 30


def _handle(address: int) -> ctypes.c_size_t:
    return ctypes.c_size_t(ctypes.c_uint64.from_address(address).value)


def init_semaphore(address: int) -> None:
    """Make a semaphore of this process with the value 0."""
    made = _declare("CreateSemaphoreW", _size, _size, _int, _int, _size)(0, 0, _MOST, 0)
    if not made:
        raise _error("cannot make a semaphore")
    ctypes.c_uint64.from_address(address).value = made


def post_semaphore(address: int) -> None:
    _kernel.ReleaseSemaphore(_handle(address), 1, None)


def wait_semaphore(address: int, seconds: float) -> None:
    """Without the GIL, until it is posted or `seconds` have passed."""
    _kernel.WaitForSingleObject(_handle(address), int(seconds * 1000))


SLEEP: Final = "Sleep"
SLEEP_MICROSECONDS: Final = 1000
"""What it counts in."""


# ---- exceptions


def first_exception_handler(code: int, before: int) -> int:
    """Have this handler called first; its handle. `before`: the handle that it had, 0 for none."""
    if before:
        _declare("RemoveVectoredExceptionHandler", _int, _size)(before)
    return int(_declare("AddVectoredExceptionHandler", _size, _int, _size)(1, code))
