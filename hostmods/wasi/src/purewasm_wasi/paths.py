"""The walk that keeps a path inside its directory.

A path is taken apart and each component is opened relative to the descriptor of the one before, never following a symbolic link
(`O_NOFOLLOW`); links are read and their content walked in the same way, 40 of them at most. `..` goes back to the directory that
the walk came from, so it cannot go above the root, whatever is renamed meanwhile; the host's kernel never sees a `..`, a slash or
an absolute path. What leads outside (`..` at the root, an absolute path or link) is `perm`.

    with Walk(root, b"a/link/../c") as walk:
        name = walk.last()                    # b"c"; walk.fd is the directory that it is in
        os.unlink(name, dir_fd=walk.fd)

The last component is the caller's: it must use a call that does not follow links, and where one is to be followed it says
`walk.expand(name)` and asks for `walk.last()` again. The name is never `..`; it is `.` where the path ends in a directory that the
walk has reached already. `walk.must_be_directory` tells that the path ended in a slash.
"""

from __future__ import annotations

import errno as host
import os
from typing import TYPE_CHECKING, Final, final

from purewasm_wasi.errno import LOOP, NAMETOOLONG, NOENT, PERM, WasiError

if TYPE_CHECKING:
    from types import TracebackType

MAX_LINKS: Final = 40
"""Symbolic links in one walk, as in Linux."""
MAX_PATH_BYTES: Final = 4095
"""The longest path, and the longest content of a link, as in Linux."""
MAX_OPEN: Final = 32
"""How many directories a walk keeps open, so that a deep path does not take the process's descriptors."""

NOT_FOLLOWED: Final = frozenset({host.ELOOP, host.EMLINK, host.ENOTDIR})
"""What systems answer when the name that must not be followed is a link: ENOTDIR is the answer for plain files too."""

_DIRECTORY: Final = (
    getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
)


@final
class Walk:
    """A walk from the directory `root`, which stays the caller's, along `path`. Leaving the `with` closes what it opened."""

    __slots__ = ("_links", "_names", "_open", "_pending", "_root", "fd", "must_be_directory")

    def __init__(self, root: int, path: bytes) -> None:
        self._root = root
        self._names: list[bytes] = []
        """The directories from the root to here, none of them a link."""
        self._open: list[int] = []
        """The descriptors of the last few of them."""
        self._pending: list[bytes] = []
        """The components still to walk, the next one last."""
        self._links = 0
        self.fd = root
        """The directory that the walk is in."""
        self.must_be_directory = False
        self._push(path)

    def __enter__(self) -> Walk:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        for fd in self._open:
            os.close(fd)
        self._open.clear()

    def last(self) -> bytes:
        """Walk to the directory of the last component and return that component."""
        while True:
            name = self._pending.pop()
            if name == b"..":
                self._leave()
                if not self._pending:
                    return b"."
            elif not self._pending:
                return name
            elif name != b".":
                self._enter(name)

    def expand(self, name: bytes) -> bool:
        """If `name` is a symbolic link put its content in its place, else say False. `loop` beyond `MAX_LINKS`."""
        self._links += 1
        if self._links > MAX_LINKS:
            raise WasiError(LOOP)
        try:
            content = os.readlink(name, dir_fd=self.fd)
        except OSError as error:
            if error.errno == host.EINVAL:
                return False
            raise
        self._push(content)
        return True

    def again(self, name: bytes) -> None:
        """Make `name` the last component once more: it was changed while the caller looked at it."""
        self._pending.append(name)

    def _push(self, path: bytes) -> None:
        if len(path) > MAX_PATH_BYTES:
            raise WasiError(NAMETOOLONG)
        if not path:
            raise WasiError(NOENT)
        if path.startswith(b"/"):
            raise WasiError(PERM)
        if path.endswith(b"/") and not self._pending:
            self.must_be_directory = True
        self._pending.extend(component for component in reversed(path.split(b"/")) if component)

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
