from __future__ import annotations

import struct
from math import isnan, nan

from hypothesis import given

from core.tests.unit.wasm.definitions import lanes_of, vector_of
from core.tests.unit.wasm.operands import v128
from core.tests.unit.wasm.test_vector_floats import is_same, numbers
from purewasm.wasm.conversions import CONVERSIONS
from purewasm.wasm.float_bits import f64_from_bits
from purewasm.wasm.vector_conversions import VECTOR_CONVERSIONS


@given(v128("f32x4"))
def test_from_f32(a: bytes) -> None:
    lanes = numbers(a, "f32x4")
    for sign in "su":
        expected = vector_of([int(CONVERSIONS[f"i32.trunc_sat_f32_{sign}"](lane)) for lane in lanes], 32)
        assert expected == VECTOR_CONVERSIONS[f"i32x4.trunc_sat_f32x4_{sign}"](a)
        assert expected == VECTOR_CONVERSIONS[f"i32x4.relaxed_trunc_f32x4_{sign}"](a)
    promoted = [float(CONVERSIONS["f64.promote_f32"](lane)) for lane in lanes[:2]]
    assert is_same(promoted, numbers(VECTOR_CONVERSIONS["f64x2.promote_low_f32x4"](a), "f64x2"))


@given(v128("f64x2"))
def test_from_f64(a: bytes) -> None:
    lanes = numbers(a, "f64x2")
    for sign in "su":
        expected = vector_of([*(int(CONVERSIONS[f"i32.trunc_sat_f64_{sign}"](lane)) for lane in lanes), 0, 0], 32)
        assert expected == VECTOR_CONVERSIONS[f"i32x4.trunc_sat_f64x2_{sign}_zero"](a)
        assert expected == VECTOR_CONVERSIONS[f"i32x4.relaxed_trunc_f64x2_{sign}_zero"](a)
    demoted = [*(float(CONVERSIONS["f32.demote_f64"](lane)) for lane in lanes), 0.0, 0.0]
    assert is_same(demoted, numbers(VECTOR_CONVERSIONS["f32x4.demote_f64x2_zero"](a), "f32x4"))


@given(v128("i32x4"))
def test_from_integers(a: bytes) -> None:
    lanes = lanes_of(a, 32)
    for sign in "su":
        singles = [float(CONVERSIONS[f"f32.convert_i32_{sign}"](lane)) for lane in lanes]
        assert singles == numbers(VECTOR_CONVERSIONS[f"f32x4.convert_i32x4_{sign}"](a), "f32x4")
        doubles = [float(CONVERSIONS[f"f64.convert_i32_{sign}"](lane)) for lane in lanes[:2]]
        assert doubles == numbers(VECTOR_CONVERSIONS[f"f64x2.convert_low_i32x4_{sign}"](a), "f64x2")


def test_nan_becomes_quiet() -> None:
    signalling = struct.pack("<4I", *[0x7F80_0001] * 4)
    assert all(isnan(lane) for lane in numbers(VECTOR_CONVERSIONS["f64x2.promote_low_f32x4"](signalling), "f64x2"))
    promoted = lanes_of(VECTOR_CONVERSIONS["f64x2.promote_low_f32x4"](signalling), 64)
    assert all(lane & 0x7FF8_0000_0000_0000 == 0x7FF8_0000_0000_0000 for lane in promoted)
    demoted = VECTOR_CONVERSIONS["f32x4.demote_f64x2_zero"](struct.pack("<2d", f64_from_bits(0x7FF0_0000_0000_0001), nan))
    assert lanes_of(demoted, 32) == (0x7FC0_0000, 0x7FC0_0000, 0, 0)
