"""Lanes of a v128 as one big integer, and the vector instructions that work on plain bits (spec: vector operations).

A v128 is 16 bytes, lane 0 first. The fast form for lane arithmetic in CPython is one int of 128 bits (56 ns to make, 58 to turn
back, 28 for each operation on it), so integer lanes are computed all at once, kept from spilling into each other by these masks:

    lanes        i8x16 mask     meaning
    ones         01 01 01 …     the lowest bit of each lane
    high         80 80 80 …     the highest (sign) bit of each lane
    low          7F 7F 7F …     all the others

`(x & low) + (y & low)` cannot carry out of a lane; the highest bits are then put in by exclusive or. A condition is a bit at
`high`; `(c << 1) - (c >> width - 1)` spreads it over its lane.
"""

from __future__ import annotations

from collections.abc import Callable

from purewasm.light_typing import Final

Unary = Callable[[bytes], bytes]
Binary = Callable[[bytes, bytes], bytes]
Test = Callable[[bytes], int]
Shift = Callable[[bytes, int], bytes]

INTEGER_SHAPES: Final = {"i8x16": 8, "i16x8": 16, "i32x4": 32, "i64x2": 64}
"""Bits of a lane."""

to_int: Final = int.from_bytes
ZERO: Final = bytes(16)


def ones(width: int, total: int = 128) -> int:
    """The lowest bit of each lane of `width` bits."""
    return ((1 << total) - 1) // ((1 << width) - 1)


def highs(width: int, total: int = 128) -> int:
    """The sign bit of each lane."""
    return ones(width, total) << width - 1


def lows(width: int, total: int = 128) -> int:
    """Everything but the sign bits."""
    return highs(width, total) - ones(width, total)


_COMPLEMENT: Final = bytes(range(255, -1, -1))


def v128_not(a: bytes) -> bytes:
    return a.translate(_COMPLEMENT)


def v128_and(a: bytes, b: bytes) -> bytes:
    return (to_int(a, "little") & to_int(b, "little")).to_bytes(16, "little")


def v128_andnot(a: bytes, b: bytes) -> bytes:
    x = to_int(a, "little")
    return (x ^ x & to_int(b, "little")).to_bytes(16, "little")


def v128_or(a: bytes, b: bytes) -> bytes:
    return (to_int(a, "little") | to_int(b, "little")).to_bytes(16, "little")


def v128_xor(a: bytes, b: bytes) -> bytes:
    return (to_int(a, "little") ^ to_int(b, "little")).to_bytes(16, "little")


def v128_bitselect(a: bytes, b: bytes, mask: bytes) -> bytes:
    """The bits of `a` where the mask has ones, those of `b` elsewhere."""
    y = to_int(b, "little")
    return (y ^ (to_int(a, "little") ^ y) & to_int(mask, "little")).to_bytes(16, "little")


def v128_any_true(a: bytes) -> int:
    return 0 if a == ZERO else 1


BITS: Final[dict[str, Callable[..., bytes | int]]] = {
    "v128.not": v128_not,
    "v128.and": v128_and,
    "v128.andnot": v128_andnot,
    "v128.or": v128_or,
    "v128.xor": v128_xor,
    "v128.bitselect": v128_bitselect,
    "v128.any_true": v128_any_true,
    **{f"{shape}.relaxed_laneselect": v128_bitselect for shape in INTEGER_SHAPES},
}
"""Function of each instruction on whole vectors, by its name."""
