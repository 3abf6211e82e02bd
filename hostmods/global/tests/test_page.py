"""Guests that break the ABI: a typed error that says where, nothing read or written outside, and the host goes on."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from purewasm import Instance, Runtime, Trap
from purewasm.hostmod import AbiError
from purewasm.testing import PageCase, page_conformance_cases
from purewasm_global import Globals
from purewasm_global.page import GlobalPages

PAGE_BYTES = 65_536
VALUE, CAPACITY, LENGTH, NAME = 64, 72, 76, 128
GuestText = Callable[..., str]


def _start(runtime: Runtime, text: str) -> Instance:
    Globals({"X": 7}).register(runtime)
    return runtime.instantiate(text)


def _lay_out(instance: Instance, name: bytes = b"X", *, capacity: int = 64, length: int | None = None) -> None:
    """Fill in the cells of a guest with the usual page."""
    memory = instance.memory
    memory.write_u64(VALUE, 1)
    memory.write_u32(CAPACITY, capacity)
    memory.write_u32(LENGTH, len(name) if length is None else length)
    memory.write(NAME, name)


def _value(instance: Instance) -> int:
    return instance.memory.read_u64(VALUE)


def _error(instance: Instance) -> AbiError:
    with pytest.raises(AbiError) as caught:
        instance.exports.ask()
    assert caught.value.module == "pantopic/wazero-global"
    return caught.value


def test_the_usual_page(runtime: Runtime, guest_text: GuestText) -> None:
    instance = _start(runtime, guest_text())
    _lay_out(instance)
    instance.exports.ask()
    assert _value(instance) == 7


@pytest.mark.parametrize("page", [PAGE_BYTES - 15, PAGE_BYTES, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFF0, 0xFFFF_FFFF])
def test_a_page_outside_the_memory(runtime: Runtime, guest_text: GuestText, page: int) -> None:
    error = _error(_start(runtime, guest_text(page=page)))
    assert (error.operation, error.address) == ("__global", page)
    assert str(error) == (
        "pantopic/wazero-global __global: the page, 16 bytes, lies outside the guest's memory of 65536 bytes "
        f"(address 0x{page:08x})"
    )


@pytest.mark.parametrize("address", [PAGE_BYTES - 3, PAGE_BYTES, 0x8000_0000, 0xFFFF_FFFC, 0xFFFF_FFFF])
@pytest.mark.parametrize(
    ("entry", "what"),
    [(0, "the value cell, 8"), (1, "the cell of the name's capacity, 4"), (2, "the cell of the name's length, 4")],
)
def test_a_cell_outside_the_memory(runtime: Runtime, guest_text: GuestText, entry: int, what: str, address: int) -> None:
    cells = [VALUE, CAPACITY, LENGTH, NAME]
    cells[entry] = address
    error = _error(_start(runtime, guest_text(cells=tuple(cells))))
    assert (error.operation, error.address) == ("__global", address)
    assert what in str(error)


@pytest.mark.parametrize("address", [PAGE_BYTES - 63, PAGE_BYTES, 0x8000_0000, 0xFFFF_FFFF])
def test_a_name_buffer_outside_the_memory(runtime: Runtime, guest_text: GuestText, address: int) -> None:
    instance = _start(runtime, guest_text(cells=(VALUE, CAPACITY, LENGTH, address)))
    _lay_out(instance)
    error = _error(instance)
    assert (error.operation, error.address) == ("__global_get", address)
    assert "the name's buffer, 64 bytes, lies outside" in str(error)
    assert _value(instance) == 1


def test_cells_at_the_very_end_of_the_memory(runtime: Runtime, guest_text: GuestText) -> None:
    value, name = PAGE_BYTES - 72, PAGE_BYTES - 64
    instance = _start(runtime, guest_text(cells=(value, CAPACITY, LENGTH, name)))
    memory = instance.memory
    memory.write_u32(CAPACITY, 64)
    memory.write_u32(LENGTH, 1)
    memory.write(name, b"X")
    instance.exports.ask()
    assert memory.read_u64(value) == 7


@pytest.mark.parametrize(("capacity", "length"), [(64, 65), (0, 1), (64, 0xFFFF_FFFF), (0x7FFF_FFFF, 0x8000_0000)])
def test_a_name_longer_than_its_buffer(runtime: Runtime, guest_text: GuestText, capacity: int, length: int) -> None:
    instance = _start(runtime, guest_text())
    _lay_out(instance, capacity=capacity, length=length)
    error = _error(instance)
    assert error.problem == f"the name's buffer: the length {length} is over the capacity {capacity}"
    assert (error.operation, error.address) == ("__global_get", LENGTH)
    assert _value(instance) == 1


@pytest.mark.parametrize("capacity", [PAGE_BYTES - NAME + 1, 0x8000_0000, 0xFFFF_FFFF])
def test_a_capacity_that_leaves_the_memory(runtime: Runtime, guest_text: GuestText, capacity: int) -> None:
    instance = _start(runtime, guest_text())
    _lay_out(instance, capacity=capacity)
    error = _error(instance)
    assert (error.operation, error.address) == ("__global_get", NAME)
    assert f"the name's buffer, {capacity} bytes" in str(error)


def test_a_name_that_no_sane_guest_has(runtime: Runtime, guest_text: GuestText) -> None:
    instance = _start(runtime, guest_text(memory='(memory (export "memory") 3)'))
    _lay_out(instance, b"X" * PAGE_BYTES, capacity=2 * PAGE_BYTES)
    instance.exports.ask()
    assert _value(instance) == 1
    _lay_out(instance, b"X" * (PAGE_BYTES + 1), capacity=2 * PAGE_BYTES)
    assert _error(instance).problem == "the name's buffer has 65537 bytes, over the limit of 65536"


@pytest.mark.parametrize(("name", "reason"), [(b"\xff", "invalid start byte at byte 0"), (b"ab\xc3", "unexpected end of data at byte 2")])
def test_a_name_that_is_not_utf8(runtime: Runtime, guest_text: GuestText, name: bytes, reason: str) -> None:
    instance = _start(runtime, guest_text())
    _lay_out(instance, name)
    error = _error(instance)
    assert error.problem == f"the name's buffer is not UTF-8: {reason}"
    assert (error.operation, error.address) == ("__global_get", NAME)


def test_the_host_goes_on_after_an_error(runtime: Runtime, guest_text: GuestText) -> None:
    instance = _start(runtime, guest_text())
    _lay_out(instance, b"\xff")
    _error(instance)
    _lay_out(instance)
    instance.exports.ask()
    assert _value(instance) == 7


@pytest.mark.parametrize(
    ("export", "problem"),
    [
        ("", "is not exported by the guest: a guest that imports"),
        ('(global (export "__global") i32 (i32.const 16))', "is exported by the guest, but is no function: a guest that imports"),
        ('(func (export "__global") (result i64) (i64.const 16))', "where () -> i32 was expected"),
        ('(func (export "__global") (param i32) (result i32) (i32.const 16))', "where () -> i32 was expected"),
        ('(func (export "__global"))', "where () -> i32 was expected"),
    ],
)
def test_no_usable_page_export(runtime: Runtime, guest_text: GuestText, export: str, problem: str) -> None:
    error = _error(_start(runtime, guest_text(export=export)))
    assert (error.operation, error.address) == ("__global", None)
    assert problem in str(error)


def test_a_guest_without_a_memory(runtime: Runtime, guest_text: GuestText) -> None:
    error = _error(_start(runtime, guest_text(memory="")))
    assert error.problem == "the guest has no memory, in which its cells could be"


def test_a_page_export_that_traps(runtime: Runtime, guest_text: GuestText) -> None:
    instance = _start(runtime, guest_text(export='(func (export "__global") (result i32) unreachable)'))
    with pytest.raises(Trap, match="unreachable"):
        instance.exports.ask()


def test_a_page_export_that_asks_itself(runtime: Runtime, guest_text: GuestText) -> None:
    instance = _start(runtime, guest_text(export='(func (export "__global") (result i32) (call $get) (i32.const 16))'))
    error = _error(instance)
    assert error.operation == "__global_get"
    assert "from inside the guest's own __global" in error.problem


def test_the_error_can_be_pickled() -> None:
    error = AbiError("pantopic/wazero-global", "__global", "the page is bad", 0xFFFF_FFFF)
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.module, copy.operation, copy.address) == (str(error), error.module, "__global", 0xFFFF_FFFF)


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        ((64, 68, 76, 128), "the cell of the name's capacity overlaps the value cell"),
        ((64, 72, 75, 128), "the cell of the name's length overlaps the cell of the name's capacity"),
    ],
)
def test_cells_that_overlap(runtime: Runtime, guest_text: GuestText, cells: tuple[int, int, int, int], what: str) -> None:
    error = _error(_start(runtime, guest_text(cells=cells)))
    assert (error.operation, error.problem) == ("__global", what)


def test_a_buffer_over_a_cell(runtime: Runtime, guest_text: GuestText) -> None:
    instance = _start(runtime, guest_text(cells=(VALUE, CAPACITY, LENGTH, 56)))
    _lay_out(instance, b"", capacity=8)
    instance.exports.ask()
    _lay_out(instance, b"", capacity=9)
    error = _error(instance)
    assert (error.operation, error.address, error.problem) == ("__global_get", 56, "the name's buffer overlaps the value cell")


@pytest.mark.parametrize("case", page_conformance_cases(Path(__file__).with_name("page_cases.json")), ids=str)
def test_conformance(case: PageCase, runtime: Runtime) -> None:
    case.run(runtime, GlobalPages(lambda name: None))
