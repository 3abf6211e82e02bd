"""The walk that keeps a path inside its directory, whatever the file system.

A path is taken apart and walked component by component; symbolic links are read and their content is walked in the same way, 40 of
them at most. `..` goes back to the directory that the walk came from, so it cannot go above the root; the file system never sees a
`..`, a slash or an absolute path. What leads outside (`..` at the root, an absolute path or link) is `perm`.

A file system says how to enter a directory, how to go back and what a link holds: `host_walk` for real directories, `tree` for
trees of objects. The last component is the caller's: it must not follow a link there, and where one is to be followed it says
`walk.expand(name)` and asks for `walk.last()` again. The name is never `..`; it is `.` where the path ends in a directory that the
walk has reached already. `walk.must_be_directory` tells that the path ended in a slash.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from purewasm.light_typing import Final
from purewasm_wasi.errno import LOOP, NAMETOOLONG, NOENT, PERM, WasiError

MAX_LINKS: Final = 40
"""Symbolic links in one walk, as in Linux."""
MAX_PATH_BYTES: Final = 4095
"""The longest path, and the longest content of a link, as in Linux."""


class Walk(ABC):
    """A walk along `path` from a directory that the file system knows."""

    __slots__ = ("_links", "_pending", "must_be_directory")

    def __init__(self, path: bytes) -> None:
        self._pending: list[bytes] = []
        """The components still to walk, the next one last."""
        self._links = 0
        self.must_be_directory = False
        self._push(path)

    @abstractmethod
    def _enter(self, name: bytes) -> None:
        """Go to the directory `name`, or `expand` it if it is a symbolic link."""

    @abstractmethod
    def _leave(self) -> None:
        """Go back to where the walk came from; `perm` at the root."""

    @abstractmethod
    def _read_link(self, name: bytes) -> bytes | None:
        """The content of the symbolic link `name`, None if it is none."""

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
        content = self._read_link(name)
        if content is None:
            return False
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
