"""Integers, names, types and sections as bytes (spec: binary format, values and types).

Value types are the ints of `wasm.valtypes`. A concrete heap type is a number that `indices` turns into an index of the module's
types: a decoded module numbers types by `DefType.id`, a module in text by the index itself (`indices` is None then).
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import ArrayType, CompositeType, FieldType, FuncType, StructType, SubType
from purewasm.wasm.module import GlobalType, Limits, MemoryType, TableType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    TypeIndices = Mapping[int, int] | None

MAGIC_AND_VERSION: Final = b"\0asm\1\0\0\0"

# section ids, and the order in which sections stand
CUSTOM: Final = 0
TYPE: Final = 1
IMPORT: Final = 2
FUNCTION: Final = 3
TABLE: Final = 4
MEMORY: Final = 5
GLOBAL: Final = 6
EXPORT: Final = 7
START: Final = 8
ELEMENT: Final = 9
CODE: Final = 10
DATA: Final = 11
DATA_COUNT: Final = 12
TAG: Final = 13
SECTION_ORDER: Final = (TYPE, IMPORT, FUNCTION, TABLE, MEMORY, TAG, GLOBAL, EXPORT, START, ELEMENT, DATA_COUNT, CODE, DATA)

_BYTE: Final = tuple(bytes((value,)) for value in range(256))
_DEFAULT_PAGE_SIZE_LOG2: Final = 16


def unsigned(value: int) -> bytes:
    """Unsigned LEB128, as short as it can be."""
    if value < 0x80:
        return _BYTE[value]
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def signed(value: int) -> bytes:
    """Signed LEB128, as short as it can be."""
    if -0x40 <= value < 0x40:
        return _BYTE[value & 0x7F]
    encoded = bytearray()
    while not -0x40 <= value < 0x40:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value & 0x7F)
    return bytes(encoded)


def sized(content: bytes | bytearray) -> bytes:
    """Bytes behind their number: a name, a body, a data segment's contents."""
    return unsigned(len(content)) + content


def name(text: str) -> bytes:
    """A name in UTF-8. UnicodeEncodeError for one with lone surrogates."""
    return sized(text.encode())


def vector(items: Sequence[bytes]) -> bytes:
    """Encoded items behind their number."""
    return unsigned(len(items)) + b"".join(items)


def section(id: int, content: bytes | bytearray) -> bytes:
    """A section with its id and size."""
    return _BYTE[id] + sized(content)


def custom_section(title: str, content: bytes) -> bytes:
    """A custom section."""
    return section(CUSTOM, name(title) + content)


# ---- types


def heap_type(heap: int, indices: TypeIndices = None) -> bytes:
    """An abstract heap type (one byte) or a type index (signed)."""
    if heap < 0:
        return _BYTE[heap & 0x7F]
    return signed(heap if indices is None else indices[heap])


def value_type(valtype: int, indices: TypeIndices = None) -> bytes:
    """A number, vector, reference or packed type; nullable abstract references in their short form."""
    if valtype < vt.REF_BASE:
        return _BYTE[valtype]
    heap, nullable = vt.heap_of(valtype), vt.is_nullable(valtype)
    if nullable and heap < 0:
        return _BYTE[heap & 0x7F]
    return (b"\x63" if nullable else b"\x64") + heap_type(heap, indices)


def value_types(valtypes: Iterable[int], indices: TypeIndices = None) -> bytes:
    """A vector of value types."""
    return vector([value_type(valtype, indices) for valtype in valtypes])


def _field(field: FieldType, indices: TypeIndices) -> bytes:
    return value_type(field.storage, indices) + _BYTE[field.mutable]


def composite_type(composite: CompositeType, indices: TypeIndices = None) -> bytes:
    """A function, structure or array type."""
    if isinstance(composite, FuncType):
        return b"\x60" + value_types(composite.params, indices) + value_types(composite.results, indices)
    if isinstance(composite, StructType):
        return b"\x5f" + vector([_field(field, indices) for field in composite.fields])
    if isinstance(composite, ArrayType):
        return b"\x5e" + _field(composite.field, indices)
    raise TypeError(f"no composite type: {composite!r}")


def sub_type(member: SubType, indices: TypeIndices = None) -> bytes:
    """A member of a recursion group; one that is final and has no supertype in its short form."""
    composite = composite_type(member.composite, indices)
    if member.final and not member.supers:
        return composite
    supers = [unsigned(heap if indices is None else indices[heap]) for heap in member.supers]
    return (b"\x4f" if member.final else b"\x50") + vector(supers) + composite


def rec_group(members: Sequence[bytes]) -> bytes:
    """A recursion group of encoded members; a single member stands for itself."""
    return members[0] if len(members) == 1 else b"\x4e" + vector(members)


def _limits(flags: int, limits: Limits) -> bytes:
    if limits.max is None:
        return _BYTE[flags] + unsigned(limits.min)
    return _BYTE[flags | 1] + unsigned(limits.min) + unsigned(limits.max)


def memory_type(memory: MemoryType, *, explicit_page_size: bool = False) -> bytes:
    """A memory type; the page size is written where it is not 64 KiB, or where the caller wants it to be."""
    custom_page_size = explicit_page_size or memory.page_size_log2 != _DEFAULT_PAGE_SIZE_LOG2
    flags = memory.shared << 1 | memory.is_64 << 2 | custom_page_size << 3
    encoded = _limits(flags, memory.limits)
    return encoded + unsigned(memory.page_size_log2) if custom_page_size else encoded


def table_type(table: TableType, indices: TypeIndices = None) -> bytes:
    """A table type."""
    return value_type(table.reftype, indices) + _limits(table.is_64 << 2, table.limits)


def table_definition(table: TableType, init: bytes | None, indices: TypeIndices = None) -> bytes:
    """A table of the table section, with an initial value if `init` (an expression with its `end`) is given."""
    return table_type(table, indices) if init is None else b"\x40\x00" + table_type(table, indices) + init


def global_type(type: GlobalType, indices: TypeIndices = None) -> bytes:
    """A global type."""
    return value_type(type.valtype, indices) + _BYTE[type.mutable]


def tag_type(index: int) -> bytes:
    """A tag's type: the attribute (exception) and a type index."""
    return b"\0" + unsigned(index)
