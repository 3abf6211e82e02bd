"""Moving lanes: constants, shuffles, splats, single lanes, lanes extended to twice their width.

Bytes move through `bytes.translate`: `lanes.translate(table)` replaces each byte of `lanes` by the byte of the table that it
counts, so a shuffle is a list of lane numbers translated by the operands (about 130 ns for all 16 bytes).

A lane operand (`lane`, `lanes`) is the instruction's immediate, the last argument.
"""

from __future__ import annotations

from struct import Struct

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.float_bits import f32_from_bits, f32_to_bytes, f64_from_bytes, f64_to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.wasm.vector_bits import Unary

_ZEROS: Final = bytes(240)
"""Makes 16 bytes a table in which the indices above 15 give 0."""

_SIGN: Final = bytes(128) + b"\xff" * 128
"""Translates a byte into eight copies of its sign bit."""

_SPLATS: Final = tuple(bytes((byte,)) * 16 for byte in range(256))

_U16: Final = Struct("<8H").unpack
_U32: Final = Struct("<4I").unpack
_U64: Final = Struct("<2Q").unpack


def v128_const(immediate: bytes) -> bytes:
    return immediate


def i8x16_shuffle(a: bytes, b: bytes, lanes: bytes) -> bytes:
    """Bytes of `a` (lanes 0 … 15) and `b` (16 … 31) in the order of the immediate."""
    return lanes.translate((a + b).ljust(256))


def i8x16_swizzle(a: bytes, indices: bytes) -> bytes:
    """Bytes of `a` in the order of the second operand; an index above 15 gives 0."""
    return indices.translate(a + _ZEROS)


# Splats


def i8x16_splat(a: int) -> bytes:
    return _SPLATS[a & 0xFF]


def i16x8_splat(a: int) -> bytes:
    return (a & 0xFFFF).to_bytes(2, "little") * 8


def i32x4_splat(a: int) -> bytes:
    return a.to_bytes(4, "little") * 4


def i64x2_splat(a: int) -> bytes:
    return a.to_bytes(8, "little") * 2


def f32x4_splat(a: float) -> bytes:
    return f32_to_bytes(a) * 4


def f64x2_splat(a: float) -> bytes:
    return f64_to_bytes(a) * 2


# Single lanes


def i8x16_extract_lane_s(a: bytes, lane: int) -> int:
    byte = a[lane]
    return byte if byte < 0x80 else byte + 0xFFFF_FF00


def i8x16_extract_lane_u(a: bytes, lane: int) -> int:
    return a[lane]


def i16x8_extract_lane_s(a: bytes, lane: int) -> int:
    value: int = _U16(a)[lane]
    return value if value < 0x8000 else value + 0xFFFF_0000


def i16x8_extract_lane_u(a: bytes, lane: int) -> int:
    value: int = _U16(a)[lane]
    return value


def i32x4_extract_lane(a: bytes, lane: int) -> int:
    value: int = _U32(a)[lane]
    return value


def i64x2_extract_lane(a: bytes, lane: int) -> int:
    value: int = _U64(a)[lane]
    return value


def f32x4_extract_lane(a: bytes, lane: int) -> float:
    return f32_from_bits(_U32(a)[lane])


def f64x2_extract_lane(a: bytes, lane: int) -> float:
    return f64_from_bytes(a[lane * 8 : lane * 8 + 8])


def i8x16_replace_lane(a: bytes, value: int, lane: int) -> bytes:
    return a[:lane] + (value & 0xFF).to_bytes(1, "little") + a[lane + 1 :]


def i16x8_replace_lane(a: bytes, value: int, lane: int) -> bytes:
    at = lane * 2
    return a[:at] + (value & 0xFFFF).to_bytes(2, "little") + a[at + 2 :]


def i32x4_replace_lane(a: bytes, value: int, lane: int) -> bytes:
    at = lane * 4
    return a[:at] + value.to_bytes(4, "little") + a[at + 4 :]


def i64x2_replace_lane(a: bytes, value: int, lane: int) -> bytes:
    at = lane * 8
    return a[:at] + value.to_bytes(8, "little") + a[at + 8 :]


def f32x4_replace_lane(a: bytes, value: float, lane: int) -> bytes:
    at = lane * 4
    return a[:at] + f32_to_bytes(value) + a[at + 4 :]


def f64x2_replace_lane(a: bytes, value: float, lane: int) -> bytes:
    at = lane * 8
    return a[:at] + f64_to_bytes(value) + a[at + 8 :]


# Extending lanes to twice their width: each gets its own bytes, then zeros or copies of its sign.


def extend_functions(width_bytes: int, first: int, size: int = 16) -> tuple[Unary, Unary]:
    """(signed, unsigned) extension of lanes of this many bytes: the eight bytes from `first` on, of an operand of `size` bytes."""
    lanes = range(first, first + 8, width_bytes)
    # The table is the operand, then the signs of its bytes, or zeros.
    signs = [bytes((at + width_bytes - 1 + size,)) * width_bytes for at in lanes]
    signed = b"".join(bytes(range(at, at + width_bytes)) + sign for at, sign in zip(lanes, signs, strict=True))
    unsigned = b"".join(bytes(range(at, at + width_bytes)) + bytes((size,)) * width_bytes for at in lanes)

    def extend_s(a: bytes) -> bytes:
        return signed.translate((a + a.translate(_SIGN)).ljust(256))

    def extend_u(a: bytes) -> bytes:
        return unsigned.translate(a.ljust(256, b"\0"))

    return extend_s, extend_u


_extend_low_8_s, _extend_low_8_u = extend_functions(1, 0)
_extend_high_8_s, _extend_high_8_u = extend_functions(1, 8)
_extend_low_16_s, _extend_low_16_u = extend_functions(2, 0)
_extend_high_16_s, _extend_high_16_u = extend_functions(2, 8)
_extend_low_32_s, _extend_low_32_u = extend_functions(4, 0)
_extend_high_32_s, _extend_high_32_u = extend_functions(4, 8)

LANES: Final[dict[str, Callable[..., bytes | int | float]]] = {
    "v128.const": v128_const,
    "i8x16.shuffle": i8x16_shuffle,
    "i8x16.swizzle": i8x16_swizzle,
    "i8x16.relaxed_swizzle": i8x16_swizzle,
    "i8x16.splat": i8x16_splat,
    "i16x8.splat": i16x8_splat,
    "i32x4.splat": i32x4_splat,
    "i64x2.splat": i64x2_splat,
    "f32x4.splat": f32x4_splat,
    "f64x2.splat": f64x2_splat,
    "i8x16.extract_lane_s": i8x16_extract_lane_s,
    "i8x16.extract_lane_u": i8x16_extract_lane_u,
    "i8x16.replace_lane": i8x16_replace_lane,
    "i16x8.extract_lane_s": i16x8_extract_lane_s,
    "i16x8.extract_lane_u": i16x8_extract_lane_u,
    "i16x8.replace_lane": i16x8_replace_lane,
    "i32x4.extract_lane": i32x4_extract_lane,
    "i32x4.replace_lane": i32x4_replace_lane,
    "i64x2.extract_lane": i64x2_extract_lane,
    "i64x2.replace_lane": i64x2_replace_lane,
    "f32x4.extract_lane": f32x4_extract_lane,
    "f32x4.replace_lane": f32x4_replace_lane,
    "f64x2.extract_lane": f64x2_extract_lane,
    "f64x2.replace_lane": f64x2_replace_lane,
    "i16x8.extend_low_i8x16_s": _extend_low_8_s,
    "i16x8.extend_high_i8x16_s": _extend_high_8_s,
    "i16x8.extend_low_i8x16_u": _extend_low_8_u,
    "i16x8.extend_high_i8x16_u": _extend_high_8_u,
    "i32x4.extend_low_i16x8_s": _extend_low_16_s,
    "i32x4.extend_high_i16x8_s": _extend_high_16_s,
    "i32x4.extend_low_i16x8_u": _extend_low_16_u,
    "i32x4.extend_high_i16x8_u": _extend_high_16_u,
    "i64x2.extend_low_i32x4_s": _extend_low_32_s,
    "i64x2.extend_high_i32x4_s": _extend_high_32_s,
    "i64x2.extend_low_i32x4_u": _extend_low_32_u,
    "i64x2.extend_high_i32x4_u": _extend_high_32_u,
}
"""Function of each instruction that moves lanes, by its name."""
