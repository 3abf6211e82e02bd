"""Processes that work for this one: how they are started, and the two pipes to each of them.

    fork    the worker has everything at once, as it was here: what is imported, the module that was decoded. Only on Linux, and only
            where this process has no thread but the one that asks: no lock can be held for ever by a thread that is not there
    spawn   a Python of its own, with nothing but this package's modules: it imports and decodes again

Either has no file of this process but its two pipes, runs none of its handlers, and ends without them.
"""

from __future__ import annotations

import gc
import marshal
import os
import sys
from contextlib import suppress

from purewasm.engine.native.libc import system
from purewasm.light_typing import TYPE_CHECKING, Final, NoReturn, final

if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Callable
else:
    import _signal  # `signal` makes its constants enumerations, which takes longer than starting a copy of a process

REQUESTS: Final = 0
REPLIES: Final = 1
"""What a worker reads from, and what it writes to."""
_START: Final = (
    "import marshal, os, sys; file = {}; job = marshal.loads(os.pread(file, os.fstat(file).st_size, 0)); os.close(file); "
    "sys.path[:] = job[0]; from purewasm.engine.native.ahead_worker import serve_spawned; serve_spawned(*job[1:])"
)
_SIGKILL: Final = 9
_STANDARD: Final = 3
"""So many descriptors are standard streams."""
_FILES: Final = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
_READ_BYTES: Final = 1 << 20
_FORKED_PAGES: Final = 1 << 17
"""A process with more in memory is not forked: its page tables alone would take long to copy."""


@final
class WorkerProcess:
    """A process, and what it has sent that nobody has looked at."""

    __slots__ = ("buffer", "pid", "replies", "requests")

    def __init__(self, start: Callable[[int, int], int]) -> None:
        """`start` makes the process for two pipes. `OSError` where it cannot be started."""
        its_requests, self.requests = os.pipe()
        try:
            self.replies, its_replies = os.pipe()
            try:
                if min(its_requests, its_replies) < _STANDARD:
                    raise OSError("standard streams are closed, and their numbers are used for something else")
                self.pid = start(its_requests, its_replies)
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

    def send(self, content: bytes) -> None:
        with suppress(OSError):  # it does not read, or has ended: it need not know
            os.write(self.requests, content)

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


def can_fork() -> bool:
    """True where a copy of this process can work without harm to anybody."""
    if sys.platform != "linux" or "greenlet" in sys.modules or sys.gettrace() is not None or sys.getprofile() is not None:
        return False  # what switches between stacks, or looks on, would do that in the copy as well
    try:
        with open("/proc/self/statm", "rb", buffering=0) as file:
            pages = int(file.read().split()[1])
        return pages < _FORKED_PAGES and len(os.listdir("/proc/self/task")) == 1
    except (OSError, ValueError, IndexError):
        return False


def fork(work: Callable[[], None]) -> WorkerProcess:
    """A copy of this process that does some work and ends. Asked for only if `can_fork`."""
    return WorkerProcess(lambda requests, replies: _fork(work, requests, replies))


def _fork(work: Callable[[], None], requests: int, replies: int) -> int:
    blocked = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals())  # none of this process's handlers runs in the copy
    try:
        pid = os.fork()
        if pid == 0:
            _work_and_end(work, requests, replies, blocked)
        return pid
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, blocked)


def _work_and_end(work: Callable[[], None], requests: int, replies: int, blocked: set[int]) -> NoReturn:
    try:
        gc.disable()
        os.dup2(requests, REQUESTS)
        os.dup2(replies, REPLIES)
        os.dup2(os.open(os.devnull, os.O_WRONLY), _STANDARD - 1)
        close_files()
        _signal.set_wakeup_fd(-1)
        for handled in _signal.valid_signals():
            if callable(_signal.getsignal(handled)):
                _signal.signal(handled, _signal.SIG_DFL)
        _signal.signal(_signal.SIGINT, _signal.SIG_IGN)  # Ctrl-C is for the process that started it
        _signal.pthread_sigmask(_signal.SIG_SETMASK, blocked)
        work()
    finally:
        os._exit(0)  # nothing of the other process's is done a second time: no `finally`, no `atexit`, no full buffer


def close_files() -> None:
    """Close all but the standard streams: somebody may wait for the end of a pipe that this process has by chance."""
    for number in map(int, os.listdir(_FILES)):
        if number >= _STANDARD:
            with suppress(OSError):  # the one that the list was read from
                os.close(number)


def spawn(job: tuple[bytes | int | tuple[int, bool, bool, bool], ...]) -> WorkerProcess:
    """A fresh Python that calls `ahead_worker.serve_spawned(*job)`. `OSError` where there is none to start."""
    if not sys.executable or not hasattr(os, "posix_spawn") or getattr(sys, "frozen", False):
        raise OSError("there is no Python to start")
    content = marshal.dumps(([*map(str, sys.path)], *job))
    file = system.anonymous_file(len(content))
    try:
        at = 0
        while at < len(content):
            at += os.pwrite(file, memoryview(content)[at:], at)
        return WorkerProcess(lambda requests, replies: _spawn(file, requests, replies))
    finally:
        os.close(file)


def _spawn(job_file: int, requests: int, replies: int) -> int:
    ours = (job_file, requests, replies)
    its_file = next(number for number in range(_STANDARD, _STANDARD + len(ours) + 1) if number not in ours)
    duplicates = [
        (os.POSIX_SPAWN_DUP2, job_file, its_file),
        (os.POSIX_SPAWN_DUP2, requests, REQUESTS),
        (os.POSIX_SPAWN_DUP2, replies, REPLIES),
    ]
    silence = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
    command = [sys.executable, "-S", "-c", _START.format(its_file)]
    return os.posix_spawn(sys.executable, command, os.environ, file_actions=[*duplicates, silence])
