"""LEB128 integers, read strictly from an iterator over bytes (spec: binary format, integers).

An iterator is the fastest way to read bytes one by one in CPython (`next` costs a third of an index and an addition), and
`operator.length_hint` tells how many are left, so nobody needs to carry a position along. A `StopIteration` that leaves one
of these functions means that the bytes ended: whoever owns the iterator turns it into a `MalformedError`. For its sake
everything in this package reads in loops and list comprehensions: a generator expression or `map` would swallow it.

The `…_tail` functions go on after a first byte that the caller has read inline and found to be 0x80 or more.
"""

from __future__ import annotations

from purewasm.errors import MalformedError
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

TOO_LONG: Final = "integer representation too long"
TOO_LARGE: Final = "integer too large"
MAX_BYTES: Final = 10  # of an integer of 64 bits


def u32(code: Iterator[int]) -> int:
    """An unsigned integer of 32 bits."""
    byte = next(code)
    return byte if byte < 0x80 else _unsigned_tail(code, byte, 32)


def u32_tail(code: Iterator[int], first: int) -> int:
    """What `u32` does after its first byte, which was 0x80 or more."""
    byte = next(code)
    if byte < 0x80:
        return first & 0x7F | byte << 7
    return _unsigned_more(code, first & 0x7F | (byte & 0x7F) << 7, 14, 32)


def u64(code: Iterator[int]) -> int:
    """An unsigned integer of 64 bits."""
    byte = next(code)
    return byte if byte < 0x80 else _unsigned_tail(code, byte, 64)


def u64_tail(code: Iterator[int], first: int) -> int:
    """What `u64` does after its first byte, which was 0x80 or more."""
    return _unsigned_tail(code, first, 64)


def s32(code: Iterator[int]) -> int:
    """A signed integer of 32 bits."""
    byte = next(code)
    return (byte & 0x3F) - (byte & 0x40) if byte < 0x80 else _signed_tail(code, byte, 32)


def s32_tail(code: Iterator[int], first: int) -> int:
    """What `s32` does after its first byte, which was 0x80 or more."""
    return _signed_tail(code, first, 32)


def s33(code: Iterator[int]) -> int:
    """A signed integer of 33 bits: a heap type or a block type."""
    byte = next(code)
    return (byte & 0x3F) - (byte & 0x40) if byte < 0x80 else _signed_tail(code, byte, 33)


def s33_tail(code: Iterator[int], first: int) -> int:
    """What `s33` does after its first byte, which was 0x80 or more."""
    return _signed_tail(code, first, 33)


def s64(code: Iterator[int]) -> int:
    """A signed integer of 64 bits."""
    byte = next(code)
    return (byte & 0x3F) - (byte & 0x40) if byte < 0x80 else _signed_tail(code, byte, 64)


def _unsigned_tail(code: Iterator[int], first: int, bits: int) -> int:
    return _unsigned_more(code, first & 0x7F, 7, bits)


def _unsigned_more(code: Iterator[int], value: int, shift: int, bits: int) -> int:
    """The rest of an unsigned integer: `value` holds the `shift` bits that have been read."""
    while True:
        byte = next(code)
        left = bits - shift
        if left < 7 and byte & 0x7F >= 1 << left:
            raise MalformedError(f"{TOO_LARGE}: an unsigned integer of {bits} bits has other bits set")
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7
        if shift >= bits:
            raise MalformedError(f"{TOO_LONG}: an integer of {bits} bits has at most {-(-bits // 7)} bytes")


def _signed_tail(code: Iterator[int], first: int, bits: int) -> int:
    value, shift = first & 0x7F, 7
    while True:
        byte = next(code)
        left = bits - shift
        if left < 7:
            sign_bits = (-1 << (left - 1)) & 0x7F  # the last byte repeats the sign in all bits that are not its own
            if byte & sign_bits not in (0, sign_bits):
                raise MalformedError(f"{TOO_LARGE}: a signed integer of {bits} bits has other bits set")
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value - (1 << shift) if byte & 0x40 else value
        if shift >= bits:
            raise MalformedError(f"{TOO_LONG}: an integer of {bits} bits has at most {-(-bits // 7)} bytes")
