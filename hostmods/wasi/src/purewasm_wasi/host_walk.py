"""The walk through real directories: each component is opened relative to the descriptor of the one before, never following links.

So whatever another thread or process renames meanwhile, the walk stays inside: `..` goes back to a descriptor, not to a name.

    with HostWalk(root, b"a/link/../c") as walk:
        name = walk.last()                    # b"c"; walk.fd is the directory that it is in
        os.unlink(name, dir_fd=walk.fd)
"""

from __future__ import annotations

import errno as host
import os

from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm_wasi.errno import PERM, WasiError
from purewasm_wasi.paths import Walk

if TYPE_CHECKING:
    from types import TracebackType

MAX_OPEN: Final = 32
"""How many directories a walk keeps open, so that a deep path does not take the process's descriptors."""

NOT_FOLLOWED: Final = frozenset({host.ELOOP, host.EMLINK, host.ENOTDIR})
"""What systems answer when the name that must not be followed is a link: ENOTDIR is the answer for plain files too."""

_DIRECTORY: Final = (
    getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
)


@final
class HostWalk(Walk):
    """A walk from the directory `root`, which stays the caller's, along `path`. Leaving the `with` closes what it opened."""

    __slots__ = ("_names", "_open", "_root", "fd")

    def __init__(self, root: int, path: bytes) -> None:
        self._root = root
        self._names: list[bytes] = []
        """The directories from the root to here, none of them a link."""
        self._open: list[int] = []
        """The descriptors of the last few of them."""
        self.fd = root
        """The directory that the walk is in."""
        super().__init__(path)

    def __enter__(self) -> HostWalk:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        for fd in self._open:
            os.close(fd)
        self._open.clear()

    def _read_link(self, name: bytes) -> bytes | None:
        try:
            return os.readlink(name, dir_fd=self.fd)
        except OSError as error:
            if error.errno == host.EINVAL:
                return None
            raise

    def _enter(self, name: bytes) -> None:
        try:
            fd = _open_directory(name, self.fd)
        except OSError as error:
            if error.errno in NOT_FOLLOWED and self.expand(name):
                return
            raise
        self._names.append(name)
        self._descend(fd)

    def _descend(self, fd: int) -> None:
        self._open.append(fd)
        self.fd = fd
        if len(self._open) > MAX_OPEN:
            os.close(self._open.pop(0))

    def _leave(self) -> None:
        if not self._names:
            raise WasiError(PERM)
        self._names.pop()
        os.close(self._open.pop())
        if not self._open:
            self.fd = self._root
            # The way back is no longer open: go there again from the root. No component of it was a link, and none may be now.
            for name in self._names:
                self._descend(_open_directory(name, self.fd))
        else:
            self.fd = self._open[-1]


def _open_directory(name: bytes, parent: int) -> int:
    return os.open(name, _DIRECTORY, dir_fd=parent)
