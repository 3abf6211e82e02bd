"""The functions `path_…`: each has its strings read and its pointers checked before anything is touched."""

from __future__ import annotations

from functools import partial

from purewasm.light_typing import TYPE_CHECKING
from purewasm_wasi.descriptor_calls import chosen_times
from purewasm_wasi.errno import BADF, INVAL, NOTDIR, WasiError
from purewasm_wasi.filesystem import Directory, File, OpenRequest, as_directory
from purewasm_wasi.flags import ALL_FDFLAGS, ALL_LOOKUPFLAGS, ALL_OFLAGS, LOOKUP_SYMLINK_FOLLOW, RIGHT_FD_READ, RIGHT_FD_WRITE
from purewasm_wasi.guest_memory import check, read_string, write_u32
from purewasm_wasi.layout import RECORD_ALIGNMENT, SNAPSHOT, UNSTABLE, Layout

if TYPE_CHECKING:
    from purewasm import Memory
    from purewasm_wasi.process import Process


def path_create_directory(process: Process, memory: Memory, fd: int, path: int, size: int) -> None:
    """Make a directory."""
    name = read_string(memory, path, size)
    as_directory(process.fds.get(fd)).create_directory(name)


def path_filestat_get(process: Process, memory: Memory, fd: int, flags: int, path: int, size: int, result: int) -> None:
    """Store the attributes of a path."""
    _filestat_get(process, memory, fd, flags, path, size, result, SNAPSHOT)


def path_filestat_get_unstable(process: Process, memory: Memory, fd: int, flags: int, path: int, size: int, result: int) -> None:
    """Store the attributes of a path in the layout of `wasi_unstable`."""
    _filestat_get(process, memory, fd, flags, path, size, result, UNSTABLE)


def _filestat_get(
    process: Process, memory: Memory, fd: int, flags: int, path: int, size: int, result: int, layout: Layout
) -> None:
    check(memory, result, layout.filestat_size, RECORD_ALIGNMENT)
    name = read_string(memory, path, size)
    stat = as_directory(process.fds.get(fd)).stat_at(name, follow=_follows(flags))
    memory.write(result, layout.pack_filestat(stat))


def path_filestat_set_times(
    process: Process, memory: Memory, fd: int, flags: int, path: int, size: int, atim: int, mtim: int, fst_flags: int
) -> None:
    """Set the times of a path."""
    name = read_string(memory, path, size)
    times = chosen_times(process.clocks, atim, mtim, fst_flags)
    as_directory(process.fds.get(fd)).set_times_at(name, *times, follow=_follows(flags))


def path_link(
    process: Process,
    memory: Memory,
    old_fd: int,
    old_flags: int,
    old_path: int,
    old_size: int,
    new_fd: int,
    new_path: int,
    new_size: int,
) -> None:
    """Make a hard link. To follow a symbolic link on the way to the old name is `inval`."""
    old_name, new_name = read_string(memory, old_path, old_size), read_string(memory, new_path, new_size)
    old, new = as_directory(process.fds.get(old_fd)), as_directory(process.fds.get(new_fd))
    if _follows(old_flags):
        raise WasiError(INVAL)
    old.link(old_name, new, new_name)


def path_open(
    process: Process,
    memory: Memory,
    fd: int,
    dirflags: int,
    path: int,
    size: int,
    oflags: int,
    rights: int,
    inheriting: int,
    fdflags: int,
    result: int,
) -> None:
    """Open a file or directory and store its number. Of the rights asked for, those to read and write decide how."""
    check(memory, result, 4, 4)
    name = read_string(memory, path, size)
    if oflags & ~ALL_OFLAGS or fdflags & ~ALL_FDFLAGS:
        raise WasiError(INVAL)
    request = OpenRequest(_follows(dirflags), oflags, fdflags, bool(rights & RIGHT_FD_READ), bool(rights & RIGHT_FD_WRITE))
    directory = process.fds.get(fd)
    if not isinstance(directory, Directory):
        raise WasiError(NOTDIR if isinstance(directory, File) else BADF)
    process.fds.check_room()
    write_u32(memory, result, process.fds.add(process.when_possible(partial(directory.open, name, request))))


def path_readlink(process: Process, memory: Memory, fd: int, path: int, size: int, buffer: int, room: int, result: int) -> None:
    """Store the content of a symbolic link, cut to the room there is, and its length."""
    check(memory, result, 4, 4)
    check(memory, buffer, room)
    name = read_string(memory, path, size)
    content = as_directory(process.fds.get(fd)).readlink(name)[:room]
    memory.write(buffer, content)
    write_u32(memory, result, len(content))


def path_remove_directory(process: Process, memory: Memory, fd: int, path: int, size: int) -> None:
    """Remove an empty directory."""
    name = read_string(memory, path, size)
    as_directory(process.fds.get(fd)).remove_directory(name)


def path_rename(
    process: Process, memory: Memory, fd: int, old_path: int, old_size: int, new_fd: int, new_path: int, new_size: int
) -> None:
    """Move a file or directory."""
    old_name, new_name = read_string(memory, old_path, old_size), read_string(memory, new_path, new_size)
    as_directory(process.fds.get(fd)).rename(old_name, as_directory(process.fds.get(new_fd)), new_name)


def path_symlink(process: Process, memory: Memory, old_path: int, old_size: int, fd: int, new_path: int, new_size: int) -> None:
    """Make a symbolic link to `old_path`, which is not looked at; an absolute one is `perm`."""
    content, name = read_string(memory, old_path, old_size), read_string(memory, new_path, new_size)
    as_directory(process.fds.get(fd)).symlink(content, name)


def path_unlink_file(process: Process, memory: Memory, fd: int, path: int, size: int) -> None:
    """Remove a file or a symbolic link."""
    name = read_string(memory, path, size)
    as_directory(process.fds.get(fd)).unlink(name)


def _follows(flags: int) -> bool:
    if flags & ~ALL_LOOKUPFLAGS:
        raise WasiError(INVAL)
    return bool(flags & LOOKUP_SYMLINK_FOLLOW)
