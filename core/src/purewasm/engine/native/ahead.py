"""Functions that other processes compile before the guest calls them, for large modules of runtimes with `workers` that are not eager.

While the guest runs, and while this process compiles what is called, `ahead_worker` compiles what is likely to be called next. Whoever
needs a function asks here first:

    made already     it is taken
    begun            it is waited for, but no longer than it would take to compile it here
    anything else    the caller compiles it, and the workers are told: what it calls is likely to be next

Functions that have baseline code first are not waited for. The workers are told of them too, and make them before all others, so that
those that turn out to be hot have been optimized meanwhile.

What a function is compiled to depends on the module and the options alone, so it does not matter who compiled it. A worker that cannot be
started, dies or does not answer is no error. Workers end when their standard input does, as it does with this process, when they are
stopped, and when nothing is asked for a while.

They are started before the module's bodies are validated, so that they work meanwhile: copies of this process compile what they have
validated themselves, and first help with the validation where there is much of it; others wait until they are told that the module is
valid.
"""

from __future__ import annotations

import _thread
import atexit
import marshal
import os
import weakref
from struct import Struct
from time import monotonic

from purewasm.engine.native import ahead_process
from purewasm.engine.native.compilers import is_small
from purewasm.light_typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purewasm.engine.native.ahead_process import WorkerProcess
    from purewasm.engine.protocol import CompileOptions
    from purewasm.engine.workers import Parts
    from purewasm.wasm.module import WasmModule

LEAST_BYTES: Final = 1 << 17
"""Of function bodies: a smaller module is compiled by the time a worker has started that is no copy of this process."""
HEADER: Final = Struct("<II")
"""What workers send: a function and how many bytes of parts follow. In the place of those BEGUN says that it has been begun, CHECKED that
it and all behind it are valid."""
BEGUN: Final = 0xFFFF_FFFF
CHECKED: Final = 0xFFFF_FFFE
REQUEST: Final = Struct("<I")
"""What they are sent: a function that somebody needs, the same with CALLED where it has baseline code meanwhile, or IS_VALID."""
CALLED: Final = 1 << 31
IS_VALID: Final = 0xFFFF_FFFF
_FAILED_WAITS: Final = 3
"""After so many waits in vain nobody waits any more: workers do not get a processor."""


def is_large(module: WasmModule) -> bool:
    """Whether there is something to do for workers."""
    return not is_small(module) and (module.code_bytes >= LEAST_BYTES or ahead_process.can_fork())


@final
class Ahead:
    """The workers of one module."""

    __slots__ = (
        "__weakref__",
        "_begun",
        "_bytes",
        "_checked_from",
        "_failed_waits",
        "_is_busy",
        "_lock",
        "_made",
        "_module",
        "_options",
        "_owner",
        "_seconds",
        "_workers",
    )

    def __init__(
        self, module: WasmModule, options: CompileOptions, cpu: int, count: int, check: Callable[[int], None] | None = None
    ) -> None:
        """Starts `count` processes, or as many as can be. Where the module is not validated yet, `check` does it for a body."""
        self._module: Final = module
        self._options: Final = options
        self._lock: Final = _thread.RLock()  # a signal handler may close the runtime in the middle
        self._is_busy = False
        self._failed_waits = 0
        self._seconds = self._bytes = 0.0
        """How long this process has taken to compile how much."""
        self._owner: Final = os.getpid()
        self._checked_from = len(module.func_types)
        self._begun: Final[dict[int, WorkerProcess]] = {}
        self._made: Final[dict[int, bytes]] = {}
        self._workers: Final[list[WorkerProcess]] = []
        start = _fork if ahead_process.can_fork() else _spawn
        for number in range(count):
            try:
                self._workers.append(start(module, options, (cpu, number, count), check))
            except (OSError, RuntimeError):  # there may be no more processes, or an interpreter that is not the main one may not fork
                break
        _running.add(self)

    def makes(self, module: WasmModule, options: CompileOptions) -> bool:
        """Whether its functions are those of a module compiled with these options."""
        return module is self._module and options == self._options

    def checked_from(self) -> int:
        """Copies of this process check functions from the last one on."""
        with self._lock:
            self._receive()
        return self._checked_from

    def note_valid(self) -> None:
        """The module has been validated."""
        with self._lock:
            self._tell(IS_VALID)

    @property
    def pids(self) -> list[int]:
        """Processes that have not ended as far as is known."""
        return [worker.pid for worker in self._workers]

    def take(self, index: int, *, wait: bool = True) -> Parts | None:
        """The parts of a function that is needed now; None if the caller has to compile it. Without `wait` he has baseline code for it, and
        can take it later."""
        if not self._workers or os.getpid() != self._owner or not self._lock.acquire(blocking=False):
            return None  # a thread that would wait for another one compiles instead
        if self._is_busy:  # and so does a signal handler
            self._lock.release()
            return None
        try:
            self._is_busy = True
            self._receive()
            if wait and index in self._begun and index not in self._made and self._bytes and self._failed_waits < _FAILED_WAITS:
                self._wait(index)
            made = self._made.pop(index, None)
            if wait or made is not None:
                self._tell(index)
                self._begun.pop(index, None)
            elif index not in self._begun:
                self._tell(CALLED | index)
        finally:
            self._is_busy = False
            self._lock.release()
        return None if made is None else marshal.loads(made)

    def _tell(self, message: int) -> None:
        for worker in self._workers:
            worker.send(REQUEST.pack(message))

    def _receive(self) -> None:
        for worker in tuple(self._workers):
            is_running = worker.receive()
            for index, made in _messages(worker.buffer):
                if made == CHECKED:
                    self._checked_from = min(self._checked_from, index)
                elif isinstance(made, int):
                    self._begun[index] = worker
                else:
                    self._made[index] = made
            if not is_running:
                self._forget(worker)

    def _forget(self, worker: WorkerProcess) -> None:
        if worker in self._workers:
            self._workers.remove(worker)
        worker.stop(is_ours=True)
        for index in [index for index, other in self._begun.items() if other is worker]:
            del self._begun[index]

    def _wait(self, index: int) -> None:
        import select

        end = monotonic() + self._module.body_bytes(index) * self._seconds / self._bytes
        while index not in self._made and (worker := self._begun.get(index)) is not None and (left := end - monotonic()) > 0:
            poll = select.poll()
            poll.register(worker.replies, select.POLLIN)
            poll.poll(left * 1e3)
            self._receive()
        self._failed_waits += index not in self._made

    def note_compiled(self, index: int, seconds: float) -> None:
        """The caller has compiled a function itself."""
        self._seconds += seconds
        self._bytes += self._module.body_bytes(index)

    def stop(self) -> None:
        """End all workers. Idempotent."""
        with self._lock:
            for worker in self._workers:
                worker.stop(is_ours=os.getpid() == self._owner)
            self._workers.clear()
            self._begun.clear()

    def __del__(self) -> None:
        self.stop()


def _messages(buffer: bytearray) -> Iterator[tuple[int, bytes | int]]:
    """The functions in what was received, which is taken away: their parts, or BEGUN or CHECKED."""
    at = 0
    while at + HEADER.size <= len(buffer):
        index, size = HEADER.unpack_from(buffer, at)
        start = at + HEADER.size
        end = start if size >= CHECKED else start + size
        if end > len(buffer):
            break
        at = end
        yield index, size if size >= CHECKED else bytes(buffer[start:end])
    del buffer[:at]


def _fork(
    module: WasmModule, options: CompileOptions, share: tuple[int, int, int], check: Callable[[int], None] | None
) -> WorkerProcess:
    def work() -> None:
        from purewasm.engine.native.ahead_worker import serve  # for the copy alone

        serve(module, options, *share, check)

    return ahead_process.fork(work)


def _spawn(
    module: WasmModule, options: CompileOptions, share: tuple[int, int, int], _check: Callable[[int], None] | None
) -> WorkerProcess:
    plain = (options.features.bits, options.fuel, options.interruptible, options.debug_info)
    return ahead_process.spawn((module.source, plain, *share))


_running: Final[weakref.WeakSet[Ahead]] = weakref.WeakSet()


def _stop_all() -> None:
    for ahead in tuple(_running):
        ahead.stop()


atexit.register(_stop_all)
