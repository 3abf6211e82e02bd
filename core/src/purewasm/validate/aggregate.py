"""Structures and arrays (spec: validation, aggregate instructions)."""

from __future__ import annotations

from purewasm.binary import leb
from purewasm.binary.gate import refuse_above
from purewasm.errors import InvalidError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.validate.memory import check_data_segment
from purewasm.validate.state import Structure
from purewasm.validate.table import element_segment
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import ArrayType, FieldType, StructType, is_subtype
from purewasm.wasm.limits import MAX_ARRAY_NEW_FIXED
from purewasm.wasm.opcodes import CODE, NAME

if TYPE_CHECKING:
    from purewasm.validate.state import BodyState, HandlerTable

_PACKED: Final = frozenset((vt.I8, vt.I16))
_PLAIN_GETS: Final = frozenset((CODE["struct.get"], CODE["array.get"]))


def _unpacked(storage: int) -> int:
    """Type of a field's value on the stack."""
    return vt.I32 if storage in _PACKED else storage


def _structure(state: BodyState) -> Structure:
    """The structure type whose index comes next."""
    index = leb.u32(state.code)
    known = state.structures.get(index)
    if known is None:
        deftype = state.space.deftype(index)
        if not isinstance(deftype.composite, StructType):
            raise InvalidError(f"type mismatch: type {index} is no structure type")
        fields = deftype.composite.fields
        operands = tuple([_unpacked(field.storage) for field in fields])
        undefaultable = next((i for i, field in enumerate(fields) if not vt.is_defaultable(field.storage)), -1)
        known = state.structures[index] = Structure(fields, deftype.id, operands, undefaultable)
    return known


def _array_type(state: BodyState) -> tuple[FieldType, int]:
    """Element of the array type that comes next, and its heap type."""
    index = leb.u32(state.code)
    deftype = state.space.deftype(index)
    if not isinstance(deftype.composite, ArrayType):
        raise InvalidError(f"type mismatch: type {index} is no array type")
    return deftype.composite.field, deftype.id


def _mutable_array_type(state: BodyState) -> tuple[int, int]:
    """Storage type and heap type of an array type that an instruction writes to."""
    field, heap = _array_type(state)
    if not field.mutable:
        raise InvalidError("immutable array is written")
    return field.storage, heap


def _check_read(op: int, storage: int) -> None:
    """Packed fields are read with a sign, others without."""
    if (storage in _PACKED) == (op in _PLAIN_GETS):
        packed = "packed" if storage in _PACKED else "unpacked"
        raise InvalidError(f"type mismatch: {NAME[op]} of {packed} storage type {vt.format_type(storage)}")


# ---- structures


def _struct_new(state: BodyState, _op: int) -> None:
    structure = _structure(state)
    state.pop_types(structure.operands)
    state.push(vt.ref_type(structure.heap, False))


def _struct_new_default(state: BodyState, _op: int) -> None:
    structure = _structure(state)
    if structure.undefaultable >= 0:
        raise InvalidError(f"type mismatch: field {structure.undefaultable} has no default value")
    state.push(vt.ref_type(structure.heap, False))


def _field(state: BodyState) -> tuple[FieldType, int, int]:
    """A field, its index and the heap type of its structure."""
    structure, index = _structure(state), leb.u32(state.code)
    if index >= len(structure.fields):
        raise InvalidError(f"unknown field {index}: the structure has {len(structure.fields)}")
    return structure.fields[index], index, structure.heap


def _struct_get(state: BodyState, op: int) -> None:
    field, _, heap = _field(state)
    _check_read(op, field.storage)
    state.pop(vt.ref_type(heap, True))
    state.push(_unpacked(field.storage))


def _struct_set(state: BodyState, _op: int) -> None:
    field, index, heap = _field(state)
    if not field.mutable:
        raise InvalidError(f"immutable field {index} is written")
    state.pop_types((vt.ref_type(heap, True), _unpacked(field.storage)))


# ---- arrays


def _array_new(state: BodyState, _op: int) -> None:
    field, heap = _array_type(state)
    state.pop_types((_unpacked(field.storage), vt.I32))
    state.push(vt.ref_type(heap, False))


def _array_new_default(state: BodyState, _op: int) -> None:
    field, heap = _array_type(state)
    if not vt.is_defaultable(field.storage):
        raise InvalidError("type mismatch: the array's element has no default value")
    state.pop(vt.I32)
    state.push(vt.ref_type(heap, False))


def _array_new_fixed(state: BodyState, _op: int) -> None:
    field, heap = _array_type(state)
    number = leb.u32(state.code)
    refuse_above(MAX_ARRAY_NEW_FIXED, number, "operands of array.new_fixed")
    # One more than there are values is enough to find that there are too few.
    state.pop_types((_unpacked(field.storage),) * min(number, len(state.stack)))
    state.push(vt.ref_type(heap, False))


def _check_bytes(storage: int) -> None:
    if storage >= vt.REF_BASE:
        raise InvalidError("array type is not numeric or vector, so no data can fill it")


def _check_elements(state: BodyState, storage: int, segment: int) -> None:
    reftype = element_segment(state, segment).reftype
    if not is_subtype(reftype, storage):
        raise InvalidError(f"type mismatch: an array of {state.format((storage,))} from a segment of {state.format((reftype,))}")


def _array_new_data(state: BodyState, _op: int) -> None:
    field, heap = _array_type(state)
    segment = leb.u32(state.code)
    _check_bytes(field.storage)
    check_data_segment(state, segment)
    state.pop_types((vt.I32, vt.I32))
    state.push(vt.ref_type(heap, False))


def _array_new_elem(state: BodyState, _op: int) -> None:
    field, heap = _array_type(state)
    _check_elements(state, field.storage, leb.u32(state.code))
    state.pop_types((vt.I32, vt.I32))
    state.push(vt.ref_type(heap, False))


def _array_get(state: BodyState, op: int) -> None:
    field, heap = _array_type(state)
    _check_read(op, field.storage)
    state.pop_types((vt.ref_type(heap, True), vt.I32))
    state.push(_unpacked(field.storage))


def _array_set(state: BodyState, _op: int) -> None:
    storage, heap = _mutable_array_type(state)
    state.pop_types((vt.ref_type(heap, True), vt.I32, _unpacked(storage)))


def _array_len(state: BodyState, _op: int) -> None:
    state.pop(vt.ARRAYREF)
    state.push(vt.I32)


def _array_fill(state: BodyState, _op: int) -> None:
    storage, heap = _mutable_array_type(state)
    state.pop_types((vt.ref_type(heap, True), vt.I32, _unpacked(storage), vt.I32))


def _array_copy(state: BodyState, _op: int) -> None:
    destination, destination_heap = _mutable_array_type(state)
    source, source_heap = _array_type(state)
    if not is_subtype(source.storage, destination):
        raise InvalidError(
            f"array types do not match: {state.format((source.storage,))} cannot be copied to {state.format((destination,))}"
        )
    state.pop_types((vt.ref_type(destination_heap, True), vt.I32, vt.ref_type(source_heap, True), vt.I32, vt.I32))


def _array_init_data(state: BodyState, _op: int) -> None:
    storage, heap = _mutable_array_type(state)
    segment = leb.u32(state.code)
    _check_bytes(storage)
    check_data_segment(state, segment)
    state.pop_types((vt.ref_type(heap, True), vt.I32, vt.I32, vt.I32))


def _array_init_elem(state: BodyState, _op: int) -> None:
    storage, heap = _mutable_array_type(state)
    _check_elements(state, storage, leb.u32(state.code))
    state.pop_types((vt.ref_type(heap, True), vt.I32, vt.I32, vt.I32))


HANDLERS: Final[HandlerTable] = {
    CODE["struct.new"]: _struct_new,
    CODE["struct.new_default"]: _struct_new_default,
    CODE["struct.get"]: _struct_get,
    CODE["struct.get_s"]: _struct_get,
    CODE["struct.get_u"]: _struct_get,
    CODE["struct.set"]: _struct_set,
    CODE["array.new"]: _array_new,
    CODE["array.new_default"]: _array_new_default,
    CODE["array.new_fixed"]: _array_new_fixed,
    CODE["array.new_data"]: _array_new_data,
    CODE["array.new_elem"]: _array_new_elem,
    CODE["array.get"]: _array_get,
    CODE["array.get_s"]: _array_get,
    CODE["array.get_u"]: _array_get,
    CODE["array.set"]: _array_set,
    CODE["array.len"]: _array_len,
    CODE["array.fill"]: _array_fill,
    CODE["array.copy"]: _array_copy,
    CODE["array.init_data"]: _array_init_data,
    CODE["array.init_elem"]: _array_init_elem,
}
