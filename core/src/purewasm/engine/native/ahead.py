"""Functions that other processes compile before the guest calls them, for large modules of runtimes with `workers` that are not eager.

While the guest runs, and while this process compiles what is called, `ahead_worker` compiles what is likely to be called next. Whoever
needs a function asks here first:

    made already     it is taken
    begun            it is waited for, but no longer than it would take to compile it here
    anything else    the caller compiles it, and the workers are told: what it calls is likely to be next

What a function is compiled to depends on the module and the options alone, so it does not matter who compiled it. A worker that cannot be
started, dies or does not answer is no error. Workers end when their standard input does, as it does with this process, when they are
stopped, and when nothing is asked for a while.
"""

from __future__ import annotations

import _thread
import atexit
import marshal
import os
import sys
import weakref
from contextlib import suppress
from struct import Struct
from time import monotonic

from purewasm.engine.native.libc import system
from purewasm.light_typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purewasm.engine.protocol import CompileOptions
    from purewasm.engine.workers import Parts
    from purewasm.wasm.module import WasmModule

LEAST_BYTES: Final = 1 << 17
"""Of function bodies: a smaller module is compiled by the time a worker has started."""
HEADER: Final = Struct("<II")
"""What workers send: a function and how many bytes of parts follow; BEGUN in the place of those says that it has been begun."""
BEGUN: Final = 0xFFFF_FFFF
REQUEST: Final = Struct("<I")
"""What they are sent: a function that somebody needs."""
_START: Final = (
    "import marshal, os, sys; file = {}; job = marshal.loads(os.pread(file, os.fstat(file).st_size, 0)); os.close(file); "
    "sys.path[:] = job[0]; from purewasm.engine.native.ahead_worker import serve; serve(*job[1:])"
)
_SIGKILL: Final = 9
_STANDARD: Final = 3
"""So many descriptors are standard streams."""
_FAILED_WAITS: Final = 3
"""After so many waits in vain nobody waits any more: workers do not get a processor."""
_READ_BYTES: Final = 1 << 20


@final
class _Worker:
    """A process, and what it has sent so far."""

    __slots__ = ("buffer", "pid", "replies", "requests")

    def __init__(self, job_file: int) -> None:
        """`OSError` where it cannot be started."""
        its_requests, self.requests = os.pipe()
        try:
            self.replies, its_replies = os.pipe()
            try:
                self.pid = _spawn(job_file, its_requests, its_replies)
            except BaseException:
                os.close(self.replies)
                raise
            finally:
                os.close(its_replies)
        except BaseException:
            os.close(self.requests)
            raise
        finally:
            os.close(its_requests)
        os.set_blocking(self.requests, False)
        os.set_blocking(self.replies, False)
        self.buffer = bytearray()

    def receive(self) -> bool:
        """Take what it has sent; False if it has ended."""
        while True:
            try:
                piece = os.read(self.replies, _READ_BYTES)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not piece:
                return False
            self.buffer += piece

    def messages(self) -> Iterator[tuple[int, bytes | None]]:
        """The functions in what was received: their parts, or None for one that has been begun."""
        at, buffer = 0, self.buffer
        while at + HEADER.size <= len(buffer):
            index, size = HEADER.unpack_from(buffer, at)
            start = at + HEADER.size
            end = start if size == BEGUN else start + size
            if end > len(buffer):
                break
            at = end
            yield index, None if size == BEGUN else bytes(buffer[start:end])
        del buffer[:at]

    def tell(self, index: int) -> None:
        with suppress(OSError):  # it does not read, or has ended: it need not know
            os.write(self.requests, REQUEST.pack(index))

    def stop(self, *, is_ours: bool) -> None:
        """End it. In the child of a fork it is somebody else's. Idempotent."""
        if self.replies < 0:
            return
        os.close(self.requests)
        os.close(self.replies)
        self.requests = self.replies = -1
        if is_ours:
            with suppress(OSError):  # whoever waits for all children has seen it end
                os.kill(self.pid, _SIGKILL)
                os.waitpid(self.pid, 0)


def _spawn(job_file: int, requests: int, replies: int) -> int:
    ours = (job_file, requests, replies)
    if min(ours) < _STANDARD:
        raise OSError("standard streams are closed, and their numbers are used for something else")
    its_file = next(number for number in range(_STANDARD, _STANDARD + len(ours) + 1) if number not in ours)
    duplicates = [(os.POSIX_SPAWN_DUP2, job_file, its_file), (os.POSIX_SPAWN_DUP2, requests, 0), (os.POSIX_SPAWN_DUP2, replies, 1)]
    silence = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
    command = [sys.executable, "-S", "-c", _START.format(its_file)]
    return os.posix_spawn(sys.executable, command, os.environ, file_actions=[*duplicates, silence])


@final
class Ahead:
    """The workers of one module."""

    __slots__ = (
        "__weakref__",
        "_begun",
        "_bytes",
        "_failed_waits",
        "_is_busy",
        "_lock",
        "_made",
        "_module",
        "_owner",
        "_seconds",
        "_workers",
    )

    def __init__(self, module: WasmModule, options: CompileOptions, cpu: int, count: int) -> None:
        """Starts `count` processes, or as many as can be."""
        self._module: Final = module
        self._lock: Final = _thread.RLock()  # a signal handler may close the runtime in the middle
        self._is_busy = False
        self._failed_waits = 0
        self._seconds = self._bytes = 0.0
        """How long this process has taken to compile how much."""
        self._owner: Final = os.getpid()
        self._begun: Final[dict[int, _Worker]] = {}
        self._made: Final[dict[int, bytes]] = {}
        self._workers: Final[list[_Worker]] = []
        for number in range(count if _can_start() else 0):
            plain = (options.features.bits, options.fuel, options.interruptible, options.debug_info)
            job = marshal.dumps(([*map(str, sys.path)], module.source, plain, cpu, number, count))
            try:
                self._workers.append(_start(job))
            except OSError:
                break
        _running.add(self)

    @property
    def pids(self) -> list[int]:
        """Processes that have not ended as far as is known."""
        return [worker.pid for worker in self._workers]

    def take(self, index: int) -> Parts | None:
        """The parts of a function that is needed now; None if the caller has to compile it."""
        if not self._workers or os.getpid() != self._owner or not self._lock.acquire(blocking=False):
            return None  # a thread that would wait for another one compiles instead
        if self._is_busy:  # and so does a signal handler
            self._lock.release()
            return None
        try:
            self._is_busy = True
            self._receive()
            if index in self._begun and index not in self._made and self._bytes and self._failed_waits < _FAILED_WAITS:
                self._wait(index)
            for worker in self._workers:
                worker.tell(index)
            made = self._made.pop(index, None)
            self._begun.pop(index, None)
        finally:
            self._is_busy = False
            self._lock.release()
        return None if made is None else marshal.loads(made)

    def _receive(self) -> None:
        for worker in tuple(self._workers):
            is_running = worker.receive()
            for index, made in worker.messages():
                if made is None:
                    self._begun[index] = worker
                else:
                    self._made[index] = made
            if not is_running:
                self._forget(worker)

    def _forget(self, worker: _Worker) -> None:
        if worker in self._workers:
            self._workers.remove(worker)
        worker.stop(is_ours=True)
        for index in [index for index, other in self._begun.items() if other is worker]:
            del self._begun[index]

    def _wait(self, index: int) -> None:
        import select

        end = monotonic() + self._size(index) * self._seconds / self._bytes
        while index not in self._made and (worker := self._begun.get(index)) is not None and (left := end - monotonic()) > 0:
            poll = select.poll()
            poll.register(worker.replies, select.POLLIN)
            poll.poll(left * 1e3)
            self._receive()
        self._failed_waits += index not in self._made

    def note_compiled(self, index: int, seconds: float) -> None:
        """The caller has compiled a function itself."""
        self._seconds += seconds
        self._bytes += self._size(index)

    def _size(self, index: int) -> int:
        body = self._module.codes[index - self._module.imported_functions]
        return body.end - body.start

    def stop(self) -> None:
        """End all workers. Idempotent."""
        with self._lock:
            for worker in self._workers:
                worker.stop(is_ours=os.getpid() == self._owner)
            self._workers.clear()
            self._begun.clear()

    def __del__(self) -> None:
        self.stop()


def _can_start() -> bool:
    return bool(sys.executable) and hasattr(os, "posix_spawn") and not getattr(sys, "frozen", False)


def _start(job: bytes) -> _Worker:
    file = system.anonymous_file(len(job))
    try:
        at = 0
        while at < len(job):
            at += os.pwrite(file, memoryview(job)[at:], at)
        return _Worker(file)
    finally:
        os.close(file)


_running: Final[weakref.WeakSet[Ahead]] = weakref.WeakSet()


def _stop_all() -> None:
    for ahead in tuple(_running):
        ahead.stop()


atexit.register(_stop_all)
