"""The guest's memory as addresses: for SDKs of host modules, which share cells with the host.

Nothing is checked but the memory's end.

`reserve(n)` as the value of a module constant sets n zeroed bytes aside for the instance's life; what `allocate` gives is free again when
the exported function that is running returns.
"""

from __future__ import annotations

from typing import Final, NamedTuple, NoReturn

from purewasm_guest.python import f32, f64, i32, i64, u32, u64


class Intrinsic(NamedTuple):
    """A function that is a few instructions: types by name, "reference" for any value that lies in memory."""

    parameters: tuple[str, ...]
    result: str
    code: tuple[str, ...]


INTRINSICS: Final = {
    "load_u8": Intrinsic(("u32",), "u32", ("i32.load8_u",)),
    "load_u32": Intrinsic(("u32",), "u32", ("i32.load",)),
    "load_u64": Intrinsic(("u32",), "u64", ("i64.load",)),
    "store_u8": Intrinsic(("u32", "u32"), "None", ("i32.store8",)),
    "store_u32": Intrinsic(("u32", "u32"), "None", ("i32.store",)),
    "store_u64": Intrinsic(("u32", "u64"), "None", ("i64.store",)),
    "copy": Intrinsic(("u32", "u32", "u32"), "None", ("memory.copy",)),
    "fill": Intrinsic(("u32", "u32", "u32"), "None", ("memory.fill",)),
    "pages": Intrinsic((), "u32", ("memory.size",)),
    "grow": Intrinsic(("u32",), "i32", ("memory.grow",)),
    "heap_base": Intrinsic((), "u32", ("global.get $heap_base",)),
    "address": Intrinsic(("reference",), "u32", ()),
    "as_str": Intrinsic(("u32",), "str", ()),
    "as_bytes": Intrinsic(("u32",), "bytes", ()),
    "f64_bits": Intrinsic(("f64",), "u64", ("i64.reinterpret_f64",)),
    "f64_from_bits": Intrinsic(("u64",), "f64", ("f64.reinterpret_i64",)),
    "load_f64": Intrinsic(("u32",), "f64", ("f64.load",)),
    "load_f32": Intrinsic(("u32",), "f32", ("f32.load",)),
    "floor": Intrinsic(("f64",), "f64", ("f64.floor",)),
    "quotient": Intrinsic(("i64", "i64"), "i64", ("i64.div_s",)),
    "remainder": Intrinsic(("i64", "i64"), "i64", ("i64.rem_s",)),
    "shift_bits_left": Intrinsic(("i64", "i64"), "i64", ("i64.shl",)),
    "shift_bits_right": Intrinsic(("u64", "i64"), "u64", ("i64.shr_u",)),
    "shift_bits_right_signed": Intrinsic(("i64", "i64"), "i64", ("i64.shr_s",)),
}


def _only_in_guests() -> NoReturn:
    raise NotImplementedError("purewasm_guest.python.memory is for built guests: CPython has no such memory")


def reserve(size: int) -> u32:
    """The address of `size` zeroed bytes, a multiple of 8."""
    return 0


def allocate(size: u32) -> u32:
    """The address of bytes of the arena, a multiple of 8; what is in them is left from before."""
    _only_in_guests()


def load_u8(address: u32) -> u32:
    """The byte at an address."""
    _only_in_guests()


def load_u32(address: u32) -> u32:
    """Four bytes."""
    _only_in_guests()


def load_u64(address: u32) -> u64:
    """Eight bytes."""
    _only_in_guests()


def load_f64(address: u32) -> f64:
    """A float."""
    _only_in_guests()


def load_f32(address: u32) -> f32:
    """A float of four bytes."""
    _only_in_guests()


def store_u8(address: u32, value: u32) -> None:
    """Write the low byte of a number."""
    _only_in_guests()


def store_u32(address: u32, value: u32) -> None:
    """Write four bytes."""
    _only_in_guests()


def store_u64(address: u32, value: u64) -> None:
    """Write eight bytes."""
    _only_in_guests()


def copy(to: u32, source: u32, size: u32) -> None:
    """Copy bytes; the two places may overlap."""
    _only_in_guests()


def fill(to: u32, byte: u32, size: u32) -> None:
    """Write one byte many times."""
    _only_in_guests()


def pages() -> u32:
    """How many pages of 64 KiB the memory has."""
    _only_in_guests()


def grow(count: u32) -> i32:
    """Add pages; -1 where there are no more."""
    _only_in_guests()


def heap_base() -> u32:
    """Where the arena begins: after constants and reserved bytes."""
    _only_in_guests()


def address(value: object) -> u32:
    """Where a str, bytes, list or dataclass lies."""
    _only_in_guests()


def as_str(at: u32) -> str:
    """The str at an address."""
    _only_in_guests()


def as_bytes(at: u32) -> bytes:
    """The bytes object at an address."""
    _only_in_guests()


def f64_bits(value: f64) -> u64:
    """The 64 bits of a float."""
    _only_in_guests()


def f64_from_bits(bits: u64) -> f64:
    """The float of 64 bits."""
    _only_in_guests()


def floor(value: f64) -> f64:
    """The next whole number below."""
    _only_in_guests()


def quotient(left: i64, right: i64) -> i64:
    """Division towards zero; by 0, and of the lowest number by -1, it traps."""
    _only_in_guests()


def remainder(left: i64, right: i64) -> i64:
    """What `quotient` leaves."""
    _only_in_guests()


def shift_bits_left(value: i64, count: i64) -> i64:
    """A shift by the count modulo 64."""
    _only_in_guests()


def shift_bits_right(value: u64, count: i64) -> u64:
    """The same, with zeroes from the left."""
    _only_in_guests()


def shift_bits_right_signed(value: i64, count: i64) -> i64:
    """The same, with the sign from the left."""
    _only_in_guests()
