"""The seam between preview 1 and a file system: an open file, an open directory, and what can be mounted.

`host_directory` implements it with real directories, as jails, `tree` for whatever is a tree of objects: `memory_fs`,
`read_only_tree`, `fsspec_fs`. Another file system implements `File`, `Directory` and `Mount`, or the nodes of `tree`, and
everything above works with it. Paths are bytes, relative to the directory, exactly as the guest gave them: valid UTF-8, without
NUL, but otherwise hostile, and it is the file system that keeps them inside.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from purewasm.light_typing import TYPE_CHECKING, NamedTuple, Protocol
from purewasm_wasi.descriptor import Descriptor
from purewasm_wasi.errno import BADF, WasiError
from purewasm_wasi.flags import DIRECTORY_RIGHTS, FILETYPE_DIRECTORY, PREOPEN_INHERITING_RIGHTS, PREOPEN_RIGHTS
from purewasm_wasi.layout import Fdstat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purewasm_wasi.clocks import Clocks
    from purewasm_wasi.layout import Filestat


class OpenRequest(NamedTuple):
    """How `path_open` opens: everything but where."""

    follow: bool
    """Whether a symbolic link as the last component is followed."""
    oflags: int
    fdflags: int
    readable: bool
    writable: bool


class DirectoryEntry(NamedTuple):
    """A name in a directory, without `.` and `..`."""

    name: bytes
    ino: int
    filetype: int


class File(Descriptor):
    """An open file. What a file system does not implement is `badf`."""

    __slots__ = ()

    def wait_read(self) -> int | None:
        """Files are always ready, at their end too."""
        return None

    def wait_write(self) -> int | None:
        """Files are always ready."""
        return None


class Directory(Descriptor, ABC):
    """An open directory: the root of every path that is given relative to it. `..` never leads above it."""

    __slots__ = ("listing", "preopen_name")

    def __init__(self) -> None:
        self.preopen_name: bytes | None = None
        """Its name for the guest if it was there from the start, else None."""
        self.listing: Sequence[DirectoryEntry] | None = None
        """What `fd_readdir` is in the midst of going through."""

    def fdstat(self) -> Fdstat:
        """Preopened ones say what C libraries expect, others everything that a directory can do."""
        if self.preopen_name is not None:
            return Fdstat(FILETYPE_DIRECTORY, 0, PREOPEN_RIGHTS, PREOPEN_INHERITING_RIGHTS)
        return Fdstat(FILETYPE_DIRECTORY, 0, DIRECTORY_RIGHTS, DIRECTORY_RIGHTS)

    @abstractmethod
    def entries(self) -> Sequence[DirectoryEntry]:
        """All names in the directory as it is now."""

    @abstractmethod
    def open(self, path: bytes, request: OpenRequest) -> File | Directory:
        """Open, and create if asked to."""

    @abstractmethod
    def stat_at(self, path: bytes, *, follow: bool) -> Filestat:
        """Attributes of a path."""

    @abstractmethod
    def set_times_at(self, path: bytes, atim: int | None, mtim: int | None, *, follow: bool) -> None:
        """Set the times of a path, in nanoseconds; None leaves one as it is."""

    @abstractmethod
    def create_directory(self, path: bytes) -> None:
        """Make a directory."""

    @abstractmethod
    def remove_directory(self, path: bytes) -> None:
        """Remove an empty directory."""

    @abstractmethod
    def unlink(self, path: bytes) -> None:
        """Remove a file or a symbolic link."""

    @abstractmethod
    def link(self, path: bytes, target: Directory, target_path: bytes) -> None:
        """Make `target_path` in `target` another name of the file `path`. `xdev` for a target of another file system."""

    @abstractmethod
    def rename(self, path: bytes, target: Directory, target_path: bytes) -> None:
        """Move `path` to `target_path` in `target`. `xdev` for a target of another file system."""

    @abstractmethod
    def symlink(self, content: bytes, path: bytes) -> None:
        """Make `path` a symbolic link with `content`."""

    @abstractmethod
    def readlink(self, path: bytes) -> bytes:
        """The content of the symbolic link at `path`."""


class RootOptions(NamedTuple):
    """How a guest is given a mount."""

    read_only: bool
    device: int
    """What tells its inodes from those of the guest's other mounts, for file systems that have no number of their own."""
    clocks: Clocks
    """The guest's, for times that are not the host's."""


class Mount(Protocol):
    """Something that can be given to a guest as a directory."""

    def open_root(self, options: RootOptions) -> Directory:
        """Open it once more, for one instance."""

    def close(self) -> None:
        """Give it up. Roots that are open stay usable."""


def as_directory(descriptor: Descriptor) -> Directory:
    """The directory that a path function was given; `badf` if it is something else."""
    if isinstance(descriptor, Directory):
        return descriptor
    raise WasiError(BADF)
