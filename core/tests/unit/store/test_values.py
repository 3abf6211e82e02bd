"""Public and raw values, and what cannot be converted."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import pytest

from purewasm.errors import GuestException
from purewasm.store.function import Function
from purewasm.store.gc import I31, ArrayObject, StructObject
from purewasm.store.tag import Tag
from purewasm.store.values import matches, to_public, to_raw
from purewasm.wasm import float_bits
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import REC_BASE, ArrayType, FieldType, StructType, SubType, define_group, func_type


class Index:
    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


@pytest.mark.parametrize(
    ("valtype", "value", "raw"),
    [
        (vt.I32, 0, 0),
        (vt.I32, 2**31 - 1, 2**31 - 1),
        (vt.I32, 2**31, 2**31),
        (vt.I32, 2**32 - 1, 2**32 - 1),
        (vt.I32, -1, 2**32 - 1),
        (vt.I32, -(2**31), 2**31),
        (vt.I32, True, 1),
        (vt.I32, Index(-2), 2**32 - 2),
        (vt.I64, 2**64 - 1, 2**64 - 1),
        (vt.I64, -(2**63), 2**63),
        (vt.I64, Index(7), 7),
    ],
)
def test_integers_are_taken_signed_and_unsigned(valtype: int, value: object, raw: int) -> None:
    made = to_raw(valtype)(value)
    assert made == raw
    assert type(made) is int


@pytest.mark.parametrize(
    ("valtype", "value"),
    [(vt.I32, 2**32), (vt.I32, -(2**31) - 1), (vt.I32, Index(2**40)), (vt.I64, 2**64), (vt.I64, -(2**63) - 1), (vt.I32, 10**1000)],
)
def test_an_integer_that_does_not_fit_is_an_overflow_error(valtype: int, value: object) -> None:
    with pytest.raises(OverflowError, match=f"does not fit {vt.format_type(valtype)}: from -"):
        to_raw(valtype)(value)


@pytest.mark.parametrize("valtype", [vt.I32, vt.I64])
@pytest.mark.parametrize("value", [1.0, "1", None, b"1", Fraction(1), [1]])
def test_what_is_no_integer_is_a_type_error(valtype: int, value: object) -> None:
    with pytest.raises(TypeError, match=f"expected an int for {vt.format_type(valtype)}, got {type(value).__name__}"):
        to_raw(valtype)(value)


@pytest.mark.parametrize(("raw", "public"), [(0, 0), (2**31 - 1, 2**31 - 1), (2**31, -(2**31)), (2**32 - 1, -1)])
def test_i32_comes_back_signed(raw: int, public: int) -> None:
    assert to_public(raw, vt.I32) == public


@pytest.mark.parametrize(("raw", "public"), [(2**63 - 1, 2**63 - 1), (2**63, -(2**63)), (2**64 - 1, -1)])
def test_i64_comes_back_signed(raw: int, public: int) -> None:
    assert to_public(raw, vt.I64) == public


@pytest.mark.parametrize("valtype", [vt.F32, vt.F64])
@pytest.mark.parametrize("value", [1, 1.5, True, Fraction(3, 2), -0.0, math.inf])
def test_floats_are_taken_from_numbers(valtype: int, value: float) -> None:
    made = to_raw(valtype)(value)
    assert type(made) is float
    assert made == float(value)
    assert math.copysign(1, made) == math.copysign(1, float(value))


@pytest.mark.parametrize("valtype", [vt.F32, vt.F64])
@pytest.mark.parametrize("value", ["1.0", None, b"", 1j])
def test_what_is_no_number_is_a_type_error(valtype: int, value: object) -> None:
    with pytest.raises(TypeError, match="expected a float"):
        to_raw(valtype)(value)


@pytest.mark.parametrize("valtype", [vt.F32, vt.F64])
def test_an_int_beyond_every_float_is_an_overflow_error(valtype: int) -> None:
    with pytest.raises(OverflowError):
        to_raw(valtype)(10**400)


def test_f32_is_rounded_once() -> None:
    assert to_raw(vt.F32)(0.1) == struct.unpack("<f", struct.pack("<f", 0.1))[0]
    assert to_raw(vt.F32)(1e300) == math.inf
    assert to_raw(vt.F32)(-1e-300) == 0.0
    assert math.copysign(1, to_raw(vt.F32)(-1e-300)) == -1  # type: ignore[arg-type]


@pytest.mark.parametrize("bits", [0x7FC00000, 0xFFC00000, 0x7FC12345, 0x7F800001, 0xFFABCDEF])
def test_a_nan_of_f32_keeps_its_payload(bits: int) -> None:
    value = float_bits.f32_from_bits(bits)
    raw = to_raw(vt.F32)(value)
    assert isinstance(raw, float)
    assert float_bits.f32_to_bits(raw) == bits
    public = to_public(raw, vt.F32)
    assert isinstance(public, float)
    assert float_bits.f32_to_bits(public) == bits


@pytest.mark.parametrize("bits", [0x7FF8000000000000, 0xFFF8000000000001, 0x7FF4000000000000, 0x7FF0000000000001])
def test_a_nan_of_f64_keeps_its_payload(bits: int) -> None:
    raw = to_raw(vt.F64)(float_bits.f64_from_bits(bits))
    assert isinstance(raw, float)
    assert float_bits.f64_to_bits(raw) == bits


@pytest.mark.parametrize("value", [bytes(range(16)), bytearray(16), memoryview(bytes(16))])
def test_v128_is_sixteen_bytes(value: bytes) -> None:
    made = to_raw(vt.V128)(value)
    assert made == bytes(value)
    assert type(made) is bytes


@pytest.mark.parametrize("value", [b"", bytes(15), bytes(17)])
def test_v128_of_another_length_is_an_overflow_error(value: bytes) -> None:
    with pytest.raises(OverflowError, match=f"v128 is 16 bytes, got {len(value)}"):
        to_raw(vt.V128)(value)


@pytest.mark.parametrize("value", [1, "0123456789abcdef", None, [0] * 16])
def test_v128_of_something_else_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError, match="expected 16 bytes for v128"):
        to_raw(vt.V128)(value)


# ---- references

NOTHING = func_type((), ())
NUMBER = func_type((vt.I32,), ())
POINT, LINE = define_group(
    (
        SubType(False, (), StructType((FieldType(vt.I32, True),))),
        SubType(True, (REC_BASE,), StructType((FieldType(vt.I32, True), FieldType(vt.I32, False)))),
    )
)
BYTES = define_group((SubType(True, (), ArrayType(FieldType(vt.I8, True))),))[0]

POINT_VALUE = StructObject(POINT, [1])
LINE_VALUE = StructObject(LINE, [1, 2])
ARRAY_VALUE = ArrayObject(BYTES, [1, 2, 3])
EXCEPTION = GuestException(Tag(NUMBER), (1,))


def made_function(params: tuple[int, ...] = ()) -> Function:
    return Function(func_type(params, ()), lambda: None, lambda: None)


FUNCTION = made_function()


@pytest.mark.parametrize(
    ("reftype", "value"),
    [
        (vt.FUNCREF, None),
        (vt.FUNCREF, FUNCTION),
        (vt.ref_type(vt.FUNC, False), FUNCTION),
        (vt.ref_type(NOTHING.id, False), FUNCTION),
        (vt.EXTERNREF, None),
        (vt.EXTERNREF, "anything"),
        (vt.EXTERNREF, FUNCTION),
        (vt.ref_type(vt.EXTERN, False), 0),
        (vt.ANYREF, POINT_VALUE),
        (vt.ANYREF, "a host's object"),
        (vt.ANYREF, FUNCTION),  # also a host's object: what any.convert_extern makes of it
        (vt.EQREF, ARRAY_VALUE),
        (vt.EQREF, I31(3)),
        (vt.STRUCTREF, LINE_VALUE),
        (vt.ARRAYREF, ARRAY_VALUE),
        (vt.I31REF, I31(-1)),
        (vt.ref_type(POINT.id, True), LINE_VALUE),
        (vt.ref_type(POINT.id, True), None),
        (vt.ref_type(BYTES.id, False), ARRAY_VALUE),
        (vt.EXNREF, EXCEPTION),
        (vt.NULLREF, None),
        (vt.NULLFUNCREF, None),
    ],
)
def test_a_reference_of_the_type_stays_the_same_object(reftype: int, value: object) -> None:
    assert to_raw(reftype)(value) is value
    assert to_public(value, reftype) is value


@pytest.mark.parametrize(
    ("reftype", "value"),
    [
        (vt.ref_type(vt.FUNC, False), None),
        (vt.FUNCREF, print),
        (vt.FUNCREF, 1),
        (vt.FUNCREF, POINT_VALUE),
        (vt.ref_type(NUMBER.id, True), FUNCTION),
        (vt.NULLFUNCREF, FUNCTION),
        (vt.ref_type(vt.EXTERN, False), None),
        (vt.NULLEXTERNREF, "x"),
        (vt.EQREF, "a host's object"),
        (vt.STRUCTREF, ARRAY_VALUE),
        (vt.ARRAYREF, POINT_VALUE),
        (vt.I31REF, POINT_VALUE),
        (vt.ref_type(LINE.id, True), POINT_VALUE),
        (vt.ref_type(POINT.id, False), None),
        (vt.NULLREF, POINT_VALUE),
        (vt.EXNREF, ValueError()),
        (vt.NULLEXNREF, EXCEPTION),
        (vt.FUNCREF, Tag(NUMBER)),
    ],
)
def test_a_reference_of_another_type_is_a_type_error(reftype: int, value: object) -> None:
    with pytest.raises(TypeError, match="expected "):
        to_raw(reftype)(value)


@pytest.mark.parametrize("reftype", [vt.ANYREF, vt.EQREF, vt.I31REF, vt.ref_type(vt.I31, False)])
@pytest.mark.parametrize("value", [0, 5, -1, 2**30 - 1, -(2**30), 2**31 - 1])
def test_a_small_int_becomes_an_i31(reftype: int, value: int) -> None:
    assert to_raw(reftype)(value) == I31(value)


@pytest.mark.parametrize("value", [2**31, -(2**30) - 1])
def test_an_int_of_more_than_31_bits_is_an_overflow_error(value: int) -> None:
    with pytest.raises(OverflowError, match="does not fit an i31 reference"):
        to_raw(vt.I31REF)(value)


def test_an_int_is_itself_as_an_externref() -> None:
    assert to_raw(vt.EXTERNREF)(5) == 5


def test_null_matches_nullable_types_only() -> None:
    assert matches(None, vt.ref_type(POINT.id, True))
    assert not matches(None, vt.ref_type(POINT.id, False))
