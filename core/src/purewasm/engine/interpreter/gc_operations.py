"""References, structures and arrays: functions that generated code calls (spec: reference and aggregate instructions)."""

from __future__ import annotations

from struct import Struct

from purewasm import traps
from purewasm.errors import GuestException, Trap
from purewasm.light_typing import TYPE_CHECKING, Final, NoReturn
from purewasm.store.function import Function
from purewasm.store.gc import I31, ArrayObject, StructObject, array_field, default_value, struct_fields
from purewasm.store.object_layout import most_elements
from purewasm.wasm import valtypes as vt
from purewasm.wasm.float_bits import f32_from_bits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from purewasm.wasm.deftypes import DefType


def non_null(reference: object) -> object:
    if reference is None:
        raise Trap(traps.NULL_REFERENCE)
    return reference


def cast_failure() -> NoReturn:
    raise Trap(traps.CAST_FAILURE)


def ref_eq(a: object, b: object) -> bool:
    return a is b or (type(a) is I31 and type(b) is I31 and a.value == b.value)


def is_eq(reference: object) -> bool:
    return type(reference) in (StructObject, ArrayObject, I31)


def is_i31(reference: object) -> bool:
    return type(reference) is I31


def is_struct(reference: object) -> bool:
    return type(reference) is StructObject


def is_array(reference: object) -> bool:
    return type(reference) is ArrayObject


def is_type(reference: object, type_id: int) -> bool:
    """True for a structure or an array of a type, or of one below it."""
    return type(reference) in (StructObject, ArrayObject) and type_id in reference.type.ancestors  # type: ignore[attr-defined]


def is_function_type(reference: object, type_id: int) -> bool:
    """True for a function of a type, or of one below it."""
    return isinstance(reference, Function) and type_id in reference.deftype.ancestors


# ---- arrays


def _elements(array: ArrayObject | None) -> list[object]:
    if array is None:
        raise Trap(traps.NULL_ARRAY)
    return array.elements


def array_new(deftype: DefType, value: object, count: int) -> ArrayObject:
    if count > most_elements(deftype):
        raise Trap("allocation size too large")
    return ArrayObject(deftype, [value] * count)


_READERS: Final = {
    vt.I8: (1, "B"), vt.I16: (2, "H"), vt.I32: (4, "I"), vt.I64: (8, "Q"), vt.F32: (4, "I"), vt.F64: (8, "d"), vt.V128: (16, "16s"),
}  # fmt: skip


def _decode(deftype: DefType, data: bytes, start: int, count: int) -> list[object]:
    """`count` elements from the bytes of a data segment."""
    storage = array_field(deftype).storage
    size, code = _READERS[storage]
    if start + count * size > len(data):
        raise Trap(traps.OUT_OF_BOUNDS_MEMORY)
    values: list[object] = [item[0] for item in Struct(f"<{code}").iter_unpack(data[start : start + count * size])]
    return [f32_from_bits(bits) for bits in values] if storage == vt.F32 else values  # type: ignore[arg-type]


def array_new_data(deftype: DefType, data: bytes, start: int, count: int) -> ArrayObject:
    return ArrayObject(deftype, _decode(deftype, data, start, count))


def _references(segments: Sequence[Sequence[object]], segment: int, start: int, count: int) -> Sequence[object]:
    source = segments[segment]
    if start + count > len(source):
        raise Trap(traps.OUT_OF_BOUNDS_TABLE)
    return source[start : start + count]


def array_new_elem(deftype: DefType, segments: Sequence[Sequence[object]], segment: int, start: int, count: int) -> ArrayObject:
    return ArrayObject(deftype, list(_references(segments, segment, start, count)))


def _room(array: ArrayObject | None, start: int, count: int) -> list[object]:
    elements = _elements(array)
    if start + count > len(elements):
        raise Trap(traps.OUT_OF_BOUNDS_ARRAY)
    return elements


def array_fill(array: ArrayObject | None, start: int, value: object, count: int) -> None:
    elements = _room(array, start, count)  # first: the count may be anything up to there
    elements[start : start + count] = [value] * count


def array_copy(target: ArrayObject | None, start: int, source: ArrayObject | None, source_start: int, count: int) -> None:
    if target is None or source is None:
        raise Trap(traps.NULL_ARRAY)
    elements = _room(target, start, count)
    elements[start : start + count] = _room(source, source_start, count)[source_start : source_start + count]


def array_init_data(array: ArrayObject | None, start: int, data: bytes, source_start: int, count: int) -> None:
    elements = _room(array, start, count)
    assert array is not None
    elements[start : start + count] = _decode(array.type, data, source_start, count)


def array_init_elem(
    array: ArrayObject | None, start: int, segments: Sequence[Sequence[object]], segment: int, source_start: int, count: int
) -> None:
    elements = _room(array, start, count)
    elements[start : start + count] = _references(segments, segment, source_start, count)


# ---- structures


def struct_new_default(deftype: DefType) -> StructObject:
    return StructObject(deftype, [default_value(field.storage) for field in struct_fields(deftype)])


# ---- exceptions


def caught(exception: GuestException) -> GuestException:
    """A caught exception as a reference: without the frames that it came through, which it would keep alive."""
    exception.__traceback__ = None
    return exception


def thrown_again(reference: GuestException | None) -> GuestException:
    """Its frames are those from here on."""
    if reference is None:
        raise Trap(traps.NULL_EXCEPTION)
    reference.__traceback__ = None
    return reference


FUNCTIONS: Final[dict[str, Callable[..., object]]] = {
    function.__name__: function
    for function in (
        non_null, cast_failure, ref_eq, is_eq, is_i31, is_struct, is_array, is_type, is_function_type, array_new,
        array_new_data, array_new_elem, array_fill, array_copy, array_init_data, array_init_elem, struct_new_default, caught,
        thrown_again,
    )
}  # fmt: skip
"""By the names that generated code uses."""
