"""Any file system of `fsspec` as a guest's directory: object stores, archives, remote hosts. The extra `purewasm-wasi[fsspec]`.

    Wasi(dirs={"/bucket": FsspecFS("s3://bucket/folder")}, read_only_dirs={"/old": FsspecFS("zip://old.zip")})

Reading fetches what is asked for. A file that is written to is held in memory and stored as a whole when it is synced or its last
descriptor is closed, for that is what such stores can do: so a writer that fails to store sees the error when it closes. There are
no links, and no times can be set. What others change shows at the next look, as the file system's own cache of listings lets it.

A path never leads above the folder that was given. Links inside of it that the file system follows by itself are its own affair: for
directories of this machine `HostDir` is the one that keeps guests inside.
"""

from __future__ import annotations

import importlib
import threading
from contextlib import contextmanager
from weakref import WeakValueDictionary

from purewasm.light_typing import TYPE_CHECKING, Final, Protocol, final
from purewasm_wasi.errno import FBIG, NOTSUP, WasiError
from purewasm_wasi.tree import TreeDirectory
from purewasm_wasi.tree_nodes import Folder, Leaf, Node, Times, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purewasm_wasi.filesystem import RootOptions

_NS_PER_S: Final = 1_000_000_000
_PATTERN: Final = frozenset("*?[")
_FOLDER: Final[dict[str, object]] = {"type": "directory"}


class RandomReader(Protocol):
    """An open file of `fsspec`."""

    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class FileSystem(Protocol):
    """The part of `fsspec.AbstractFileSystem` that is used."""

    def info(self, path: str) -> dict[str, object]: ...
    def ls(self, path: str, detail: bool) -> list[dict[str, object]]: ...
    def open(self, path: str, mode: str) -> RandomReader: ...
    def cat_file(self, path: str) -> bytes: ...
    def pipe_file(self, path: str, value: bytes) -> None: ...
    def mkdir(self, path: str, create_parents: bool) -> None: ...
    def rmdir(self, path: str) -> None: ...
    def rm_file(self, path: str) -> None: ...
    def cp_file(self, path1: str, path2: str) -> None: ...
    def mv(self, path1: str, path2: str, recursive: bool) -> None: ...
    def invalidate_cache(self, path: str | None = None) -> None: ...


class _Remote:
    """What the nodes of one mount share. A path has one number for ever, and one node as long as somebody uses it."""

    def __init__(self, fs: FileSystem, max_file_bytes: int) -> None:
        self.fs, self.max_file_bytes = fs, max_file_bytes
        self.inos: dict[str, int] = {}
        self.made: set[str] = set()
        """Folders that guests made: many stores have folders only where files are in them."""
        self.nodes: WeakValueDictionary[str, _RemoteNode] = WeakValueDictionary()

    def node(self, path: str, info: dict[str, object]) -> _RemoteNode:
        """The node of a path, with what was found out about it."""
        kind = _RemoteFolder if info.get("type") == "directory" else _RemoteLeaf
        node = self.nodes.get(path)
        if type(node) is not kind:
            node = self.nodes[path] = kind(self, path)
        node.info = info
        return node


class _RemoteNode(Node):
    __slots__ = ("__weakref__", "_ino", "_remote", "info", "path")

    def __init__(self, remote: _Remote, path: str) -> None:
        self._remote, self.path = remote, path
        self.info: dict[str, object] = {}
        self._ino = remote.inos.setdefault(path, len(remote.inos) + 1)

    @property
    def ino(self) -> int:
        return self._ino

    def size(self) -> int:
        size = self.info.get("size")
        return int(size) if isinstance(size, int | float) else 0

    def times(self) -> Times:
        mtim = _nanoseconds(self.info.get("mtime") or self.info.get("LastModified") or self.info.get("created"))
        return Times(mtim, mtim, mtim)

    def set_times(self, atim: int | None, mtim: int | None, now: int) -> None:
        raise WasiError(NOTSUP)


@contextmanager
def _what_it_can() -> Iterator[None]:
    """A file system of which a part is not implemented says so in Python's way."""
    try:
        yield
    except NotImplementedError:
        raise WasiError(NOTSUP) from None


@final
class _RemoteLeaf(_RemoteNode, Leaf):
    """A file: either read from in place, or held in `_data` since it was written to."""

    __slots__ = ("_changed", "_data", "_open", "_reader", "_removed")

    def __init__(self, remote: _Remote, path: str) -> None:
        super().__init__(remote, path)
        self._data: bytearray | None = None
        self._reader: RandomReader | None = None
        self._changed = self._removed = False
        self._open = 0

    def size(self) -> int:
        return super().size() if self._data is None else len(self._data)

    def read_into(self, offset: int, buffer: memoryview) -> int:
        if self._data is None:
            if self._reader is None:
                self._reader = self._remote.fs.open(self.path, "rb")
            self._reader.seek(offset)
            part: bytes | memoryview = self._reader.read(len(buffer))
        else:
            part = bytes(memoryview(self._data)[offset : offset + len(buffer)])
        buffer[: len(part)] = part
        return len(part)

    def write_from(self, offset: int, data: memoryview, now: int) -> int:
        held = self._hold(offset + len(data))
        if offset > len(held):
            held.extend(bytes(offset - len(held)))
        held[offset : offset + len(data)] = data
        self._changed = True
        return len(data)

    def resize(self, size: int, now: int) -> None:
        if not size and self._data is None:
            self._drop_reader()
            self._data = bytearray()  # what is cut off need not be fetched
        held = self._hold(size)
        del held[size:]
        held.extend(bytes(size - len(held)))
        self._changed = True

    def opened(self) -> None:
        self._open += 1

    def closed(self) -> None:
        self._open -= 1
        if not self._open:
            try:
                self.sync()
            finally:
                self._data = None
                self._drop_reader()

    def sync(self) -> None:
        # As `fsync` does it: what fails is told once.
        changed, self._changed = self._changed, False
        if changed and self._data is not None and not self._removed:
            with _what_it_can():
                self._remote.fs.pipe_file(self.path, bytes(self._data))
            self.info = {**self.info, "size": len(self._data)}

    def removed(self) -> None:
        """It has no name any more: what is open goes on in memory."""
        self._hold(0)
        self._removed = True

    def _hold(self, size: int) -> bytearray:
        if max(size, self.size()) > self._remote.max_file_bytes:
            raise WasiError(FBIG)
        if self._data is None:
            self._data = bytearray(self._remote.fs.cat_file(self.path))
            self._drop_reader()
        return self._data

    def _drop_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    @property
    def is_open(self) -> bool:
        """Whether a guest has it open."""
        return self._open > 0


@final
class _RemoteFolder(_RemoteNode, Folder):
    __slots__ = ()

    def size(self) -> int:
        return 0

    def get(self, name: bytes) -> Node | None:
        path = self._path_of(name)
        try:
            return self._remote.node(path, self._remote.fs.info(path))
        except (FileNotFoundError, NotADirectoryError):
            return self._remote.node(path, _FOLDER) if path in self._remote.made else None

    def items(self) -> Iterable[tuple[bytes, Node]]:
        found: dict[bytes, Node] = {}
        for path in self._remote.made:
            folder, _, last = path.rpartition("/")
            if folder == self.path:
                found[last.encode()] = self._remote.node(path, _FOLDER)
        for info in self._listed():
            path = str(info["name"]).rstrip("/")
            name = path.rpartition("/")[2]
            if path.strip("/") != self.path.strip("/") and name not in ("", ".", ".."):
                found[name.encode()] = self._remote.node(self._path_of(name.encode()), info)
        return sorted(found.items())

    def _listed(self) -> list[dict[str, object]]:
        try:
            return self._remote.fs.ls(self.path, True)
        except FileNotFoundError:
            if self.path in self._remote.made:
                return []
            raise

    def create_file(self, name: bytes, now: int) -> Leaf:
        path = self._path_of(name)
        with _what_it_can():
            self._remote.fs.pipe_file(path, b"")
        self._remote.fs.invalidate_cache(self.path)
        made = self._remote.node(path, self._remote.fs.info(path))
        assert isinstance(made, Leaf)
        return made

    def create_folder(self, name: bytes, now: int) -> None:
        with _what_it_can():
            self._remote.fs.mkdir(self._path_of(name), False)
        self._remote.made.add(self._path_of(name))
        self._remote.fs.invalidate_cache(self.path)

    def create_link(self, name: bytes, content: bytes, now: int) -> None:
        raise WasiError(NOTSUP)

    def add(self, name: bytes, node: Node, now: int) -> None:
        raise WasiError(NOTSUP)

    def remove(self, name: bytes, now: int) -> None:
        path, node = self._path_of(name), self.get(name)
        with _what_it_can():
            if isinstance(node, Folder):
                self._remove_folder(path)
            else:
                if isinstance(node, _RemoteLeaf) and node.is_open:
                    node.removed()
                self._remote.fs.rm_file(path)
        self._remote.nodes.pop(path, None)
        self._remote.fs.invalidate_cache(self.path)

    def _remove_folder(self, path: str) -> None:
        made = path in self._remote.made
        self._remote.made.discard(path)
        try:
            self._remote.fs.rmdir(path)
        except FileNotFoundError:
            if not made:
                raise

    def move(self, name: bytes, target: Folder, target_name: bytes, now: int) -> None:
        assert isinstance(target, _RemoteFolder)
        old, new = self._path_of(name), target._path_of(target_name)
        node = self.get(name)
        if isinstance(node, _RemoteLeaf):
            node.sync()
        if target.get(target_name) is not None:
            target.remove(target_name, now)
        with _what_it_can():
            if not isinstance(node, Folder):
                self._remote.fs.cp_file(old, new)
                self._remote.fs.rm_file(old)
            elif _PATTERN.isdisjoint(old + new):
                self._remote.fs.mv(old, new, True)
            else:
                raise WasiError(NOTSUP)  # the only call for whole folders takes them for patterns
        if isinstance(node, Folder):
            self._move_made(old, new)
        self._remote.nodes.pop(old, None)
        if isinstance(node, _RemoteLeaf):
            node.path = new
            self._remote.nodes[new] = node
        for folder in (self, target):
            self._remote.fs.invalidate_cache(folder.path)

    def _move_made(self, old: str, new: str) -> None:
        made = self._remote.made
        moved = {path for path in made if f"{path}/".startswith(f"{old}/")}
        made -= moved
        made |= {new + path[len(old) :] for path in moved}

    def contains(self, folder: Folder) -> bool:
        return isinstance(folder, _RemoteFolder) and f"{folder.path}/".startswith(f"{self.path}/")

    def _path_of(self, name: bytes) -> str:
        return f"{self.path.rstrip('/')}/{name.decode()}"


def _nanoseconds(time: object) -> int:
    """Of a time as file systems give it: seconds, or a datetime."""
    timestamp = getattr(time, "timestamp", None)
    seconds = timestamp() if callable(timestamp) else time
    return max(0, int(seconds * _NS_PER_S)) if isinstance(seconds, int | float) else 0


@final
class FsspecFS:
    """A folder of an `fsspec` file system to be given to guests: a URL, or a file system object and a path in it.

    A guest that writes to a file holds it in memory: `max_file_bytes` at most (`fbig`).
    """

    __slots__ = ("_lock", "_remote", "_root")

    def __init__(self, source: str | FileSystem, path: str = "", *, max_file_bytes: int = 1 << 28) -> None:
        if isinstance(source, str):
            fs, root = _from_url(source)
            path = f"{root.rstrip('/')}/{path}" if path else root
        else:
            fs = source
        self._lock = threading.RLock()
        self._remote = _Remote(fs, max_file_bytes)
        path = path.rstrip("/")
        if path and fs.info(path).get("type") != "directory":
            raise NotADirectoryError(f"{path!r} is no directory of {fs!r}")
        self._root = _RemoteFolder(self._remote, path)

    def __repr__(self) -> str:
        return f"FsspecFS({self._remote.fs!r}, {self._root.path!r})"

    def open_root(self, options: RootOptions) -> TreeDirectory:
        """Open it for one guest."""
        return TreeDirectory(View(self, self._lock, options.device, not options.read_only, options.clocks.realtime), self._root)

    def close(self) -> None:
        """Nothing is to be given up: the file system is the embedder's."""


def _from_url(url: str) -> tuple[FileSystem, str]:
    try:
        fsspec = importlib.import_module("fsspec.core")
    except ImportError as error:
        raise ImportError("fsspec is not installed: pip install purewasm-wasi[fsspec]") from error
    fs, path = fsspec.url_to_fs(url)
    return fs, path
