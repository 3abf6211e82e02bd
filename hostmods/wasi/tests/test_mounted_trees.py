"""What else can be mounted: archives, resources of packages, `fsspec` file systems; and several mounts together."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hostmods.wasi.tests.guest import READ, WRITE, Guest, fails
from purewasm_wasi import FsspecFS, MemoryFS, ReadOnlyTree, Wasi
from purewasm_wasi.filesystem import Mount
from purewasm_wasi.flags import FDFLAG_APPEND, FILETYPE_DIRECTORY, FILETYPE_REGULAR_FILE, OFLAG_CREAT, OFLAG_TRUNC

MakeGuest = Callable[..., Guest]
GUESTS = Path(__file__).parent / "guests"


@pytest.fixture
def archive() -> zipfile.Path:
    """An archive with folders, some of them only implied, and with names that want to lead out."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        made.writestr("top.txt", "top")
        made.writestr("folder/inner.txt", "inner" * 1000)
        made.writestr("folder/deep/er.txt", "")
        made.writestr("../outside", "no")
        made.writestr("folder/../../outside", "no")
    return zipfile.Path(zipfile.ZipFile(data))


def names(guest: Guest, fd: int = 3) -> dict[bytes, int]:
    return {entry.name: entry.filetype for entry in guest.readdir(fd)[0] if entry.name not in (b".", b"..")}


def test_an_archive(archive: zipfile.Path, make_guest: MakeGuest) -> None:
    guest = make_guest(dirs={"/": ReadOnlyTree(archive)})
    assert {b"folder": FILETYPE_DIRECTORY, b"top.txt": FILETYPE_REGULAR_FILE} == names(guest)
    fd = guest.open(3, "folder/inner.txt")
    assert b"inner" == guest.read(fd, 3, 2)
    assert b"rinne" == guest.read(fd, 5, offset=4)
    assert (5000, 1) == (guest.stat(fd).size, guest.stat(fd).nlink)
    assert guest.stat(fd) == guest.stat(3, "./folder/deep/../inner.txt")
    assert {b"deep": FILETYPE_DIRECTORY, b"inner.txt": FILETYPE_REGULAR_FILE} == names(guest, guest.open_directory(3, "folder"))
    for path, error in (("nothing", "noent"), ("top.txt/x", "notdir"), ("../outside", "perm"), ("folder/../../outside", "perm")):
        with fails(error):
            guest.open(3, path)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda guest: guest.open(3, "top.txt", rights=WRITE),
        lambda guest: guest.open(3, "top.txt", oflags=OFLAG_TRUNC),
        lambda guest: guest.open(3, "new", oflags=OFLAG_CREAT),
        lambda guest: guest.mkdir(3, "new"),
        lambda guest: guest.unlink(3, "top.txt"),
        lambda guest: guest.rmdir(3, "folder"),
        lambda guest: guest.rename(3, "top.txt", 3, "new"),
        lambda guest: guest.symlink("top.txt", 3, "new"),
        lambda guest: guest.link(3, "top.txt", 3, "new"),
        lambda guest: guest.call("fd_filestat_set_size", guest.open(3, "top.txt"), 0),
    ],
)
def test_an_archive_cannot_be_changed(attempt: Callable[[Guest], object], archive: zipfile.Path, make_guest: MakeGuest) -> None:
    with fails("perm"):
        attempt(make_guest(dirs={"/": ReadOnlyTree(archive)}))


def test_resources_of_a_package(make_guest: MakeGuest) -> None:
    from importlib.resources import files

    guest = make_guest(dirs={"/email": ReadOnlyTree(files("email"))})
    listed = names(guest)
    assert FILETYPE_REGULAR_FILE == listed[b"parser.py"]
    expected = files("email").joinpath("parser.py").read_bytes()
    assert len(expected) == guest.stat(3, "parser.py").size
    assert expected[:100] == guest.read(guest.open(3, "parser.py"), 100)


def test_only_directories_are_mounted(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError, match="file"):
        ReadOnlyTree(tmp_path / "file")
    with pytest.raises(TypeError, match="MemoryFS"):
        Wasi(dirs={"/": object()})  # type: ignore[dict-item]


@pytest.fixture
def store() -> Any:
    fsspec: Any = pytest.importorskip("fsspec", reason="fsspec is not installed: pip install purewasm-wasi[fsspec]")
    fs = fsspec.filesystem("memory")
    for path in fs.find("/"):
        fs.rm_file(path)
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]
    fs.mkdir("/box/inner")
    fs.pipe_file("/box/a.txt", b"some text")
    fs.pipe_file("/box/inner/b.txt", b"more")
    fs.pipe_file("/outside", b"secret")
    return fs


@pytest.fixture
def remote(store: Any, make_guest: MakeGuest) -> Guest:
    return make_guest(dirs={"/": FsspecFS(store, "/box")})


def test_fsspec_reading(remote: Guest) -> None:
    assert {b"a.txt": FILETYPE_REGULAR_FILE, b"inner": FILETYPE_DIRECTORY} == names(remote)
    fd = remote.open(3, "a.txt")
    assert b"some" == remote.read(fd, 4)
    assert b"text" == remote.read(fd, 9, offset=5)
    assert b" text" == remote.read(fd, 3, 9)
    assert b"" == remote.read(fd, 9)
    assert 9 == remote.stat(3, "a.txt").size == remote.seek(fd, 0, 2)
    assert remote.stat(fd).ino == remote.stat(3, "inner/../a.txt").ino != remote.stat(3, "inner").ino
    for path, error in (("nothing", "noent"), ("a.txt/x", "notdir"), ("../outside", "perm")):
        with fails(error):
            remote.open(3, path)


def test_fsspec_writing_is_stored_when_closed(store: Any, remote: Guest) -> None:
    fd = remote.open(3, "a.txt", rights=READ | WRITE)
    remote.write(fd, b"SOME")
    assert b"SOME text" == remote.read(remote.open(3, "a.txt"), 99), "other descriptors see it at once"
    assert b"some text" == store.cat_file("/box/a.txt")
    remote.call("fd_sync", fd)
    assert b"SOME text" == store.cat_file("/box/a.txt")
    remote.write(fd, b"!", offset=12)
    remote.close(fd)
    assert b"SOME text" == store.cat_file("/box/a.txt"), "one descriptor is still open"
    remote.close(5)
    assert b"SOME text\0\0\0!" == store.cat_file("/box/a.txt")


WRITING = """(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 8) "\\40\\00\\00\\00\\05\\00\\00\\00") (data (i32.const 64) "a.txt")
    (func (export "_start")
        (drop (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 5) (i32.const 9) (i64.const 64) (i64.const 0) (i32.const 0)
            (i32.const 0)))
        (drop (call $write (i32.load (i32.const 0)) (i32.const 8) (i32.const 1) (i32.const 0)))
        (call $exit (i32.const {status}))))"""
"""Writes its own name into a file and ends without closing it."""


@pytest.mark.parametrize("status", [0, 3])
def test_fsspec_what_a_program_did_not_close_is_stored(store: Any, status: int) -> None:
    with Wasi(dirs={"/": FsspecFS(store, "/box")}) as wasi:
        assert status == wasi.run(WRITING.format(status=status)).returncode
    assert b"a.txt" == store.cat_file("/box/a.txt")


def test_fsspec_a_failure_to_store_is_not_lost(store: Any, remote: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise PermissionError("read-only credentials")

    fd, other = (remote.open(3, "a.txt", rights=WRITE) for _ in range(2))
    remote.write(fd, b"x")
    monkeypatch.setattr(type(store), "pipe_file", fail)
    with fails("acces"):
        remote.call("fd_sync", fd)
    remote.call("fd_sync", fd)
    remote.write(fd, b"y")
    remote.close(fd)
    with fails("acces"):
        remote.close(other)
    with pytest.raises(PermissionError), Wasi(dirs={"/": FsspecFS(store, "/box")}) as wasi:
        wasi.run(WRITING.format(status=0))


def test_fsspec_making_and_removing(store: Any, remote: Guest) -> None:
    fd = remote.open(3, "inner/new", oflags=OFLAG_CREAT, rights=WRITE, fdflags=FDFLAG_APPEND)
    remote.write(fd, b"1")
    remote.rename(3, "inner/new", 3, "moved")
    remote.write(fd, b"2")
    remote.close(fd)
    assert b"12" == store.cat_file("/box/moved")
    remote.mkdir(3, "made")
    remote.rename(3, "a.txt", 3, "made/a.txt")
    with fails("notempty"):
        remote.rmdir(3, "made")
    with fails("inval"):
        remote.rename(3, "made", 3, "made/inner")
    fd = remote.open(3, "made/a.txt", rights=READ | WRITE)
    remote.unlink(3, "made/a.txt")
    assert b"some text" == remote.read(fd, 99)
    remote.write(fd, b"more")
    remote.close(fd)
    remote.rmdir(3, "made")
    assert {b"inner": FILETYPE_DIRECTORY, b"moved": FILETYPE_REGULAR_FILE} == names(remote)
    remote.open(3, "moved", oflags=OFLAG_TRUNC)
    remote.close(4)
    assert b"" == store.cat_file("/box/moved")
    assert b"secret" == store.cat_file("/outside")


def test_fsspec_names_are_no_patterns(store: Any, remote: Guest) -> None:
    remote.open(3, "a*", oflags=OFLAG_CREAT)
    remote.rename(3, "a*", 3, "[b]")
    assert {b"a.txt", b"[b]", b"inner"} == names(remote).keys()
    remote.unlink(3, "[b]")
    remote.mkdir(3, "*")
    with fails("notsup"):
        remote.rename(3, "*", 3, "c")
    remote.rmdir(3, "*")
    assert b"some text" == store.cat_file("/box/a.txt")
    with fails("noent"):
        remote.unlink(3, "?.txt")


def test_fsspec_has_no_links_and_sets_no_times(remote: Guest) -> None:
    attempts: tuple[Callable[[], object], ...] = (
        lambda: remote.symlink("a.txt", 3, "b"),
        lambda: remote.link(3, "a.txt", 3, "b"),
        lambda: remote.with_path("path_filestat_set_times", (3, 0), "a.txt", 1, 1, 1),
    )
    for attempt in attempts:
        with fails("notsup"):
            attempt()


def test_fsspec_holds_no_more_than_it_may(store: Any, make_guest: MakeGuest) -> None:
    guest = make_guest(dirs={"/": FsspecFS(store, "/box", max_file_bytes=10)})
    fd = guest.open(3, "a.txt", rights=WRITE)
    with fails("fbig"):
        guest.write(fd, b"12", offset=9)
    with fails("fbig"):
        guest.call("fd_filestat_set_size", fd, 11)
    assert 1 == guest.write(fd, b"!", offset=9)


def test_fsspec_of_a_url(tmp_path: Path, make_guest: MakeGuest) -> None:
    pytest.importorskip("fsspec", reason="fsspec is not installed: pip install purewasm-wasi[fsspec]")
    with zipfile.ZipFile(tmp_path / "made.zip", "w") as made:
        made.writestr("folder/a.txt", "zipped")
    guest = make_guest(read_only_dirs={"/": FsspecFS(f"zip://folder::{tmp_path}/made.zip")})
    assert b"zipped" == guest.read(guest.open(3, "a.txt"), 99)
    with fails("perm"):
        guest.open(3, "new", oflags=OFLAG_CREAT)


def do_nothing(*args: object, **options: object) -> None:
    """As `mkdir` of a store that knows no folders."""


def test_fsspec_folders_of_a_store_that_has_none(store: Any, make_guest: MakeGuest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(store), "mkdir", do_nothing)
    guest = make_guest(dirs={"/": FsspecFS(store, "/box")})
    guest.mkdir(3, "made")
    assert FILETYPE_DIRECTORY == names(guest)[b"made"] == guest.stat(3, "made").filetype
    assert {} == names(guest, guest.open_directory(3, "made"))
    guest.write(guest.open(3, "made/file", oflags=OFLAG_CREAT, rights=WRITE), b"1")
    guest.close(5)
    assert b"1" == store.cat_file("/box/made/file")
    guest.unlink(3, "made/file")
    guest.rmdir(3, "made")
    assert b"made" not in names(guest)


def test_fsspec_a_path_that_is_none(store: Any) -> None:
    with pytest.raises(FileNotFoundError):
        FsspecFS(store, "/nothing")
    with pytest.raises(NotADirectoryError):
        FsspecFS(store, "/outside")


def test_several_mounts_for_one_program(archive: zipfile.Path, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"from the disk\n")
    mounts: dict[str, Path | Mount] = {"/": MemoryFS({"plain": b"from memory\n"}), "/disk": tmp_path, "/disk/zip": ReadOnlyTree(archive)}
    with Wasi(["cat", "/plain", "disk/real", "/disk/zip/top.txt", "/nothing"], dirs=mounts) as wasi:
        result = wasi.run(GUESTS / "cat.wasm", capture=True)
    assert b"from memory\nfrom the disk\ntop" == result.stdout
    assert b"/nothing: No such file or directory\n" == result.stderr


@pytest.mark.parametrize("engine", ["interpreter", "compiler"])
def test_the_c_program_that_tries_files_sees_no_difference(engine: Any) -> None:
    from purewasm import Runtime

    with Runtime(engine=engine) as runtime, Wasi(["files"], dirs={"/": MemoryFS()}) as wasi:
        result = wasi.run(GUESTS / "files.wasm", runtime=runtime, capture=True)
    assert (GUESTS / "files.expected").read_text() == (result.stdout or b"").decode()
