"""The functions `fd_…` that move bytes, the position, or a directory's entries."""

from __future__ import annotations

from functools import partial
from itertools import chain

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm_wasi.errno import INVAL, WasiError
from purewasm_wasi.filesystem import DirectoryEntry, as_directory
from purewasm_wasi.flags import FILETYPE_DIRECTORY, WHENCE_END, WHENCE_OF_UNSTABLE
from purewasm_wasi.guest_memory import check, gather, write_u32, write_u64
from purewasm_wasi.layout import DIRENT, I64_MAX, U64_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purewasm import Memory
    from purewasm_wasi.filesystem import Directory
    from purewasm_wasi.process import Process

_DOTS: Final = (b".", b"..")


def fd_read(process: Process, memory: Memory, fd: int, iovs: int, count: int, result: int) -> None:
    """Read at the current position and store how many bytes came."""
    view = memory.view()
    check(view, result, 4, 4)
    buffers = gather(view, iovs, count)
    descriptor = process.fds.get(fd)
    if buffers and (host := descriptor.blocks_reading()) is not None:
        size = process.when_readable(host, partial(descriptor.read, buffers))
    else:
        size = descriptor.read(buffers)
    write_u32(memory, result, size)


def fd_pread(process: Process, memory: Memory, fd: int, iovs: int, count: int, offset: int, result: int) -> None:
    """Read at `offset` and store how many bytes came."""
    view = memory.view()
    check(view, result, 4, 4)
    buffers = gather(view, iovs, count)
    write_u32(memory, result, process.fds.get(fd).pread(buffers, offset))


def fd_write(process: Process, memory: Memory, fd: int, iovs: int, count: int, result: int) -> None:
    """Write at the current position and store how many bytes went."""
    view = memory.view()
    check(view, result, 4, 4)
    buffers = gather(view, iovs, count)
    descriptor = process.fds.get(fd)
    limited = process.quota.limited
    if limited:
        buffers = process.quota.cut(descriptor, buffers)
    if buffers and (host := descriptor.blocks_writing()) is not None:
        size = process.write_waiting(host, descriptor.write, buffers)
    else:
        size = descriptor.write(buffers)
    if limited:
        process.quota.took(descriptor, size)
    write_u32(memory, result, size)


def fd_pwrite(process: Process, memory: Memory, fd: int, iovs: int, count: int, offset: int, result: int) -> None:
    """Write at `offset` and store how many bytes went."""
    view = memory.view()
    check(view, result, 4, 4)
    buffers = gather(view, iovs, count)
    descriptor = process.fds.get(fd)
    size = descriptor.pwrite(process.quota.cut(descriptor, buffers), offset)
    process.quota.took(descriptor, size)
    write_u32(memory, result, size)


def fd_seek(process: Process, memory: Memory, fd: int, offset: int, whence: int, result: int) -> None:
    """Move the position and store the new one. `offset` is signed."""
    check(memory, result, 8, 8)
    if whence > WHENCE_END:
        raise WasiError(INVAL)
    write_u64(memory, result, process.fds.get(fd).seek(offset, whence))


def fd_seek_unstable(process: Process, memory: Memory, fd: int, offset: int, whence: int, result: int) -> None:
    """`fd_seek` with the whence values of `wasi_unstable`."""
    fd_seek(process, memory, fd, offset, WHENCE_OF_UNSTABLE.get(whence, WHENCE_END + 1), result)


def fd_tell(process: Process, memory: Memory, fd: int, result: int) -> None:
    """Store the position."""
    check(memory, result, 8, 8)
    write_u64(memory, result, process.fds.get(fd).seek(0, 1))


def fd_readdir(process: Process, memory: Memory, fd: int, buffer: int, size: int, cookie: int, result: int) -> None:
    """Store entries of a directory from `cookie` on, the last one cut where the buffer ends, and how many bytes they take.

    Cookies count entries: `.` is 0, `..` is 1. A guest that starts at 0 gets the directory as it is then, and goes on with that.
    """
    check(memory, result, 4, 4)
    check(memory, buffer, size)
    directory = as_directory(process.fds.get(fd))
    if directory.listing is None or not cookie:
        directory.listing = directory.entries()
    used = 0
    for record in _dirents(directory, directory.listing, min(cookie, I64_MAX)):
        part = record[: size - used]
        memory.write(buffer + used, part)
        used += len(part)
        if used == size:
            break
    write_u32(memory, result, used)


def _dirents(directory: Directory, listing: Sequence[DirectoryEntry], cookie: int) -> Iterator[bytes]:
    # The inode of `..` is not the guest's to know where it lies outside; its own stands for it, as for `.`.
    ino = directory.filestat().ino if cookie < len(_DOTS) else 0
    dots = (DirectoryEntry(name, ino, FILETYPE_DIRECTORY) for name in _DOTS[cookie:])
    rest = (listing[index] for index in range(max(0, cookie - len(_DOTS)), len(listing)))
    for following, entry in enumerate(chain(dots, rest), cookie + 1):
        yield DIRENT.pack(following, entry.ino & U64_MAX, len(entry.name), entry.filetype) + entry.name
