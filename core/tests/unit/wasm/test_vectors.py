from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tests.unit.wasm.operands import operands
from core.tests.unit.wasm.test_numeric import is_raw
from purewasm.wasm.opcodes import BY_CODE, CODE, FAMILIES
from purewasm.wasm.opcodes import immediates as imm
from purewasm.wasm.vectors import VECTOR

ROWS = FAMILIES["vector"]


def test_every_row_of_the_family_has_a_function_and_nothing_else_has() -> None:
    assert set(VECTOR) == {row[0] for row in ROWS}


@pytest.mark.parametrize("code", [row[0] for row in ROWS], ids=lambda code: BY_CODE[code][1])
@settings(max_examples=10)
@given(data=st.data())
def test_results_are_raw_values(code: int, data: st.DataObject) -> None:
    _, name, immediate, signature, _, _ = BY_CODE[code]
    params, _, results = signature.partition(">")
    values: list[object] = list(data.draw(operands(name, params)))
    if immediate == imm.LANE:
        values.append(data.draw(st.integers(0, int(name.partition(".")[0].partition("x")[2]) - 1)))
    elif immediate == imm.LANES:
        values.append(bytes(data.draw(st.lists(st.integers(0, 31), min_size=16, max_size=16))))
    elif immediate == imm.V128_CONST:
        values.append(data.draw(st.binary(min_size=16, max_size=16)))
    assert is_raw(results, VECTOR[code](*values))


def f32x4(*lanes: float) -> bytes:
    return struct.pack("<4f", *lanes)


def test_relaxed_multiply_add_rounds_twice() -> None:
    a, b, c = (f32x4(*[float.fromhex(text)] * 4) for text in ("0x1.000004p+0", "0x1.0002p+0", "-0x1.000204p+0"))
    assert VECTOR[CODE["f32x4.relaxed_madd"]](a, b, c) == f32x4(0, 0, 0, 0)
    most = f32x4(*[float.fromhex("0x1.fffffep+127")] * 4)
    less = f32x4(*[-float.fromhex("0x1.fffffep+127")] * 4)
    assert VECTOR[CODE["f32x4.relaxed_madd"]](most, f32x4(2, 2, 2, 2), less) == struct.pack("<4f", *[float("inf")] * 4)
    d, e, f = (struct.pack("<2d", *[float.fromhex(text)] * 2) for text in ("0x1.00000004p+0", "0x1.000002p+0", "-0x1.00000204p+0"))
    assert VECTOR[CODE["f64x2.relaxed_madd"]](d, e, f) == bytes(16)


def test_relaxed_negated_multiply_add_takes_the_product_away() -> None:
    a, b, c = f32x4(2, -2, 0, 1), f32x4(3, 3, 5, 1), f32x4(1, 1, -0.0, 1)
    assert VECTOR[CODE["f32x4.relaxed_nmadd"]](a, b, c) == f32x4(-5, 7, -0.0, 0)
    x, y, z = struct.pack("<2d", 2, 1e200), struct.pack("<2d", 3, 1e200), struct.pack("<2d", 1, 1)
    assert VECTOR[CODE["f64x2.relaxed_nmadd"]](x, y, z) == struct.pack("<2d", -5, float("-inf"))


@pytest.mark.parametrize(
    ("relaxed", "strict"),
    [
        ("i8x16.relaxed_swizzle", "i8x16.swizzle"),
        ("i32x4.relaxed_trunc_f32x4_s", "i32x4.trunc_sat_f32x4_s"),
        ("i32x4.relaxed_trunc_f32x4_u", "i32x4.trunc_sat_f32x4_u"),
        ("i32x4.relaxed_trunc_f64x2_s_zero", "i32x4.trunc_sat_f64x2_s_zero"),
        ("i32x4.relaxed_trunc_f64x2_u_zero", "i32x4.trunc_sat_f64x2_u_zero"),
        ("f32x4.relaxed_min", "f32x4.min"),
        ("f32x4.relaxed_max", "f32x4.max"),
        ("f64x2.relaxed_min", "f64x2.min"),
        ("f64x2.relaxed_max", "f64x2.max"),
        ("i16x8.relaxed_q15mulr_s", "i16x8.q15mulr_sat_s"),
        *((f"{shape}.relaxed_laneselect", "v128.bitselect") for shape in ("i8x16", "i16x8", "i32x4", "i64x2")),
    ],
)
@settings(max_examples=20)
@given(data=st.data())
def test_relaxed_instructions_do_what_strict_ones_do(relaxed: str, strict: str, data: st.DataObject) -> None:
    params = BY_CODE[CODE[relaxed]][3].partition(">")[0]
    values = data.draw(operands(strict if strict != "v128.bitselect" else relaxed, params))
    assert VECTOR[CODE[relaxed]](*values) == VECTOR[CODE[strict]](*values)
