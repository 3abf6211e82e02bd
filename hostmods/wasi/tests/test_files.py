"""Files and directories through descriptors: reading, writing, positions, flags, attributes, listing."""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hostmods.wasi.tests.guest import FOLLOW, READ, WRITE, Guest, fails
from purewasm import Interrupted
from purewasm_wasi.errno import AGAIN, IO, NOENT, NOTSUP, number_of
from purewasm_wasi.flags import (
    FDFLAG_APPEND,
    FDFLAG_DSYNC,
    FDFLAG_NONBLOCK,
    FDFLAG_SYNC,
    FILETYPE_DIRECTORY,
    FILETYPE_REGULAR_FILE,
    FILETYPE_SOCKET_STREAM,
    FILETYPE_SYMBOLIC_LINK,
    FILETYPE_UNKNOWN,
    FST_ATIM,
    FST_ATIM_NOW,
    FST_MTIM,
    FST_MTIM_NOW,
    OFLAG_CREAT,
    OFLAG_TRUNC,
    PREOPEN_RIGHTS,
)

SET, CUR, END = 0, 1, 2


def test_read_and_write_move_the_position(guest: Guest, jail: Path) -> None:
    fd = guest.open(3, "file", rights=READ | WRITE)
    assert b"ins" == guest.read(fd, 2, 1)
    assert 5 == guest.write(fd, b"IDE", b"", b"!!")
    assert 8 == guest.tell(fd)
    assert b"" == guest.read(fd, 4)
    assert b"insIDE!!" == (jail / "file").read_bytes()


def test_pread_and_pwrite_leave_the_position(guest: Guest, jail: Path) -> None:
    fd = guest.open(3, "file", rights=READ | WRITE)
    assert b"side" == guest.read(fd, 3, 9, offset=2)
    assert 3 == guest.write(fd, b"xy", b"z", offset=8)
    assert 0 == guest.tell(fd)
    assert b"inside\0\0xyz" == (jail / "file").read_bytes()


def test_many_buffers_in_one_call(guest: Guest, jail: Path) -> None:
    fd = guest.open(3, "made", oflags=OFLAG_CREAT, rights=READ | WRITE)
    assert 1024 == guest.write(fd, *[b"x"] * 1500), "no more than a system call takes; the rest is another call's"
    guest.seek(fd, 0)
    assert b"x" * 1024 == guest.read(fd, *[1] * 1500)


def test_append_goes_to_the_end_until_it_is_switched_off(guest: Guest, jail: Path) -> None:
    fd = guest.open(3, "file", rights=READ | WRITE, fdflags=FDFLAG_APPEND)
    assert FDFLAG_APPEND == guest.fdstat(fd)[1]
    guest.write(fd, b"1")
    guest.seek(fd, 0)
    guest.write(fd, b"2")
    assert b"inside12" == (jail / "file").read_bytes()
    guest.call("fd_fdstat_set_flags", fd, 0)
    guest.seek(fd, 0)
    guest.write(fd, b"I")
    assert b"Inside12" == (jail / "file").read_bytes()
    guest.call("fd_fdstat_set_flags", fd, FDFLAG_APPEND | FDFLAG_NONBLOCK)
    assert FDFLAG_APPEND | FDFLAG_NONBLOCK == guest.fdstat(fd)[1]
    guest.write(fd, b"3")
    assert b"Inside123" == (jail / "file").read_bytes()


@pytest.mark.skipif(not hasattr(os, "O_DSYNC"), reason="this system has no O_DSYNC")
def test_sync_flags_are_set_when_opening_and_stay(guest: Guest) -> None:
    fd = guest.open(3, "file", rights=WRITE, fdflags=FDFLAG_SYNC | FDFLAG_DSYNC)
    with fails("inval"):
        guest.call("fd_fdstat_set_flags", fd, FDFLAG_SYNC)
    guest.call("fd_fdstat_set_flags", fd, FDFLAG_APPEND)
    assert FDFLAG_SYNC | FDFLAG_DSYNC | FDFLAG_APPEND == guest.fdstat(fd)[1]


@pytest.mark.parametrize(
    ("oflags", "rights", "readable", "writable"),
    [(0, READ, True, False), (0, WRITE, False, True), (0, READ | WRITE, True, True), (0, 0, True, False), (OFLAG_CREAT, READ, True, True)],
)
def test_rights_decide_how_a_file_is_opened(oflags: int, rights: int, readable: bool, writable: bool, guest: Guest) -> None:
    fd = guest.open(3, "file", oflags=oflags, rights=rights)
    filetype, flags, base, inheriting = guest.fdstat(fd)
    assert (FILETYPE_REGULAR_FILE, 0) == (filetype, flags)
    assert base == inheriting
    assert (readable, writable) == (bool(base & READ), bool(base & WRITE))
    for allowed, call in ((readable, lambda: guest.read(fd, 1)), (writable, lambda: guest.write(fd, b"x"))):
        if allowed:
            call()
        else:
            with fails("badf"):
                call()


def test_seek(guest: Guest) -> None:
    fd = guest.open(3, "file")
    assert 4 == guest.seek(fd, 4, SET)
    assert 3 == guest.seek(fd, -1, CUR)
    assert 4 == guest.seek(fd, -2, END)
    assert 100 == guest.seek(fd, 100, SET)
    assert b"" == guest.read(fd, 1)
    for offset, whence in ((-1, SET), (-101, CUR), (-7, END), (0, 3)):
        with fails("inval"):
            guest.seek(fd, offset, whence)
    assert 100 == guest.tell(fd)
    for directory in (3, guest.open_directory(3, "sub")):
        with fails("badf"):
            guest.seek(directory, 0)


def test_size(guest: Guest, jail: Path) -> None:
    fd = guest.open(3, "file", rights=READ | WRITE)
    guest.call("fd_filestat_set_size", fd, 2)
    assert b"in" == (jail / "file").read_bytes()
    guest.call("fd_filestat_set_size", fd, 4)
    assert b"in\0\0" == (jail / "file").read_bytes()
    with fails("inval"):
        guest.call("fd_filestat_set_size", fd, 1 << 63)
    with fails("inval", "badf"):
        guest.call("fd_filestat_set_size", guest.open(3, "file"), 0)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system has no posix_fallocate")
def test_allocate(guest: Guest) -> None:
    fd = guest.open(3, "made", oflags=OFLAG_CREAT, rights=READ | WRITE)
    guest.call("fd_allocate", fd, 0, 100)
    assert 100 == guest.stat(fd).size
    guest.call("fd_allocate", fd, 10, 10)
    assert 100 == guest.stat(fd).size
    for offset, size, errno_name in ((0, 0, "inval"), (1 << 63, 1, "fbig"), ((1 << 64) - 1, (1 << 64) - 1, "fbig")):
        with fails(errno_name):
            guest.call("fd_allocate", fd, offset, size)


def test_advise_and_sync(guest: Guest) -> None:
    fd = guest.open(3, "file", rights=READ | WRITE)
    for advice in range(6):
        guest.call("fd_advise", fd, 0, 4, advice)
    with fails("inval"):
        guest.call("fd_advise", fd, 0, 4, 6)
    for name in ("fd_sync", "fd_datasync"):
        guest.call(name, fd)
        guest.call(name, 3)
        with fails("badf"):
            guest.call(name, 1)


def test_times(guest: Guest, jail: Path) -> None:
    guest.set_times(3, "file", atim=10**18 + 1, mtim=10**18 + 2, flags=FST_ATIM | FST_MTIM)
    stat = guest.stat(3, "file")
    assert (10**18 + 1, 10**18 + 2) == (stat.atim, stat.mtim)
    guest.set_times(3, "file", mtim=5, flags=FST_MTIM)
    assert (10**18 + 1, 5) == guest.stat(3, "file")[5:7]
    fd = guest.open(3, "file")
    guest.set_times(fd, None, atim=7, flags=FST_ATIM | FST_MTIM_NOW)
    atim, mtim = guest.stat(fd)[5:7]
    assert 7 == atim
    assert abs(mtim - guest.time(0)) < 10**11
    for flags in (FST_ATIM | FST_ATIM_NOW, FST_MTIM | FST_MTIM_NOW, 16):
        with fails("inval"):
            guest.set_times(3, "file", flags=flags)
        with fails("inval"):
            guest.set_times(fd, None, flags=flags)


def test_times_of_a_link_and_of_what_it_leads_to(guest: Guest) -> None:
    guest.set_times(3, "to_file", mtim=5, flags=FST_MTIM)
    assert 5 == guest.stat(3, "to_file").mtim
    assert 5 != guest.stat(3, "file").mtim
    guest.set_times(3, "to_file", mtim=6, flags=FST_MTIM, follow=True)
    assert (5, 6) == (guest.stat(3, "to_file").mtim, guest.stat(3, "file").mtim)


def test_times_before_1970_are_0(guest: Guest, jail: Path) -> None:
    os.utime(jail / "file", ns=(-5, -5))
    assert (0, 0) == guest.stat(3, "file")[5:7]


def test_attributes(guest: Guest, jail: Path) -> None:
    os.link(jail / "file", jail / "second")
    stat, host = guest.stat(3, "file"), (jail / "file").stat()
    assert (host.st_dev, host.st_ino, FILETYPE_REGULAR_FILE, 2, 6) == stat[:5]
    assert stat == guest.stat(guest.open(3, "second"))
    assert FILETYPE_SYMBOLIC_LINK == guest.stat(3, "to_file").filetype
    assert FILETYPE_REGULAR_FILE == guest.stat(3, "to_file", follow=True).filetype
    assert FILETYPE_DIRECTORY == guest.stat(3).filetype == guest.stat(3, "to_sub/").filetype
    with fails("notdir"):
        guest.stat(3, "file/")
    with fails("inval"):
        guest.with_path("path_filestat_get", (3, FOLLOW + 1), "file", 1024)


@pytest.mark.skipif(sys.platform == "win32", reason="no such files")
def test_other_kinds_of_files(guest: Guest, jail: Path) -> None:
    os.mkfifo(jail / "fifo")
    server = socket.socket(socket.AF_UNIX)
    folder = os.open(jail, os.O_RDONLY)
    server.bind(f"/proc/self/fd/{folder}/socket" if sys.platform == "linux" else os.path.relpath(jail / "socket"))
    os.close(folder)
    server.close()
    assert FILETYPE_UNKNOWN == guest.stat(3, "fifo").filetype
    assert FILETYPE_SOCKET_STREAM == guest.stat(3, "socket").filetype
    kinds = {entry.name: entry.filetype for entry in guest.readdir(3)[0]}
    assert (FILETYPE_UNKNOWN, FILETYPE_SOCKET_STREAM) == (kinds[b"fifo"], kinds[b"socket"])
    fd = guest.open(3, "fifo", fdflags=FDFLAG_NONBLOCK)
    assert FILETYPE_UNKNOWN == guest.fdstat(fd)[0]
    writer = os.open(jail / "fifo", os.O_WRONLY)
    with fails("again"):
        guest.read(fd, 1)
    os.write(writer, b"x")
    os.close(writer)
    assert b"x" == guest.read(fd, 10)


@pytest.mark.skipif(sys.platform == "win32", reason="no such files")
@pytest.mark.parametrize("writes", [False, True])
def test_a_fifo_without_its_other_end_can_be_interrupted(writes: bool, guest: Guest, jail: Path) -> None:
    os.mkfifo(jail / "fifo")
    timer = threading.Timer(0.2, lambda: setattr(guest.machine.instance.meter, "reason", "time is up"))  # type: ignore[attr-defined]
    timer.start()
    with pytest.raises(Interrupted, match="time is up"):
        guest.read(guest.open(3, "fifo", rights=WRITE if writes else READ), 1)
    timer.join()


@pytest.mark.skipif(sys.platform == "win32", reason="no such files")
def test_a_fifo_that_somebody_opens_later(guest: Guest, jail: Path) -> None:
    os.mkfifo(jail / "fifo")
    found: list[bytes] = []

    def read() -> None:
        with (jail / "fifo").open("rb", buffering=0) as fifo:
            found.append(fifo.read(10))

    timer = threading.Timer(0.1, read)
    timer.start()
    fd = guest.open(3, "fifo", rights=WRITE)
    assert guest.fdstat(fd)[1] == 0
    guest.write(fd, b"hello")
    timer.join()
    assert found == [b"hello"]
    timer = threading.Timer(0.1, lambda: (jail / "fifo").write_bytes(b"world"))
    timer.start()
    assert guest.read(guest.open(3, "fifo", rights=READ), 10) == b"world"
    timer.join()


# Listing

def names(guest: Guest, fd: int, size: int) -> list[bytes]:
    """A whole listing with a buffer of `size`, as a C library goes through it."""
    found, cookie = [], 0
    while True:
        entries, used = guest.readdir(fd, size=size, cookie=cookie)
        found += [entry.name for entry in entries]
        if used < size:
            return found
        assert entries, "the buffer has no room for an entry"
        cookie = entries[-1].following


@pytest.mark.parametrize("size", [40, 41, 100, 4096])
def test_listing_with_any_buffer(size: int, guest: Guest, jail: Path) -> None:
    for number in range(50):
        (jail / "sub" / f"{number}").touch()
    found = names(guest, guest.open_directory(3, "sub"), size)
    assert [b".", b".."] == found[:2]
    assert sorted([b".", b"..", b"file", b"deep", *(str(number).encode() for number in range(50))]) == sorted(found)


def test_entries(guest: Guest, jail: Path) -> None:
    entries = guest.readdir(3)[0]
    assert list(range(1, len(entries) + 1)) == [entry.following for entry in entries]
    by_name = {entry.name: entry for entry in entries}
    assert {b".", b"..", b"file", b"sub", b"to_file", b"to_sub"} == by_name.keys()
    assert (jail / "file").stat().st_ino == by_name[b"file"].ino
    assert FILETYPE_SYMBOLIC_LINK == by_name[b"to_sub"].filetype
    assert jail.stat().st_ino == by_name[b"."].ino == by_name[b".."].ino, "nothing is told of the directory above"


def test_a_listing_goes_on_with_what_it_began_and_starts_anew_at_0(guest: Guest, jail: Path) -> None:
    fd = guest.open_directory(3, "sub")
    first = {entry.name for entry in guest.readdir(fd)[0]}
    (jail / "sub" / "later").touch()
    assert {entry.name for entry in guest.readdir(fd, cookie=1)[0]} == first - {b"."}
    assert {entry.name for entry in guest.readdir(fd)[0]} == first | {b"later"}
    assert ([], 0) == guest.readdir(fd, cookie=99)
    assert ([], 0) == guest.readdir(fd, cookie=(1 << 64) - 1)


def test_two_who_list_the_same_directory_do_not_disturb_each_other(guest: Guest) -> None:
    a, b = guest.open_directory(3, "sub"), guest.open_directory(3, "sub")
    assert {b".", b"..", b"file", b"deep"} == set(names(guest, a, 40)) == set(names(guest, b, 40)) == set(names(guest, a, 40))


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode on this system")
def test_names_that_are_not_unicode_are_listed_as_they_are(guest: Guest, jail: Path) -> None:
    os.close(os.open(os.fsencode(jail / "sub") + b"/\xff", os.O_CREAT))
    assert b"\xff" in names(guest, guest.open_directory(3, "sub"), 100)
    (jail / "link").symlink_to(os.fsdecode(b"\xff"))
    with fails("ilseq"):
        guest.readlink(3, "link")


def test_a_directory_that_is_gone_has_no_entries(guest: Guest) -> None:
    fd = guest.open_directory(3, "sub/deep")
    guest.rmdir(3, "sub/deep")
    assert {b".", b".."} >= {entry.name for entry in guest.readdir(fd)[0]}
    with fails("noent"):
        guest.open(fd, "made", oflags=OFLAG_CREAT)


# Descriptors

def test_the_lowest_number_is_given(guest: Guest) -> None:
    assert [4, 5, 6] == [guest.open(3, "file") for _ in range(3)]
    guest.close(5)
    guest.close(4)
    guest.close(0)
    assert [0, 4, 5, 7] == [guest.open(3, "file") for _ in range(4)]


def test_renumber(guest: Guest) -> None:
    fd = guest.open(3, "file")
    guest.call("fd_renumber", fd, 1)
    assert b"inside" == guest.read(1, 9)
    with fails("badf"):
        guest.close(fd)
    for source, target in ((fd, 1), (1, fd), (1, 1 << 31)):
        with fails("badf"):
            guest.call("fd_renumber", source, target)
    guest.call("fd_renumber", 1, 1)
    assert fd == guest.open(3, "file")
    guest.call("fd_renumber", 3, fd)
    assert b"/" == guest.prestat(fd)
    assert b"inside" == guest.read(guest.open(fd, "file"), 9)


def test_so_many_descriptors_and_no_more(make_guest: Callable[..., Guest], jail: Path) -> None:
    guest = make_guest(dirs={"/": jail}, max_open_files=6)
    guest.open(3, "file")
    fd = guest.open(3, "file")
    with fails("mfile"):
        guest.open(3, "made", oflags=OFLAG_CREAT)
    assert not (jail / "made").exists()
    guest.close(fd)
    assert fd == guest.open(3, "file")


def test_preopened_directories(make_guest: Callable[..., Guest], jail: Path, outside: Path) -> None:
    guest = make_guest(dirs={"/": jail, "/ü": outside})
    assert [b"/", "/ü".encode()] == [guest.prestat(3), guest.prestat(4)]
    assert PREOPEN_RIGHTS == guest.fdstat(3)[2]
    for fd in (2, 5):
        with fails("badf"):
            guest.prestat(fd)
    with fails("nametoolong"):
        guest.call("fd_prestat_dir_name", 4, 1024, 2)
    with fails("notdir"):
        guest.call("fd_prestat_dir_name", 1, 1024, 2)
    directory = guest.open_directory(3, ".")
    with fails("badf"):
        guest.prestat(directory)
    guest.rename(3, "file", 4, "moved")
    assert b"inside" == (outside / "moved").read_bytes()
    guest.close(3)
    with fails("badf"):
        guest.open(3, "sub/file")
    assert b"below" == guest.read(guest.open(directory, "sub/file"), 9)


def test_rights_are_not_to_be_changed(guest: Guest) -> None:
    with fails("notsup"):
        guest.call("fd_fdstat_set_rights", 3, 0, 0)
    with fails("badf"):
        guest.call("fd_fdstat_set_rights", 1, 0, 0)


def test_cutting_and_creating(guest: Guest, jail: Path) -> None:
    guest.open(3, "file", oflags=OFLAG_TRUNC, rights=0)
    assert b"" == (jail / "file").read_bytes()
    guest.open(3, "dangling_target", oflags=OFLAG_CREAT)
    assert 0o666 & ~_umask() == (jail / "dangling_target").stat().st_mode & 0o777
    (jail / "dangling").symlink_to("made_by_link")
    with fails("loop"):
        guest.open(3, "dangling", oflags=OFLAG_CREAT)
    guest.open(3, "dangling", oflags=OFLAG_CREAT, follow=True)
    assert (jail / "made_by_link").is_file()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_errors_of_the_host() -> None:
    assert NOENT == number_of(FileNotFoundError(errno.ENOENT, "x"))
    assert NOTSUP == number_of(OSError(errno.EOPNOTSUPP, "x"))
    assert AGAIN == number_of(TimeoutError("of a socket")) == number_of(BlockingIOError())
    assert IO == number_of(OSError("without a number"))
    assert IO == number_of(OSError(123_456, "unknown"))
