"""What Linux and macOS give: pages, threads, semaphores, and facts about signals. Of macOS nobody has run a line so far.

Offsets are those of <sys/signal.h>, <sys/ucontext.h> and <mach/i386/_structs.h> there.
"""

from __future__ import annotations

import _thread
import ctypes
import os
import sys
import time

from purewasm.light_typing import Any, Final, NamedTuple

_DARWIN: Final = sys.platform == "darwin"

PROT_NONE: Final = 0
PROT_READ: Final = 1
PROT_WRITE: Final = 2
PROT_EXEC: Final = 4
MAP_SHARED: Final = 1
MAP_PRIVATE: Final = 2
MAP_FIXED: Final = 0x10
MAP_ANONYMOUS: Final = 0x1000 if _DARWIN else 0x20
MAP_NORESERVE: Final = 0x40 if _DARWIN else 0x4000
_MADV_DONTNEED: Final = 4
_MAP_FAILED: Final = (1 << 64) - 1

_c: Any = ctypes.CDLL(None, use_errno=True)


def _declare(name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(_c, name)
    function.restype, function.argtypes = result, arguments
    return function


_size, _int, _address = ctypes.c_size_t, ctypes.c_int, ctypes.c_size_t
_mmap: Final[Any] = _declare("mmap", _size, _address, _size, _int, _int, _int, ctypes.c_long)
_munmap: Final[Any] = _declare("munmap", _int, _address, _size)
_mprotect: Final[Any] = _declare("mprotect", _int, _address, _size, _int)


def c_address(name: str) -> int:
    """Address of a function of the C library."""
    return int(ctypes.cast(getattr(_c, name), ctypes.c_void_p).value or 0)


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
    if _DARWIN:  # nothing else makes zeros of them there
        map_pages(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, at=address)
    else:
        _c.madvise(_size(address), _size(size), _MADV_DONTNEED)


def anonymous_file(size: int) -> int:
    """Descriptor of an unnamed file in memory."""
    if not hasattr(os, "memfd_create"):
        raise OSError("this system has no memfd_create")
    fd = os.memfd_create("purewasm", os.MFD_CLOEXEC)
    try:
        os.ftruncate(fd, size)
    except OSError:
        os.close(fd)
        raise
    return fd


# ---- threads

STACK_IS_TOUCHED: Final = False
"""Pages of a stack come when they are touched, in any order."""
THREAD_RECORD: Final = range(0, 0x1000 if _DARWIN else 0x700, 8)
"""Where in a thread's record values are looked for; it is larger than that."""

def stack_range() -> tuple[int, int]:
    """Lowest address and end of the calling thread's stack."""
    _c.pthread_self.restype = ctypes.c_size_t
    thread = ctypes.c_size_t(_c.pthread_self())
    if _DARWIN:
        _c.pthread_get_stackaddr_np.restype = _c.pthread_get_stacksize_np.restype = ctypes.c_size_t
        end = int(_c.pthread_get_stackaddr_np(thread))
        return end - int(_c.pthread_get_stacksize_np(thread)), end
    attributes, address, size = (ctypes.c_char * 256)(), ctypes.c_size_t(), ctypes.c_size_t()
    if _c.pthread_getattr_np(thread, attributes) != 0:
        raise OSError("cannot find the stack of this thread")
    _c.pthread_attr_getstack(attributes, ctypes.byref(address), ctypes.byref(size))
    _c.pthread_attr_destroy(attributes)
    return int(address.value), int(address.value + size.value)


def is_main_thread() -> bool:
    """True in the thread in which Python handles signals."""
    if _DARWIN:
        return bool(_c.pthread_main_np())
    return _thread.get_native_id() == os.getpid()


def start_thread(code: int) -> None:
    """Run a C function in a new thread of the system that blocks every signal and that nobody waits for."""
    everything, before, thread = (ctypes.c_char * 128)(), (ctypes.c_char * 128)(), ctypes.c_size_t()
    set_mask = 3 if _DARWIN else 2
    _c.sigfillset(everything)
    _c.pthread_sigmask(set_mask, everything, before)
    try:
        if _c.pthread_create(ctypes.byref(thread), None, ctypes.c_void_p(code), None) != 0:
            raise OSError("cannot start a thread")
        _c.pthread_detach(thread)
    finally:
        _c.pthread_sigmask(set_mask, before, None)


def thread_pointer() -> int:
    """Address of the C library's record of the calling thread: what distances from the thread pointer count from."""
    _c.pthread_self.restype = ctypes.c_size_t
    return int(_c.pthread_self()) + (_DARWIN_VALUES if _DARWIN else 0)


_DARWIN_VALUES: Final = 224
"""Where the values of keys lie in a thread's record there; `gs` points to them."""


def new_thread_key(destructor: int) -> int:
    """A key of thread-specific values."""
    key = ctypes.c_ulong() if _DARWIN else ctypes.c_uint()
    if _c.pthread_key_create(ctypes.byref(key), ctypes.c_void_p(destructor)) != 0:
        raise OSError("cannot make a key for thread-specific values")
    return int(key.value)


def set_thread_value(key: int, value: int) -> None:
    if _c.pthread_setspecific(ctypes.c_ulong(key), ctypes.c_void_p(value)) != 0:
        raise MemoryError("cannot set a thread-specific value")


# ---- semaphores: 32 bytes, of which macOS only uses a pointer

POST_SEMAPHORE: Final = "dispatch_semaphore_signal" if _DARWIN else "sem_post"
SEMAPHORE_IS_POINTER: Final = _DARWIN


def init_semaphore(address: int) -> None:
    """Make 32 bytes a semaphore of this process with the value 0."""
    if _DARWIN:
        _c.dispatch_semaphore_create.restype = ctypes.c_size_t
        ctypes.c_uint64.from_address(address).value = _c.dispatch_semaphore_create(ctypes.c_long(0))
    elif _c.sem_init(ctypes.c_size_t(address), 0, 0) != 0:
        raise _error("cannot make a semaphore")


def post_semaphore(address: int) -> None:
    if _DARWIN:
        _c.dispatch_semaphore_signal(ctypes.c_size_t(ctypes.c_uint64.from_address(address).value))
    else:
        _c.sem_post(ctypes.c_size_t(address))


def wait_semaphore(address: int, seconds: float) -> None:
    """Without the GIL, until it is posted, `seconds` have passed or a signal comes."""
    if _DARWIN:
        _c.dispatch_time.restype = ctypes.c_uint64
        end = ctypes.c_uint64(_c.dispatch_time(ctypes.c_uint64(0), ctypes.c_int64(int(seconds * 1e9))))
        _c.dispatch_semaphore_wait(ctypes.c_size_t(ctypes.c_uint64.from_address(address).value), end)
    else:
        until = time.time() + seconds
        _c.sem_timedwait(ctypes.c_size_t(address), (ctypes.c_long * 2)(int(until), int(until % 1 * 1e9)))


SLEEP: Final = "usleep"
SLEEP_MICROSECONDS: Final = 1
"""What it counts in."""

# ---- signals

SIGILL: Final = 4
SIGBUS: Final = 10 if _DARWIN else 7
SIGFPE: Final = 8
SIGSEGV: Final = 11


class SignalFacts(NamedTuple):
    """Where things are in `struct sigaction` and in the context that a handler gets."""

    action_bytes: int
    flags: int
    siginfo: int
    onstack: int
    kept: int
    """Flags that stay as they are: SA_RESTORER, which the C library sets where there is one."""
    machine_context: int
    """Offset of the pointer to the registers, -1 where they are in the context itself."""
    r11: int
    rsp: int
    rip: int


LINUX: Final = SignalFacts(152, 136, 4, 0x0800_0000, 0x0400_0000, -1, 64, 160, 168)
DARWIN: Final = SignalFacts(16, 12, 0x40, 1, 0, 48, 104, 72, 144)
SIGNAL_FACTS: Final = DARWIN if _DARWIN else LINUX
