"""Hostile pointers, lengths and counts: nothing happens, or the guest is ended, and neither takes memory or time."""

from __future__ import annotations

import mmap
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from hostmods.wasi.tests.guest import PAGE, READ, WRITE, ByteMemory, Guest, direct, fails
from purewasm import MemoryAccessError
from purewasm_wasi import Wasi
from purewasm_wasi.errno import WasiError
from purewasm_wasi.flags import OFLAG_CREAT
from purewasm_wasi.guest_memory import MAX_BUFFERS, MAX_SCANNED, check, gather, read_string


def iovs(memory: ByteMemory, address: int, *pairs: tuple[int, int]) -> None:
    memory.write(address, b"".join(struct.pack("<II", *pair) for pair in pairs))


@pytest.mark.parametrize(
    ("address", "size", "alignment"),
    [(PAGE, 1, 1), (PAGE - 3, 4, 1), (0xFFFF_FFFF, 0xFFFF_FFFF, 1), (0, PAGE + 1, 1), (2, 4, 4), (4, 8, 8), (PAGE + 1, 0, 1)],
)
def test_ranges_outside_or_unaligned_end_the_guest(address: int, size: int, alignment: int) -> None:
    with pytest.raises(MemoryAccessError, match=r"^(out of bounds|unaligned) memory access: "):
        check(ByteMemory(1), address, size, alignment)


@pytest.mark.parametrize(("address", "size", "alignment"), [(0, PAGE, 1), (PAGE, 0, 1), (PAGE - 8, 8, 8), (0, 0, 8)])
def test_ranges_inside(address: int, size: int, alignment: int) -> None:
    check(ByteMemory(1), address, size, alignment)


def test_gather_leaves_empty_buffers_out_and_views_the_memory_itself() -> None:
    memory = ByteMemory(1)
    iovs(memory, 0, (100, 0), (200, 3), (0xFFFF_FFFF, 0), (300, 2))
    buffers = gather(memory.view(), 0, 4)
    assert [3, 2] == [len(buffer) for buffer in buffers]
    buffers[1][:] = b"hi"
    assert b"hi" == memory.read(300, 2)


@pytest.mark.parametrize("pair", [(PAGE, 1), (PAGE - 1, 2), (0xFFFF_FFFF, 0xFFFF_FFFF), (0, 0xFFFF_FFFF)])
def test_a_buffer_outside_ends_the_guest(pair: tuple[int, int]) -> None:
    memory = ByteMemory(1)
    iovs(memory, 0, (100, 4), pair)
    with pytest.raises(MemoryAccessError):
        gather(memory.view(), 0, 2)


@pytest.mark.parametrize("count", [0xFFFF_FFFF, PAGE // 8 + 1, 0x2000_0000])
def test_an_array_of_buffers_that_is_outside_ends_the_guest(count: int) -> None:
    with pytest.raises(MemoryAccessError):
        gather(ByteMemory(1).view(), 0, count)


def test_a_huge_array_of_buffers_takes_no_memory() -> None:
    memory = ByteMemory(1024)
    count = memory.size // 8
    memory.data[:] = struct.pack("<II", 0, 0xFFFF) * count
    tracemalloc.start()
    buffers = gather(memory.view(), 0, count)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert MAX_BUFFERS == len(buffers)
    assert peak < 1 << 20


def test_buffers_that_overlap_do_not_add_up_beyond_what_a_count_can_say() -> None:
    memory = ByteMemory(1024)
    iovs(memory, 0, *[(0, memory.size)] * 100)
    assert sum(map(len, gather(memory.view(), 0, 100))) == 0x7FFF_F000


def test_only_so_many_empty_buffers_are_looked_at() -> None:
    memory = ByteMemory(64)
    assert [] == gather(memory.view(), 0, MAX_SCANNED)
    with pytest.raises(WasiError, match=r"^inval$"):
        gather(memory.view(), 0, MAX_SCANNED + 1)


def test_a_string_that_is_too_long_is_refused_before_it_is_copied() -> None:
    memory = ByteMemory(1024)
    tracemalloc.start()
    with pytest.raises(WasiError, match=r"^nametoolong$"):
        read_string(memory, 0, memory.size)  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


# What has to leave no trace when one of its pointers is bad: the last of them, where results go.
NO_EFFECT: dict[str, Callable[[Guest, int], None]] = {
    "fd_read": lambda guest, bad: guest.call("fd_read", 4, 8, 1, bad),
    "fd_write": lambda guest, bad: guest.call("fd_write", 4, 8, 1, bad),
    "fd_pwrite": lambda guest, bad: guest.call("fd_pwrite", 4, 8, 1, 0, bad),
    "fd_seek": lambda guest, bad: guest.call("fd_seek", 4, 3, 0, bad),
    "path_open": lambda guest, bad: guest.with_path("path_open", (3, 0), "made", OFLAG_CREAT, READ, 0, 0, bad),
    "path_rename": lambda guest, bad: guest.with_path("path_rename", (3,), "file", 3, bad, 4),
    "path_symlink": lambda guest, bad: guest.call("path_symlink", 512, 4, 3, bad, 4),
    "path_link": lambda guest, bad: guest.with_path("path_link", (3, 0), "file", 3, bad, 4),
    "random_get": lambda guest, bad: guest.call("random_get", bad - 100, 101),
    "poll_oneoff": lambda guest, bad: guest.call("poll_oneoff", 1024, 2048, 1, bad),
}


@pytest.mark.parametrize("name", NO_EFFECT)
def test_a_bad_pointer_for_the_result_has_no_effect(name: str, jail: Path, guest: Guest) -> None:
    fd = guest.open(3, "file", rights=READ | WRITE)
    assert 4 == fd
    guest.memory.write(8, struct.pack("<II", 512, 4))
    guest.memory.write(512, b"name")
    names = sorted(jail.rglob("*"))
    with pytest.raises(MemoryAccessError):
        NO_EFFECT[name](guest, 4 * PAGE)
    assert b"name" == guest.memory.read(512, 4)
    assert bytes(128) == guest.memory.read(4 * PAGE - 128, 128)
    assert 0 == guest.tell(fd)
    assert b"inside" == (jail / "file").read_bytes()
    assert names == sorted(jail.rglob("*"))
    assert 5 == guest.open(3, "file"), "no descriptor was taken"


def test_paths_that_are_no_strings(guest: Guest) -> None:
    with fails("ilseq"):
        guest.stat(3, b"\xff")
    with fails("ilseq"):
        guest.stat(3, "\ud800".encode("utf-8", "surrogatepass"))
    with fails("inval"):
        guest.stat(3, "file\0")
    with fails("nametoolong"):
        guest.stat(3, "a" * 70_000)
    with fails("noent"):
        guest.stat(3, "")


def test_addresses_of_the_upper_half_are_addresses(jail: Path) -> None:
    """A pointer of 2 GiB or more arrives as a negative integer."""
    high = 0x8000_0000
    try:
        block = mmap.mmap(-1, high + PAGE)
    except OSError:
        pytest.skip("no address space for a memory of more than 2 GiB")
    with block, Wasi(["program"], dirs={"/": jail}) as wasi:
        memory = ByteMemory(0)
        memory.data = block
        guest = direct(wasi, memory=memory)
        guest._top = high + 1024
        assert [b"program"] == guest.strings("args")
        assert b"inside" == guest.read(guest.open(3, "file"), 10)
        guest.call("clock_time_get", 1, 0, high)
        assert guest.u64(high)
        with pytest.raises(MemoryAccessError):
            guest.call("clock_time_get", 1, 0, high + PAGE)
