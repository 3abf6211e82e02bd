"""Where the fields of structures and the elements of arrays lie in memory, for compiled code and for whoever reads its objects."""

from __future__ import annotations

from purewasm.light_library import lru_cache
from purewasm.light_typing import Final
from purewasm.store.layout import OBJECT_ALIGNMENT, STRUCT_FIELDS
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import ArrayType, DefType, StructType
from purewasm.wasm.limits import MAX_ARRAY_BYTES

_BYTES: Final = {vt.I8: 1, vt.I16: 2, vt.I32: 4, vt.F32: 4, vt.I64: 8, vt.F64: 8, vt.V128: 16}


def storage_bytes(storage: int) -> int:
    """Bytes of a field or an element, which is also its alignment."""
    return _BYTES.get(storage, 8)


@lru_cache(maxsize=4096)
def field_offsets(storages: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """Offsets of a structure's fields, and the bytes of an object. The offsets of a supertype's fields are the same."""
    offsets, end = [], STRUCT_FIELDS
    for storage in storages:
        size = storage_bytes(storage)
        start = end + size - 1 & -size
        offsets.append(start)
        end = start + size
    return tuple(offsets), end + OBJECT_ALIGNMENT - 1 & -OBJECT_ALIGNMENT


def struct_layout(deftype: DefType) -> tuple[tuple[int, ...], int]:
    """The same of a structure type."""
    composite = deftype.composite
    if not isinstance(composite, StructType):
        raise TypeError(f"{deftype!r} is no structure type")
    return field_offsets(tuple([field.storage for field in composite.fields]))


def element_bytes(deftype: DefType) -> int:
    """Bytes of an element of an array type."""
    composite = deftype.composite
    if not isinstance(composite, ArrayType):
        raise TypeError(f"{deftype!r} is no array type")
    return storage_bytes(composite.field.storage)


def most_elements(deftype: DefType) -> int:
    """Elements that an array of a type may have where it is a Python list, or made from one: that spends eight bytes on each."""
    return MAX_ARRAY_BYTES // max(element_bytes(deftype), 8)
