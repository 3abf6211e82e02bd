"""Version 0 through the base class: calls, checks, overlaps, buffers. On both engines."""

from __future__ import annotations

import pytest

from core.tests.unit.hostmod.greeter import Tally
from purewasm import MemoryAccessError, Runtime
from purewasm.hostmod import AbiError, Cell
from purewasm.hostmod.views import Page
from purewasm.testing import PageGuest, check_hostile, fuzz

AMOUNT, CAPACITY, LENGTH, TEXT = 256, 264, 268, 512


@pytest.fixture
def guest(runtime: Runtime) -> PageGuest:
    found = PageGuest(runtime, Tally(), (AMOUNT, CAPACITY, LENGTH, TEXT))
    found.memory.write_u32(CAPACITY, 16)
    return found


def _text(guest: PageGuest, text: bytes) -> None:
    guest.memory.write(TEXT, text)
    guest.memory.write_u32(LENGTH, len(text))


def test_cells_go_both_ways(guest: PageGuest) -> None:
    guest.memory.write_u64(AMOUNT, 2**64 - 1)
    guest.call("__tally_add")
    assert guest.memory.read_u64(AMOUNT) == 0
    guest.call("__tally_add")
    assert guest.memory.read_u64(AMOUNT) == 1


def test_buffers_go_both_ways(guest: PageGuest) -> None:
    _text(guest, "äb".encode())
    guest.call("__tally_turn")
    assert (guest.memory.read_u32(LENGTH), guest.memory.read(TEXT, 4)) == (4, "bä!".encode())


def test_what_does_not_fit_is_not_written(guest: PageGuest) -> None:
    _text(guest, b"0123456789abcdef")
    with pytest.raises(AbiError, match="the text holds 16 bytes, and 17 are needed") as caught:
        guest.call("__tally_turn")
    assert (caught.value.operation, caught.value.address) == ("__tally_turn", CAPACITY)
    assert (guest.memory.read_u32(LENGTH), guest.memory.read(TEXT, 16)) == (16, b"0123456789abcdef")


def test_a_capacity_that_changes_is_checked_again(guest: PageGuest) -> None:
    _text(guest, b"ab")
    guest.call("__tally_turn")
    guest.memory.write_u32(CAPACITY, 65_536)
    with pytest.raises(AbiError, match="the text, 65536 bytes, lies outside the guest's memory of 65536 bytes"):
        guest.call("__tally_turn")
    guest.memory.grow(1)
    guest.call("__tally_turn")
    assert guest.memory.read(TEXT, 4) == b"!ab!"


def test_hostile_guests(runtime: Runtime) -> None:
    check_hostile(runtime, Tally)


@pytest.mark.parametrize("seed", range(3))
def test_random_guests(runtime: Runtime, seed: int) -> None:
    assert 0 < fuzz(runtime, Tally, seed=seed, rounds=60) < 60


def test_a_cell_checks_each_access(guest: PageGuest) -> None:
    cell = Cell(guest.memory, AMOUNT, "u16", "the number", "acme/x", "f")
    with pytest.raises(OverflowError, match="acme/x: 65536 does not fit the number of 16 bits"):
        cell.set(65_536)
    cell.set(65_535)
    assert cell.get() == 65_535
    with pytest.raises(AbiError, match="the number, 2 bytes, lies outside"):
        Cell(guest.memory, 65_535, "u16", "the number", "acme/x", "f")
    assert repr(cell) == "<Cell the number at 0x00000100>"


def test_cells_of_a_page_are_apart(guest: PageGuest) -> None:
    guest.memory.write(1024, b"".join(at.to_bytes(4, "little") for at in (2000, 2007, 2008)))
    page = Page(guest.memory, 1024, 3, "acme/x", "__x")
    assert page.addresses == (2000, 2007, 2008)
    page.cell(0, "i64", "the first")
    with pytest.raises(AbiError, match=r"acme/x __x: the second overlaps the first \(address 0x000007d7\)"):
        page.cell(1, "u8", "the second")
    page.cell(2, "u8", "the third")


def test_the_memory_still_refuses_what_python_asks_wrongly(guest: PageGuest) -> None:
    with pytest.raises(MemoryAccessError):
        guest.memory.read(-1, 2)
