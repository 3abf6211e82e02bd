"""Any tree of Python's own as a read-only file system: a `zipfile.Path`, what `importlib.resources.files` gives, a `pathlib.Path`.

    Wasi(dirs={"/lib": ReadOnlyTree(zipfile.Path("library.zip")), "/data": ReadOnlyTree(importlib.resources.files("package"))})

A file is read as a whole when it is first read from, and kept as long as it is open.
"""

from __future__ import annotations

import threading
from itertools import count

from purewasm.light_typing import TYPE_CHECKING, final
from purewasm_wasi.tree import TreeDirectory
from purewasm_wasi.tree_nodes import Folder, Leaf, Node, View

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterable, Iterator
    from importlib.resources.abc import Traversable

    from purewasm_wasi.filesystem import RootOptions


class _Numbered(Node):
    __slots__ = ("_ino", "_inos", "_path")

    def __init__(self, path: Traversable, inos: Iterator[int]) -> None:
        self._path, self._inos = path, inos
        self._ino = next(inos)

    @property
    def ino(self) -> int:
        return self._ino


@final
class _TreeLeaf(_Numbered, Leaf):
    __slots__ = ("_data", "_open", "_size")

    def __init__(self, path: Traversable, inos: Iterator[int]) -> None:
        super().__init__(path, inos)
        self._data: bytes | None = None
        self._size: int | None = None
        self._open = 0

    def size(self) -> int:
        if self._size is None:
            self._size = _size_of(self._path)
        return self._size

    def read_into(self, offset: int, buffer: memoryview) -> int:
        data = self._bytes()
        size = min(len(buffer), max(0, len(data) - offset))
        buffer[:size] = memoryview(data)[offset : offset + size]
        return size

    def opened(self) -> None:
        self._open += 1

    def closed(self) -> None:
        self._open -= 1
        self._release()

    def _release(self) -> None:
        if not self._open:
            self._data = None

    def _bytes(self) -> bytes:
        if self._data is None:
            self._data = self._path.read_bytes()
        return self._data


@final
class _TreeFolder(_Numbered, Folder):
    __slots__ = ("_items",)

    def __init__(self, path: Traversable, inos: Iterator[int]) -> None:
        super().__init__(path, inos)
        self._items: dict[bytes, Node] | None = None

    def get(self, name: bytes) -> Node | None:
        return self._listed().get(name)

    def items(self) -> Iterable[tuple[bytes, Node]]:
        return self._listed().items()

    def _listed(self) -> dict[bytes, Node]:
        """What is in it, looked up once: a tree that is read only is taken not to change."""
        if self._items is None:
            paths = sorted(self._path.iterdir(), key=lambda path: path.name)
            self._items = {name: self._node(path) for path in paths if _is_name(name := path.name.encode())}
        return self._items

    def _node(self, path: Traversable) -> Node:
        return _TreeFolder(path, self._inos) if path.is_dir() else _TreeLeaf(path, self._inos)


def _size_of(path: Traversable) -> int:
    """Bytes of a file: not by reading it where there is another way."""
    import pathlib  # not at the top: programs without such a tree start faster
    import zipfile

    if isinstance(path, zipfile.Path):
        return path.root.getinfo(path.at).file_size
    if isinstance(path, pathlib.Path):
        return path.stat().st_size
    return len(path.read_bytes())


def _is_name(name: bytes) -> bool:
    """An archive may hold anything: what cannot be the name of a file is not shown."""
    return name not in (b"", b".", b"..") and b"/" not in name and b"\0" not in name


@final
class ReadOnlyTree:
    """A `Traversable` to be given to guests. Nothing in it can be changed (`perm`)."""

    __slots__ = ("_lock", "_path", "_root")

    def __init__(self, path: Traversable | zipfile.Path) -> None:
        if not path.is_dir():
            raise NotADirectoryError(f"{path!r} is no directory: a guest is given directories")
        self._path = path
        self._lock = threading.RLock()
        self._root = _TreeFolder(path, count(1))

    def __repr__(self) -> str:
        return f"ReadOnlyTree({self._path!r})"

    def open_root(self, options: RootOptions) -> TreeDirectory:
        """Open it for one guest."""
        return TreeDirectory(View(self, self._lock, options.device, False, options.clocks.realtime), self._root)

    def close(self) -> None:
        """Nothing is to be given up: the tree is the embedder's."""
