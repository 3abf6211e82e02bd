"""The functions `fd_…` on descriptors as such: their flags, attributes, times, sizes, numbers, and the preopened directories."""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING
from purewasm_wasi.errno import BADF, INVAL, NAMETOOLONG, NOTDIR, NOTSUP, WasiError
from purewasm_wasi.filesystem import Directory, File
from purewasm_wasi.flags import (
    ALL_ADVICES,
    ALL_FDFLAGS,
    ALL_FSTFLAGS,
    FST_ATIM,
    FST_ATIM_NOW,
    FST_MTIM,
    FST_MTIM_NOW,
    PREOPEN_DIR,
)
from purewasm_wasi.guest_memory import check
from purewasm_wasi.layout import FDSTAT, PRESTAT, RECORD_ALIGNMENT, SNAPSHOT, UNSTABLE, Layout

if TYPE_CHECKING:
    from purewasm import Memory
    from purewasm_wasi.clocks import Clocks
    from purewasm_wasi.process import Process


def fd_advise(process: Process, memory: Memory, fd: int, offset: int, size: int, advice: int) -> None:
    """Say how a range of a file will be used."""
    if advice >= ALL_ADVICES:
        raise WasiError(INVAL)
    process.fds.get(fd).advise(offset, size, advice)


def fd_allocate(process: Process, memory: Memory, fd: int, offset: int, size: int) -> None:
    """Back a range of a file with storage."""
    descriptor = process.fds.get(fd)
    growth = process.quota.check_growth(descriptor, offset + size)
    descriptor.allocate(offset, size)
    process.quota.took(descriptor, growth)


def fd_close(process: Process, memory: Memory, fd: int) -> None:
    """Close, preopened directories too."""
    process.fds.close(fd)


def fd_datasync(process: Process, memory: Memory, fd: int) -> None:
    """Bring the content of a file to the storage."""
    process.fds.get(fd).sync(data_only=True)


def fd_sync(process: Process, memory: Memory, fd: int) -> None:
    """Bring the content and the attributes of a file to the storage."""
    process.fds.get(fd).sync(data_only=False)


def fd_fdstat_get(process: Process, memory: Memory, fd: int, result: int) -> None:
    """Store type, flags and rights of a descriptor."""
    check(memory, result, FDSTAT.size, RECORD_ALIGNMENT)
    memory.write(result, FDSTAT.pack(*process.fds.get(fd).fdstat()))


def fd_fdstat_set_flags(process: Process, memory: Memory, fd: int, flags: int) -> None:
    """Change `append` and `nonblock`."""
    if flags & ~ALL_FDFLAGS:
        raise WasiError(INVAL)
    process.fds.get(fd).set_flags(flags)


def fd_fdstat_set_rights(process: Process, memory: Memory, fd: int, base: int, inheriting: int) -> None:
    """Rights cannot be dropped: `notsup`, as in other current runtimes. What a descriptor may do is decided when it is opened."""
    if not isinstance(process.fds.get(fd), File | Directory):
        raise WasiError(BADF)
    raise WasiError(NOTSUP)


def fd_filestat_get(process: Process, memory: Memory, fd: int, result: int) -> None:
    """Store the attributes of a file."""
    _filestat_get(process, memory, fd, result, SNAPSHOT)


def fd_filestat_get_unstable(process: Process, memory: Memory, fd: int, result: int) -> None:
    """Store the attributes of a file in the layout of `wasi_unstable`."""
    _filestat_get(process, memory, fd, result, UNSTABLE)


def _filestat_get(process: Process, memory: Memory, fd: int, result: int, layout: Layout) -> None:
    check(memory, result, layout.filestat_size, RECORD_ALIGNMENT)
    memory.write(result, layout.pack_filestat(process.fds.get(fd).filestat()))


def fd_filestat_set_size(process: Process, memory: Memory, fd: int, size: int) -> None:
    """Cut a file, or grow it with zeros."""
    descriptor = process.fds.get(fd)
    growth = process.quota.check_growth(descriptor, size)
    descriptor.set_size(size)
    process.quota.took(descriptor, growth)


def fd_filestat_set_times(process: Process, memory: Memory, fd: int, atim: int, mtim: int, flags: int) -> None:
    """Set the times of a file."""
    times = chosen_times(process.clocks, atim, mtim, flags)
    process.fds.get(fd).set_times(*times)


def chosen_times(clocks: Clocks, atim: int, mtim: int, flags: int) -> tuple[int | None, int | None]:
    """The times that `fstflags` ask for, None for one to be left. `inval` if one is asked to be two things at once."""
    both_atim, both_mtim = FST_ATIM | FST_ATIM_NOW, FST_MTIM | FST_MTIM_NOW
    if flags & ~ALL_FSTFLAGS or flags & both_atim == both_atim or flags & both_mtim == both_mtim:
        raise WasiError(INVAL)
    now = clocks.realtime() if flags & (FST_ATIM_NOW | FST_MTIM_NOW) else None
    return (atim if flags & FST_ATIM else now if flags & FST_ATIM_NOW else None), (
        mtim if flags & FST_MTIM else now if flags & FST_MTIM_NOW else None
    )


def fd_prestat_get(process: Process, memory: Memory, fd: int, result: int) -> None:
    """Store what was preopened under a number; `badf` where nothing was, which ends a C library's search."""
    check(memory, result, PRESTAT.size, 4)
    descriptor = process.fds.get(fd)
    if not isinstance(descriptor, Directory) or descriptor.preopen_name is None:
        raise WasiError(BADF)
    memory.write(result, PRESTAT.pack(PREOPEN_DIR, len(descriptor.preopen_name)))


def fd_prestat_dir_name(process: Process, memory: Memory, fd: int, path: int, size: int) -> None:
    """Store the guest's name of a preopened directory, without a NUL."""
    check(memory, path, size)
    descriptor = process.fds.get(fd)
    if not isinstance(descriptor, Directory) or descriptor.preopen_name is None:
        raise WasiError(NOTDIR)
    if len(descriptor.preopen_name) > size:
        raise WasiError(NAMETOOLONG)
    memory.write(path, descriptor.preopen_name)


def fd_renumber(process: Process, memory: Memory, fd: int, to: int) -> None:
    """Close `to` and give its number to `fd`."""
    process.fds.renumber(fd, to)
