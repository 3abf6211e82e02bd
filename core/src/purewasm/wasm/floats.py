"""Floating-point values and arithmetic (spec: floating-point operations).

A raw f64 is a Python float. A raw f32 is a Python float that f32 can represent; an f32 NaN `s | 0xFF | fraction` is held as the
f64 NaN `s | 0x7FF | fraction << 29`, so that every one of its bits survives, the quiet bit in its place. Python itself does not
keep it like that (reading an f32 from bytes makes a signalling NaN quiet), hence the exact conversions at the top of this file.

Arithmetic on f32 is arithmetic on f64, rounded: that is exact for + - * / and sqrt, since f64 has more than twice the bits of
f32 (Figueroa, "When is double rounding innocuous?"), and for everything whose f64 result is an f32 already.

NaN results: `neg`, `abs` and `copysign` change the sign bit and nothing else. Everything else gives an arithmetic NaN, canonical
if each NaN among the operands is: the processor's own rule (an operand made quiet) where Python's arithmetic yields a NaN,
`NAN` (canonical, positive) where Python would raise.
"""

from __future__ import annotations

import sys
from math import copysign, inf, nan, sqrt
from operator import add, mul, neg, sub
from struct import Struct

from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    ReadableBuffer = bytes | bytearray | memoryview

NAN: Final = nan
"""The canonical, positive NaN, of f64 and of f32."""

_F32_ROUNDS_TO_INFINITY: Final = float(0x1_FFFF_FF << 103)
"""FLT_MAX and half a unit of its last place: from here on f32 has no finite value."""
_TWO_52: Final = float(1 << 52)
"""From here on every f64 is an integer."""


# Packing f32. `struct` refuses a finite value that becomes infinite, except in native mode, where it does what the processor does.


def strict_f32_packer(lanes: int) -> Callable[..., bytes]:
    """`f32_packer` out of the part of `struct` that is the same everywhere."""
    pack = Struct(f"<{lanes}f").pack

    def pack_rounded(*values: float) -> bytes:
        try:
            return pack(*values)
        except OverflowError:
            return pack(*(copysign(inf, v) if abs(v) >= _F32_ROUNDS_TO_INFINITY else v for v in values))

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


# Operations that f32 and f64 share: on an f32 their result is an f32.


def ceil(a: float) -> float:
    r = -(-a // 1.0)  # the quotient of a zero, and one that is zero, has the sign that the spec wants
    return r if r == r else a + 0.0  # an infinity, or a NaN, which the addition makes quiet


def floor(a: float) -> float:
    r = a // 1.0
    return r if r == r else a + 0.0


def trunc(a: float) -> float:
    r = a // 1.0 if a > 0.0 else -(-a // 1.0)
    return r if r == r else a + 0.0


def nearest(a: float) -> float:
    """To the nearest integer, ties to even. Adding 2**52 leaves no bit for a fraction; the sign is that of the operand."""
    if a > 0.0:
        return a + _TWO_52 - _TWO_52 if a < _TWO_52 else a
    if a < 0.0:
        return -(_TWO_52 - a - _TWO_52) if a > -_TWO_52 else a
    return a * 1.0


def minimum(a: float, b: float) -> float:
    """The smaller one; -0.0 is less than 0.0, and a NaN wins."""
    if a < b:
        return a
    if b < a:
        return b
    if a == b:
        return a if a else -(-a - b)
    return a + b


def maximum(a: float, b: float) -> float:
    """The larger one; 0.0 is more than -0.0, and a NaN wins."""
    if a > b:
        return a
    if b > a:
        return b
    if a == b:
        return a if a else a + b
    return a + b


def eq(a: float, b: float) -> int:
    return 1 if a == b else 0


def ne(a: float, b: float) -> int:
    return 1 if a != b else 0


def lt(a: float, b: float) -> int:
    return 1 if a < b else 0


def gt(a: float, b: float) -> int:
    return 1 if a > b else 0


def le(a: float, b: float) -> int:
    return 1 if a <= b else 0


def ge(a: float, b: float) -> int:
    return 1 if a >= b else 0


# Operations that differ: those of f32 round.


def f64_sqrt(a: float) -> float:
    return sqrt(a) if a >= 0.0 else a + NAN


def f64_div(a: float, b: float) -> float:
    try:
        return a / b
    except ZeroDivisionError:
        if a == 0.0:
            return NAN
        return copysign(inf, a) * copysign(1.0, b) if a == a else a + b


def f32_sqrt(a: float) -> float:
    return round_f32(sqrt(a)) if a >= 0.0 else a + NAN


def f32_add(a: float, b: float) -> float:
    return round_f32(a + b)


def f32_sub(a: float, b: float) -> float:
    return round_f32(a - b)


def f32_mul(a: float, b: float) -> float:
    return round_f32(a * b)


def f32_div(a: float, b: float) -> float:
    return round_f32(f64_div(a, b))


_SHARED: Final[dict[str, Callable[..., float]]] = {
    "eq": eq,
    "ne": ne,
    "lt": lt,
    "gt": gt,
    "le": le,
    "ge": ge,
    "abs": abs,
    "neg": neg,
    "ceil": ceil,
    "floor": floor,
    "trunc": trunc,
    "nearest": nearest,
    "min": minimum,
    "max": maximum,
    "copysign": copysign,
}

FLOATS: Final[dict[str, Callable[..., float]]] = {
    **{f"f32.{name}": function for name, function in _SHARED.items()},
    "f32.sqrt": f32_sqrt,
    "f32.add": f32_add,
    "f32.sub": f32_sub,
    "f32.mul": f32_mul,
    "f32.div": f32_div,
    **{f"f64.{name}": function for name, function in _SHARED.items()},
    "f64.sqrt": f64_sqrt,
    "f64.add": add,
    "f64.sub": sub,
    "f64.mul": mul,
    "f64.div": f64_div,
}
"""Function of each floating-point instruction that is no conversion, by its name."""
