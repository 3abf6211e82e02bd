"""Compiled code in files: `<directory>/purewasm-<version>-<machine>-<system>/<key in hex>`.

What is read from here is run, so nobody else may be able to write it: the directories, and each file, must belong to the user and be
writable by nobody else. A file is written under another name, synced and renamed, so a reader finds a whole entry or none, whatever
happens to the writer. Neither a missing, full or read-only directory nor a broken file is an error: there is just nothing to be found.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from contextlib import suppress

from purewasm._version import __version__
from purewasm.errors import WasmError
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from purewasm.engine.protocol import Content

FOLDER_PREFIX: Final = "purewasm-"
_TEMPORARY: Final = ".tmp"
_KEY_DIGITS: Final = 64
_MAPPED_BYTES: Final = 1 << 20
"""Files from this size on are mapped, where that holds a file descriptor; smaller ones are read, which takes less time."""
_FRESH_SECONDS: Final = 3600
"""A file's time says when it was last used, to the hour. A temporary file older than this has no writer any more."""
_FLAGS: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


def folder_name() -> str:
    """Name of the folder for what this version compiles on this machine."""
    machine = os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "unknown")
    return f"{FOLDER_PREFIX}{__version__}-{machine.lower()}-{sys.platform}"


@final
class FileStorage:
    """Entries in a directory, which is made when there is something to put into it. `~` stands for the home directory.

    With `max_bytes` the first write of a process makes room: what has not been used for longest goes.

    `WasmError` for a path that is no directory, or one that somebody else owns or can write to.
    """

    def __init__(self, directory: str | PathLike[str], *, max_bytes: int | None = None) -> None:
        self.directory: Final = os.path.abspath(os.path.expanduser(os.fspath(directory)))
        self._folder: Final = os.path.join(self.directory, folder_name())
        self.last_error: OSError | None = None
        """Why an entry could last not be read or written."""
        self._max_bytes: Final = max_bytes
        self._is_swept = False
        self._check_directories()

    def get(self, key: bytes) -> Content | None:
        """The entry under a key of 32 bytes, mapped if it is large."""
        path = self._path(key)
        try:
            file = os.open(path, os.O_RDONLY | _FLAGS)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.last_error = error
            return None
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode) or _problem(status):
                self.delete(key)
                return None
            if time.time() - status.st_mtime > _FRESH_SECONDS:
                with suppress(OSError):  # somebody else's business on a read-only file system
                    os.utime(path)
            return content_of(file, status.st_size)
        except OSError as error:
            self.last_error = error
            return None
        finally:
            os.close(file)

    def add(self, key: bytes, content: bytes) -> None:
        """Write an entry. Where that does not work `last_error` says why."""
        try:
            self._make_folder()
            replace_file(self._path(key), content, 0o600)
        except OSError as error:
            self.last_error = error

    def delete(self, key: bytes) -> None:
        """Remove an entry."""
        try:
            os.unlink(self._path(key))
        except FileNotFoundError:
            pass
        except OSError as error:
            self.last_error = error

    def _path(self, key: bytes) -> str:
        return os.path.join(self._folder, key.hex())

    def _make_folder(self) -> None:
        _make_private(self._folder)
        try:
            self._check_directories()  # whoever made it, if it was not there at first
        except WasmError as error:
            raise PermissionError(str(error)) from None
        if not self._is_swept:
            self._is_swept = True
            for file in choose_for_removal(list(stored_files(self.directory)), self._max_bytes, None):
                with suppress(OSError):
                    os.unlink(file.path)

    def _check_directories(self) -> None:
        for path in (self.directory, self._folder):
            try:
                status = os.stat(path)
            except FileNotFoundError:
                return
            except NotADirectoryError:
                raise WasmError(f"{path} cannot hold compiled code: a part of the path is a file; name another path") from None
            except OSError as error:
                self.last_error = error
                return
            if not stat.S_ISDIR(status.st_mode):
                raise WasmError(f"{path} is no directory, so it cannot hold compiled code: name another path, or remove it")
            problem = _problem(status)
            if problem:
                danger = f"{problem}, who could make this process run anything through it"
                raise WasmError(f"the directory {path} {danger}: {_advice(path, status)}")

    def __repr__(self) -> str:
        return f"FileStorage({self.directory!r})"


def others_can_write(status: os.stat_result) -> bool:
    """True where not only the owner of a file or directory can change it, on systems that know such permissions."""
    return hasattr(os, "geteuid") and bool(status.st_mode & _OTHERS_WRITE)


def _problem(status: os.stat_result) -> str:
    """What makes a file or directory unsafe to load code from; empty if nothing does."""
    if not hasattr(os, "geteuid"):
        return ""  # no such owners and permissions on this system
    if status.st_uid != os.geteuid():
        return f"belongs to another user (number {status.st_uid})"
    if others_can_write(status):
        return "can be written to by other users"
    return ""


def _advice(path: str, status: os.stat_result) -> str:
    if status.st_uid != os.geteuid():
        return "choose a directory of your own, such as ~/.cache/purewasm"
    return f"chmod go-w {path}, after a look at what is in it, or choose a directory of your own"


def _make_private(path: str) -> None:
    """Make a directory and those above it that are missing, for this user alone."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return
    except FileNotFoundError:
        _make_private(os.path.dirname(path))
        with suppress(FileExistsError):
            os.mkdir(path, 0o700)


def replace_file(path: str, content: bytes, mode: int) -> None:
    """Write a file so that everybody finds the old one or the new one, never a part. `OSError` where that does not work."""
    temporary = f"{path}.{os.getpid()}-{os.urandom(4).hex()}{_TEMPORARY}"
    try:
        _write(temporary, content, mode)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _write(path: str, content: bytes, mode: int) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, mode)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)


def open_file(path: str) -> int:
    """Descriptor of a file, to be read; of what is no file too, without waiting for anybody."""
    return os.open(path, os.O_RDONLY | _FLAGS & ~getattr(os, "O_NOFOLLOW", 0))


def content_of(file: int, size: int) -> Content:
    """The bytes of an open file. A mapping stays whole when the file is replaced or removed."""
    if size >= _MAPPED_BYTES and os.name == "posix":
        import mmap

        with suppress(OSError):  # no descriptor left, or a file system that cannot
            return memoryview(mmap.mmap(file, size, access=mmap.ACCESS_READ))
    pieces = []
    while piece := os.read(file, 1 << 24):
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


# ---- upkeep


class StoredFile(NamedTuple):
    """A file of a cache directory: `used` is when it was last written or read, in seconds since the epoch."""

    path: str
    version: str
    size_bytes: int
    used: float
    is_temporary: bool


def stored_files(directory: str) -> Iterator[StoredFile]:
    """What is stored in a cache directory, by every version. Other files are not touched or counted."""
    for folder in _scan(directory):
        if folder.name.startswith(FOLDER_PREFIX) and folder.is_dir(follow_symlinks=False):
            for item in _scan(folder.path):
                name = item.name[:_KEY_DIGITS]
                temporary = item.name != name
                if not _is_hex(name) or (temporary and not item.name.endswith(_TEMPORARY)):
                    continue
                with suppress(OSError):  # gone meanwhile
                    status = item.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        yield StoredFile(item.path, folder.name, status.st_size, status.st_mtime, temporary)


def _scan(directory: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as items:
            return sorted(items, key=lambda item: item.name)
    except OSError:
        return []


def _is_hex(name: str) -> bool:
    return len(name) == _KEY_DIGITS and not name.strip("0123456789abcdef")


def remove_file(file: StoredFile) -> bool:
    """Remove a stored file, and its folder if that is empty then. False if it could not be removed."""
    try:
        os.unlink(file.path)
    except FileNotFoundError:
        pass
    except OSError:
        return False
    with suppress(OSError):
        os.rmdir(os.path.dirname(file.path))
    return True


def choose_for_removal(files: list[StoredFile], max_bytes: int | None, max_age_seconds: float | None) -> list[StoredFile]:
    """What to remove so that the rest is not older and not larger: the files that have not been used for longest."""
    now = time.time()
    total = sum(file.size_bytes for file in files)
    chosen = []
    for file in sorted(files, key=lambda file: file.used):
        too_old = max_age_seconds is not None and now - file.used > max_age_seconds
        if too_old or (max_bytes is not None and total > max_bytes) or (file.is_temporary and now - file.used > _FRESH_SECONDS):
            chosen.append(file)
            total -= file.size_bytes
    return chosen
