"""Floating-point values and their bits.

A raw f64 is a Python float. A raw f32 is a Python float that f32 can represent; an f32 NaN `s | 0xFF | fraction` is held as the
f64 NaN `s | 0x7FF | fraction << 29`, so that every one of its bits survives, the quiet bit in its place. Python itself does not
keep it like that (reading an f32 from bytes makes a signalling NaN quiet), hence the exact conversions.
"""

from __future__ import annotations

import sys
from struct import Struct

from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    ReadableBuffer = bytes | bytearray | memoryview

_INFINITY: Final = float("inf")
_F32_ROUNDS_TO_INFINITY: Final = float(0x1_FFFF_FF << 103)
"""FLT_MAX and half a unit of its last place: from here on f32 has no finite value."""


# Packing f32. `struct` refuses a finite value that becomes infinite, except in native mode, where it does what the processor does.


def strict_f32_packer(lanes: int) -> Callable[..., bytes]:
    """`f32_packer` out of the part of `struct` that is the same everywhere."""
    pack = Struct(f"<{lanes}f").pack

    def pack_rounded(*values: float) -> bytes:
        try:
            return pack(*values)
        except OverflowError:
            return pack(*((_INFINITY if v > 0 else -_INFINITY) if abs(v) >= _F32_ROUNDS_TO_INFINITY else v for v in values))

    return pack_rounded


def _packs_as_processor_does(native: Struct) -> bool:
    try:
        return native.pack(*[1e39] * (native.size // 4))[:4] == b"\x00\x00\x80\x7f"
    except OverflowError:
        return False


def f32_packer(lanes: int) -> Callable[..., bytes]:
    """A function that rounds as many numbers to f32 and returns their bytes, little endian; too large ones become infinite."""
    native = Struct(f"{lanes}f")
    return native.pack if _packs_as_processor_does(native) else strict_f32_packer(lanes)


class Reinterpretation(NamedTuple):
    """The functions on single values that need their bits; the f32 ones are not for NaNs."""

    round_f32: Callable[[float], float]
    f32_number_of_bits: Callable[[int], float]
    f32_bits_of_number: Callable[[float], int]
    f64_from_bits: Callable[[int], float]
    f64_to_bits: Callable[[float], int]


def reinterpretation_by_struct() -> Reinterpretation:
    """Works everywhere."""
    pack_f32, unpack_f32 = f32_packer(1), Struct("<f").unpack
    pack_f64, unpack_f64 = Struct("<d").pack, Struct("<d").unpack
    pack_u64, unpack_u64 = Struct("<Q").pack, Struct("<Q").unpack

    def round_f32(value: float) -> float:
        return float(unpack_f32(pack_f32(value))[0])

    def f32_number_of_bits(bits: int) -> float:
        return float(unpack_f32(bits.to_bytes(4, "little"))[0])

    def f32_bits_of_number(value: float) -> int:
        return int.from_bytes(pack_f32(value), "little")

    def f64_from_bits(bits: int) -> float:
        return float(unpack_f64(pack_u64(bits))[0])

    def f64_to_bits(value: float) -> int:
        return int(unpack_u64(pack_f64(value))[0])

    return Reinterpretation(round_f32, f32_number_of_bits, f32_bits_of_number, f64_from_bits, f64_to_bits)


def reinterpretation_by_cell() -> Reinterpretation:
    """Through one cell of memory that is read with another type than it is written with: takes half the time.

    CPython switches threads only at calls and jumps, and there is neither between the store and the load. Nobody else promises that.
    """
    cell = memoryview(bytearray(8))
    f32, u32, f64, u64 = cell[:4].cast("f"), cell[:4].cast("I"), cell.cast("d"), cell.cast("Q")

    def round_f32(value: float) -> float:
        f32[0] = value
        return f32[0]

    def f32_number_of_bits(bits: int) -> float:
        u32[0] = bits
        return f32[0]

    def f32_bits_of_number(value: float) -> int:
        f32[0] = value
        return u32[0]

    def f64_from_bits(bits: int) -> float:
        u64[0] = bits
        return f64[0]

    def f64_to_bits(value: float) -> int:
        f64[0] = value
        return u64[0]

    return Reinterpretation(round_f32, f32_number_of_bits, f32_bits_of_number, f64_from_bits, f64_to_bits)


CELL_IS_SAFE: Final = sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()
_functions = reinterpretation_by_cell() if CELL_IS_SAFE else reinterpretation_by_struct()

round_f32 = _functions.round_f32
"""The f32 nearest to a number, ties to even, too large ones infinite; a NaN keeps what f32 can hold, and becomes quiet."""
f64_from_bits = _functions.f64_from_bits
"""Raw value of the f64 with these bits (an unsigned int); exact."""
f64_to_bits = _functions.f64_to_bits
"""Bits of a raw f64 as an unsigned int; exact."""
_f32_number_of_bits = _functions.f32_number_of_bits
_f32_bits_of_number = _functions.f32_bits_of_number


def f32_from_bits(bits: int) -> float:
    """Raw value of the f32 with these bits (an unsigned int); exact, also for a signalling NaN."""
    value = _f32_number_of_bits(bits)
    if value == value:
        return value
    return f64_from_bits((bits & 0x8000_0000) << 32 | 0x7FF0_0000_0000_0000 | (bits & 0x7F_FFFF) << 29)


def f32_to_bits(value: float) -> int:
    """Bits of a raw f32 as an unsigned int; exact."""
    if value == value:
        return _f32_bits_of_number(value)
    bits = f64_to_bits(value)
    return bits >> 32 & 0x8000_0000 | 0x7F80_0000 | bits >> 29 & 0x7F_FFFF


def f32_from_bytes(data: ReadableBuffer) -> float:
    """Raw value of four bytes, little endian; exact."""
    return f32_from_bits(int.from_bytes(data, "little"))


def f32_to_bytes(value: float) -> bytes:
    """The four bytes of a raw f32, little endian; exact."""
    return f32_to_bits(value).to_bytes(4, "little")


def f64_from_bytes(data: ReadableBuffer) -> float:
    """Raw value of eight bytes, little endian; exact."""
    return f64_from_bits(int.from_bytes(data, "little"))


def f64_to_bytes(value: float) -> bytes:
    """The eight bytes of a raw f64, little endian; exact."""
    return f64_to_bits(value).to_bytes(8, "little")
