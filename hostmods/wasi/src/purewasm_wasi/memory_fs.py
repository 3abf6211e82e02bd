"""A file system in memory: `MemoryFS`, for guests that need files but no disk, and for tests.

    files = MemoryFS({"in.txt": b"some text", "tmp": {}})
    Wasi(["prog"], dirs={"/": files}).run(Path("prog.wasm"))
    print(files.read("out.txt"))

It has all that a real directory has: hard and symbolic links, times (of the guest's clocks), renaming over open files. What it
holds is bounded: bytes and names beyond that are `nospc`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import contextmanager
from itertools import count

from purewasm.light_typing import TYPE_CHECKING, TypeAlias, final
from purewasm_wasi.errno import INVAL, ISDIR, NOENT, NOSPC, NOTDIR, WasiError, os_error
from purewasm_wasi.tree import TreeDirectory, TreeWalk
from purewasm_wasi.tree_nodes import Folder, Leaf, Link, Node, Times, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purewasm_wasi.filesystem import RootOptions

MemoryTree: TypeAlias = "Mapping[str, bytes | MemoryTree]"
"""Files and folders by name."""


class _Store:
    """What all nodes of one file system share: numbers for them, and what room is left."""

    __slots__ = ("files_left", "inos", "room_bytes")

    def __init__(self, max_bytes: int, max_files: int) -> None:
        self.room_bytes, self.files_left = max_bytes, max_files
        self.inos = count(1)

    def new_node(self) -> int:
        if self.files_left <= 0:
            raise WasiError(NOSPC)
        self.files_left -= 1
        return next(self.inos)


class _MemoryNode(Node):
    __slots__ = ("_ino", "_names", "_store", "_times")

    def __init__(self, store: _Store, now: int) -> None:
        self._store = store
        self._ino = store.new_node()
        self._times = Times(now, now, now)
        self._names = 1

    @property
    def ino(self) -> int:
        return self._ino

    def link_count(self) -> int:
        return self._names

    def times(self) -> Times:
        return self._times

    def set_times(self, atim: int | None, mtim: int | None, now: int) -> None:
        old = self._times
        self._times = Times(old.atim if atim is None else atim, old.mtim if mtim is None else mtim, now)

    def named(self, change: int, now: int) -> None:
        """It has one name more, or one less."""
        self._names += change
        self._times = self._times._replace(ctim=now)
        self.release()

    def release(self) -> None:
        """Give its room back if nothing names it any more."""
        if not self._names:
            self._store.files_left += 1


@final
class _MemoryLink(_MemoryNode, Link):
    __slots__ = ("_content",)

    def __init__(self, store: _Store, content: bytes, now: int) -> None:
        super().__init__(store, now)
        self._content = content

    def content(self) -> bytes:
        return self._content


@final
class _MemoryLeaf(_MemoryNode, Leaf):
    __slots__ = ("_data", "_open")

    def __init__(self, store: _Store, now: int) -> None:
        super().__init__(store, now)
        self._data = bytearray()
        self._open = 0

    def size(self) -> int:
        return len(self._data)

    def read_into(self, offset: int, buffer: memoryview) -> int:
        size = min(len(buffer), max(0, len(self._data) - offset))
        if size:
            with memoryview(self._data) as data:
                buffer[:size] = data[offset : offset + size]
        return size

    def write_from(self, offset: int, data: memoryview, now: int) -> int:
        length = len(self._data)
        size = min(len(data), max(0, length - offset + self._store.room_bytes))
        if not size:
            if data:
                raise WasiError(NOSPC)
            return 0
        if offset > length:
            self._grow(offset)
        inside = max(0, min(size, length - offset))
        if inside:
            with memoryview(self._data) as kept:
                kept[offset : offset + inside] = data[:inside]
        if size > inside:
            try:
                self._data += data[inside:size]
            except MemoryError:
                raise WasiError(NOSPC) from None
            self._store.room_bytes -= size - inside
        self._times = self._times._replace(mtim=now, ctim=now)
        return size

    def resize(self, size: int, now: int) -> None:
        if size > len(self._data):
            if size - len(self._data) > self._store.room_bytes:
                raise WasiError(NOSPC)
            self._grow(size)
        else:
            self._store.room_bytes += len(self._data) - size
            del self._data[size:]
        self._times = self._times._replace(mtim=now, ctim=now)

    def _grow(self, size: int) -> None:
        grown = size - len(self._data)
        try:
            self._data.extend(bytes(grown))
        except MemoryError:
            raise WasiError(NOSPC) from None
        self._store.room_bytes -= grown

    def opened(self) -> None:
        self._open += 1

    def closed(self) -> None:
        self._open -= 1
        self._free()

    def release(self) -> None:
        super().release()
        self._free()

    def _free(self) -> None:
        if not self._names and not self._open:
            self._store.room_bytes += len(self._data)
            self._data = bytearray()


@final
class _MemoryFolder(_MemoryNode, Folder):
    __slots__ = ("_items", "_parent")

    def __init__(self, store: _Store, parent: _MemoryFolder | None, now: int) -> None:
        super().__init__(store, now)
        self._items: dict[bytes, _MemoryNode] = {}
        self._parent = parent

    def get(self, name: bytes) -> Node | None:
        return self._items.get(name)

    def items(self) -> Iterable[tuple[bytes, Node]]:
        return self._items.items()

    def size(self) -> int:
        return len(self._items)

    def create_file(self, name: bytes, now: int) -> Leaf:
        self._check_exists()
        leaf = _MemoryLeaf(self._store, now)
        self._put(name, leaf, now)
        return leaf

    def create_folder(self, name: bytes, now: int) -> None:
        self._check_exists()
        self._put(name, _MemoryFolder(self._store, self, now), now)

    def create_link(self, name: bytes, content: bytes, now: int) -> None:
        self._check_exists()
        self._put(name, _MemoryLink(self._store, content, now), now)

    def add(self, name: bytes, node: Node, now: int) -> None:
        assert isinstance(node, _MemoryNode)
        self._check_exists()
        self._put(name, node, now)
        node.named(1, now)

    def remove(self, name: bytes, now: int) -> None:
        self._items.pop(name).named(-1, now)
        self._changed(now)

    def move(self, name: bytes, target: Folder, target_name: bytes, now: int) -> None:
        assert isinstance(target, _MemoryFolder)
        target._check_exists()
        node = self._items[name]
        if isinstance(node, _MemoryFolder):
            node._parent = target
        replaced = target._items.get(target_name)
        target._put(target_name, node, now)
        if replaced is not None:
            replaced.named(-1, now)
        del self._items[name]
        self._changed(now)

    def _check_exists(self) -> None:
        if not self._names:
            raise WasiError(NOENT)  # somebody has it open, but it was removed

    def contains(self, folder: Folder) -> bool:
        above: Folder | None = folder
        while isinstance(above, _MemoryFolder) and above is not self:
            above = above._parent
        return above is self

    def _put(self, name: bytes, node: _MemoryNode, now: int) -> None:
        self._items[name] = node
        self._changed(now)

    def _changed(self, now: int) -> None:
        self._times = self._times._replace(mtim=now, ctim=now)


@final
class MemoryFS:
    """A file system in memory, shared by all guests that it is given to: `Wasi(dirs={"/tmp": MemoryFS()})`.

    `files` are its first contents: bytes by name, folders as mappings. It holds `max_bytes` in `max_files` files, folders and links
    at most. Paths of its methods are text with slashes, relative to its root; they raise the `OSError` that a path would.
    """

    __slots__ = ("_lock", "_root", "_store")

    def __init__(self, files: MemoryTree | None = None, *, max_bytes: int = 1 << 28, max_files: int = 65_536) -> None:
        self._lock = threading.RLock()
        self._store = _Store(max_bytes, max_files)
        self._root = _MemoryFolder(self._store, None, 0)
        _fill(self._root, files or {})

    def __repr__(self) -> str:
        return f"<MemoryFS: {', '.join(sorted(self.names())) or 'empty'}>"

    def open_root(self, options: RootOptions) -> TreeDirectory:
        """Open it for one guest."""
        view = View(self, self._lock, options.device, not options.read_only, options.clocks.realtime)
        return TreeDirectory(view, self._root)

    def close(self) -> None:
        """Nothing is to be given up: what is in it stays."""

    # From Python

    def read(self, path: str) -> bytes:
        """The content of a file."""
        with self._lock, _as_os_errors(path):
            leaf = self._find(path)
            if not isinstance(leaf, Leaf):
                raise WasiError(ISDIR)
            buffer = bytearray(leaf.size())
            leaf.read_into(0, memoryview(buffer))
            return bytes(buffer)

    def write(self, path: str, data: bytes) -> None:
        """Make a file, and the folders that it is in, or give it another content."""
        with self._lock, _as_os_errors(path):
            *folders, name = path.strip("/").encode().split(b"/")
            folder = self._root
            for part in folders:
                if folder.get(part) is None:
                    folder.create_folder(_checked(part), 0)
                folder = _folder(folder.get(part))
            _write(folder, name, data)

    def names(self, path: str = "") -> list[str]:
        """The names in a folder."""
        with self._lock, _as_os_errors(path):
            return [name.decode() for name, _ in _folder(self._find(path)).items()]

    def to_dict(self, path: str = "") -> dict[str, bytes | dict[str, object]]:
        """All files and folders below a folder, in the form that `MemoryFS` takes. Symbolic links are left out."""
        with self._lock, _as_os_errors(path):
            return _contents(_folder(self._find(path)))

    def _find(self, path: str) -> Node:
        inner = path.strip("/").encode()
        return TreeWalk(self._root, inner).locate(follow=True)[1] if inner else self._root


@contextmanager
def _as_os_errors(path: str) -> Iterator[None]:
    """What guests get as an errno is an `OSError` in Python."""
    try:
        yield
    except WasiError as error:
        raise os_error(error, path) from None


def _folder(node: Node | None) -> _MemoryFolder:
    if not isinstance(node, _MemoryFolder):
        raise WasiError(NOTDIR)
    return node


def _checked(name: bytes) -> bytes:
    if not name or b"/" in name or b"\0" in name or name in (b".", b".."):
        raise WasiError(INVAL)
    return name


def _write(folder: _MemoryFolder, name: bytes, data: bytes) -> None:
    leaf = folder.get(name) or folder.create_file(_checked(name), 0)
    if not isinstance(leaf, Leaf):
        raise WasiError(ISDIR)
    leaf.resize(0, 0)
    if leaf.write_from(0, memoryview(data), 0) < len(data):
        raise WasiError(NOSPC)


def _fill(folder: _MemoryFolder, files: MemoryTree) -> None:
    for name, content in files.items():
        with _as_os_errors(name):
            if isinstance(content, Mapping):
                folder.create_folder(_checked(name.encode()), 0)
                _fill(_folder(folder.get(name.encode())), content)
            else:
                _write(folder, name.encode(), content)


def _contents(folder: _MemoryFolder) -> dict[str, bytes | dict[str, object]]:
    found: dict[str, bytes | dict[str, object]] = {}
    for name, node in folder.items():
        if isinstance(node, _MemoryFolder):
            found[name.decode()] = {**_contents(node)}
        elif isinstance(node, _MemoryLeaf):
            buffer = bytearray(node.size())
            node.read_into(0, memoryview(buffer))
            found[name.decode()] = bytes(buffer)
    return found
