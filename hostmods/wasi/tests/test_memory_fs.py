"""The file system in memory: it answers as a real directory does, whatever a guest tries, and holds no more than it may."""

from __future__ import annotations

import errno
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hostmods.wasi.tests.guest import FOLLOW, READ, WRITE, Failed, Guest, direct, fails
from purewasm_wasi import MemoryFS, VirtualClocks, Wasi
from purewasm_wasi.flags import FDFLAG_APPEND, FST_ATIM, FST_MTIM, OFLAG_CREAT, OFLAG_DIRECTORY, OFLAG_EXCL, OFLAG_TRUNC

MakeGuest = Callable[..., Guest]

COMPONENTS = ("a", "b", "c", "d", ".", "..", "a/b", "a/b/c", "b/", "a/", "c/../a", "d/.", "a//c", "x" * 256)
OPENINGS = (0, OFLAG_CREAT, OFLAG_CREAT | OFLAG_EXCL, OFLAG_TRUNC, OFLAG_DIRECTORY, OFLAG_CREAT | OFLAG_DIRECTORY)
Step = Callable[[Guest], object]


def random_step(chance: random.Random) -> tuple[str, Step]:
    """One call, with what to call it in a message. Descriptors are 3 to 8: open or not."""
    one, two = chance.choice(COMPONENTS), chance.choice(COMPONENTS)
    fd = chance.choice((3, 3, 3, 4, 5, 6, 7, 8))
    follow, number = chance.randrange(2), chance.randrange(12)
    oflags, rights = chance.choice(OPENINGS), chance.choice((0, READ, WRITE, READ | WRITE))
    fdflags = chance.choice((0, 0, FDFLAG_APPEND))
    steps: dict[str, Step] = {
        f"open {fd} {one} {oflags} {rights} {follow} {fdflags}": lambda guest: guest.open(
            fd, one, oflags=oflags, rights=rights, follow=bool(follow), fdflags=fdflags
        ),
        f"close {fd}": lambda guest: guest.close(max(4, fd)),
        f"mkdir {fd} {one}": lambda guest: guest.mkdir(fd, one),
        f"rmdir {fd} {one}": lambda guest: guest.rmdir(fd, one),
        f"unlink {fd} {one}": lambda guest: guest.unlink(fd, one),
        f"symlink {fd} {one} {two}": lambda guest: guest.symlink(one, fd, two),
        f"readlink {fd} {one}": lambda guest: guest.readlink(fd, one),
        f"link {one} {fd} {two}": lambda guest: guest.link(3, one, fd, two),
        f"rename {one} {fd} {two}": lambda guest: guest.rename(3, one, fd, two),
        f"stat {fd} {one} {follow}": lambda guest: comparable(guest, fd, one, follow=bool(follow)),
        f"fstat {fd}": lambda guest: comparable(guest, fd),
        f"list {fd}": lambda guest: sorted(entry.name for entry in guest.readdir(fd)[0]),
        f"read {fd} {number}": lambda guest: guest.read(fd, number, 2),
        f"pread {fd} {number}": lambda guest: guest.read(fd, 5, offset=number),
        f"write {fd} {number}": lambda guest: guest.write(fd, b"0123456789ab"[:number], b"#"),
        f"pwrite {fd} {number}": lambda guest: guest.write(fd, b"xyz", offset=number),
        f"seek {fd} {number}": lambda guest: guest.seek(fd, number - 5, number % 4),
        f"resize {fd} {number}": lambda guest: guest.call("fd_filestat_set_size", fd, number),
        f"allocate {fd} {number}": lambda guest: guest.call("fd_allocate", fd, number, 3),
        f"flags {fd} {fdflags}": lambda guest: guest.call("fd_fdstat_set_flags", fd, fdflags),
        f"renumber {fd}": lambda guest: guest.call("fd_renumber", max(4, fd), 8),
        f"fdstat {fd}": lambda guest: guest.fdstat(fd),
        f"times {fd} {one}": lambda guest: guest.with_path(
            "path_filestat_set_times", (fd, follow), one, 10**9 * number, 5, FST_ATIM | FST_MTIM
        ),
    }
    return chance.choice(list(steps.items()))


def comparable(guest: Guest, fd: int, path: str | None = None, *, follow: bool = False) -> tuple[int, ...]:
    """What both kinds of file system have to agree on."""
    stat = guest.stat(fd, path, follow=follow)
    if stat.filetype == 3:  # sizes and link counts of directories are each file system's own
        return (stat.filetype,)
    return (stat.filetype, stat.size, stat.nlink)


def outcome(step: Step, guest: Guest) -> object:
    try:
        return step(guest)
    except Failed as failure:
        return f"errno {failure}"


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc").exists(), reason="only the errors of Linux are compared")
@pytest.mark.parametrize("seed", range(40))
def test_the_same_as_a_real_directory(seed: int, tmp_path: Path, make_guest: MakeGuest) -> None:
    ours, real = make_guest(dirs={"/": MemoryFS()}), make_guest(dirs={"/": tmp_path})
    chance = random.Random(seed)
    done = []
    for _ in range(300):
        name, step = random_step(chance)
        done.append(name)
        assert outcome(step, real) == outcome(step, ours), "\n".join(done[-40:])


def test_in_and_out() -> None:
    files = MemoryFS({"a.txt": b"one", "dir": {"b": b"two", "empty": {}}})
    files.write("made/on/the/way", b"three")
    files.write("a.txt", b"four")
    assert b"four" == files.read("a.txt") == files.read("/a.txt")
    assert ["b", "empty"] == files.names("dir")
    assert {"a.txt": b"four", "dir": {"b": b"two", "empty": {}}, "made": {"on": {"the": {"way": b"three"}}}} == files.to_dict()
    assert "a.txt, dir, made" in repr(files)


def test_a_guest_and_python_see_the_same(make_guest: MakeGuest) -> None:
    files = MemoryFS({"in": b"given"})
    guest = make_guest(dirs={"/": files})
    assert b"given" == guest.read(guest.open(3, "in"), 10)
    guest.write(guest.open(3, "out", oflags=OFLAG_CREAT, rights=WRITE), b"made")
    assert b"made" == files.read("out")


@pytest.mark.parametrize(
    ("call", "number"),
    [
        (lambda files: files.read("nothing"), errno.ENOENT),
        (lambda files: files.read("dir"), errno.EISDIR),
        (lambda files: files.read("file/x"), errno.ENOTDIR),
        (lambda files: files.names("file"), errno.ENOTDIR),
        (lambda files: files.write("file/x", b""), errno.ENOTDIR),
        (lambda files: files.write("dir", b""), errno.EISDIR),
        (lambda files: files.write("", b""), errno.EINVAL),
        (lambda files: files.write("../x", b""), errno.EINVAL),
        (lambda files: files.write("big", bytes(101)), errno.ENOSPC),
        (lambda files: files.read("../x"), errno.EPERM),
        (lambda files: MemoryFS({"a/b": b""}), errno.EINVAL),
        (lambda files: MemoryFS({"a": b"", "b": b""}, max_files=2), errno.ENOSPC),
        (lambda files: MemoryFS({"a": {}, "b": {}}, max_files=2), errno.ENOSPC),
    ],
)
def test_errors_of_python(call: Callable[[MemoryFS], object], number: int) -> None:
    with pytest.raises(OSError) as caught:
        call(MemoryFS({"file": b"", "dir": {}}, max_bytes=100))
    assert number == caught.value.errno


def test_room_for_bytes(make_guest: MakeGuest) -> None:
    guest = make_guest(dirs={"/": MemoryFS(max_bytes=10)})
    fd = guest.open(3, "a", oflags=OFLAG_CREAT, rights=READ | WRITE)
    assert 7 == guest.write(fd, b"1234567")
    assert 3 == guest.write(fd, b"89", b"012"), "as much as there is room for"
    for attempt in (
        lambda: guest.write(fd, b"x"),
        lambda: guest.write(fd, b"x", offset=10),
        lambda: guest.write(fd, b"x", offset=1 << 50),
        lambda: guest.call("fd_filestat_set_size", fd, 11),
        lambda: guest.call("fd_filestat_set_size", fd, 1 << 62),
        lambda: guest.call("fd_allocate", fd, 0, 1 << 50),
    ):
        with fails("nospc"):
            attempt()
    assert 2 == guest.write(fd, b"ab", offset=3), "what is there can be written over"
    guest.call("fd_filestat_set_size", fd, 4)
    assert 6 == guest.write(guest.open(3, "b", oflags=OFLAG_CREAT, rights=WRITE), b"123456")
    guest.unlink(3, "b")
    guest.close(5)
    assert 6 == guest.write(fd, b"123456", offset=4), "what has no name and is not open takes no room"


def test_an_open_file_outlives_its_name(make_guest: MakeGuest) -> None:
    guest = make_guest(dirs={"/": MemoryFS({"a": b"12345"}, max_bytes=8)})
    fd = guest.open(3, "a", rights=READ | WRITE)
    guest.unlink(3, "a")
    assert b"12345" == guest.read(fd, 9)
    assert 0 == guest.stat(fd).nlink
    other = guest.open(3, "b", oflags=OFLAG_CREAT, rights=WRITE)
    assert 3 == guest.write(other, b"12345"), "it still takes room"
    guest.close(fd)
    assert 5 == guest.write(other, b"45678")


def test_room_for_names(make_guest: MakeGuest) -> None:
    guest = make_guest(dirs={"/": MemoryFS(max_files=4)})
    guest.open(3, "a", oflags=OFLAG_CREAT)
    guest.mkdir(3, "b")
    guest.symlink("a", 3, "c")
    for attempt in (
        lambda: guest.open(3, "d", oflags=OFLAG_CREAT),
        lambda: guest.mkdir(3, "d"),
        lambda: guest.symlink("a", 3, "d"),
    ):
        with fails("nospc"):
            attempt()
    guest.rmdir(3, "b")
    guest.mkdir(3, "d")


def test_nothing_is_made_in_a_removed_folder(make_guest: MakeGuest) -> None:
    guest = make_guest(dirs={"/": MemoryFS({"a": {}, "file": b""})})
    fd = guest.open_directory(3, "a")
    guest.rmdir(3, "a")
    for attempt in (
        lambda: guest.open(fd, "x", oflags=OFLAG_CREAT),
        lambda: guest.mkdir(fd, "x"),
        lambda: guest.symlink("y", fd, "x"),
        lambda: guest.link(3, "file", fd, "x"),
        lambda: guest.rename(3, "file", fd, "x"),
    ):
        with fails("noent"):
            attempt()
    assert 1 == guest.stat(3, "file").nlink


def test_a_folder_does_not_go_into_itself(make_guest: MakeGuest) -> None:
    guest = make_guest(dirs={"/": MemoryFS({"a": {"b": {"c": {}}}})})
    inner = guest.open_directory(3, "a/b/c")
    with fails("inval"):
        guest.rename(3, "a", inner, "x")
    guest.rename(3, "a/b", 3, "moved")
    guest.rename(3, "a", inner, "x")
    assert {"moved": {"c": {"x": {}}}} == _tree_of(guest)


def _tree_of(guest: Guest, fd: int = 3) -> dict[str, object]:
    return {
        entry.name.decode(): _tree_of(guest, guest.open_directory(fd, entry.name)) if entry.filetype == 3 else b""
        for entry in guest.readdir(fd)[0]
        if entry.name not in (b".", b"..")
    }


def test_times_are_those_of_the_guests_clocks(make_guest: MakeGuest) -> None:
    guest = make_guest(dirs={"/": MemoryFS()}, clocks=VirtualClocks(10**18, step=0))
    guest.mkdir(3, "a")
    assert (10**18,) * 3 == guest.stat(3, "a")[-3:]
    guest.with_path("path_filestat_set_times", (3, FOLLOW), "a", 5, 6, FST_ATIM | FST_MTIM)
    assert (5, 6, 10**18) == guest.stat(3, "a")[-3:]


def test_read_only(make_guest: MakeGuest) -> None:
    guest = make_guest(read_only_dirs={"/": MemoryFS({"a": b"1", "b": {}})})
    fd = guest.open(3, "a")
    for attempt in (
        lambda: guest.open(3, "a", rights=WRITE),
        lambda: guest.open(3, "a", oflags=OFLAG_TRUNC),
        lambda: guest.open(3, "c", oflags=OFLAG_CREAT),
        lambda: guest.mkdir(3, "c"),
        lambda: guest.rmdir(3, "b"),
        lambda: guest.unlink(3, "a"),
        lambda: guest.symlink("a", 3, "c"),
        lambda: guest.link(3, "a", 3, "c"),
        lambda: guest.rename(3, "a", 3, "c"),
        lambda: guest.call("fd_filestat_set_size", fd, 0),
        lambda: guest.call("fd_allocate", fd, 0, 9),
        lambda: guest.call("fd_filestat_set_times", fd, 0, 0, FST_ATIM),
        lambda: guest.with_path("path_filestat_set_times", (3, 0), "a", 0, 0, FST_ATIM),
    ):
        with fails("perm"):
            attempt()
    assert b"1" == guest.read(fd, 9)


def test_one_tree_under_two_names_is_one_tree(make_guest: MakeGuest, tmp_path: Path) -> None:
    files = MemoryFS({"a": b"1"})
    guest = make_guest(dirs={"/x": files, "/y": files, "/disk": tmp_path, "/z": MemoryFS()})
    guest.rename(3, "a", 4, "b")
    assert b"1" == guest.read(guest.open(3, "b"), 9)
    for other in (5, 6):
        with fails("xdev"):
            guest.rename(3, "b", other, "b")
        with fails("xdev"):
            guest.link(3, "b", other, "b")
    assert guest.stat(3).dev == guest.stat(4).dev != guest.stat(6).dev


def test_what_is_read_only_for_one_is_not_renamed_into(make_guest: MakeGuest) -> None:
    files = MemoryFS({"a": b"1"})
    guest = make_guest(dirs={"/rw": files}, read_only_dirs={"/ro": files})
    for old, new in ((3, 4), (4, 3)):
        with fails("perm"):
            guest.rename(old, "a", new, "b")


def test_threads_share_it() -> None:
    files = MemoryFS()
    guests = [direct(Wasi(dirs={"/": files})) for _ in range(4)]
    failures: list[BaseException] = []

    def work(number: int) -> None:
        guest = guests[number]
        try:
            for round_ in range(100):
                fd = guest.open(3, "shared", oflags=OFLAG_CREAT, rights=READ | WRITE, fdflags=FDFLAG_APPEND)
                guest.write(fd, b"x" * 10)
                guest.read(fd, 100, offset=0)
                guest.close(fd)
                guest.open(3, f"{number}-{round_}", oflags=OFLAG_CREAT | OFLAG_EXCL)
                guest.close(4)
                guest.rename(3, f"{number}-{round_}", 3, f"{number}")
        except BaseException as error:  # noqa: BLE001 (it is raised in the test's own thread)
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert 4000 == len(files.read("shared"))
    assert ["0", "1", "2", "3", "shared"] == sorted(files.names())
