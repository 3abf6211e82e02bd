"""Structures and arrays that Python makes: those of constant expressions."""

from __future__ import annotations

import struct

from purewasm.engine.native import libc
from purewasm.engine.native.entry import kind_of
from purewasm.engine.native.functions import function_word
from purewasm.engine.native.handles import Converting, word_of
from purewasm.engine.native.references import reference_of, word_of_reference
from purewasm.errors import InternalError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.store import layout
from purewasm.store.gc import array_field, struct_fields
from purewasm.store.object_layout import struct_layout
from purewasm.wasm import float_bits
from purewasm.wasm import valtypes as vt

if TYPE_CHECKING:
    from purewasm.engine.native.heap import Heap
    from purewasm.engine.native.space import Space
    from purewasm.wasm.deftypes import DefType

_COPIED_BYTES: Final = 1 << 16
"""Equal elements are written that many bytes at a time, so that a large array is not in memory twice."""
_INTEGERS: Final = {vt.I8: "B", vt.I16: "H", vt.I32: "I", vt.I64: "Q"}


def _encode(raw: object, storage: int, space: Space) -> bytes:
    """The bytes of a raw value in memory. Floats go by their bits, since Python would change a signalling NaN."""
    if storage in _INTEGERS:
        return struct.pack("<" + _INTEGERS[storage], raw)
    if storage == vt.F32:
        assert isinstance(raw, float)
        return struct.pack("<I", float_bits.f32_to_bits(raw))
    if storage == vt.F64:
        assert isinstance(raw, float)
        return struct.pack("<d", raw)
    if storage == vt.V128:
        assert isinstance(raw, bytes)
        return raw
    kind = kind_of(storage)
    if kind == vt.FUNCREF:
        word = function_word(raw, space, storage)
    else:
        word = word_of(raw) if kind == vt.EXTERNREF else word_of_reference(raw, space.heap)
    return struct.pack("<Q", word)


def _heap(space: Space) -> Heap:
    if space.heap is None:
        raise InternalError(f"instance {space.name} has no heap")
    return space.heap


def new_struct(space: Space, deftype: DefType, values: list[object]) -> object:
    """A raw reference to a new structure with these raw values."""
    offsets, size = struct_layout(deftype)
    content = bytearray(size)
    _kept = Converting(values)
    for offset, field, raw in zip(offsets, struct_fields(deftype), values, strict=True):
        made = _encode(raw, field.storage, space)
        content[offset : offset + len(made)] = made
    return _place(_heap(space), deftype, content)


def new_array(space: Space, deftype: DefType, values: list[object], times: int) -> object:
    """A raw reference to a new array of these raw values, again and again."""
    storage = array_field(deftype).storage
    heap = _heap(space)
    _kept = Converting(values)
    part = b"".join([_encode(raw, storage, space) for raw in values])
    size = layout.ARRAY_ELEMENTS + len(part) * times
    with heap.lock:
        address = heap.allocate_outside(size + layout.OBJECT_ALIGNMENT - 1 & -layout.OBJECT_ALIGNMENT)
        content = libc.view_at(address, size)
        content[: layout.ARRAY_ELEMENTS] = struct.pack("<QQ", heap.types.record(deftype), len(values) * times)
        if size > layout.ARRAY_ELEMENTS:
            parts = part * min(times, _COPIED_BYTES // len(part) + 1)
            for start in range(layout.ARRAY_ELEMENTS, size, len(parts)):
                end = min(start + len(parts), size)
                content[start:end] = parts[: end - start]
        return reference_of(address + layout.OBJECT_TAG)


def _place(heap: Heap, deftype: DefType, content: bytearray) -> object:
    content[layout.OBJECT_TYPE : layout.OBJECT_TYPE + 8] = heap.types.record(deftype).to_bytes(8, "little")
    with heap.lock:
        address = heap.allocate_outside(len(content))
        libc.view_at(address, len(content))[:] = content
        return reference_of(address + layout.OBJECT_TAG)
