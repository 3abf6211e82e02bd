"""What belongs to one instance: its arguments, environment, clocks, random numbers and open descriptors."""

from __future__ import annotations

import weakref

from purewasm import Interrupted
from purewasm.light_typing import TYPE_CHECKING, Final, TypeVar, final
from purewasm_wasi.waiting import NOTHING, PART_BYTES, SLICE_NS, wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm import Instance
    from purewasm_wasi.clocks import Clocks
    from purewasm_wasi.fdtable import FdTable
    from purewasm_wasi.quota import Quota

_Result = TypeVar("_Result")
CLOSED: Final = "the instance was closed while it ran"


@final
class Process:
    """The state that the functions of this package work on. `end` may be called more than once."""

    __slots__ = ("args", "clocks", "env", "fds", "instance", "quota", "random")

    def __init__(
        self,
        instance: Instance,
        args: tuple[bytes, ...],
        env: tuple[bytes, ...],
        clocks: Clocks,
        random: Callable[[int], bytes],
        fds: FdTable,
        quota: Quota,
    ) -> None:
        self.instance = weakref.ref(instance)
        self.args, self.env, self.clocks, self.random = args, env, clocks, random
        self.fds, self.quota = fds, quota

    def __repr__(self) -> str:
        return f"<Process of a guest with {len(self.fds)} open descriptors>"

    def check_interruption(self) -> None:
        """Raise what stops the guest, if its time is up or it was closed: asked in between by whoever lets it wait for long."""
        instance = self.instance()
        if instance is None:
            raise Interrupted(CLOSED)
        meter = instance.meter
        reason = CLOSED if instance.closed else meter.reason
        if reason is not None:
            raise meter.interruption(reason)

    def wait_readable(self, fd: int) -> None:
        """Wait until a host descriptor can be read without blocking."""
        while wait({fd}, set(), SLICE_NS) == NOTHING:
            self.check_interruption()

    def when_readable(self, fd: int, read: Callable[[], _Result]) -> _Result:
        """Wait until a host descriptor can be read, and do it; again if somebody else was faster and there is nothing left."""
        while True:
            self.wait_readable(fd)
            try:
                return read()
            except BlockingIOError:
                self.check_interruption()

    def when_possible(self, begin: Callable[[], _Result]) -> _Result:
        """Do what has nothing to wait at, again and again until it need not wait: a FIFO to write to that nobody reads yet."""
        while True:
            try:
                return begin()
            except BlockingIOError:
                wait(set(), set(), SLICE_NS // 10)
                self.check_interruption()

    def write_waiting(self, fd: int, write: Callable[[list[memoryview]], int], buffers: list[memoryview]) -> int:
        """Write all to what may have to wait for its reader, in parts that are taken at once when it is ready."""
        total = 0
        for buffer in buffers:
            for start in range(0, len(buffer), PART_BYTES):
                part = buffer[start : start + PART_BYTES]
                try:
                    taken = self._write_part(fd, write, part)
                except OSError:
                    if total:
                        return total  # the next call fails
                    raise
                total += taken
                if taken < len(part):
                    return total
        return total

    def _write_part(self, fd: int, write: Callable[[list[memoryview]], int], part: memoryview) -> int:
        while True:
            while wait(set(), {fd}, SLICE_NS) == NOTHING:
                self.check_interruption()
            try:
                return write([part])
            except BlockingIOError:  # somebody else was faster
                self.check_interruption()

    def finish(self) -> None:
        """The guest has ended: what it wrote is passed on completely. What fails is raised when all have been tried."""
        failure: Exception | None = None
        for descriptor in self.fds.all():
            try:
                descriptor.finish()
            except Exception as error:  # noqa: BLE001 (it is raised below)
                failure = failure or error
        if failure is not None:
            raise failure

    def end(self) -> None:
        """Finish, and let go of every descriptor. One that a call is using in another thread is closed when that call is over."""
        try:
            self.finish()
        finally:
            self.fds.clear()
