"""Ways out of a preopened directory, each of which has to fail without having touched, or told, anything outside.

An attempt is a function of a guest, with the jail as descriptor 3; `outside` lies beside the jail and has a file `secret` and a
folder. Whatever it returns must not be the secret, and `outside` has to be as before.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hostmods.wasi.tests.conftest import snapshot
from hostmods.wasi.tests.guest import READ, WRITE, Failed, Guest, direct, fails
from purewasm_wasi import HostDir, Wasi, beneath
from purewasm_wasi.flags import OFLAG_CREAT, OFLAG_EXCL, OFLAG_TRUNC

Attempt = Callable[[Guest], object]

CREATE = OFLAG_CREAT
LEADS_OUT = ("perm",)


def read(guest: Guest, path: str, *, fd: int = 3, follow: bool = True) -> bytes:
    return guest.read(guest.open(fd, path, follow=follow), 64)


def write(guest: Guest, path: str, *, oflags: int = CREATE, fd: int = 3, follow: bool = True) -> int:
    return guest.write(guest.open(fd, path, oflags=oflags, rights=READ | WRITE, follow=follow), b"broken out")


def after(*steps: Attempt) -> Attempt:
    """Steps of which the last is the attempt; those before it have to succeed."""

    def attempt(guest: Guest) -> object:
        for step in steps[:-1]:
            step(guest)
        return steps[-1](guest)

    return attempt


def link_to(content: str, name: str = "way_out") -> Attempt:
    """A symbolic link made by the guest itself."""
    return lambda guest: guest.symlink(content, 3, name)


ATTEMPTS: dict[str, tuple[Attempt, tuple[str, ...]]] = {
    # Plain paths
    "dot dot": (lambda guest: read(guest, "../outside/secret"), LEADS_OUT),
    "dot dot alone": (lambda guest: guest.open_directory(3, ".."), LEADS_OUT),
    "dot dot with a slash": (lambda guest: guest.open_directory(3, "../"), LEADS_OUT),
    "down and further up": (lambda guest: read(guest, "sub/../../outside/secret"), LEADS_OUT),
    "down twice and further up": (lambda guest: read(guest, "sub/deep/../../../outside/secret"), LEADS_OUT),
    "dots and slashes in between": (lambda guest: read(guest, ".//./sub/.././/..//outside/./secret"), LEADS_OUT),
    "out and back in": (lambda guest: read(guest, "../jail/file"), LEADS_OUT),
    "a long way up": (lambda guest: read(guest, "../" * 400 + "etc/passwd"), LEADS_OUT),
    "dot dot of a directory in the jail": (lambda guest: read(guest, "../file", fd=guest.open_directory(3, "sub")), LEADS_OUT),
    "absolute": (lambda guest: read(guest, "/etc/passwd"), LEADS_OUT),
    "absolute with two slashes": (lambda guest: read(guest, "//etc/passwd"), LEADS_OUT),
    "the root": (lambda guest: guest.open_directory(3, "/"), LEADS_OUT),
    "a NUL that hides the rest": (lambda guest: read(guest, "file\0/../../outside/secret"), ("inval",)),
    "bytes that are not UTF-8": (lambda guest: guest.open(3, b"\xc0\xae\xc0\xae/outside/secret"), ("ilseq",)),
    "a name that is too long": (lambda guest: read(guest, "a" * 300 + "/../../outside/secret"), ("nametoolong",)),
    "a path that is too long": (lambda guest: read(guest, "./" * 3000 + "../outside/secret"), ("nametoolong",)),
    "a file used as a directory": (lambda guest: read(guest, "file/../../outside/secret"), ("notdir",)),
    "a missing directory on the way": (lambda guest: read(guest, "missing/../../outside/secret"), ("noent",)),
    # Links that the host left behind, then the guest's own
    "a relative link of the host": (lambda guest: read(guest, "host_relative/secret"), LEADS_OUT),
    "an absolute link of the host": (lambda guest: read(guest, "host_absolute/secret"), LEADS_OUT),
    "a link of the host to a file": (lambda guest: read(guest, "host_file"), LEADS_OUT),
    "a link of the host to the root": (lambda guest: read(guest, "host_root/etc/passwd"), LEADS_OUT),
    "a link to dot dot": (after(link_to(".."), lambda guest: read(guest, "way_out/outside/secret")), LEADS_OUT),
    "a link to a file": (after(link_to("../outside/secret"), lambda guest: read(guest, "way_out")), LEADS_OUT),
    "a link deeper in": (
        after(lambda guest: guest.symlink("../../outside", 3, "sub/way_out"), lambda guest: read(guest, "sub/way_out/secret")), LEADS_OUT
    ),
    "a link by way of a link": (
        after(link_to("to_sub/../.."), link_to("way_out/outside", "second"), lambda guest: read(guest, "second/secret")), LEADS_OUT
    ),
    "a chain of links": (
        after(
            link_to("..", "link0"),
            *[link_to(f"link{number}", f"link{number + 1}") for number in range(20)],
            lambda guest: read(guest, "link20/outside/secret"),
        ),
        LEADS_OUT,
    ),
    "a link with a slash behind it": (after(link_to("../outside"), lambda guest: guest.open_directory(3, "way_out/")), LEADS_OUT),
    "a link that is not to be followed, with a slash": (
        after(link_to("../outside"), lambda guest: guest.open_directory(3, "way_out/", follow=False)), LEADS_OUT
    ),
    "a link that is not to be followed, with a dot": (
        after(link_to("../outside"), lambda guest: guest.open_directory(3, "way_out/.", follow=False)), LEADS_OUT
    ),
    "a link that ends in a slash": (after(link_to("../outside/"), lambda guest: read(guest, "way_out")), LEADS_OUT),
    "a link that ends in dot dot": (after(link_to("sub/../.."), lambda guest: guest.open_directory(3, "way_out", follow=True)), LEADS_OUT),
    "a link renamed to where it leads out": (
        after(
            lambda guest: guest.symlink("../file", 3, "sub/inside"),
            lambda guest: guest.rename(3, "sub/inside", 3, "inside"),
            lambda guest: read(guest, "inside"),
        ),
        LEADS_OUT,
    ),
    "a hard link to a link": (
        after(link_to("../outside/secret"), lambda guest: guest.link(3, "way_out", 3, "second"), lambda guest: read(guest, "second")),
        LEADS_OUT,
    ),
    "an absolute link": (link_to("/etc"), LEADS_OUT),
    "an absolute link by slashes": (link_to("///etc"), LEADS_OUT),
    "a loop of links": (after(link_to("way_out/x"), lambda guest: read(guest, "way_out")), ("loop",)),
    "links that grow": (after(link_to("way_out/way_out"), lambda guest: read(guest, "way_out")), ("loop",)),
    "the process's descriptors": (lambda guest: read(guest, "host_proc/self/cwd/etc/passwd"), LEADS_OUT),
    # Other calls than open
    "create": (lambda guest: write(guest, "../outside/made"), LEADS_OUT),
    "create by a link": (after(link_to("../outside/made"), lambda guest: write(guest, "way_out")), LEADS_OUT),
    "create only if missing, by a link": (
        after(link_to("../outside/made"), lambda guest: write(guest, "way_out", oflags=CREATE | OFLAG_EXCL)), ("exist",)
    ),
    "create by a link that is not to be followed": (
        after(link_to("../outside/made"), lambda guest: write(guest, "way_out", follow=False)), ("loop",)
    ),
    "cut by a link": (after(link_to("../outside/secret"), lambda guest: write(guest, "way_out", oflags=OFLAG_TRUNC)), LEADS_OUT),
    "make a directory": (lambda guest: guest.mkdir(3, "../outside/made"), LEADS_OUT),
    "make a directory by a link": (after(link_to("../outside"), lambda guest: guest.mkdir(3, "way_out/made")), LEADS_OUT),
    "make a directory by a dangling link": (after(link_to("../outside/made"), lambda guest: guest.mkdir(3, "way_out")), ("exist",)),
    "make a directory by a dangling link with a slash": (
        after(link_to("../outside/made"), lambda guest: guest.mkdir(3, "way_out/")), ("exist",)
    ),
    "remove a file": (lambda guest: guest.unlink(3, "../outside/secret"), LEADS_OUT),
    "remove a file by a link": (after(link_to("../outside"), lambda guest: guest.unlink(3, "way_out/secret")), LEADS_OUT),
    "remove a file by a link with a slash": (after(link_to("../outside"), lambda guest: guest.unlink(3, "way_out/")), LEADS_OUT),
    "remove a directory": (lambda guest: guest.rmdir(3, "../outside/folder"), LEADS_OUT),
    "remove a directory by a link with a slash": (after(link_to("../outside/empty"), lambda guest: guest.rmdir(3, "way_out/")), LEADS_OUT),
    "remove the jail": (lambda guest: guest.rmdir(3, "sub/.."), ("inval", "notempty", "busy")),
    "rename to": (lambda guest: guest.rename(3, "file", 3, "../outside/file"), LEADS_OUT),
    "rename from": (lambda guest: guest.rename(3, "../outside/secret", 3, "secret"), LEADS_OUT),
    "rename to, by a link": (after(link_to("../outside"), lambda guest: guest.rename(3, "file", 3, "way_out/file")), LEADS_OUT),
    "rename from, by a link": (after(link_to("../outside"), lambda guest: guest.rename(3, "way_out/secret", 3, "secret")), LEADS_OUT),
    "rename a directory to, by a link with a slash": (
        after(link_to("../outside/empty"), lambda guest: guest.rename(3, "sub", 3, "way_out/")), ("notdir",)
    ),
    "rename the jail": (lambda guest: guest.rename(3, ".", 3, "sub/jail"), ("busy", "inval")),
    "link to": (lambda guest: guest.link(3, "file", 3, "../outside/file"), LEADS_OUT),
    "link from": (lambda guest: guest.link(3, "../outside/secret", 3, "secret"), LEADS_OUT),
    "link from, by a link": (after(link_to("../outside"), lambda guest: guest.link(3, "way_out/secret", 3, "secret")), LEADS_OUT),
    "link from, following": (
        after(link_to("../outside/secret"), lambda guest: guest.link(3, "way_out", 3, "secret", follow=True)), ("inval",)
    ),
    "symbolic link to be made outside": (lambda guest: guest.symlink("x", 3, "../outside/link"), LEADS_OUT),
    "symbolic link to be made by a link": (after(link_to("../outside"), lambda guest: guest.symlink("x", 3, "way_out/link")), LEADS_OUT),
    "read a link": (lambda guest: guest.readlink(3, "../outside/link"), LEADS_OUT),
    "read an absolute link": (lambda guest: guest.readlink(3, "host_absolute"), LEADS_OUT),
    "attributes": (lambda guest: guest.stat(3, "../outside/secret"), LEADS_OUT),
    "attributes by a link": (after(link_to("../outside/secret"), lambda guest: guest.stat(3, "way_out", follow=True)), LEADS_OUT),
    "attributes by a link with a slash": (after(link_to("../outside"), lambda guest: guest.stat(3, "way_out/")), LEADS_OUT),
    "times": (lambda guest: guest.set_times(3, "../outside/secret", mtim=1, flags=4), LEADS_OUT),
    "times by a link": (
        after(link_to("../outside/secret"), lambda guest: guest.set_times(3, "way_out", mtim=1, flags=4, follow=True)), LEADS_OUT
    ),
    "list": (lambda guest: guest.readdir(guest.open_directory(3, "sub/../..")), LEADS_OUT),
    "list by a link": (
        after(link_to("../outside"), lambda guest: guest.readdir(guest.open_directory(3, "way_out", follow=True))), LEADS_OUT
    ),
    # Descriptors
    "relative to a file": (lambda guest: read(guest, "secret", fd=guest.open(3, "file")), ("notdir",)),
    "relative to standard input": (lambda guest: read(guest, "secret", fd=0), ("badf",)),
    "relative to a descriptor of the host": (lambda guest: read(guest, "secret", fd=77), ("badf",)),
    "relative to what C calls the working directory": (lambda guest: read(guest, "outside/secret", fd=(1 << 32) - 100), ("badf",)),
    "a descriptor of the host": (lambda guest: guest.read(77, 64), ("badf",)),
}  # fmt: skip


@pytest.fixture
def prison(jail: Path, outside: Path) -> Path:
    """The jail with links that lead out, such as a host may have in a directory that it gives away."""
    (jail / "host_relative").symlink_to("../outside")
    (jail / "host_absolute").symlink_to(outside)
    (jail / "host_file").symlink_to(outside / "secret")
    (jail / "host_root").symlink_to("/")
    (jail / "host_proc").symlink_to("/proc")
    (outside / "empty").mkdir()
    (outside / "link").symlink_to("secret")
    return jail


@pytest.fixture(params=["at once", "by path", "to read"])
def opened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How paths are opened: in one call where the kernel has it, by a walk as Linux lets it, and by one as other systems do."""
    if request.param != "at once":
        monkeypatch.setattr("purewasm_wasi.beneath.opener", lambda: None)
    elif beneath.opener() is None:
        pytest.skip("this kernel has no openat2")
    if request.param == "to read":
        monkeypatch.setattr("purewasm_wasi.host_walk._DIRECTORY", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    return str(request.param)


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize("title", ATTEMPTS)
def test_no_way_out(title: str, prison: Path, outside: Path) -> None:
    attempt, errnos = ATTEMPTS[title]
    before = snapshot(outside)
    with Wasi(dirs={"/": prison}) as wasi:
        guest = direct(wasi)
        kept = open_descriptors()
        with fails(*errnos):
            attempt(guest)
        assert open_descriptors() - kept <= {os.fspath(prison / "sub"), os.fspath(prison / "file")}, "the walk left something open"
    assert before == snapshot(outside)
    assert prison.is_dir()


def open_descriptors() -> set[str]:
    """Which files this process has open, where the system tells."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return set()
    found = set()
    for name in os.listdir(folder):
        try:
            found.add(os.readlink(folder / name))
        except OSError:
            continue
    return found


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("to_sub/../file", b"inside"),
        ("sub/deep/../../to_file", b"inside"),
        ("to_sub/./deep/../file", b"below"),
        ("up/../file", b"below"),
        ("sub/back/file", b"inside"),
        ("sub/back/sub/back/to_sub/file", b"below"),
    ],
)
def test_ways_inside(path: str, content: bytes, jail: Path, guest: Guest) -> None:
    (jail / "up").symlink_to("sub/deep")
    (jail / "sub" / "back").symlink_to("..")
    assert content == read(guest, path)


def test_forty_links_are_followed_and_no_more(jail: Path, guest: Guest) -> None:
    (jail / "link0").symlink_to("file")
    for number in range(40):
        (jail / f"link{number + 1}").symlink_to(f"link{number}")
    assert b"inside" == read(guest, "link39")
    with fails("loop"):
        read(guest, "link40")


def test_deep_paths_go_back_up_without_keeping_every_directory_open(jail: Path, guest: Guest) -> None:
    depth = 200
    fd = 3
    for _ in range(depth):
        guest.mkdir(fd, "d")
        below = guest.open_directory(fd, "d")
        if fd != 3:
            guest.close(fd)
        fd = below
    guest.close(fd)
    assert b"inside" == read(guest, "d/" * depth + "../" * depth + "file")
    with fails("perm"):
        read(guest, "d/" * depth + "../" * (depth + 1) + "outside/secret")


def test_a_way_back_that_was_replaced_by_a_link_is_refused(jail: Path, guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk forgets its way back when it is long, and goes again from the root: a component that is a link by then stops it."""
    monkeypatch.setattr("purewasm_wasi.beneath.opener", lambda: None)
    monkeypatch.setattr("purewasm_wasi.host_walk.MAX_OPEN", 1)
    (jail / "sub" / "deep" / "deeper").mkdir()
    assert b"below" == read(guest, "sub/deep/deeper/../../file")
    real_close, swapped = os.close, False

    def swap_and_close(fd: int) -> None:
        nonlocal swapped
        real_close(fd)
        if not swapped:
            swapped = True
            (jail / "sub").rename(jail / "moved")
            (jail / "sub").symlink_to("../outside")

    monkeypatch.setattr("purewasm_wasi.host_walk.os.close", swap_and_close)
    with fails("notdir", "loop"):
        read(guest, "sub/deep/deeper/../../secret")


@pytest.mark.usefixtures("opened")
@pytest.mark.slow
def test_a_directory_that_a_thread_swaps_for_a_link(jail: Path, outside: Path, guest: Guest) -> None:
    """A race: `swap` is a directory of the jail one moment, and a link that leads out the next."""
    (jail / "real").mkdir()
    (jail / "real" / "secret").write_bytes(b"public")
    (jail / "link").symlink_to("../outside")
    swap, done = jail / "swap", threading.Event()

    def keep_swapping() -> None:
        while not done.is_set():
            for source in ("real", "link"):
                (jail / source).rename(swap)
                swap.rename(jail / source)

    thread = threading.Thread(target=keep_swapping)
    thread.start()
    try:
        seen = {race(guest) for _ in range(3000)}
    finally:
        done.set()
        thread.join()
    assert seen <= {"public", "noent", "perm", "notdir", "loop"}


def race(guest: Guest) -> str:
    try:
        fd = guest.open(3, "swap/secret", follow=True)
    except Failed as error:
        return str(error)
    content = guest.read(fd, 64)
    guest.close(fd)
    return content.decode()


def test_a_directory_moved_out_while_it_is_open_does_not_open_the_way_up(jail: Path, outside: Path, guest: Guest) -> None:
    fd = guest.open_directory(3, "sub")
    (jail / "sub").rename(outside / "sub")
    with fails("perm"):
        read(guest, "../secret", fd=fd)
    assert b"below" == read(guest, "file", fd=fd)


def test_an_open_directory_that_is_renamed_over_stays_what_it_was(jail: Path, guest: Guest) -> None:
    guest.mkdir(3, "empty")
    fd = guest.open_directory(3, "empty")
    guest.rename(3, "sub", 3, "empty")
    with fails("noent"):
        guest.open(fd, "file")
    assert b"below" == read(guest, "empty/file")


READ_ONLY: dict[str, Attempt] = {
    "write": lambda guest: guest.open(3, "file", rights=WRITE),
    "read and write": lambda guest: guest.open(3, "file", rights=READ | WRITE),
    "create": lambda guest: guest.open(3, "made", oflags=CREATE),
    "cut": lambda guest: guest.open(3, "file", oflags=OFLAG_TRUNC),
    "cut an open file": lambda guest: guest.call("fd_filestat_set_size", guest.open(3, "file"), 0),
    "allocate": lambda guest: guest.call("fd_allocate", guest.open(3, "file"), 0, 100),
    "times": lambda guest: guest.set_times(3, "file", mtim=1, flags=4),
    "times of an open file": lambda guest: guest.set_times(guest.open(3, "file"), None, mtim=1, flags=4),
    "times of an open directory": lambda guest: guest.set_times(3, None, mtim=1, flags=4),
    "make a directory": lambda guest: guest.mkdir(3, "made"),
    "make a directory below": lambda guest: guest.mkdir(guest.open_directory(3, "sub"), "made"),
    "remove a directory": lambda guest: guest.rmdir(3, "sub/deep"),
    "remove a file": lambda guest: guest.unlink(3, "file"),
    "rename": lambda guest: guest.rename(3, "file", 3, "renamed"),
    "rename to a writable directory": lambda guest: guest.rename(3, "file", 4, "taken"),
    "rename from a writable directory": lambda guest: guest.rename(4, "secret", 3, "given"),
    "link": lambda guest: guest.link(3, "file", 3, "linked"),
    "link to a writable directory": lambda guest: guest.link(3, "file", 4, "taken"),
    "link from a writable directory": lambda guest: guest.link(4, "secret", 3, "given"),
    "symbolic link": lambda guest: guest.symlink("file", 3, "link"),
}


@pytest.mark.parametrize("title", READ_ONLY)
def test_a_read_only_directory_stays_as_it_is(title: str, jail: Path, outside: Path) -> None:
    before = snapshot(jail), snapshot(outside)
    with Wasi(dirs={"/": HostDir(jail, read_only=True), "/writable": outside}) as wasi:
        guest = direct(wasi)
        with fails("perm"):
            READ_ONLY[title](guest)
    assert before == (snapshot(jail), snapshot(outside))


def test_a_read_only_directory_can_be_read(jail: Path) -> None:
    with Wasi(read_only_dirs={"/": jail}) as wasi:
        guest = direct(wasi)
        assert b"inside" == read(guest, "to_file")
        assert b"file" == guest.readlink(3, "to_file")
        assert {b".", b"..", b"deep", b"file"} == {entry.name for entry in guest.readdir(guest.open_directory(3, "sub"))[0]}
        assert 6 == guest.stat(3, "file").size
        with fails("badf"):
            guest.write(guest.open(3, "file"), b"x")
