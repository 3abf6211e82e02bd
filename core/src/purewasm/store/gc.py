"""Garbage-collected guest objects: i31 numbers, structures and arrays (spec: runtime structure, aggregate instances)."""

from __future__ import annotations

from purewasm.light_typing import final
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import ArrayType, DefType, FieldType, StructType


@final
class I31:
    """A 31-bit integer reference. Equal values are equal references, as in the guest."""

    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        self.value = value & 0x7FFF_FFFF
        """Unsigned, 31 bits."""

    def __index__(self) -> int:
        return self.value - ((self.value & 0x4000_0000) << 1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, I31) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return f"I31({self.__index__()})"


class StructObject:
    """A guest's structure. `fields` are raw values; packed fields hold unsigned numbers."""

    __slots__ = ("__weakref__", "fields", "type")

    fields: list[object]

    def __init__(self, type: DefType, fields: list[object]) -> None:
        self.type, self.fields = type, fields

    def __repr__(self) -> str:
        return f"<guest struct of {len(self.fields)} fields>"


class ArrayObject:
    """A guest's array. `elements` are raw values; packed elements are unsigned numbers."""

    __slots__ = ("__weakref__", "elements", "type")

    elements: list[object]

    def __init__(self, type: DefType, elements: list[object]) -> None:
        self.type, self.elements = type, elements

    def __len__(self) -> int:
        return len(self.elements)

    def __repr__(self) -> str:
        return f"<guest array of {len(self.elements)} elements>"


def default_value(storage: int) -> object:
    """The raw value that a field, element or local of this type starts with."""
    if storage in (vt.F32, vt.F64):
        return 0.0
    if storage == vt.V128:
        return bytes(16)
    return None if vt.is_ref(storage) else 0


def struct_fields(deftype: DefType) -> tuple[FieldType, ...]:
    """Fields of a structure type that validation has established to be one."""
    composite = deftype.composite
    if not isinstance(composite, StructType):
        raise TypeError(f"{deftype!r} is no structure type")
    return composite.fields


def array_field(deftype: DefType) -> FieldType:
    """Element type of an array type that validation has established to be one."""
    composite = deftype.composite
    if not isinstance(composite, ArrayType):
        raise TypeError(f"{deftype!r} is no array type")
    return composite.field


def is_instance(value: object, heap: int) -> bool:
    """True where a non-null raw reference of the `any` hierarchy (or a function) is of heap type `heap`."""
    if heap == vt.ANY:
        return True
    if isinstance(value, I31):
        return heap in (vt.I31, vt.EQ)
    if isinstance(value, StructObject):
        return heap in value.type.ancestors or heap in (vt.STRUCT, vt.EQ)
    if isinstance(value, ArrayObject):
        return heap in value.type.ancestors or heap in (vt.ARRAY, vt.EQ)
    return False
