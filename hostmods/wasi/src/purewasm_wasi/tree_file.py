"""What a guest has open where it opened a file of a tree: it answers as a real file does, errno by errno."""

from __future__ import annotations

from purewasm.light_typing import Final, final
from purewasm_wasi.descriptor import Readiness
from purewasm_wasi.errno import BADF, FBIG, INVAL, WasiError
from purewasm_wasi.filesystem import File
from purewasm_wasi.flags import (
    FDFLAG_APPEND,
    FDFLAG_DSYNC,
    FDFLAG_NONBLOCK,
    FDFLAG_RSYNC,
    FDFLAG_SYNC,
    FILETYPE_REGULAR_FILE,
    WHENCE_CUR,
    WHENCE_END,
    file_rights,
)
from purewasm_wasi.layout import I64_MAX, Fdstat, Filestat
from purewasm_wasi.tree_nodes import Leaf, View

_SYNC_FDFLAGS: Final = FDFLAG_DSYNC | FDFLAG_RSYNC | FDFLAG_SYNC
_ACCEPTED_FDFLAGS: Final = FDFLAG_APPEND | FDFLAG_NONBLOCK


@final
class TreeFile(File):
    """An open file."""

    __slots__ = ("_closed", "_flags", "_leaf", "_position", "_readable", "_view", "_writable")

    filetype = FILETYPE_REGULAR_FILE

    def __init__(self, view: View, leaf: Leaf, flags: int, *, readable: bool, writable: bool) -> None:
        self._closed = True
        self._view, self._leaf, self._flags = view, leaf, flags
        self._readable, self._writable = readable, writable
        self._position = 0
        leaf.opened()
        self._closed = False

    def close(self) -> None:
        closed, self._closed = self._closed, True
        if not closed:
            with self._view.lock:
                self._leaf.closed()

    def fdstat(self) -> Fdstat:
        rights = file_rights(readable=self._readable, writable=self._writable)
        return Fdstat(self.filetype, self._flags, rights, rights)

    def filestat(self) -> Filestat:
        with self._view.lock:
            return self._view.filestat(self._leaf)

    def set_flags(self, flags: int) -> None:
        if flags & ~_ACCEPTED_FDFLAGS:
            raise WasiError(INVAL)
        self._flags = self._flags & _SYNC_FDFLAGS | flags

    def read(self, buffers: list[memoryview]) -> int:
        with self._view.lock:
            size = self.pread(buffers, self._position)
            self._position += size
            return size

    def read_one(self, buffer: memoryview) -> int:
        if not self._readable:
            return -1
        with self._view.lock:
            size = self._leaf.read_into(self._position, buffer)
            self._position += size
            return size

    def write_one(self, data: memoryview) -> int:
        if not self._writable or self._flags or self._position + len(data) > I64_MAX:
            return -1
        with self._view.lock:
            size = self._leaf.write_from(self._position, data, self._view.now())
            self._position += size
            return size

    def pread(self, buffers: list[memoryview], offset: int) -> int:
        if not self._readable:
            raise WasiError(BADF)
        _check_offset(offset)
        total = 0
        with self._view.lock:
            for buffer in buffers:
                size = self._leaf.read_into(offset + total, buffer)
                total += size
                if size < len(buffer):
                    break
        return total

    def write(self, buffers: list[memoryview]) -> int:
        with self._view.lock:
            if self._flags & FDFLAG_APPEND:
                self._position = self._leaf.size()
            size = self._write(buffers, self._position)
            self._position += size
            return size

    def pwrite(self, buffers: list[memoryview], offset: int) -> int:
        _check_offset(offset)
        # As `pwritev` of Linux does it: with the flag, the offset counts for nothing.
        with self._view.lock:
            return self._write(buffers, self._leaf.size() if self._flags & FDFLAG_APPEND else offset)

    def _write(self, buffers: list[memoryview], offset: int) -> int:
        if not self._writable:
            raise WasiError(BADF)
        total, now = 0, self._view.now()
        for buffer in buffers:
            if offset + total + len(buffer) > I64_MAX:
                raise WasiError(FBIG)
            try:
                size = self._leaf.write_from(offset + total, buffer, now)
            except WasiError:
                if total:
                    break  # what was taken is told first; the next call fails
                raise
            total += size
            if size < len(buffer):
                break
        if total and self._flags & _SYNC_FDFLAGS:
            self._leaf.sync()
        return total

    def seek(self, offset: int, whence: int) -> int:
        with self._view.lock:
            start = self._position if whence == WHENCE_CUR else self._leaf.size() if whence == WHENCE_END else 0
            if not 0 <= start + offset <= I64_MAX:
                raise WasiError(INVAL)
            self._position = start + offset
            return self._position

    def advise(self, offset: int, size: int, advice: int) -> None:
        """Nothing here could be faster for it."""

    def allocate(self, offset: int, size: int) -> None:
        self._view.check_changeable()
        if not size:
            raise WasiError(INVAL)
        if offset + size > I64_MAX:
            raise WasiError(FBIG)
        if not self._writable:
            raise WasiError(BADF)
        with self._view.lock:
            if offset + size > self._leaf.size():
                self._leaf.resize(offset + size, self._view.now())

    def set_size(self, size: int) -> None:
        self._view.check_changeable()
        _check_offset(size)
        if not self._writable:
            raise WasiError(INVAL)
        with self._view.lock:
            self._leaf.resize(size, self._view.now())

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        self._view.check_changeable()
        with self._view.lock:
            self._leaf.set_times(atim, mtim, self._view.now())

    def sync(self, *, data_only: bool) -> None:
        with self._view.lock:
            self._leaf.sync()

    def finish(self) -> None:
        self.sync(data_only=True)

    def readable(self) -> Readiness:
        with self._view.lock:
            left = max(0, self._leaf.size() - self._position)
        return Readiness(left, hangup=not left)


def _check_offset(offset: int) -> None:
    if offset > I64_MAX:
        raise WasiError(INVAL)
