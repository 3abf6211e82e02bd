"""References of the `any` hierarchy as words and as Python objects.

A structure or an array is known to Python by one object at a time, which keeps it alive: identity is that of the guest. 31-bit
integers are `I31` values. Any other object is itself in both worlds, held as external references are (`handles`).
"""

from __future__ import annotations

from struct import Struct

from purewasm.engine.native import libc
from purewasm.engine.native.entry import function_of_record, set_reference_maker
from purewasm.engine.native.handles import object_of, word_of
from purewasm.engine.native.heap import Heap, heap_at
from purewasm.errors import InternalError
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.store import layout
from purewasm.store.gc import I31, ArrayObject, StructObject, array_field, struct_fields
from purewasm.store.object_layout import storage_bytes, struct_layout
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import DefType, top_of
from purewasm.wasm.float_bits import f32_from_bytes, f64_from_bytes

if TYPE_CHECKING:
    from collections.abc import Callable


@final
class NativeStruct(StructObject):
    """A structure in a heap."""

    __slots__ = ("address", "heap")

    def __init__(self, type: DefType, address: int, heap: Heap) -> None:
        self.type, self.address, self.heap = type, address, heap

    def _fields(self) -> list[object]:
        storages = [field.storage for field in struct_fields(self.type)]
        with self.heap.lock:
            return [
                read_value(self.address + offset, storage) for offset, storage in zip(struct_layout(self.type)[0], storages, strict=True)
            ]

    fields = property(_fields)

    def __repr__(self) -> str:
        return f"<guest struct of {len(struct_fields(self.type))} fields>"


@final
class NativeArray(ArrayObject):
    """An array in a heap."""

    __slots__ = ("address", "heap")

    def __init__(self, type: DefType, address: int, heap: Heap) -> None:
        self.type, self.address, self.heap = type, address, heap

    def __len__(self) -> int:
        return libc.read_word(self.address + layout.ARRAY_LENGTH) & 0xFFFF_FFFF

    def _elements(self) -> list[object]:
        storage = array_field(self.type).storage
        start, size = self.address + layout.ARRAY_ELEMENTS, storage_bytes(storage)
        with self.heap.lock:
            return [read_value(start + size * i, storage) for i in range(len(self))]

    elements = property(_elements)

    def __repr__(self) -> str:
        return f"<guest array of {len(self)} elements>"


_INTEGERS: Final[dict[int, Struct]] = {vt.I8: Struct("<B"), vt.I16: Struct("<H"), vt.I32: Struct("<I"), vt.I64: Struct("<Q")}
_FLOATS: Final[dict[int, tuple[int, Callable[[bytes], float]]]] = {vt.F32: (4, f32_from_bytes), vt.F64: (8, f64_from_bytes)}


def read_value(address: int, storage: int) -> object:
    """The raw value of a field or an element. Under the heap's lock."""
    known = _INTEGERS.get(storage)
    if known is not None:
        return known.unpack(libc.view_at(address, known.size))[0]
    if storage in _FLOATS:
        size, convert = _FLOATS[storage]
        return convert(bytes(libc.view_at(address, size)))
    if storage == vt.V128:
        return bytes(libc.view_at(address, 16))
    word = libc.read_word(address)
    top = top_of(vt.heap_of(storage))
    if top == vt.ANY:
        return reference_of(word)
    if top == vt.FUNC:
        return function_of_record(word) if word else None
    return object_of(word)


def reference_of(word: int) -> object:
    """The object of a word that came from a guest, a table, a global or a heap. Nothing is collected meanwhile."""
    if not word & (layout.OBJECT_TAG | layout.I31_TAG):
        return object_of(word)
    if word & layout.I31_TAG:
        return I31(word >> 1)
    heap = heap_at(word)
    with heap.lock:
        known = heap.wrappers.get(word)
        if known is None:
            address = word - layout.OBJECT_TAG
            record = libc.read_word(address + layout.OBJECT_TYPE)
            deftype = libc.object_at(libc.read_word(record + layout.TYPE_OBJECT))
            if not isinstance(deftype, DefType):
                raise InternalError(f"no object at {address:#x}")
            is_array = libc.read_word(record + layout.TYPE_KIND) == layout.KIND_ARRAY
            known = heap.wrappers[word] = (NativeArray if is_array else NativeStruct)(deftype, address, heap)
    return known


def word_of_reference(raw: object, heap: Heap | None) -> int:
    """The word of a raw reference for guests of a heap, who have the object alive for as long as nothing else refers to it.

    `TypeError` for an object that is not in this heap. While a `Converting` of it lives.
    """
    if raw is None:
        return 0
    if isinstance(raw, I31):
        return raw.value << 1 | layout.I31_TAG
    if isinstance(raw, (NativeStruct, NativeArray)):
        if raw.heap is not heap:
            raise TypeError(f"{raw!r} belongs to another runtime, whose objects this one cannot hold")
        return raw.address + layout.OBJECT_TAG
    if isinstance(raw, (StructObject, ArrayObject)):
        raise TypeError(f"{raw!r} belongs to a module that the interpreter runs: compiled code cannot hold it")
    return word_of(raw)


def externalize(word: int) -> int:
    """`extern.convert_any`: the word of an external reference. While a guest runs."""
    return word_of(reference_of(word)) if word & (layout.OBJECT_TAG | layout.I31_TAG) else word


def internalize(word: int, heap: Heap | None) -> int:
    """`any.convert_extern`: objects of this heap are themselves again; those of others stay objects of the host."""
    raw = object_of(word)
    if isinstance(raw, I31) or (isinstance(raw, (NativeStruct, NativeArray)) and raw.heap is heap):
        return word_of_reference(raw, heap)
    return word


set_reference_maker(reference_of)
