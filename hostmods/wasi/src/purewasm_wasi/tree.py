"""File systems that are trees of Python objects: what a path and an open directory mean is written here once.

`TreeDirectory` and `TreeFile` are what guests have open; they answer as real directories do, errno by errno, and `..` cannot lead out
for the same reason: `TreeWalk` goes back the way that it came. `memory_fs`, `read_only_tree` and `fsspec_fs` implement the nodes.

Everything that guests do with one tree happens under its lock, so that threads may share it.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm_wasi.errno import BUSY, EXIST, ILSEQ, INVAL, ISDIR, LOOP, NAMETOOLONG, NOENT, NOTDIR, NOTEMPTY, PERM, XDEV, WasiError
from purewasm_wasi.filesystem import Directory, DirectoryEntry, File
from purewasm_wasi.flags import OFLAG_CREAT, OFLAG_DIRECTORY, OFLAG_EXCL, OFLAG_TRUNC
from purewasm_wasi.layout import Filestat
from purewasm_wasi.paths import Walk
from purewasm_wasi.tree_file import TreeFile
from purewasm_wasi.tree_nodes import Folder, Leaf, Link, Node, View

if TYPE_CHECKING:
    from purewasm_wasi.filesystem import OpenRequest

MAX_NAME_BYTES: Final = 255
"""The longest component, as on most systems."""


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
