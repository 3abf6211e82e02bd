"""`wasi_unstable`: its own layouts and numbers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hostmods.wasi.tests.guest import Guest, direct, fails
from purewasm_wasi import Wasi
from purewasm_wasi.flags import FILETYPE_REGULAR_FILE
from purewasm_wasi.layout import SNAPSHOT, U32_MAX, UNSTABLE, Filestat


@pytest.fixture
def old_guest(jail: Path) -> Iterator[Guest]:
    with Wasi(dirs={"/": jail}) as wasi:
        yield direct(wasi, unstable=True)


def test_whence_counts_from_the_current_position(old_guest: Guest) -> None:
    fd = old_guest.open(3, "file")
    cur, end, set_ = 0, 1, 2
    assert [4, 3, 4] == [old_guest.seek(fd, 4, set_), old_guest.seek(fd, -1, cur), old_guest.seek(fd, -2, end)]
    assert 4 == old_guest.tell(fd)
    with fails("inval"):
        old_guest.seek(fd, 0, 3)


def test_attributes_have_a_narrow_link_count(old_guest: Guest, jail: Path) -> None:
    host = (jail / "file").stat()
    for stat in (old_guest.stat(3, "file"), old_guest.stat(old_guest.open(3, "file"))):
        assert (host.st_dev, host.st_ino, FILETYPE_REGULAR_FILE, 1, 6, host.st_mtime_ns) == (*stat[:5], stat.mtim)


def test_a_record_takes_no_more_than_its_place(old_guest: Guest) -> None:
    with old_guest.room() as put:
        result = put(b"\xee" * 64)
        old_guest.with_path("path_filestat_get", (3, 0), "file", result)
        assert b"\xee" * 8 == old_guest.memory.read(result + 56, 8)


def test_sizes_of_the_records() -> None:
    assert (64, 48) == (SNAPSHOT.filestat_size, SNAPSHOT.subscription_size)
    assert (56, 56) == (UNSTABLE.filestat_size, UNSTABLE.subscription_size)


def test_a_link_count_that_does_not_fit_is_the_largest() -> None:
    stat = Filestat(1, 2, 4, 1 << 40, 5, 6, 7, 8)
    assert (1 << 40).to_bytes(8, "little") == SNAPSHOT.pack_filestat(stat)[24:32]
    assert U32_MAX.to_bytes(4, "little") == UNSTABLE.pack_filestat(stat)[20:24]


def test_waiting(make_guest: Callable[..., Guest]) -> None:
    reader, writer = os.pipe()
    guest = make_guest(unstable=True, stdin=reader)
    assert [1] == [event.userdata for event in guest.poll(guest.clock_subscription(1, 1_000_000), guest.fd_subscription(2, 0))]
    os.write(writer, b"x")
    assert [2] == [event.userdata for event in guest.poll(guest.clock_subscription(1, 10**12), guest.fd_subscription(2, 0))]
    assert [3] == [event.userdata for event in guest.poll(guest.clock_subscription(3, 1, absolute=True))]
    os.close(reader)
    os.close(writer)
