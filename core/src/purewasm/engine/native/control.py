"""The control block of each thread, and the ways in and out of Python and guests that all generated code shares.

A thread gets its block when it first calls a guest; blocks are never freed, only used again, since the ticker's thread writes to them.
While guest code runs without the GIL, `THREAD_STATE` of its thread's block is what `PyEval_SaveThread` gave. Whatever needs Python takes
the GIL back (`put_take_gil`) and keeps it: the next poll releases it again, within a millisecond or so. Code that does not poll
(`RELEASES`) releases it as soon as Python has done its work.

`unwind` leaves the innermost activation: its entry returns NULL, and a Python exception is set.
"""

from __future__ import annotations

import os

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.availability import SYSTEM
from purewasm.engine.native.libc import system
from purewasm.engine.native.thread_slot import find_slot
from purewasm.isa.x64.abi import CONVENTIONS, SYSTEM_V, THREAD_SEGMENTS
from purewasm.isa.x64.address import NO_REGISTER, Mem
from purewasm.isa.x64.conditions import CC_B, CC_E, CC_NE
from purewasm.isa.x64.control import RET
from purewasm.isa.x64.integer import (
    ADD_RM64_IMM8,
    CMOVCC_R64_RM64,
    CMP_R64_RM64,
    CMP_RM64_IMM8,
    SUB_RM64_IMM8,
    SUB_RM64_IMM32,
    TEST_RM64_R64,
)
from purewasm.isa.x64.memory import MOV_R64_RM64
from purewasm.isa.x64.registers import R14, RAX, RBX, RCX, RDI, RDX, RSI, RSP
from purewasm.isa.x64.xmm_moves import MOVDQA_XM128_XMM, MOVDQU_XM128_XMM, MOVDQU_XMM_XM128, PCMPEQD
from purewasm.light_library import itemgetter, lru_cache, mul
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.store import layout
from purewasm.wasm.locks import process_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ALL_ONES: Final = (1 << 64) - 1
STACK_RESERVE_BYTES: Final = 256 << 10
"""Kept free below the limit: for Python code that handles traps and host calls of a guest that is near it."""
PAGE_BYTES: Final = 4096

_lock: Final = process_lock()  # a signal handler or a destructor may call a guest for the first time while it is held

# The engine's own code and data may be used by other threads until the process ends, also when Python is gone: nothing here is ever freed.
_data: Final = [system.map_pages(PAGE_BYTES, system.PROT_READ | system.PROT_WRITE), 0]


def no_pages(error: OSError) -> MemoryError:
    """What is raised where the system has no pages for code, or none that may be run."""
    return MemoryError(f"no pages for machine code: {error}")


def permanent_bytes(size: int) -> int:
    """Address of zeroed bytes, at a multiple of 64, that stay until the process ends."""
    size = size + 63 & -64
    with _lock:
        if _data[1] + size > PAGE_BYTES:
            try:
                _data[0], _data[1] = system.map_pages(max(PAGE_BYTES, size), system.PROT_READ | system.PROT_WRITE), 0
            except OSError as error:
                raise no_pages(error) from error
        address = _data[0] + _data[1]
        _data[1] += size
        return address


def write_code(address: int, code: bytes | bytearray | memoryview) -> None:
    """Fill pages that nobody runs yet, and let them be run instead of written. For systems without files in memory, of which the same
    page can be mapped twice."""
    try:
        system.protect_pages(address, len(code), system.PROT_READ | system.PROT_WRITE)
        libc.view_at(address, len(code))[:] = code
        system.protect_pages(address, len(code), system.PROT_READ | system.PROT_EXEC)
    except OSError as error:
        raise no_pages(error) from error


@final
class PermanentCode:
    """The engine's own code: in pages of its own outside of the range of guest code, alive as long as the process."""

    def __init__(self) -> None:
        self._start = self._mirror = self._used = self._size = 0
        self._lock: Final = process_lock()  # what a destructor calls meanwhile may need code too

    def add(self, code: bytes) -> int:
        """Address of the code. MemoryError where there are no pages for it."""
        size = len(code) + 63 & -64
        with self._lock:
            if self._used + size > self._size:
                self._map(max(1 << 16, size + PAGE_BYTES - 1 & -PAGE_BYTES))
            at, start, mirror = self._used, self._start, self._mirror
            self._used = at + size
            if mirror:
                libc.view_at(mirror + at, len(code))[:] = code
            else:
                self._used = self._used + PAGE_BYTES - 1 & -PAGE_BYTES
                write_code(start + at, code)
            return start + at

    def _map(self, size: int) -> None:
        """Go on in other pages; where there are none, nothing has changed."""
        try:
            self._start, self._mirror = _code_pages(size)
        except OSError as error:
            raise no_pages(error) from error
        self._used, self._size = 0, size

    def forget_after_fork(self) -> None:
        """In the child: its pages are shared with the parent, so new code goes elsewhere."""
        self._used = self._size


def _code_pages(size: int) -> tuple[int, int]:
    """Where new pages are run and where they are written; 0 for the latter where that has to be the same place."""
    try:
        fd = system.anonymous_file(size)
    except OSError:
        return system.map_pages(size, system.PROT_READ | system.PROT_WRITE), 0
    try:
        mirror = system.map_pages(size, system.PROT_READ | system.PROT_WRITE, system.MAP_SHARED, fd)
        try:
            return system.map_pages(size, system.PROT_READ | system.PROT_EXEC, system.MAP_SHARED, fd), mirror
        except OSError:
            system.unmap_pages(mirror, size)
            raise
    finally:
        os.close(fd)


STUBS: Final = PermanentCode()
_kept: Final[list[object]] = []


def keep(hook: Callable[..., object]) -> int:
    """Address of a Python callable that generated code calls; it is never freed."""
    _kept.append(hook)
    return libc.immortal(hook)


# ---- control blocks

FIRST_BLOCK: Final = permanent_bytes(8)
"""Address of the word with the address of the first block."""
_blocks: Final[dict[int, memoryview]] = {}
_active: Final[Callable[[memoryview], int]] = itemgetter(layout.ACTIVE >> 3)


@lru_cache(maxsize=1)
def _slot() -> tuple[int, int]:
    a = Assembler()
    a.constant(RAX, 1)
    a.store(RDI, layout.IS_FREE, RAX)
    a.put(RET())
    return find_slot(libc.incoming(STUBS.add(a.finish())))


def thread_slot() -> int:
    """Distance from the thread pointer of the word with the address of the thread's block. OSError where there is none."""
    return _slot()[1]


def new_block() -> int:
    """Address of the calling thread's block, made now."""
    bottom, top = system.stack_range()
    with _lock:  # two threads that begin at the same time must not get the same one
        address = _free_block() or _added_block()
    words = _blocks[address]
    words[layout.THREAD_TOP >> 3] = top
    words[layout.THREAD_BOTTOM >> 3] = bottom + STACK_RESERVE_BYTES
    words[layout.IS_MAIN >> 3] = system.is_main_thread()
    if system.STACK_IS_TOUCHED:
        _toucher()(bottom + STACK_RESERVE_BYTES // 2, 0, 0)
    system.init_semaphore(address + layout.SEMAPHORE)
    system.set_thread_value(_slot()[0], address)
    return address


@lru_cache(maxsize=1)
def _toucher() -> Callable[[int, int, int], int]:
    """Touch the pages of the stack from here down to an address, so that large frames may begin anywhere above that."""
    a = Assembler()
    a.move(RAX, RSP)
    a.label("next")
    a.put(SUB_RM64_IMM32(RAX, PAGE_BYTES), CMP_R64_RM64(RAX, RDI))
    a.jump_if(CC_B, "done")
    a.load(RCX, RAX)
    a.jump("next")
    a.label("done")
    a.put(RET())
    return libc.word_function(STUBS.add(a.finish()))


def _free_block() -> int:
    """A block whose thread has ended, as good as new; 0 if there is none."""
    for address, words in _blocks.items():
        if words[layout.IS_FREE >> 3]:
            link = words[layout.NEXT >> 3]
            libc.view_at(address, layout.CONTROL_BYTES)[:] = bytes(layout.CONTROL_BYTES)
            words[layout.NEXT >> 3] = link
            return address
    return 0


def _added_block() -> int:
    address = permanent_bytes(layout.CONTROL_BYTES)
    words = _blocks[address] = libc.view_at(address, layout.CONTROL_BYTES).cast("Q")
    words[layout.NEXT >> 3] = libc.read_word(FIRST_BLOCK)
    libc.write_word(FIRST_BLOCK, address)
    return address


@lru_cache(maxsize=1)
def _reader() -> Callable[[], int]:
    a = Assembler()
    put_block(a, RDI)
    a.constant(RAX, libc.api_address("PyLong_FromLongLong"))
    a.put(b"\xff\xe0")  # jmp rax
    made: Callable[[], int] = libc.builtin(b"thread_block", STUBS.add(a.finish()))
    return made


@lru_cache(maxsize=1)
def _stack_reader() -> Callable[[], int]:
    a = Assembler()
    a.move(RDI, RSP)
    a.constant(RAX, libc.api_address("PyLong_FromLongLong"))
    a.put(b"\xff\xe0")  # jmp rax
    made: Callable[[], int] = libc.builtin(b"stack_pointer", STUBS.add(a.finish()))
    return made


def stack_pointer() -> int:
    """An address in the calling thread's stack below the frames of all guests that it runs."""
    return _stack_reader()()


def own_block() -> int:
    """Address of the calling thread's block."""
    return _reader()() or new_block()


def own_words() -> memoryview:
    """The calling thread's block as words."""
    return _blocks[own_block()]


def other_active_words() -> Iterator[int]:
    """For each other thread how many guests it runs; looking at the next one executes no bytecode.

    `RuntimeError` where a thread has come meanwhile.
    """
    own = own_block()
    return map(mul, map(_active, _blocks.values()), [address != own for address in list(_blocks)])


def is_active() -> bool:
    """True while a guest runs, or has called Python, in any thread."""
    return any(map(_active, list(_blocks.values())))  # another thread may add one meanwhile


def frames_are_visible(stack: int) -> bool:
    """True where all guests that the calling thread runs have their frames on its stack, above `stack`.

    Libraries that switch between stacks in a thread (greenlet) put frames aside, where nobody sees what guests hold in them.
    """
    block = own_block()
    words = _blocks[block]
    below, frame, top = stack, words[layout.ENTRY_SP >> 3], words[layout.THREAD_TOP >> 3]
    for _ in range(words[layout.ACTIVE >> 3]):
        if not below <= frame < top - ENTRY_LANDED or libc.read_word(frame + ENTRY_CONTROL) != block:
            return False
        below, frame = frame + 8, libc.read_word(frame + ENTRY_BEFORE)
    return True


@lru_cache(maxsize=1)
def _requester() -> Callable[[], None]:
    a = Assembler()
    a.put(SUB_RM64_IMM8(RSP, 24))
    put_flags(a)
    a.constant(RAX, FIRST_BLOCK)
    a.label("next")
    a.load(RAX, RAX)
    a.put(TEST_RM64_R64(RAX, RAX))
    a.jump_if(CC_E, "done")
    a.put(CMP_RM64_IMM8(Mem(RAX, layout.ACTIVE), 0))
    a.jump_if(CC_E, "idle")
    a.put(MOVDQA_XM128_XMM(Mem(RAX, layout.STACK_LIMIT), 0))
    a.label("idle")
    a.lea(RAX, RAX, layout.NEXT)
    a.jump("next")
    a.label("done")
    a.constant(RDI, id(None))
    a.call(libc.api_address("Py_IncRef"))
    a.constant(RAX, id(None))
    a.put(ADD_RM64_IMM8(RSP, 24), RET())
    made: Callable[[], None] = libc.builtin(b"request_poll", STUBS.add(a.finish()))
    return made


def request_poll() -> None:
    """Make running code of every thread look at its next poll whether it has to stop."""
    _requester()()


def forget_after_fork() -> None:
    """In the child: only the thread that forked is there, and it is the main one."""
    STUBS.forget_after_fork()
    mine = _reader()() if _blocks else 0
    for address, words in _blocks.items():
        words[layout.IS_MAIN >> 3] = address == mine
        if address != mine:
            words[layout.ACTIVE >> 3] = words[layout.THREAD_STATE >> 3] = 0
            words[layout.IS_FREE >> 3] = 1


# ---- pieces of code


def put_flags(a: Assembler) -> None:
    """(limit, interrupt) of a thread that is to poll in xmm0: one store sets both, so that nobody sees one without the other.

    Uses rax and the 16 bytes at rsp.
    """
    a.put(PCMPEQD(0, 0), MOVDQU_XM128_XMM(Mem(RSP), 0))
    a.constant(RAX, 1)
    a.store(RSP, 8, RAX)
    a.put(MOVDQU_XMM_XM128(0, Mem(RSP)))


_SEGMENT: Final = bytes((THREAD_SEGMENTS[SYSTEM],))


def put_block(a: Assembler, register: int = RBX) -> None:
    """The address of this thread's control block in a register."""
    a.put(_SEGMENT + MOV_R64_RM64(register, Mem(NO_REGISTER, thread_slot())))


def put_limit(a: Assembler, register: int, control: int = RBX) -> None:
    """`register` is the limit from now on; what was requested meanwhile stays requested. Uses rcx."""
    a.store(control, layout.REAL_LIMIT, register)
    a.constant(RCX, ALL_ONES)
    a.put(CMP_RM64_IMM8(Mem(control, layout.INTERRUPT), 0), CMOVCC_R64_RM64[CC_NE](register, RCX))
    a.store(control, layout.STACK_LIMIT, register)


ENTRY_BEFORE: Final = 8
"""In the frame of an activation's entry: that of the activation before it …"""
ENTRY_CONTROL: Final = 24
"""… the control block of its thread …"""
ENTRY_LANDED: Final = 56
"""… and the exception that arrived at a landing pad last (owned), or 0."""


def put_take_gil(a: Assembler) -> None:
    """Python can be called from here on; rbx: this thread's block. Uses every register that C functions may."""
    put_block(a)
    a.load(RDI, RBX, layout.THREAD_STATE)
    a.put(TEST_RM64_R64(RDI, RDI))
    held = f"held{len(a.code)}"
    a.jump_if(CC_E, held)
    put_restore(a)
    a.label(held)


def put_python_call(a: Assembler, hook: Callable[..., object]) -> None:
    """Call a Python function that takes nothing: rax is its result, 0 with an exception set. This thread has the GIL."""
    a.constant(RDI, keep(hook))
    for register in (RSI, RDX, RCX):
        a.constant(register, 0)
    a.call(libc.api_address("PyObject_Vectorcall"))


def put_restore(a: Assembler) -> None:
    """Take the GIL with the thread state in rdi; rbx: this thread's block."""
    a.call(libc.api_address("PyEval_RestoreThread"))
    a.constant(RAX, 0)
    a.store(RBX, layout.THREAD_STATE, RAX)


def put_release_gil(a: Assembler) -> None:
    """Other threads may run Python from here on; rbx: this thread's block."""
    a.call(libc.api_address("PyEval_SaveThread"))
    a.store(RBX, layout.THREAD_STATE, RAX)


def put_post(a: Assembler) -> None:
    """Wake who waits at the semaphore at rdi."""
    if system.SEMAPHORE_IS_POINTER:
        a.load(RDI, RDI)
    a.constant(RSI, 1)  # how often, and nowhere for how often before, where the system asks for that
    a.constant(RDX, 0)
    a.call(libc.c_address(system.POST_SEMAPHORE))


def put_resume(a: Assembler, context: int = R14) -> None:
    """Python has done its work for code of this context; rbx: this thread's block."""
    a.put(CMP_RM64_IMM8(Mem(context, layout.RELEASES), 0))
    kept = f"kept{len(a.code)}"
    a.jump_if(CC_E, kept)
    put_release_gil(a)
    a.label(kept)


def put_keep_activation(a: Assembler, slot: int) -> None:
    """About to call Python: put down at rsp + `slot` (16 bytes) which activation this is. rbx: this thread's block; uses rax."""
    for offset in (layout.ENTRY_SP, layout.REAL_LIMIT):
        a.load(RAX, RBX, offset)
        a.store(RSP, slot, RAX)
        slot += 8


def put_back_activation(a: Assembler, slot: int) -> None:
    """Python has returned, and may have run other activations that have not ended: greenlets do. Uses rax and rcx."""
    same, other = f"same{len(a.code)}", f"other{len(a.code)}"
    a.load(RAX, RSP, slot)
    a.put(CMP_R64_RM64(RAX, Mem(RBX, layout.ENTRY_SP)))
    a.jump_if(CC_NE, other)
    a.load(RAX, RSP, slot + 8)
    a.put(CMP_R64_RM64(RAX, Mem(RBX, layout.REAL_LIMIT)))
    a.jump_if(CC_E, same)
    a.label(other)
    a.load(RAX, RSP, slot)
    a.store(RBX, layout.ENTRY_SP, RAX)
    a.load(RAX, RSP, slot + 8)
    put_limit(a, RAX)
    a.label(same)


def put_unwind(a: Assembler) -> None:
    """Leave the innermost activation. A Python exception is set, and this thread has the GIL."""
    put_block(a, RAX)
    a.load(RSP, RAX, layout.ENTRY_SP)
    a.put(RET())


if CONVENTIONS[SYSTEM] is not SYSTEM_V:  # last: that module needs this one
    from purewasm.engine.native import conventions

    conventions.use()
if libc.lacks_api():
    from purewasm.engine.native import callbacks

    callbacks.use()
