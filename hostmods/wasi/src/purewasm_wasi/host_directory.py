"""Real directories as jails: `HostDir` mounts one, and nothing that a guest does with it leads outside.

What is opened or looked at is resolved by the kernel where it has `openat2` (`beneath`); everything else, and whatever that refuses,
by `host_walk.HostWalk`. Its last component is only ever used in calls that do not follow links and get neither a slash nor `..`:
kernels differ in what a trailing slash does (some follow the link before it), so its meaning is worked out here. A directory that the
guest has open is a root of its own: `..` relative to it is `perm`.
"""

from __future__ import annotations

import errno as host
import os
import stat as mode_of
import sys

from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm_wasi import beneath
from purewasm_wasi.descriptor import Readiness
from purewasm_wasi.errno import BADF, EXIST, FBIG, ILSEQ, INVAL, ISDIR, LOOP, NOTDIR, NOTSUP, PERM, XDEV, WasiError
from purewasm_wasi.filesystem import Directory, DirectoryEntry, File
from purewasm_wasi.flags import (
    FDFLAG_APPEND,
    FDFLAG_DSYNC,
    FDFLAG_NONBLOCK,
    FDFLAG_RSYNC,
    FDFLAG_SYNC,
    FILETYPE_BLOCK_DEVICE,
    FILETYPE_CHARACTER_DEVICE,
    FILETYPE_DIRECTORY,
    FILETYPE_REGULAR_FILE,
    FILETYPE_SOCKET_STREAM,
    FILETYPE_SYMBOLIC_LINK,
    FILETYPE_UNKNOWN,
    OFLAG_CREAT,
    OFLAG_DIRECTORY,
    OFLAG_EXCL,
    OFLAG_TRUNC,
    file_rights,
)
from purewasm_wasi.host_walk import NOT_FOLLOWED, HostWalk
from purewasm_wasi.layout import I64_MAX, U64_MAX, Fdstat, Filestat
from purewasm_wasi.waiting import may_wait

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from purewasm_wasi.filesystem import OpenRequest, RootOptions

_FILETYPES: Final = {
    mode_of.S_IFREG: FILETYPE_REGULAR_FILE,
    mode_of.S_IFDIR: FILETYPE_DIRECTORY,
    mode_of.S_IFLNK: FILETYPE_SYMBOLIC_LINK,
    mode_of.S_IFCHR: FILETYPE_CHARACTER_DEVICE,
    mode_of.S_IFBLK: FILETYPE_BLOCK_DEVICE,
    mode_of.S_IFSOCK: FILETYPE_SOCKET_STREAM,
}

# What this system has no flag for it cannot do: such a request is `notsup`.
_HOST_FDFLAGS: Final = {
    FDFLAG_APPEND: os.O_APPEND,
    FDFLAG_NONBLOCK: getattr(os, "O_NONBLOCK", None),
    FDFLAG_DSYNC: getattr(os, "O_DSYNC", None),
    FDFLAG_RSYNC: getattr(os, "O_RSYNC", None),
    FDFLAG_SYNC: getattr(os, "O_SYNC", None),
}
_SYNC_FDFLAGS: Final = FDFLAG_DSYNC | FDFLAG_RSYNC | FDFLAG_SYNC

# A terminal that is opened must not become this process's own, and no descriptor may leak into a child.
_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_OPEN: Final = _NOFOLLOW | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)
_LOOK: Final = getattr(os, "O_PATH", 0) | getattr(os, "O_CLOEXEC", 0)
_NONBLOCK: Final = getattr(os, "O_NONBLOCK", 0)
_OPEN_DIRECTORY: Final = _OPEN | getattr(os, "O_DIRECTORY", 0) | os.O_RDONLY

_ADVICES: Final = ("NORMAL", "SEQUENTIAL", "RANDOM", "WILLNEED", "DONTNEED", "NOREUSE")


@final
class HostDir:
    """A directory of the host to be given to guests: `Wasi(dirs={"/data": HostDir("input", read_only=True)})`.

    It is opened at once, so later changes of what `path` names do not matter. `read_only` refuses (`perm`) whatever would change
    a file, a name or a time in it. `NotADirectoryError` or another `OSError` says why it cannot be opened.
    """

    __slots__ = ("_fd", "path", "read_only")

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool = False) -> None:
        self._fd = -1
        self.path = os.fspath(path)
        self.read_only = read_only
        require_jails()
        self._fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __repr__(self) -> str:
        return f"HostDir({self.path!r}{', read_only=True' if self.read_only else ''})"

    def __del__(self) -> None:
        self.close()

    def open_root(self, options: RootOptions) -> HostDirectory:
        """Open it for one instance. `ValueError` once it is closed."""
        if self._fd < 0:
            raise ValueError(f"{self!r} is closed")
        return HostDirectory(os.open(b".", _OPEN_DIRECTORY, dir_fd=self._fd), not (self.read_only or options.read_only))

    def close(self) -> None:
        """Give it up; guests that have it open keep it."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def require_jails() -> None:
    """Raise `NotImplementedError` where the system cannot open a file relative to a directory without following links."""
    relative = {os.open, os.stat, os.mkdir, os.rmdir, os.unlink, os.rename, os.link, os.symlink, os.readlink, os.utime}
    unfollowed = {os.stat, os.link, os.utime}
    flags = hasattr(os, "O_NOFOLLOW") and hasattr(os, "O_DIRECTORY")
    if not (flags and relative <= os.supports_dir_fd and unfollowed <= os.supports_follow_symlinks):
        raise NotImplementedError(
            f"{sys.platform} has no calls relative to a directory descriptor, without which a directory cannot be given to a guest "
            "safely; run where there are (Linux, macOS, other Unix systems), or without directories"
        )


class HostFile(File):
    """An open file, FIFO or device."""

    __slots__ = ("_changeable", "_fd", "_flags", "_readable", "_regular", "_writable", "filetype")

    def __init__(self, fd: int, mode: int, flags: int, *, readable: bool, writable: bool, changeable: bool) -> None:
        self._fd, self._flags = fd, flags
        self._readable, self._writable, self._changeable = readable, writable, changeable
        self.filetype = filetype_of(mode)
        self._regular = mode_of.S_ISREG(mode)

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def fdstat(self) -> Fdstat:
        rights = file_rights(readable=self._readable, writable=self._writable)
        return Fdstat(self.filetype, self._flags, rights, rights)

    def filestat(self) -> Filestat:
        return filestat_of(os.fstat(self._fd))

    def set_flags(self, flags: int) -> None:
        if flags & _SYNC_FDFLAGS:
            raise WasiError(INVAL)
        if sys.platform != "win32":
            kept = fcntl.fcntl(self._fd, fcntl.F_GETFL) & ~(os.O_APPEND | os.O_NONBLOCK)
            fcntl.fcntl(self._fd, fcntl.F_SETFL, kept | _host_fdflags(flags))
        self._flags = self._flags & _SYNC_FDFLAGS | flags

    def read(self, buffers: list[memoryview]) -> int:
        self._check_readable()
        return os.readv(self._fd, buffers) if buffers else 0

    def write(self, buffers: list[memoryview]) -> int:
        self._check_writable()
        return os.writev(self._fd, buffers) if buffers else 0

    def read_one(self, buffer: memoryview) -> int:
        return os.readv(self._fd, [buffer]) if self._regular and self._readable else -1

    def write_one(self, data: memoryview) -> int:
        return os.write(self._fd, data) if self._regular and self._writable else -1

    def pread(self, buffers: list[memoryview], offset: int) -> int:
        offset = _host_offset(offset)
        self._check_readable()
        return os.preadv(self._fd, buffers, offset) if buffers else 0

    def pwrite(self, buffers: list[memoryview], offset: int) -> int:
        offset = _host_offset(offset)
        self._check_writable()
        return os.pwritev(self._fd, buffers, offset) if buffers else 0

    def seek(self, offset: int, whence: int) -> int:
        return os.lseek(self._fd, offset, whence)  # SEEK_SET, SEEK_CUR and SEEK_END are 0, 1 and 2 on both sides

    def advise(self, offset: int, size: int, advice: int) -> None:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._fd, min(offset, I64_MAX), min(size, I64_MAX), getattr(os, f"POSIX_FADV_{_ADVICES[advice]}"))

    def allocate(self, offset: int, size: int) -> None:
        self._check_changeable()
        if not size:
            raise WasiError(INVAL)
        if offset + size > I64_MAX:
            raise WasiError(FBIG)
        if not hasattr(os, "posix_fallocate"):
            raise WasiError(NOTSUP)
        os.posix_fallocate(self._fd, offset, size)

    def set_size(self, size: int) -> None:
        self._check_changeable()
        os.ftruncate(self._fd, _host_offset(size))

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        self._check_changeable()
        os.utime(self._fd, ns=_times(os.fstat(self._fd), atim, mtim))

    def sync(self, *, data_only: bool) -> None:
        _sync(self._fd, data_only)

    def wait_read(self) -> int | None:
        return None if self._regular else self._fd

    def wait_write(self) -> int | None:
        return None if self._regular else self._fd

    def blocks_reading(self) -> int | None:
        return self._fd if not (self._regular or self._flags & FDFLAG_NONBLOCK) and self._readable else None

    def blocks_writing(self) -> int | None:
        return self._fd if not (self._regular or self._flags & FDFLAG_NONBLOCK) and self._writable and may_wait(self._fd) else None

    def readable(self) -> Readiness:
        if not self._regular:
            return Readiness()
        left = max(0, os.fstat(self._fd).st_size - os.lseek(self._fd, 0, os.SEEK_CUR))
        return Readiness(left, hangup=not left)

    def _check_readable(self) -> None:
        if not self._readable:
            raise WasiError(BADF)

    def _check_writable(self) -> None:
        if not self._writable:
            raise WasiError(BADF)

    def _check_changeable(self) -> None:
        if not self._changeable:
            raise WasiError(PERM)


@final
class HostDirectory(Directory):
    """An open directory, as a jail."""

    __slots__ = ("_changeable", "_fd")

    def __init__(self, fd: int, changeable: bool) -> None:
        self._fd, self._changeable = fd, changeable
        super().__init__()

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    # The directory itself

    def filestat(self) -> Filestat:
        return filestat_of(os.fstat(self._fd))

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        self._check_changeable()
        os.utime(self._fd, ns=_times(os.fstat(self._fd), atim, mtim))

    def sync(self, *, data_only: bool) -> None:
        _sync(self._fd, data_only)

    def entries(self) -> list[DirectoryEntry]:
        # A descriptor of its own: duplicates would share one position between all who are listing.
        fd = os.open(b".", _OPEN_DIRECTORY, dir_fd=self._fd)
        try:
            with os.scandir(fd) as listing:
                found = [DirectoryEntry(os.fsencode(entry.name), entry.inode(), _entry_filetype(entry)) for entry in listing]
                return sorted(found)  # in one order on every machine, so that a run can be repeated
        finally:
            os.close(fd)

    # Paths

    def open(self, path: bytes, request: OpenRequest) -> File | Directory:
        creates = bool(request.oflags & OFLAG_CREAT)
        writes = request.writable or creates or bool(request.oflags & OFLAG_TRUNC)
        reads = request.readable or not request.writable
        if request.oflags & OFLAG_DIRECTORY and request.oflags & (OFLAG_CREAT | OFLAG_EXCL | OFLAG_TRUNC):
            raise WasiError(INVAL)
        if writes:
            self._check_changeable()
        waits = not request.fdflags & FDFLAG_NONBLOCK
        # A FIFO that nobody has open at its other end would keep the system waiting, and nothing could stop the guest.
        flags = _open_flags(request, reads=reads, writes=writes) | _NONBLOCK
        fd = _open_at_once(self._fd, path, flags if not request.follow else flags & ~_NOFOLLOW)
        if fd < 0:
            with HostWalk(self._fd, path) as walk:
                fd = _open_last(walk, flags, creates=creates, follow=request.follow, waits=waits)
        try:
            mode = os.fstat(fd).st_mode
            if waits and not (mode_of.S_ISREG(mode) or mode_of.S_ISDIR(mode)):
                os.set_blocking(fd, True)
        except OSError:
            os.close(fd)
            raise
        if mode_of.S_ISDIR(mode):
            return HostDirectory(fd, self._changeable)
        return HostFile(fd, mode, request.fdflags, readable=reads, writable=writes, changeable=self._changeable)

    def stat_at(self, path: bytes, *, follow: bool) -> Filestat:
        fd = _open_at_once(self._fd, path, _LOOK if follow else _LOOK | _NOFOLLOW)
        if fd >= 0:
            try:
                return filestat_of(os.fstat(fd))
            finally:
                os.close(fd)
        with HostWalk(self._fd, path) as walk:
            return filestat_of(_locate(walk, follow=follow)[1])

    def set_times_at(self, path: bytes, atim: int | None, mtim: int | None, *, follow: bool) -> None:
        self._check_changeable()
        with HostWalk(self._fd, path) as walk:
            name, stat = _locate(walk, follow=follow)
            os.utime(name, ns=_times(stat, atim, mtim), dir_fd=walk.fd, follow_symlinks=False)

    def create_directory(self, path: bytes) -> None:
        self._check_changeable()
        with HostWalk(self._fd, path) as walk:
            name = walk.last()
            os.mkdir(name, 0o777, dir_fd=walk.fd)

    def remove_directory(self, path: bytes) -> None:
        self._check_changeable()
        with HostWalk(self._fd, path) as walk:
            name = walk.last()
            if walk.must_be_directory and _is_link(name, walk.fd):
                # Some systems would remove the directory behind the link, others say that a link is none.
                _locate_directory(walk, name)
                raise WasiError(INVAL)
            os.rmdir(name, dir_fd=walk.fd)

    def unlink(self, path: bytes) -> None:
        self._check_changeable()
        with HostWalk(self._fd, path) as walk:
            name = walk.last()
            if walk.must_be_directory:
                _locate_directory(walk, name)
                raise WasiError(ISDIR)
            os.unlink(name, dir_fd=walk.fd)

    def link(self, path: bytes, target: Directory, target_path: bytes) -> None:
        there = self._check_both_changeable(target)
        with HostWalk(self._fd, path) as old, HostWalk(there, target_path) as new:
            old_name, new_name = old.last(), new.last()
            if old.must_be_directory:
                _locate_directory(old, old_name)
                raise WasiError(PERM)
            _refuse_slash(new, new_name)
            os.link(old_name, new_name, src_dir_fd=old.fd, dst_dir_fd=new.fd, follow_symlinks=False)

    def rename(self, path: bytes, target: Directory, target_path: bytes) -> None:
        there = self._check_both_changeable(target)
        with HostWalk(self._fd, path) as old, HostWalk(there, target_path) as new:
            old_name, new_name = old.last(), new.last()
            slash = old.must_be_directory or (new.must_be_directory and new_name != b".")
            if slash and not mode_of.S_ISDIR(_lstat(old_name, old.fd).st_mode):
                raise WasiError(NOTDIR)
            os.rename(old_name, new_name, src_dir_fd=old.fd, dst_dir_fd=new.fd)

    def symlink(self, content: bytes, path: bytes) -> None:
        self._check_changeable()
        # It would be refused whenever it is followed here; but another program of the host would follow it.
        if content.startswith(b"/"):
            raise WasiError(PERM)
        with HostWalk(self._fd, path) as walk:
            name = walk.last()
            _refuse_slash(walk, name)
            os.symlink(content, name, dir_fd=walk.fd)

    def readlink(self, path: bytes) -> bytes:
        with HostWalk(self._fd, path) as walk:
            name = walk.last()
            if walk.must_be_directory:
                _locate_directory(walk, name)
                raise WasiError(INVAL)
            content = os.readlink(name, dir_fd=walk.fd)
        if content.startswith(b"/"):
            raise WasiError(PERM)
        try:
            content.decode()
        except UnicodeDecodeError:
            raise WasiError(ILSEQ) from None
        return content

    def _check_changeable(self) -> None:
        if not self._changeable:
            raise WasiError(PERM)

    def _check_both_changeable(self, target: Directory) -> int:
        if not isinstance(target, HostDirectory):
            raise WasiError(XDEV)
        self._check_changeable()
        # A link into a writable directory would open a way to write to a file of a read-only one, and the other way round.
        target._check_changeable()
        return target._fd


def filetype_of(mode: int) -> int:
    """The file type of a host's mode; FIFOs have none of their own."""
    return _FILETYPES.get(mode_of.S_IFMT(mode), FILETYPE_UNKNOWN)


def filestat_of(stat: os.stat_result) -> Filestat:
    """The attributes that the host gives."""
    times = (min(max(0, time), U64_MAX) for time in (stat.st_atime_ns, stat.st_mtime_ns, stat.st_ctime_ns))
    return Filestat(stat.st_dev & U64_MAX, stat.st_ino, filetype_of(stat.st_mode), stat.st_nlink, stat.st_size, *times)


def _open_flags(request: OpenRequest, *, reads: bool, writes: bool) -> int:
    access = os.O_RDWR if reads and writes else os.O_WRONLY if writes else os.O_RDONLY
    flags = _OPEN | access | _host_fdflags(request.fdflags)
    if request.oflags & OFLAG_CREAT:
        flags |= os.O_CREAT
        if request.oflags & OFLAG_EXCL:
            flags |= os.O_EXCL
    if request.oflags & OFLAG_TRUNC:
        flags |= os.O_TRUNC
    if request.oflags & OFLAG_DIRECTORY:
        flags |= os.O_DIRECTORY
    return flags


def _host_fdflags(fdflags: int) -> int:
    flags = 0
    for fdflag, host_flag in _HOST_FDFLAGS.items():
        if fdflags & fdflag:
            if host_flag is None:
                raise WasiError(NOTSUP)
            flags |= host_flag
    return flags


def _open_at_once(directory: int, path: bytes, flags: int) -> int:
    """Let the kernel walk where it can keep a path inside: -1 if it cannot, or if anything else is wrong with the path."""
    open_beneath = beneath.opener()
    return -1 if open_beneath is None else open_beneath(directory, path, flags)


def _open_last(walk: HostWalk, flags: int, *, creates: bool, follow: bool, waits: bool) -> int:
    """`BlockingIOError` for a FIFO to write to that nobody reads yet, if the guest waits for that."""
    while True:
        name = walk.last()
        if walk.must_be_directory and name != b".":
            if creates:
                raise WasiError(ISDIR)
            flags |= os.O_DIRECTORY
            follow = True
        try:
            return os.open(name, flags, 0o666, dir_fd=walk.fd)
        except OSError as error:
            if error.errno == host.ENXIO and waits and mode_of.S_ISFIFO(_lstat(name, walk.fd).st_mode):
                raise BlockingIOError(host.EAGAIN, "nobody reads this FIFO") from None
            if error.errno not in NOT_FOLLOWED:
                raise
            if not _is_link(name, walk.fd):
                raise
        if not follow:
            raise WasiError(LOOP)
        if not walk.expand(name):
            walk.again(name)


def _locate(walk: HostWalk, *, follow: bool) -> tuple[bytes, os.stat_result]:
    """The last component and its attributes, links followed if asked for or if a slash asks for it."""
    while True:
        name = walk.last()
        stat = _lstat(name, walk.fd)
        if not (mode_of.S_ISLNK(stat.st_mode) and (follow or walk.must_be_directory)):
            break
        if not walk.expand(name):
            walk.again(name)
    if walk.must_be_directory and not mode_of.S_ISDIR(stat.st_mode):
        raise WasiError(NOTDIR)
    return name, stat


def _lstat(name: bytes, directory: int) -> os.stat_result:
    return os.stat(name, dir_fd=directory, follow_symlinks=False)


def _is_link(name: bytes, directory: int) -> bool:
    return mode_of.S_ISLNK(_lstat(name, directory).st_mode)


def _locate_directory(walk: HostWalk, name: bytes) -> None:
    """Fail as the path would that ends in a slash after `name`, unless it leads to a directory."""
    walk.again(name)
    _locate(walk, follow=True)


def _refuse_slash(walk: HostWalk, name: bytes) -> None:
    """What is made by this name is no directory, so it cannot end in a slash: `exist` if a directory is there."""
    if walk.must_be_directory:
        _locate_directory(walk, name)
        raise WasiError(EXIST)


def _times(stat: os.stat_result, atim: int | None, mtim: int | None) -> tuple[int, int]:
    return (stat.st_atime_ns if atim is None else atim, stat.st_mtime_ns if mtim is None else mtim)


def _host_offset(offset: int) -> int:
    if offset > I64_MAX:
        raise WasiError(INVAL)
    return offset


def _sync(fd: int, data_only: bool) -> None:
    if data_only and hasattr(os, "fdatasync"):
        os.fdatasync(fd)
    else:
        os.fsync(fd)


def _entry_filetype(entry: os.DirEntry[str]) -> int:
    try:
        if entry.is_symlink():
            return FILETYPE_SYMBOLIC_LINK
        if entry.is_dir(follow_symlinks=False):
            return FILETYPE_DIRECTORY
        if entry.is_file(follow_symlinks=False):
            return FILETYPE_REGULAR_FILE
        return filetype_of(entry.stat(follow_symlinks=False).st_mode)
    except OSError:
        return FILETYPE_UNKNOWN  # removed while it was listed
