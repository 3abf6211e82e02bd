"""What a guest's file descriptor can do, and which errno it gives for what it cannot.

`Descriptor` answers every operation with the errno that preview 1 has for it where it makes no sense; each kind overrides what it
can do. The kinds: `stdio.InputStream`, `stdio.OutputStream`, `filesystem.File`, `filesystem.Directory` (abstract: one file system
each implements them), `sockets.Socket`.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING
from purewasm_wasi.errno import BADF, NOTSOCK, WasiError

if TYPE_CHECKING:
    from purewasm_wasi.layout import Fdstat, Filestat


class Readiness:
    """What `poll_oneoff` says of a descriptor that is ready: a number of bytes, and whether the other end hung up."""

    __slots__ = ("bytes", "hangup")

    def __init__(self, number_of_bytes: int = 1, hangup: bool = False) -> None:
        self.bytes, self.hangup = number_of_bytes, hangup


class Descriptor:
    """An open descriptor. Methods raise `WasiError`, or let the host's `OSError` through; buffers are views of guest memory."""

    __slots__ = ()

    def __del__(self) -> None:
        # Not closed while another thread is in the midst of using it: the host may give the number to another file at once.
        self.close()

    def fdstat(self) -> Fdstat:
        """Type, flags and rights."""
        raise WasiError(BADF)

    def filestat(self) -> Filestat:
        """Size, times and the like."""
        raise WasiError(BADF)

    def set_flags(self, flags: int) -> None:
        """Change the fdflags."""
        raise WasiError(BADF)

    def close(self) -> None:
        """Give the host's resources back. Called once more when the object is collected, which then does nothing."""

    def finish(self) -> None:
        """The guest has ended: nothing that it wrote may stay behind."""

    # Bytes

    def read(self, buffers: list[memoryview]) -> int:
        """Fill `buffers` from the current position; 0 at the end."""
        raise WasiError(BADF)

    def write(self, buffers: list[memoryview]) -> int:
        """Write `buffers` at the current position: how many bytes were taken."""
        raise WasiError(BADF)

    def write_one(self, data: memoryview) -> int:
        """Write one buffer, not empty, if that is done at once and without more ado: how many bytes were taken, else -1."""
        return -1

    def read_one(self, buffer: memoryview) -> int:
        """Fill one buffer, not empty, if that is done at once and without more ado: how many bytes came, else -1."""
        return -1

    def pread(self, buffers: list[memoryview], offset: int) -> int:
        """Fill `buffers` from `offset`, leaving the position alone."""
        raise WasiError(BADF)

    def pwrite(self, buffers: list[memoryview], offset: int) -> int:
        """Write `buffers` at `offset`, leaving the position alone."""
        raise WasiError(BADF)

    def seek(self, offset: int, whence: int) -> int:
        """Move the position: the new one."""
        raise WasiError(BADF)

    # Files

    def advise(self, offset: int, size: int, advice: int) -> None:
        """Say how a range will be used."""
        raise WasiError(BADF)

    def allocate(self, offset: int, size: int) -> None:
        """Make sure that a range is backed by storage, growing the file if it ends before."""
        raise WasiError(BADF)

    def set_size(self, size: int) -> None:
        """Cut the file, or grow it with zeros."""
        raise WasiError(BADF)

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """Set the times in nanoseconds; None leaves one as it is."""
        raise WasiError(BADF)

    def sync(self, *, data_only: bool) -> None:
        """Bring what was written to the storage."""
        raise WasiError(BADF)

    # Waiting

    def wait_read(self) -> int | None:
        """The host descriptor to wait on until a read does not block; None if it never does."""
        raise WasiError(BADF)

    def wait_write(self) -> int | None:
        """The same for a write."""
        raise WasiError(BADF)

    def blocks_reading(self) -> int | None:
        """The host descriptor that a read or an accept might wait on for long; None if it would not."""
        return None

    def blocks_writing(self) -> int | None:
        """The host descriptor that a write might wait on for long; None if it would not."""
        return None

    def readable(self) -> Readiness:
        """What there is to read, once `wait_read` is over."""
        return Readiness()

    # Sockets

    def accept(self, flags: int) -> Descriptor:
        """The next connection."""
        raise WasiError(NOTSOCK)

    def receive(self, buffers: list[memoryview], flags: int) -> tuple[int, int]:
        """Bytes received, and roflags."""
        raise WasiError(NOTSOCK)

    def send(self, buffers: list[memoryview]) -> int:
        """Bytes sent."""
        raise WasiError(NOTSOCK)

    def shutdown(self, how: int) -> None:
        """End one direction or both."""
        raise WasiError(NOTSOCK)
