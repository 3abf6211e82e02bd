"""Hypothesis strategies for raw values: what is random is mixed with what lies on a border."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from purewasm.wasm.float_bits import f32_from_bits, f64_from_bits
from purewasm.wasm.vector_bits import INTEGER_SHAPES

if TYPE_CHECKING:
    from core.tests.unit.wasm.straight_line import Raw

_LANE_CODES = {8: "B", 16: "H", 32: "I", 64: "Q"}


def border_integers(bits: int) -> list[int]:
    mask = (1 << bits) - 1
    middle = 1 << bits - 1
    near = (0, 1, 2, 3, middle - 2, middle - 1, middle, middle + 1, mask - 1, mask)
    return sorted({*near, *(1 << n for n in range(bits)), bits, bits - 1, bits + 1, 0x55 & mask})


def _border_f32_bits() -> list[int]:
    magnitudes = [
        *(0, 1, 2, 0x7F_FFFF, 0x80_0000, 0x80_0001, 0x7F7F_FFFF, 0x7F80_0000),  # zero, subnormal, least normal, FLT_MAX, infinity
        *(0x7F80_0001, 0x7FA0_0000, 0x7FBF_FFFF, 0x7FC0_0000, 0x7FC0_0001, 0x7FFF_FFFF),  # NaNs, the first three signalling
        *(0x4B00_0000 - 1, 0x4B00_0000, 0x4B00_0001, 0x4B7F_FFFF),  # about 2**23
        *(struct.unpack("<I", struct.pack("<f", v))[0] for v in (0.5, 0.25, 1.0, 1.5, 2.5, 3.5, 0.49999997, 1.1, 7.0, 1e10)),
        *(struct.unpack("<I", struct.pack("<f", v))[0] + d for v in (2.0**31, 2.0**32, 2.0**63, 2.0**64, 128.0) for d in (-1, 0, 1)),
    ]
    return [bits | sign for bits in magnitudes for sign in (0, 1 << 31)]


def _border_f64_bits() -> list[int]:
    magnitudes = [
        *(0, 1, 2, 0xF_FFFF_FFFF_FFFF, 0x10_0000_0000_0000, 0x7FEF_FFFF_FFFF_FFFF, 0x7FF0_0000_0000_0000),
        *(0x7FF0_0000_0000_0001, 0x7FF4_0000_0000_0000, 0x7FF8_0000_0000_0000, 0x7FF8_0000_0000_0001, 0x7FFF_FFFF_FFFF_FFFF),
        *(struct.unpack("<Q", struct.pack("<d", v))[0] for v in (0.5, 0.25, 1.0, 1.5, 2.5, 3.5, 0.49999999999999994, 1.1, 7.0, 1e300)),
        *(
            struct.unpack("<Q", struct.pack("<d", v))[0] + d
            for v in (2.0**31, 2.0**31 + 1, 2.0**32, 2.0**52, 2.0**53, 2.0**63, 2.0**64)
            for d in (-1, 0, 1)
        ),
        # about the largest f32, about halves of its least one, and one that would be rounded twice
        *(
            struct.unpack("<Q", struct.pack("<d", v))[0] + d
            for v in (2.0**128 - 2.0**103, 2.0**-149, 2.0**-150, 2.0**-126)
            for d in (-1, 0, 1)
        ),
        0x3FF0_0000_1000_0000,
        0x3FF0_0000_1000_0001,
    ]
    return [bits | sign for bits in magnitudes for sign in (0, 1 << 63)]


_F32_BITS, _F64_BITS = _border_f32_bits(), _border_f64_bits()
i32 = st.sampled_from(border_integers(32)) | st.integers(0, (1 << 32) - 1)
i64 = st.sampled_from(border_integers(64)) | st.integers(0, (1 << 64) - 1)
f32_bits = st.sampled_from(_F32_BITS) | st.integers(0, (1 << 32) - 1)
f64_bits = st.sampled_from(_F64_BITS) | st.integers(0, (1 << 64) - 1)
f32 = f32_bits.map(f32_from_bits)
f64 = f64_bits.map(f64_from_bits)


def _lanes(bits: int, border: list[int]) -> st.SearchStrategy[bytes]:
    """All random, which is quick, or all on a border: two operands of two kinds make the mixtures."""
    count = 128 // bits
    packer = struct.Struct(f"<{count}{_LANE_CODES[bits]}")
    on_border = st.lists(st.sampled_from(border), min_size=count, max_size=count).map(lambda lanes: packer.pack(*lanes))
    return st.binary(min_size=16, max_size=16) | on_border


_INTEGER_LANES = {shape: _lanes(bits, border_integers(bits)) for shape, bits in INTEGER_SHAPES.items()}
_FLOAT_LANES = {"f32x4": _lanes(32, _F32_BITS), "f64x2": _lanes(64, _F64_BITS)}
_ANY_LANES = st.one_of(*_INTEGER_LANES.values())


def v128(name: str) -> st.SearchStrategy[bytes]:
    """Operands for the vector instruction of this name: lanes of the shapes that it mentions."""
    shapes = [lanes for shape, lanes in (_INTEGER_LANES | _FLOAT_LANES).items() if shape in name]
    return st.one_of(*shapes) if shapes else _ANY_LANES


def operands(name: str, params: str) -> st.SearchStrategy[tuple[Raw, ...]]:
    """Operands of an instruction, by its name and the letters of its parameters (those of the opcode table)."""
    choice: dict[str, st.SearchStrategy[int] | st.SearchStrategy[float] | st.SearchStrategy[bytes]]
    choice = {"i": i32, "I": i64, "f": f32, "F": f64, "V": v128(name)}
    return st.tuples(*(choice[letter] for letter in params))
