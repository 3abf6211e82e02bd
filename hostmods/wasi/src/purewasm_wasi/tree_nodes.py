"""What the nodes of a tree of Python objects can be asked for, and how a guest sees one tree.

A file system gives nodes: `Folder`, `Leaf` (a file) and `Link`. What it cannot do is left out and refused with `rofs`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from purewasm.light_typing import TYPE_CHECKING, NamedTuple, final
from purewasm_wasi.errno import PERM, ROFS, WasiError
from purewasm_wasi.flags import FILETYPE_DIRECTORY, FILETYPE_REGULAR_FILE, FILETYPE_SYMBOLIC_LINK
from purewasm_wasi.layout import Filestat

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable


class Times(NamedTuple):
    """Of a node, in nanoseconds since 1970: last read, last written, last changed."""

    atim: int
    mtim: int
    ctim: int


class Node(ABC):
    """A file, folder or link. `ino` is its number, unlike that of every other node of the tree."""

    __slots__ = ()

    filetype: int

    @property
    @abstractmethod
    def ino(self) -> int:
        """Its number."""

    def size(self) -> int:
        """In bytes."""
        return 0

    def link_count(self) -> int:
        """How many names it has."""
        return 1

    def times(self) -> Times:
        """When it was read, written and changed."""
        return Times(0, 0, 0)

    def set_times(self, atim: int | None, mtim: int | None, now: int) -> None:
        """Set the first two; None leaves one."""
        raise WasiError(ROFS)


class Link(Node):
    """A symbolic link."""

    __slots__ = ()
    filetype = FILETYPE_SYMBOLIC_LINK

    @abstractmethod
    def content(self) -> bytes:
        """Where it leads."""

    def size(self) -> int:
        return len(self.content())


class Leaf(Node):
    """A file. Bytes are moved between it and views of guest memory without a copy in between where it can be."""

    __slots__ = ()
    filetype = FILETYPE_REGULAR_FILE

    @abstractmethod
    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill the buffer from `offset`: how many bytes there were; 0 at the end."""

    def write_from(self, offset: int, data: memoryview, now: int) -> int:
        """Write at `offset`, with zeros up to there if the file ends before: how many bytes were taken, `nospc` for none."""
        raise WasiError(ROFS)

    def resize(self, size: int, now: int) -> None:
        """Cut the file, or grow it with zeros."""
        raise WasiError(ROFS)

    def opened(self) -> None:
        """One more descriptor of it is open."""

    def closed(self) -> None:
        """One less."""

    def sync(self) -> None:
        """Bring what was written to where it stays."""


class Folder(Node):
    """A directory. Names are bytes without slashes, never `.` or `..`."""

    __slots__ = ()
    filetype = FILETYPE_DIRECTORY

    @abstractmethod
    def get(self, name: bytes) -> Node | None:
        """The node of that name."""

    @abstractmethod
    def items(self) -> Iterable[tuple[bytes, Node]]:
        """All names and nodes."""

    def create_file(self, name: bytes, now: int) -> Leaf:
        """Make an empty file; the name is free."""
        raise WasiError(ROFS)

    def create_folder(self, name: bytes, now: int) -> None:
        """Make an empty folder; the name is free."""
        raise WasiError(ROFS)

    def create_link(self, name: bytes, content: bytes, now: int) -> None:
        """Make a symbolic link; the name is free."""
        raise WasiError(ROFS)

    def add(self, name: bytes, node: Node, now: int) -> None:
        """Give a file of the same tree another name; the name is free."""
        raise WasiError(ROFS)

    def remove(self, name: bytes, now: int) -> None:
        """Remove what has this name; if it is a folder it is empty."""
        raise WasiError(ROFS)

    def move(self, name: bytes, target: Folder, target_name: bytes, now: int) -> None:
        """Move a node of the tree, never into itself; what had the target's name is replaced, and is empty if it is a folder."""
        raise WasiError(ROFS)

    def contains(self, folder: Folder) -> bool:
        """Whether `folder` is this one or below it."""
        return False


@final
class View:
    """One tree as one guest sees it."""

    __slots__ = ("changeable", "device", "lock", "now", "tree")

    def __init__(self, tree: object, lock: threading.RLock, device: int, changeable: bool, now: Callable[[], int]) -> None:
        self.tree, self.lock, self.device, self.changeable, self.now = tree, lock, device, changeable, now

    def filestat(self, node: Node) -> Filestat:
        """The attributes of a node."""
        return Filestat(self.device, node.ino, node.filetype, node.link_count(), node.size(), *node.times())

    def check_changeable(self) -> None:
        """`perm` where the guest may change nothing."""
        if not self.changeable:
            raise WasiError(PERM)
