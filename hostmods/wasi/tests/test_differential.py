"""The same calls on this host module and on wasmtime's own: the same results, errnos and traps, and the same files afterwards.

Differences that are meant stand in `MEANT`, each with its reason; one that is gone fails the test, so that the list stays true.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from stat import S_ISLNK, S_ISREG
from typing import Any, Final

import pytest

from hostmods.wasi.tests.guest import PAGE, READ, WRITE, Failed, Guest, direct, passing_on
from purewasm import MemoryAccessError
from purewasm_wasi import HostDir, Wasi
from purewasm_wasi.flags import OFLAG_CREAT, OFLAG_DIRECTORY, OFLAG_EXCL, OFLAG_TRUNC
from purewasm_wasi.preview1 import FUNCTIONS

wasmtime = pytest.importorskip("wasmtime", reason="wasmtime is not installed: pip install wasmtime")

CREAT, DIRECTORY, EXCL, TRUNC = OFLAG_CREAT, OFLAG_DIRECTORY, OFLAG_EXCL, OFLAG_TRUNC
Calls = Callable[[Guest], object]

ARGS: Final = ["program", "a", "ü"]
ENV: Final = {"NAME": "value", "EMPTY": ""}

MEANT: Final = {
    "rmdir 'sub/'": "POSIX removes a directory named with a slash, so this is notempty; the reference refuses every slash with inval",
    "rmdir 'sub//'": "the same",
}


@cache
def _module() -> Any:
    engine = wasmtime.Engine()
    return engine, wasmtime.Module(engine, passing_on())


@pytest.fixture(scope="module", autouse=True)
def _forget_module() -> Iterator[None]:
    yield
    _module.cache_clear()


class Wasmtime:
    """wasmtime with its own WASI, running the module that passes calls on."""

    def __init__(self, root: Path, *, read_only: bool = False) -> None:
        engine, module = _module()
        self._store = wasmtime.Store(engine)
        config = wasmtime.WasiConfig()
        config.argv = ARGS
        config.env = list(ENV.items())
        config.preopen_dir(str(root), "/", not read_only)
        self._store.set_wasi(config)
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        self._exports = linker.instantiate(self._store, module).exports(self._store)
        self.memory = WasmtimeMemory(self._store, self._exports["memory"])

    def call(self, name: str, *args: int) -> int | None:
        result: int | None = self._exports[name](self._store, *args)
        return result


class WasmtimeMemory:
    """Its memory, with the methods of ours."""

    def __init__(self, store: Any, memory: Any) -> None:
        self._store, self._memory = store, memory

    @property
    def size(self) -> int:
        return int(self._memory.data_len(self._store))

    def read(self, offset: int, size: int) -> bytes:
        return bytes(self._memory.read(self._store, offset, offset + size))

    def write(self, offset: int, data: bytes) -> None:
        self._memory.write(self._store, data, offset)

    def view(self) -> memoryview:
        raise NotImplementedError


def tree(folder: Path) -> Path:
    """What the calls work on."""
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "file").write_bytes(b"0123456789")
    (folder / "sub" / "file").write_bytes(b"below")
    (folder / "to_file").symlink_to("file")
    (folder / "to_sub").symlink_to("sub")
    (folder / "to_sub_slash").symlink_to("sub/")
    (folder / "to_itself").symlink_to("to_itself")
    (folder / "dangling").symlink_to("nothing")
    (folder / "to_outside").symlink_to("../outside")
    (folder / "to_root").symlink_to("/")
    (folder / "up_and_back").symlink_to("sub/../file")
    (folder / "sub" / "to_parent").symlink_to("..")
    (folder.parent / "outside").mkdir()
    (folder.parent / "outside" / "secret").write_bytes(b"secret")
    for path in (folder, *folder.rglob("*")):
        os.utime(path, ns=(10**18, 10**18), follow_symlinks=False)
    return folder


PATHS = (
    "file", "sub", "sub/file", "to_file", "to_sub", "to_sub/file", "to_sub_slash", "to_itself", "dangling", "to_outside",
    "to_outside/secret", "to_root", "to_root/etc", "up_and_back", "sub/to_parent", "sub/to_parent/file", "sub/to_parent/..",
    "nothing", "nothing/x", "file/x",
    "file/..", "sub/..", "sub/../..", "..", "../outside/secret", ".", "./", "./.", "sub/.", "sub/./file", "sub//file", "file/", "sub/",
    "sub//", "to_file/", "to_sub/", "dangling/", "to_outside/", "nothing/", "", "/", "/file", "//file", "sub/deep/../../file",
    "to_sub/../file", "file\0", b"\xff", b"\xed\xa0\x80", "n" * 255, "n" * 256, "n/" * 1000,
    "sub/../" * 300 + "file", "sub/deep/../../" * 200 + "file",
)  # fmt: skip

OPENS = (
    (0, READ), (0, WRITE), (0, READ | WRITE), (0, 0), (DIRECTORY, READ), (DIRECTORY, READ | WRITE), (CREAT, READ), (CREAT, WRITE),
    (CREAT | EXCL, WRITE), (TRUNC, WRITE), (TRUNC, READ), (CREAT | TRUNC, WRITE),
    (DIRECTORY | CREAT, READ), (DIRECTORY | TRUNC, READ), (EXCL, READ),
)  # fmt: skip


def opening(path: str | bytes, oflags: int, rights: int, follow: bool) -> Calls:
    def calls(guest: Guest) -> object:
        fd = guest.open(3, path, oflags=oflags, rights=rights, follow=follow)
        filetype, flags, base, _ = guest.fdstat(fd)
        return fd, filetype, flags, base & (READ | WRITE), guest.stat(fd)[2:5]

    return calls


def on_path(name: str, path: str | bytes) -> Calls:
    def stat(guest: Guest, follow: bool) -> object:
        return guest.stat(3, path, follow=follow)[2:5]

    def set_times(guest: Guest, follow: bool) -> object:
        guest.set_times(3, path, mtim=5 * 10**17, flags=4, follow=follow)
        return [guest.stat(3, other).mtim for other in ("file", "sub", "to_file", "to_sub", "dangling")]

    actions: dict[str, Calls] = {
        "stat": lambda guest: stat(guest, False),
        "stat_follow": lambda guest: stat(guest, True),
        "set_times": lambda guest: set_times(guest, False),
        "set_times_follow": lambda guest: set_times(guest, True),
        "readlink": lambda guest: guest.readlink(3, path),
        "mkdir": lambda guest: guest.mkdir(3, path),
        "rmdir": lambda guest: guest.rmdir(3, path),
        "unlink": lambda guest: guest.unlink(3, path),
        "symlink_at": lambda guest: guest.symlink("file", 3, path),
        "symlink_to": lambda guest: guest.symlink(path, 3, "new"),
        "link_from": lambda guest: guest.link(3, path, 3, "new"),
        "link_to": lambda guest: guest.link(3, "file", 3, path),
        "rename_file_to": lambda guest: guest.rename(3, "file", 3, path),
        "rename_dir_to": lambda guest: guest.rename(3, "empty", 3, path),
        "rename_from": lambda guest: guest.rename(3, path, 3, "new"),
        "rename_from_to_dir": lambda guest: guest.rename(3, path, 3, "empty"),
    }
    return actions[name]


ACTIONS = (
    "stat", "stat_follow", "set_times", "set_times_follow", "readlink", "mkdir", "rmdir", "unlink", "symlink_at", "symlink_to", "link_from",
    "link_to", "rename_file_to", "rename_dir_to", "rename_from", "rename_from_to_dir",
)  # fmt: skip


def text(path: str | bytes) -> str:
    """A path to be shown."""
    shown = repr(path)
    return shown if len(shown) < 40 else f"{shown[:20]}…({len(path)})"


def outcome(guest: Guest, calls: Calls) -> object:
    """What the calls return, the name of their errno, or that they trap."""
    try:
        return calls(guest)
    except Failed as error:
        return str(error)
    except (MemoryAccessError, wasmtime.WasmtimeError):
        return "a trap"


def files(folder: Path) -> list[tuple[str, int, int, bytes | str]]:
    """What the calls left behind."""
    found: list[tuple[str, int, int, bytes | str]] = []
    for path in sorted(folder.rglob("*")):
        stat = path.lstat()
        content: bytes | str = path.read_bytes() if S_ISREG(stat.st_mode) else os.readlink(path) if S_ISLNK(stat.st_mode) else ""
        found.append((str(path.relative_to(folder)), stat.st_mode, stat.st_nlink, content))
    return found


class Trees:
    """A tree for each side, made anew whenever calls have changed one."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._number = folder, 0
        self._make()

    def _make(self) -> None:
        self._number += 1
        self.ours, self.theirs = (tree(self._folder / f"{self._number}_{side}" / "root") for side in ("ours", "theirs"))
        self._fresh = [self._state(root) for root in (self.ours, self.theirs)]

    @staticmethod
    def _state(root: Path) -> list[tuple[str, int, int]]:
        return [(str(path), path.lstat().st_mtime_ns, path.lstat().st_nlink) for path in (root, *sorted(root.rglob("*")))]

    def compare(self, title: str, calls: Calls, *, read_only: bool = False) -> str | None:
        """A sentence if the two differ."""
        with Wasi(ARGS, ENV, dirs={"/": HostDir(self.ours, read_only=read_only)}) as wasi:
            ours = outcome(direct(wasi), calls)
        theirs = outcome(Guest(Wasmtime(self.theirs, read_only=read_only)), calls)
        same_files = files(self.ours) == files(self.theirs)
        if [self._state(root) for root in (self.ours, self.theirs)] != self._fresh:
            self._make()
        if ours == theirs and same_files:
            return None
        return f"{title}: here {ours!r}, there {theirs!r}{'' if same_files else ', and other files'}"


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=text)
def test_paths(path: str | bytes, tmp_path: Path) -> None:
    _check_paths(path, tmp_path, MEANT, read_only=False)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["file", "sub", "to_file", "dangling", "to_outside", "nothing", ".", "..", "sub/", "", "/"])
def test_paths_of_a_read_only_directory(path: str, tmp_path: Path) -> None:
    _check_paths(path, tmp_path, {}, read_only=True)


def _check_paths(path: str | bytes, folder: Path, meant: dict[str, str], *, read_only: bool) -> None:
    cases = {f"{name} {text(path)}": on_path(name, path) for name in ACTIONS}
    for oflags, rights in OPENS:
        for follow in (False, True):
            cases[f"open {text(path)} oflags={oflags} rights={rights} follow={follow}"] = opening(path, oflags, rights, follow)
    differences, trees = [], Trees(folder)
    for title, calls in cases.items():
        difference = trees.compare(title, calls, read_only=read_only)
        if (difference is not None) != (title in meant):
            differences.append(difference or f"{title} is the same on both now: take it off MEANT")
    assert not differences, "\n".join(differences)


# Calls on descriptors: 0, 1, 2 are streams, 3 the preopened directory, 4 a file, 5 a directory, 6 a file to write only, 9 nothing.

def opened(guest: Guest) -> None:
    assert guest.open(3, "file", rights=READ | WRITE) == 4
    assert guest.open_directory(3, "sub") == 5
    assert guest.open(3, "sub/file", rights=WRITE) == 6


FDS = (0, 1, 2, 3, 4, 5, 6, 9, 0xFFFF_FFFF)

FD_CALLS: dict[str, Callable[[Guest, int], object]] = {
    "advise": lambda guest, fd: guest.call("fd_advise", fd, 0, 4, 0),
    "advise by a value that is none": lambda guest, fd: guest.call("fd_advise", fd, 0, 4, 6),
    "datasync": lambda guest, fd: guest.call("fd_datasync", fd),
    "fdstat": lambda guest, fd: guest.fdstat(fd),
    "set flags": lambda guest, fd: (guest.errno("fd_fdstat_set_flags", fd, 5), guest.fdstat(fd)),
    "set sync flags": lambda guest, fd: guest.call("fd_fdstat_set_flags", fd, 2),
    "set flags that are none": lambda guest, fd: guest.call("fd_fdstat_set_flags", fd, 32),
    "set rights": lambda guest, fd: guest.call("fd_fdstat_set_rights", fd, 0, 0),
    "filestat": lambda guest, fd: guest.stat(fd)[2:5],
    "set size": lambda guest, fd: (guest.errno("fd_filestat_set_size", fd, 3), guest.stat(fd).size),
    "set a size that is too large": lambda guest, fd: guest.call("fd_filestat_set_size", fd, 1 << 63),
    "set times": lambda guest, fd: (guest.errno("fd_filestat_set_times", fd, 10**17, 10**16, 5), guest.stat(fd)[5:7]),
    "set both kinds of a time": lambda guest, fd: guest.set_times(fd, None, flags=3),
    "set flags of times that are none": lambda guest, fd: guest.set_times(fd, None, flags=16),
    "read": lambda guest, fd: (guest.read(fd, 4), guest.tell(fd)),
    "read into nothing": lambda guest, fd: guest.read(fd),
    "read into an empty buffer": lambda guest, fd: guest.read(fd, 0),
    "pread": lambda guest, fd: (guest.read(fd, 4, offset=2), guest.tell(fd)),
    "pread behind the end": lambda guest, fd: guest.read(fd, 4, offset=100),
    "pread far away": lambda guest, fd: guest.read(fd, 4, offset=(1 << 64) - 1),
    "write": lambda guest, fd: (guest.write(fd, b"abc"), guest.tell(fd)),
    "write nothing": lambda guest, fd: guest.write(fd),
    "pwrite": lambda guest, fd: (guest.write(fd, b"abc", offset=20), guest.tell(fd), guest.stat(fd).size),
    "pwrite far away": lambda guest, fd: guest.write(fd, b"abc", offset=(1 << 64) - 1),
    "seek": lambda guest, fd: [guest.seek(fd, *to) for to in ((3, 0), (2, 1), (-1, 2), (100, 0))],
    "seek before the start": lambda guest, fd: guest.seek(fd, -1, 0),
    "seek back before the start": lambda guest, fd: guest.seek(fd, -1, 1),
    "seek from what is nothing": lambda guest, fd: guest.seek(fd, 0, 3),
    "tell": lambda guest, fd: guest.tell(fd),
    "prestat": lambda guest, fd: guest.prestat(fd),
    "prestat name": lambda guest, fd: guest.call("fd_prestat_dir_name", fd, 1024, 1),
    "prestat name without room": lambda guest, fd: guest.call("fd_prestat_dir_name", fd, 1024, 0),
    "readdir": lambda guest, fd: sorted((entry.name, entry.filetype) for entry in guest.readdir(fd)[0]),
    "readdir in between": lambda guest, fd: [(entry.following, entry.name) for entry in guest.readdir(fd, cookie=1)[0]][:1],
    "readdir behind the end": lambda guest, fd: guest.readdir(fd, cookie=100),
    "readdir far away": lambda guest, fd: guest.readdir(fd, cookie=(1 << 64) - 1),
    "readdir without room": lambda guest, fd: guest.readdir(fd, size=0),
    "readdir with little room": lambda guest, fd: guest.readdir(fd, size=25)[1],
    "close": lambda guest, fd: (guest.errno("fd_close", fd), outcome(guest, lambda guest: guest.fdstat(fd))),
    "renumber to a file": lambda guest, fd: (guest.errno("fd_renumber", fd, 4), guest.fdstat(4), outcome(guest, lambda g: g.fdstat(fd))),
    "renumber a file to it": lambda guest, fd: (guest.errno("fd_renumber", 4, fd), guest.fdstat(fd)[:2]),
    "open relative to it": lambda guest, fd: guest.open(fd, "file"),
    "stat relative to it": lambda guest, fd: guest.stat(fd, "file").size,
    "mkdir relative to it": lambda guest, fd: guest.mkdir(fd, "made"),
    "link to it": lambda guest, fd: guest.link(3, "file", fd, "linked"),
    "rename to it": lambda guest, fd: guest.rename(3, "file", fd, "renamed"),
    "poll to read": lambda guest, fd: [event[:3] for event in guest.poll(guest.fd_subscription(7, fd))],
    "poll to write": lambda guest, fd: [event[:3] for event in guest.poll(guest.fd_subscription(7, fd, write=True))],
    "accept": lambda guest, fd: guest.call("sock_accept", fd, 0, 1024),
    "receive": lambda guest, fd: guest.call("sock_recv", fd, 1024, 0, 0, 1024, 1028),
    "send": lambda guest, fd: guest.call("sock_send", fd, 1024, 0, 0, 1024),
    "shut down": lambda guest, fd: guest.call("sock_shutdown", fd, 1),
}

_NO_SUCH_VALUE: Final = "an argument that is no value of its type is inval, as the specification's errno says; there it is a trap"
_DIRECTORY_SYNC: Final = "a directory can be synced, as programs that keep data safe do; there it is badf"

FDS_MEANT: Final = {
    **{
        (title, fd): _NO_SUCH_VALUE
        for title in FD_CALLS
        if title.endswith(("that are none", "that is none", "what is nothing"))
        for fd in FDS
    },
    ("datasync", 3): _DIRECTORY_SYNC,
    ("datasync", 5): _DIRECTORY_SYNC,
}


@pytest.mark.slow
@pytest.mark.parametrize("title", FD_CALLS)
def test_descriptors(title: str, tmp_path: Path) -> None:
    differences, trees = [], Trees(tmp_path)
    for fd in FDS:
        def calls(guest: Guest, fd: int = fd) -> object:
            opened(guest)
            return FD_CALLS[title](guest, fd)

        difference = trees.compare(f"{title} {fd}", calls)
        meant = (title, fd) in FDS_MEANT
        if (difference is not None) != meant:
            differences.append(difference or f"{title} {fd} is the same on both now: take it off FDS_MEANT")
    assert not differences, "\n".join(differences)


def test_strings_and_waiting(tmp_path: Path) -> None:
    def calls(guest: Guest) -> object:
        opened(guest)
        return [
            guest.strings("args"),
            guest.strings("environ"),
            guest.prestat(3),
            [event[:3] for event in guest.poll(guest.clock_subscription(3, 1000))],
        ]

    assert Trees(tmp_path).compare("strings and waiting", calls) is None


def bad_pointers() -> list[tuple[str, tuple[int, ...]]]:
    """Calls with one pointer outside the memory, or not aligned, each."""
    good = {"fd": 4, "ptr": 2048, "size": 1, "u32": 0, "flags": 0, "enum": 0, "u64": 0, "rights": 2, "delta": 0}
    calls = []
    for row in FUNCTIONS:
        kinds = row.kinds()
        args = [good[kind] for kind in kinds]
        for index, kind in enumerate(kinds):
            if kind == "fd" and (row.name.startswith("path") or row.name in ("fd_readdir", "fd_prestat_get", "fd_prestat_dir_name")):
                args[index] = 3
        for index, kind in enumerate(kinds):
            if kind == "ptr":
                calls += [(row.name, (*args[:index], bad, *args[index + 1 :])) for bad in (4 * PAGE, 4 * PAGE - 1, 0xFFFF_FFFF, 2049, 2050)]
    return calls


# There the result's place is looked at only if there is a result; and sockets are not implemented.
POINTERS_MEANT: Final = frozenset({"path_filestat_get", "path_open", "path_readlink", "sock_accept", "sock_recv", "sock_send"})


def test_bad_pointers(tmp_path: Path) -> None:
    machines: list[Guest] = []
    with Wasi(ARGS, ENV, dirs={"/": tree(tmp_path / "ours" / "root")}) as wasi:
        machines = [direct(wasi), Guest(Wasmtime(tree(tmp_path / "theirs" / "root")))]
        for guest in machines:
            opened(guest)
        for name, args in bad_pointers():
            if name not in POINTERS_MEANT:
                outcomes = []
                for guest in machines:
                    guest.memory.write(2040, (b"a" if name.startswith("path") else b"\0") * 64)
                    outcomes.append(outcome(guest, lambda guest, name=name, args=args: guest.call(name, *args)))  # type: ignore[misc]
                assert outcomes[0] == outcomes[1], f"{name}{args}: here {outcomes[0]}, there {outcomes[1]}"
