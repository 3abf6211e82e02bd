"""i31 numbers, structures and arrays as Python objects."""

from __future__ import annotations

import weakref

import pytest

from purewasm.store.gc import I31, ArrayObject, StructObject, array_field, default_value, is_instance, struct_fields
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import ArrayType, FieldType, StructType, SubType, define_group, func_type

PAIR = define_group((SubType(True, (), StructType((FieldType(vt.I32, True), FieldType(vt.F64, False)))),))[0]
NUMBERS = define_group((SubType(True, (), ArrayType(FieldType(vt.I64, True))),))[0]


@pytest.mark.parametrize(("given", "signed"), [(0, 0), (-1, -1), (2**30 - 1, 2**30 - 1), (2**30, -(2**30)), (2**31 - 1, -1), (2**31, 0)])
def test_an_i31_has_31_bits(given: int, signed: int) -> None:
    assert int(I31(given)) == signed
    assert I31(given).value == signed & 0x7FFF_FFFF


def test_equal_i31_are_one_reference() -> None:
    assert I31(5) == I31(5)
    assert I31(5) != I31(6)
    assert I31(5) != 5
    assert len({I31(-1), I31(2**31 - 1), I31(1)}) == 2
    assert repr(I31(-1)) == "I31(-1)"


def test_structures_and_arrays_have_an_identity() -> None:
    assert StructObject(PAIR, [1, 2.0]) != StructObject(PAIR, [1, 2.0])
    assert len(ArrayObject(NUMBERS, [1, 2, 3])) == 3
    array = ArrayObject(NUMBERS, [])
    kept = weakref.ref(array)
    del array
    assert kept() is None


def test_they_say_what_they_are() -> None:
    assert repr(StructObject(PAIR, [1, 2.0])) == "<guest struct of 2 fields>"
    assert repr(ArrayObject(NUMBERS, [1])) == "<guest array of 1 elements>"


@pytest.mark.parametrize(
    ("storage", "value"),
    [(vt.I8, 0), (vt.I16, 0), (vt.I32, 0), (vt.I64, 0), (vt.F32, 0.0), (vt.F64, 0.0), (vt.V128, bytes(16)), (vt.ANYREF, None)],
)
def test_defaults(storage: int, value: object) -> None:
    assert default_value(storage) == value
    assert type(default_value(storage)) is type(value)


def test_fields_of_a_type() -> None:
    assert [field.storage for field in struct_fields(PAIR)] == [vt.I32, vt.F64]
    assert array_field(NUMBERS).mutable
    with pytest.raises(TypeError, match="no structure type"):
        struct_fields(NUMBERS)
    with pytest.raises(TypeError, match="no array type"):
        array_field(func_type((), ()))


def test_membership() -> None:
    pair, numbers = StructObject(PAIR, [1, 2.0]), ArrayObject(NUMBERS, [])
    assert [is_instance(value, vt.EQ) for value in (pair, numbers, I31(1), object())] == [True, True, True, False]
    assert [is_instance(value, vt.ANY) for value in (pair, object())] == [True, True]
    assert is_instance(pair, PAIR.id)
    assert not is_instance(pair, NUMBERS.id)
    assert not is_instance(I31(1), vt.STRUCT)
    assert not is_instance(numbers, vt.NONE)
