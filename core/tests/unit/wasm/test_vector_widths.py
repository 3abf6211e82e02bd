"""Each instruction against its definition."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.tests.unit.wasm.definitions import lanes_of, saturated, signed, vector_of
from core.tests.unit.wasm.operands import v128
from purewasm.wasm.vector_widths import WIDTHS

LEAST_I16 = b"\x00\x80" * 8
LEAST_I8 = b"\x80" * 16
few = settings(max_examples=40)
extensions = pytest.mark.parametrize(("narrow", "wide", "bits"), [("i8x16", "i16x8", 8), ("i16x8", "i32x4", 16), ("i32x4", "i64x2", 32)])


def signed_lanes(vector: bytes, bits: int) -> list[int]:
    return [signed(lane, bits) for lane in lanes_of(vector, bits)]


def sums(lanes: list[int]) -> list[int]:
    return [a + b for a, b in zip(lanes[::2], lanes[1::2], strict=True)]


def products(a: list[int], b: list[int]) -> list[int]:
    return [x * y for x, y in zip(a, b, strict=True)]


@extensions
@few
@given(data=st.data())
def test_pairwise_sums(narrow: str, wide: str, bits: int, data: st.DataObject) -> None:
    if wide == "i64x2":
        assert f"{wide}.extadd_pairwise_{narrow}_s" not in WIDTHS
        return
    a = data.draw(v128(narrow))
    assert WIDTHS[f"{wide}.extadd_pairwise_{narrow}_s"](a) == vector_of(sums(signed_lanes(a, bits)), 2 * bits)
    assert WIDTHS[f"{wide}.extadd_pairwise_{narrow}_u"](a) == vector_of(sums(list(lanes_of(a, bits))), 2 * bits)


@extensions
@few
@given(data=st.data())
def test_products_of_twice_the_width(narrow: str, wide: str, bits: int, data: st.DataObject) -> None:
    a, b = data.draw(v128(narrow)), data.draw(v128(narrow))
    half = 64 // bits
    for sign, exact in (
        ("s", products(signed_lanes(a, bits), signed_lanes(b, bits))),
        ("u", products(list(lanes_of(a, bits)), list(lanes_of(b, bits)))),
    ):
        assert WIDTHS[f"{wide}.extmul_low_{narrow}_{sign}"](a, b) == vector_of(exact[:half], 2 * bits)
        assert WIDTHS[f"{wide}.extmul_high_{narrow}_{sign}"](a, b) == vector_of(exact[half:], 2 * bits)


@given(v128("i16x8"), v128("i16x8"))
@example(LEAST_I16, LEAST_I16)
def test_dot_product_wraps(a: bytes, b: bytes) -> None:
    exact = sums(products(signed_lanes(a, 16), signed_lanes(b, 16)))
    assert WIDTHS["i32x4.dot_i16x8_s"](a, b) == vector_of(exact, 32)


@pytest.mark.parametrize("name", ["i16x8.q15mulr_sat_s", "i16x8.relaxed_q15mulr_s"])
@given(a=v128("i16x8"), b=v128("i16x8"))
@example(a=LEAST_I16, b=LEAST_I16)
def test_fixed_point_product(name: str, a: bytes, b: bytes) -> None:
    exact = [(product + (1 << 14)) >> 15 for product in products(signed_lanes(a, 16), signed_lanes(b, 16))]
    assert WIDTHS[name](a, b) == vector_of([saturated(lane, 16, is_signed=True) for lane in exact], 16)


@given(v128("i8x16"), v128("i8x16"), v128("i32x4"))
@example(LEAST_I8, LEAST_I8, b"\xff" * 16)
@example(LEAST_I8, LEAST_I8, b"\xff\xff\xff\x7f" * 4)
def test_relaxed_dot_products_are_signed_and_saturate_to_16_bits(a: bytes, b: bytes, c: bytes) -> None:
    dots = [saturated(dot, 16, is_signed=True) for dot in sums(products(signed_lanes(a, 8), signed_lanes(b, 8)))]
    assert WIDTHS["i16x8.relaxed_dot_i8x16_i7x16_s"](a, b) == vector_of(dots, 16)
    added = [x + y for x, y in zip(sums(dots), lanes_of(c, 32), strict=True)]
    assert WIDTHS["i32x4.relaxed_dot_i8x16_i7x16_add_s"](a, b, c) == vector_of(added, 32)


def narrowed(a: bytes, b: bytes, bits: int, is_signed: bool) -> bytes:
    lanes = signed_lanes(a, bits) + signed_lanes(b, bits)
    return vector_of([saturated(lane, bits // 2, is_signed=is_signed) for lane in lanes], bits // 2)


@pytest.mark.parametrize(("wide", "narrow", "bits"), [("i16x8", "i8x16", 16), ("i32x4", "i16x8", 32)])
@few
@given(data=st.data())
def test_narrowing(wide: str, narrow: str, bits: int, data: st.DataObject) -> None:
    a, b = data.draw(v128(wide)), data.draw(v128(wide))
    assert WIDTHS[f"{narrow}.narrow_{wide}_s"](a, b) == narrowed(a, b, bits, is_signed=True)
    assert WIDTHS[f"{narrow}.narrow_{wide}_u"](a, b) == narrowed(a, b, bits, is_signed=False)


def test_narrowing_of_every_i16() -> None:
    for first in range(0, 1 << 16, 16):
        a, b = vector_of(range(first, first + 8), 16), vector_of(range(first + 8, first + 16), 16)
        for sign in "su":
            assert WIDTHS[f"i8x16.narrow_i16x8_{sign}"](a, b) == narrowed(a, b, 16, is_signed=sign == "s")
