"""File systems that are trees of Python objects: what a path, an open directory and an open file mean is written here once.

A file system gives nodes: `Folder`, `Leaf` (a file) and `Link`. What it cannot do is left out and refused with `rofs`. `TreeDirectory`
and `TreeFile` are what guests have open; they answer as real directories do, errno by errno, and `..` cannot lead out for the same
reason: `TreeWalk` goes back the way that it came. `memory_fs`, `read_only_tree` and `fsspec_fs` implement the nodes.

Everything that guests do with one tree happens under its lock, so that threads may share it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final
from purewasm_wasi.descriptor import Readiness
from purewasm_wasi.errno import (
    BADF,
    BUSY,
    EXIST,
    FBIG,
    ILSEQ,
    INVAL,
    ISDIR,
    LOOP,
    NAMETOOLONG,
    NOENT,
    NOTDIR,
    NOTEMPTY,
    PERM,
    ROFS,
    XDEV,
    WasiError,
)
from purewasm_wasi.filesystem import Directory, DirectoryEntry, File
from purewasm_wasi.flags import (
    ALL_RIGHTS,
    FDFLAG_APPEND,
    FDFLAG_DSYNC,
    FDFLAG_NONBLOCK,
    FDFLAG_RSYNC,
    FDFLAG_SYNC,
    FILETYPE_DIRECTORY,
    FILETYPE_REGULAR_FILE,
    FILETYPE_SYMBOLIC_LINK,
    OFLAG_CREAT,
    OFLAG_DIRECTORY,
    OFLAG_EXCL,
    OFLAG_TRUNC,
    RIGHT_FD_READ,
    RIGHT_FD_READDIR,
    RIGHT_FD_WRITE,
    WHENCE_CUR,
    WHENCE_END,
)
from purewasm_wasi.layout import I64_MAX, Fdstat, Filestat
from purewasm_wasi.paths import Walk

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable

    from purewasm_wasi.filesystem import OpenRequest

MAX_NAME_BYTES: Final = 255
"""The longest component, as on most systems."""
_SYNC_FDFLAGS: Final = FDFLAG_DSYNC | FDFLAG_RSYNC | FDFLAG_SYNC
_ACCEPTED_FDFLAGS: Final = FDFLAG_APPEND | FDFLAG_NONBLOCK


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


@final
class TreeWalk(Walk):
    """A walk from a folder; `folder` is where it is."""

    __slots__ = ("_trail", "folder")

    def __init__(self, root: Folder, path: bytes) -> None:
        self._trail: list[Folder] = []
        self.folder = root
        super().__init__(path)

    def node(self, name: bytes) -> Node | None:
        """What has this name here."""
        if name == b".":
            return self.folder
        if len(name) > MAX_NAME_BYTES:
            raise WasiError(NAMETOOLONG)
        return self.folder.get(name)

    def existing(self, name: bytes) -> Node:
        """The same; `noent` if there is nothing."""
        node = self.node(name)
        if node is None:
            raise WasiError(NOENT)
        return node

    def locate(self, *, follow: bool) -> tuple[bytes, Node]:
        """The last component and its node, links followed if asked for or if a slash asks for it."""
        while True:
            name = self.last()
            node = self.existing(name)
            if not (isinstance(node, Link) and (follow or self.must_be_directory)):
                break
            self.expand(name)
        if self.must_be_directory and not isinstance(node, Folder):
            raise WasiError(NOTDIR)
        return name, node

    def check_directory(self, name: bytes) -> None:
        """Fail as the path would that ends in a slash after `name`, unless it leads to a directory."""
        self.again(name)
        self.locate(follow=True)

    def refuse_slash(self, name: bytes) -> None:
        """What is made by this name is no directory, so it cannot end in a slash: `exist` if a directory is there."""
        if self.must_be_directory:
            self.check_directory(name)
            raise WasiError(EXIST)

    def _enter(self, name: bytes) -> None:
        node = self.existing(name)
        if isinstance(node, Link):
            self.expand(name)
        elif isinstance(node, Folder):
            self._trail.append(self.folder)
            self.folder = node
        else:
            raise WasiError(NOTDIR)

    def _leave(self) -> None:
        if not self._trail:
            raise WasiError(PERM)
        self.folder = self._trail.pop()

    def _read_link(self, name: bytes) -> bytes | None:
        node = self.existing(name)
        return node.content() if isinstance(node, Link) else None


@final
class TreeFile(File):
    """An open file."""

    __slots__ = ("_closed", "_flags", "_leaf", "_position", "_readable", "_view", "_writable")

    filetype = FILETYPE_REGULAR_FILE

    def __init__(self, view: View, leaf: Leaf, flags: int, *, readable: bool, writable: bool) -> None:
        self._closed = True
        self._view, self._leaf, self._flags = view, leaf, flags
        self._readable, self._writable = readable, writable
        self._position = 0
        leaf.opened()
        self._closed = False

    def close(self) -> None:
        closed, self._closed = self._closed, True
        if not closed:
            with self._view.lock:
                self._leaf.closed()

    def fdstat(self) -> Fdstat:
        rights = ALL_RIGHTS
        if not self._readable:
            rights &= ~(RIGHT_FD_READ | RIGHT_FD_READDIR)
        if not self._writable:
            rights &= ~RIGHT_FD_WRITE
        return Fdstat(self.filetype, self._flags, rights, rights)

    def filestat(self) -> Filestat:
        with self._view.lock:
            return self._view.filestat(self._leaf)

    def set_flags(self, flags: int) -> None:
        if flags & ~_ACCEPTED_FDFLAGS:
            raise WasiError(INVAL)
        self._flags = self._flags & _SYNC_FDFLAGS | flags

    def read(self, buffers: list[memoryview]) -> int:
        with self._view.lock:
            size = self.pread(buffers, self._position)
            self._position += size
            return size

    def read_one(self, buffer: memoryview) -> int:
        if not self._readable:
            return -1
        with self._view.lock:
            size = self._leaf.read_into(self._position, buffer)
            self._position += size
            return size

    def write_one(self, data: memoryview) -> int:
        if not self._writable or self._flags or self._position + len(data) > I64_MAX:
            return -1
        with self._view.lock:
            size = self._leaf.write_from(self._position, data, self._view.now())
            self._position += size
            return size

    def pread(self, buffers: list[memoryview], offset: int) -> int:
        if not self._readable:
            raise WasiError(BADF)
        _check_offset(offset)
        total = 0
        with self._view.lock:
            for buffer in buffers:
                size = self._leaf.read_into(offset + total, buffer)
                total += size
                if size < len(buffer):
                    break
        return total

    def write(self, buffers: list[memoryview]) -> int:
        with self._view.lock:
            if self._flags & FDFLAG_APPEND:
                self._position = self._leaf.size()
            size = self._write(buffers, self._position)
            self._position += size
            return size

    def pwrite(self, buffers: list[memoryview], offset: int) -> int:
        _check_offset(offset)
        # As `pwritev` of Linux does it: with the flag, the offset counts for nothing.
        with self._view.lock:
            return self._write(buffers, self._leaf.size() if self._flags & FDFLAG_APPEND else offset)

    def _write(self, buffers: list[memoryview], offset: int) -> int:
        if not self._writable:
            raise WasiError(BADF)
        total, now = 0, self._view.now()
        for buffer in buffers:
            if offset + total + len(buffer) > I64_MAX:
                raise WasiError(FBIG)
            try:
                size = self._leaf.write_from(offset + total, buffer, now)
            except WasiError:
                if total:
                    break  # what was taken is told first; the next call fails
                raise
            total += size
            if size < len(buffer):
                break
        if total and self._flags & _SYNC_FDFLAGS:
            self._leaf.sync()
        return total

    def seek(self, offset: int, whence: int) -> int:
        with self._view.lock:
            start = self._position if whence == WHENCE_CUR else self._leaf.size() if whence == WHENCE_END else 0
            if not 0 <= start + offset <= I64_MAX:
                raise WasiError(INVAL)
            self._position = start + offset
            return self._position

    def advise(self, offset: int, size: int, advice: int) -> None:
        """Nothing here could be faster for it."""

    def allocate(self, offset: int, size: int) -> None:
        self._view.check_changeable()
        if not size:
            raise WasiError(INVAL)
        if offset + size > I64_MAX:
            raise WasiError(FBIG)
        if not self._writable:
            raise WasiError(BADF)
        with self._view.lock:
            if offset + size > self._leaf.size():
                self._leaf.resize(offset + size, self._view.now())

    def set_size(self, size: int) -> None:
        self._view.check_changeable()
        _check_offset(size)
        if not self._writable:
            raise WasiError(INVAL)
        with self._view.lock:
            self._leaf.resize(size, self._view.now())

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        self._view.check_changeable()
        with self._view.lock:
            self._leaf.set_times(atim, mtim, self._view.now())

    def sync(self, *, data_only: bool) -> None:
        with self._view.lock:
            self._leaf.sync()

    def finish(self) -> None:
        self.sync(data_only=True)

    def readable(self) -> Readiness:
        with self._view.lock:
            left = max(0, self._leaf.size() - self._position)
        return Readiness(left, hangup=not left)


@final
class TreeDirectory(Directory):
    """An open directory."""

    __slots__ = ("_folder", "_view")

    def __init__(self, view: View, folder: Folder) -> None:
        self._view, self._folder = view, folder
        super().__init__()

    # The directory itself

    def filestat(self) -> Filestat:
        with self._view.lock:
            return self._view.filestat(self._folder)

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        self._view.check_changeable()
        with self._view.lock:
            self._folder.set_times(atim, mtim, self._view.now())

    def sync(self, *, data_only: bool) -> None:
        """Nothing of a directory waits to be written."""

    def entries(self) -> list[DirectoryEntry]:
        with self._view.lock:
            return [DirectoryEntry(name, node.ino, node.filetype) for name, node in self._folder.items()]

    # Paths

    def open(self, path: bytes, request: OpenRequest) -> File | Directory:
        oflags = request.oflags
        creates, wants_directory = bool(oflags & OFLAG_CREAT), bool(oflags & OFLAG_DIRECTORY)
        writes = request.writable or creates or bool(oflags & OFLAG_TRUNC)
        if wants_directory and oflags & (OFLAG_CREAT | OFLAG_EXCL | OFLAG_TRUNC):
            raise WasiError(INVAL)
        if writes:
            self._view.check_changeable()
        with self._view.lock:
            walk = TreeWalk(self._folder, path)
            name, node = _find_to_open(walk, request, creates=creates)
            if node is None:
                node = walk.folder.create_file(name, self._view.now())
            if isinstance(node, Folder):
                if writes:
                    raise WasiError(ISDIR)
                return TreeDirectory(self._view, node)
            if wants_directory or walk.must_be_directory or not isinstance(node, Leaf):
                raise WasiError(NOTDIR)
            if oflags & OFLAG_TRUNC:
                node.resize(0, self._view.now())
            reads = request.readable or not request.writable
            return TreeFile(self._view, node, request.fdflags, readable=reads, writable=writes)

    def stat_at(self, path: bytes, *, follow: bool) -> Filestat:
        with self._view.lock:
            return self._view.filestat(TreeWalk(self._folder, path).locate(follow=follow)[1])

    def set_times_at(self, path: bytes, atim: int | None, mtim: int | None, *, follow: bool) -> None:
        self._view.check_changeable()
        with self._view.lock:
            _, node = TreeWalk(self._folder, path).locate(follow=follow)
            node.set_times(atim, mtim, self._view.now())

    def create_directory(self, path: bytes) -> None:
        self._view.check_changeable()
        with self._view.lock:
            walk = TreeWalk(self._folder, path)
            name = walk.last()
            if walk.node(name) is not None:
                raise WasiError(EXIST)
            walk.folder.create_folder(name, self._view.now())

    def remove_directory(self, path: bytes) -> None:
        self._view.check_changeable()
        with self._view.lock:
            walk = TreeWalk(self._folder, path)
            name = walk.last()
            if name == b".":
                raise WasiError(INVAL)
            node = walk.existing(name)
            if walk.must_be_directory and isinstance(node, Link):
                walk.check_directory(name)
                raise WasiError(INVAL)
            if not isinstance(node, Folder):
                raise WasiError(NOTDIR)
            if _has_items(node):
                raise WasiError(NOTEMPTY)
            walk.folder.remove(name, self._view.now())

    def unlink(self, path: bytes) -> None:
        self._view.check_changeable()
        with self._view.lock:
            walk = TreeWalk(self._folder, path)
            name = walk.last()
            if walk.must_be_directory:
                walk.check_directory(name)
                raise WasiError(ISDIR)
            if isinstance(walk.existing(name), Folder):
                raise WasiError(ISDIR)
            walk.folder.remove(name, self._view.now())

    def link(self, path: bytes, target: Directory, target_path: bytes) -> None:
        there = self._in_same_tree(target)
        with self._view.lock:
            old, new = TreeWalk(self._folder, path), TreeWalk(there, target_path)
            old_name, new_name = old.last(), new.last()
            if old.must_be_directory:
                old.check_directory(old_name)
                raise WasiError(PERM)
            new.refuse_slash(new_name)
            node = old.existing(old_name)
            if new.node(new_name) is not None:
                raise WasiError(EXIST)
            if isinstance(node, Folder):
                raise WasiError(PERM)
            new.folder.add(new_name, node, self._view.now())

    def rename(self, path: bytes, target: Directory, target_path: bytes) -> None:
        there = self._in_same_tree(target)
        with self._view.lock:
            old, new = TreeWalk(self._folder, path), TreeWalk(there, target_path)
            old_name, new_name = old.last(), new.last()
            slash = old.must_be_directory or (new.must_be_directory and new_name != b".")
            if slash and not isinstance(old.existing(old_name), Folder):
                raise WasiError(NOTDIR)
            if b"." in (old_name, new_name):
                raise WasiError(BUSY)
            node, replaced = old.existing(old_name), new.node(new_name)
            is_folder = isinstance(node, Folder)
            if isinstance(node, Folder) and node.contains(new.folder):
                raise WasiError(INVAL)
            if replaced is node:
                return
            if isinstance(replaced, Folder) and replaced.contains(old.folder):
                raise WasiError(NOTEMPTY)
            if isinstance(replaced, Folder):
                if not is_folder:
                    raise WasiError(ISDIR)
                if _has_items(replaced):
                    raise WasiError(NOTEMPTY)
            elif replaced is not None and is_folder:
                raise WasiError(NOTDIR)
            old.folder.move(old_name, new.folder, new_name, self._view.now())

    def symlink(self, content: bytes, path: bytes) -> None:
        self._view.check_changeable()
        if content.startswith(b"/"):
            raise WasiError(PERM)
        if not content:
            raise WasiError(NOENT)
        with self._view.lock:
            walk = TreeWalk(self._folder, path)
            name = walk.last()
            walk.refuse_slash(name)
            if walk.node(name) is not None:
                raise WasiError(EXIST)
            walk.folder.create_link(name, content, self._view.now())

    def readlink(self, path: bytes) -> bytes:
        with self._view.lock:
            walk = TreeWalk(self._folder, path)
            name = walk.last()
            if walk.must_be_directory:
                walk.check_directory(name)
                raise WasiError(INVAL)
            node = walk.existing(name)
            if not isinstance(node, Link):
                raise WasiError(INVAL)
            content = node.content()
        if content.startswith(b"/"):
            raise WasiError(PERM)
        try:
            content.decode()
        except UnicodeDecodeError:
            raise WasiError(ILSEQ) from None
        return content

    def _in_same_tree(self, target: Directory) -> Folder:
        if not isinstance(target, TreeDirectory) or target._view.tree is not self._view.tree:
            raise WasiError(XDEV)
        self._view.check_changeable()
        target._view.check_changeable()
        return target._folder


def _find_to_open(walk: TreeWalk, request: OpenRequest, *, creates: bool) -> tuple[bytes, Node | None]:
    """The last component of what is to be opened and its node, None for one to be made."""
    follow = request.follow
    while True:
        name = walk.last()
        if walk.must_be_directory and name != b".":
            if creates:
                raise WasiError(ISDIR)
            follow = True
        node = walk.node(name)
        if node is None:
            if not creates:
                raise WasiError(NOENT)
            return name, None
        if creates and request.oflags & OFLAG_EXCL:
            raise WasiError(EXIST)
        if not isinstance(node, Link):
            return name, node
        if not follow:
            raise WasiError(LOOP)
        walk.expand(name)


def _has_items(folder: Folder) -> bool:
    return next(iter(folder.items()), None) is not None


def _check_offset(offset: int) -> None:
    if offset > I64_MAX:
        raise WasiError(INVAL)
