from __future__ import annotations

import struct
from fractions import Fraction
from math import copysign, inf, isfinite, isinf, isnan, nan
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given

from core.tests.unit.wasm.definitions import nearest_f32, nearest_f64, same
from core.tests.unit.wasm.operands import f32, f32_bits, f64, f64_bits
from purewasm.wasm import float_bits, floats
from purewasm.wasm.float_bits import f32_from_bits, f32_to_bits, f64_from_bits, f64_to_bits
from purewasm.wasm.floats import FLOATS

if TYPE_CHECKING:
    from collections.abc import Callable


def is_canonical(value: float) -> bool:
    return f64_to_bits(value) & ~(1 << 63) == 0x7FF8_0000_0000_0000


# Bits


@given(f32_bits)
@example(0x7F80_0001)
@example(0xFFA0_0000)
def test_f32_keeps_every_bit(bits: int) -> None:
    value = f32_from_bits(bits)
    data = bits.to_bytes(4, "little")
    assert bits == f32_to_bits(value)
    assert data == float_bits.f32_to_bytes(value)
    assert bits == f32_to_bits(float_bits.f32_from_bytes(data))
    assert bits == f32_to_bits(float_bits.f32_from_bytes(memoryview(bytearray(data))))


@given(f64_bits)
@example(0x7FF0_0000_0000_0001)
def test_f64_keeps_every_bit(bits: int) -> None:
    value = f64_from_bits(bits)
    data = bits.to_bytes(8, "little")
    assert bits == f64_to_bits(value)
    assert data == float_bits.f64_to_bytes(value)
    assert bits == f64_to_bits(float_bits.f64_from_bytes(data))


def test_an_f32_nan_is_held_with_its_fraction_at_the_top() -> None:
    assert f64_to_bits(f32_from_bits(0x7F80_0001)) == 0x7FF0_0000_2000_0000
    assert f64_to_bits(f32_from_bits(0xFFC0_0000)) == 0xFFF8_0000_0000_0000


def test_the_nan_constant_is_canonical_and_positive() -> None:
    assert f64_to_bits(floats.NAN) == 0x7FF8_0000_0000_0000
    assert f32_to_bits(floats.NAN) == 0x7FC0_0000


@given(f64)
def test_rounding_to_f32(value: float) -> None:
    rounded = float_bits.round_f32(value)
    if isfinite(value):
        assert same(nearest_f32(Fraction(value)) if value else value, rounded)
    else:
        assert same(value, rounded)


def test_rounding_a_nan_keeps_the_upper_part_of_its_payload_and_makes_it_quiet() -> None:
    assert f32_to_bits(float_bits.round_f32(f64_from_bits(0x7FF0_0000_0000_0001))) == 0x7FC0_0000
    assert f32_to_bits(float_bits.round_f32(f64_from_bits(0xFFF8_0000_2000_0000))) == 0xFFC0_0001


@given(f64, f32_bits, f64_bits)
def test_both_ways_to_reinterpret_agree(value: float, bits32: int, bits64: int) -> None:
    ways = (float_bits.reinterpretation_by_struct(), float_bits.reinterpretation_by_cell())
    one, other = (
        (
            f64_to_bits(way.round_f32(value)),
            way.f64_to_bits(value),
            f64_to_bits(way.f64_from_bits(bits64)),
            None if isnan(f32_from_bits(bits32)) else f64_to_bits(way.f32_number_of_bits(bits32)),
            None if isnan(value) else way.f32_bits_of_number(value),
        )
        for way in ways
    )
    assert one == other


@given(f64, f64)
@example(1e39, -1e39)
@example(3.4028235677973366e38, -3.4028235677973366e38)
@example(3.4028235677973362e38, nan)
@example(1e39, inf)
def test_packing_with_and_without_native_floats_is_the_same(a: float, b: float) -> None:
    packed = float_bits.f32_packer(2)(a, b)
    assert packed == float_bits.strict_f32_packer(2)(a, b)
    assert packed == float_bits.f32_to_bytes(float_bits.round_f32(a)) + float_bits.f32_to_bytes(float_bits.round_f32(b))


# Arithmetic


def exact_arithmetic(name: str, a: Fraction, b: Fraction) -> Fraction | None:
    if name == "div":
        return a / b if b else None
    return {"add": a + b, "sub": a - b, "mul": a * b}[name]


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div"])
@given(f32, f32)
def test_f32_arithmetic_rounds_once(name: str, a: float, b: float) -> None:
    result = FLOATS[f"f32.{name}"](a, b)
    assert f32_to_bits(result) == f32_to_bits(f32_from_bits(f32_to_bits(result)))
    if isfinite(a) and isfinite(b):
        exact = exact_arithmetic(name, Fraction(a), Fraction(b))
        if exact:
            assert same(nearest_f32(exact), result)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div"])
@given(f64, f64)
def test_f64_arithmetic_rounds_once(name: str, a: float, b: float) -> None:
    result = FLOATS[f"f64.{name}"](a, b)
    if isfinite(a) and isfinite(b):
        exact = exact_arithmetic(name, Fraction(a), Fraction(b))
        if exact:
            assert same(nearest_f64(exact), result)


@given(f64)
def test_square_root_is_the_nearest(a: float) -> None:
    root = floats.f64_sqrt(a)
    if a > 0 and isfinite(a):
        below, above = Fraction(root) - half_step(root), Fraction(root) + half_step(root)
        assert below**2 <= Fraction(a) <= above**2
    elif a < 0:
        assert is_canonical(root)
    else:
        assert same(a, root)


def half_step(value: float) -> Fraction:
    return Fraction(f64_from_bits(f64_to_bits(value) + 1)) / 2 - Fraction(value) / 2


@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_division_by_zero(kind: str) -> None:
    div = FLOATS[f"{kind}.div"]
    for a, b, expected in ((1.0, 0.0, inf), (1.0, -0.0, -inf), (-inf, 0.0, -inf), (-2.5, -0.0, inf)):
        assert div(a, b) == expected
    for a, b in ((0.0, 0.0), (-0.0, 0.0), (nan, 0.0), (nan, -0.0)):
        assert is_canonical(div(a, b))


@pytest.mark.parametrize("name", ["ceil", "floor", "trunc", "nearest", "min", "max", "sqrt"])
def test_nan_becomes_quiet_and_canonical_stays_canonical(name: str) -> None:
    for kind in ("f32", "f64"):
        operation = FLOATS[f"{kind}.{name}"]
        for bits, is_quiet_already in ((0x7FF8_0000_0000_0000, True), (0xFFF8_0000_0000_0000, True), (0x7FF0_0000_2000_0000, False)):
            value = f64_from_bits(bits)
            results = [operation(value, 1.0), operation(1.0, value)] if name in ("min", "max") else [operation(value)]
            assert all(f64_to_bits(result) & 0x7FF8_0000_0000_0000 == 0x7FF8_0000_0000_0000 for result in results)
            assert not is_quiet_already or all(map(is_canonical, results))


@given(f64_bits, f64_bits)
def test_sign_operations_change_the_sign_bit_alone(bits: int, other: int) -> None:
    sign = 1 << 63
    a = f64_from_bits(bits)
    assert f64_to_bits(FLOATS["f64.neg"](a)) == bits ^ sign
    assert f64_to_bits(FLOATS["f64.abs"](a)) == bits & ~sign
    assert f64_to_bits(FLOATS["f64.copysign"](a, f64_from_bits(other))) == bits & ~sign | other & sign


@given(f32_bits)
def test_sign_operations_on_f32(bits: int) -> None:
    a = f32_from_bits(bits)
    assert f32_to_bits(FLOATS["f32.neg"](a)) == bits ^ 1 << 31
    assert f32_to_bits(FLOATS["f32.abs"](a)) == bits & 0x7FFF_FFFF


def rounded(value: float, to_integer: Callable[[Fraction], int]) -> float:
    return copysign(float(to_integer(Fraction(value))), value) if isfinite(value) else value


@given(f64)
@example(-0.5)
@example(0.5)
@example(-0.0)
@example(4503599627370495.5)
@example(-4503599627370497.0)
def test_rounding_to_integers(value: float) -> None:
    assert same(rounded(value, lambda exact: exact.__floor__()), floats.floor(value))
    assert same(rounded(value, lambda exact: exact.__ceil__()), floats.ceil(value))
    assert same(rounded(value, lambda exact: exact.__trunc__()), floats.trunc(value))
    assert same(rounded(value, round), floats.nearest(value))


@given(f64, f64)
@example(0.0, -0.0)
@example(-0.0, 0.0)
@example(-0.0, -0.0)
def test_minimum_and_maximum(a: float, b: float) -> None:
    if isnan(a) or isnan(b):
        assert isnan(floats.minimum(a, b))
        assert isnan(floats.maximum(a, b))
    else:
        ordered = sorted((a, b), key=lambda value: (value, copysign(1, value)))
        assert same(ordered[0], floats.minimum(a, b))
        assert same(ordered[1], floats.maximum(a, b))


@given(f64, f64)
@example(nan, nan)
@example(0.0, -0.0)
def test_comparisons(a: float, b: float) -> None:
    unordered = isnan(a) or isnan(b)
    order = 0 if unordered or (isinf(a) and a == b) else (a > b) - (a < b)
    expected = {"eq": order == 0, "ne": order != 0, "lt": order < 0, "gt": order > 0, "le": order <= 0, "ge": order >= 0}
    for name, holds in expected.items():
        result = FLOATS[f"f64.{name}"](a, b)
        assert type(result) is int
        assert result == int(name == "ne" if unordered else holds)


def test_the_limit_of_f32_is_where_struct_refuses() -> None:
    limit = float_bits._F32_ROUNDS_TO_INFINITY
    with pytest.raises(OverflowError):
        struct.pack("<f", limit)
    assert struct.pack("<f", f64_from_bits(f64_to_bits(limit) - 1)) == b"\xff\xff\x7f\x7f"
