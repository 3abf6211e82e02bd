"""What compiled code and the collector know of a defined type: its record (`layout.TYPE_KIND` and what follows).

Types are equal where the addresses of their records are. Function types through which no structure or array can be reached have one
record in the process. All others have one in each heap, so that nobody can hand references of one runtime's heap to code of another
runtime: such a function has another type there, however it got there.
"""

from __future__ import annotations

from struct import pack

from purewasm.engine.native import libc
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.store import layout
from purewasm.store.object_layout import element_bytes, struct_layout
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import ArrayType, StructType, top_of
from purewasm.wasm.locks import process_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from purewasm.wasm.deftypes import DefType

_ALIGNMENT: Final = 64
_lock: Final = process_lock()
_BYTES: Final = layout.TYPE_DISPLAY + 8 * layout.TYPE_DISPLAY_LEAST


@final
class PlainRecord:
    """The record of a function type that is the same in every heap."""

    __slots__ = ("_slab", "address")

    def __init__(self, slab: libc.Block, address: int) -> None:
        self._slab, self.address = slab, address


def plain_record(deftype: DefType) -> int:
    """Address of a function type's record; it stays there as long as the type lives."""
    record = deftype.record
    if not isinstance(record, PlainRecord):
        make_plain_records((deftype,))
        record = deftype.record
        assert isinstance(record, PlainRecord)
    return record.address


def make_plain_records(deftypes: Iterable[DefType]) -> None:
    """Records of function types that have none yet, in one piece."""
    with _lock:
        missing = {deftype.id: deftype for deftype in deftypes if deftype.record is None}
        if not missing:
            return
        sizes = [_record_bytes(deftype) for deftype in missing.values()]
        slab = libc.Block(sum(sizes) + _ALIGNMENT)
        address = slab.address + _ALIGNMENT - 1 & -_ALIGNMENT
        for deftype, size in zip(missing.values(), sizes, strict=True):
            deftype.record = PlainRecord(slab, address)
            address += size
        for deftype in missing.values():
            record = deftype.record
            assert isinstance(record, PlainRecord)
            start = record.address - slab.address >> 3
            words = _words(deftype, record.address, plain_record)
            slab.words[start : start + len(words)] = words


def _depth(deftype: DefType) -> int:
    return len(deftype.ancestors) - 1


def _record_bytes(deftype: DefType) -> int:
    depth = _depth(deftype)
    return _BYTES if depth < layout.TYPE_DISPLAY_LEAST else layout.TYPE_DISPLAY + 8 * (depth + 1) + _ALIGNMENT - 1 & -_ALIGNMENT


def _words(deftype: DefType, address: int, record_of: Callable[[DefType], int]) -> memoryview:
    """The words of a record; those of the collector are 0."""
    words = memoryview(bytearray(_record_bytes(deftype))).cast("Q")
    depth = _depth(deftype)
    words[layout.TYPE_DEPTH >> 3] = depth
    words[layout.TYPE_OBJECT >> 3] = id(deftype)
    at = (layout.TYPE_DISPLAY >> 3) + depth
    words[at] = address
    above = deftype
    while above.supers:
        above, at = above.supers[0], at - 1
        words[at] = record_of(above)
    composite = deftype.composite
    if isinstance(composite, StructType):
        words[layout.TYPE_KIND >> 3] = layout.KIND_STRUCT
        words[layout.TYPE_SIZE >> 3] = struct_layout(deftype)[1]
    elif isinstance(composite, ArrayType):
        words[layout.TYPE_KIND >> 3] = layout.KIND_ARRAY
        words[layout.TYPE_SIZE >> 3] = element_bytes(deftype)
    return words


@final
class HeapTypes:
    """The records of a heap."""

    __slots__ = ("__weakref__", "_known", "_take", "deftypes")

    def __init__(self, take: Callable[[int], int]) -> None:
        """`take`: gives the address of so many zeroed bytes, at a multiple of 64, which stay as long as the heap."""
        self._take = take
        self._known: dict[int, int] = {}
        self.deftypes: list[DefType] = []
        """Those that have a record: they stay as long as the heap."""

    def record(self, deftype: DefType) -> int:
        """Address of a type's record."""
        if not deftype.names_objects:
            return plain_record(deftype)
        address = self._known.get(deftype.id)
        if address is None:
            with _lock:
                address = self._known.get(deftype.id) or self._make(deftype)
        return address

    def known(self) -> set[int]:
        """Addresses of all records that there are."""
        return set(self._known.values())

    def records(self, deftypes: Sequence[DefType]) -> libc.Block:
        """A table of the records' addresses."""
        table = libc.Block(8 * len(deftypes))
        for position, deftype in enumerate(deftypes):
            table.words[position] = self.record(deftype)
        return table

    def _make(self, deftype: DefType) -> int:
        address = self._take(_record_bytes(deftype))
        words = _words(deftype, address, self.record)
        composite = deftype.composite
        if isinstance(composite, StructType):
            offsets, storages = struct_layout(deftype)[0], [field.storage for field in composite.fields]
            for word, is_wanted in _MAPS:
                words[word >> 3] = self._map([at for at, storage in zip(offsets, storages, strict=True) if is_wanted(storage)])
        elif isinstance(composite, ArrayType):
            for word, is_wanted in _MAPS:
                words[word >> 3] = is_wanted(composite.field.storage)
        libc.view_at(address, 8 * len(words)).cast("Q")[:] = words
        self.deftypes.append(deftype)
        self._known[deftype.id] = address
        return address

    def _map(self, offsets: list[int]) -> int:
        if not offsets:
            return 0
        content = pack(f"{len(offsets) + 1}I", len(offsets), *offsets)
        address = self._take(len(content))
        libc.view_at(address, len(content))[:] = content
        return address


def _is_reference(storage: int) -> bool:
    return storage >= vt.REF_BASE and top_of(vt.heap_of(storage)) == vt.ANY


def _is_handle(storage: int) -> bool:
    return storage >= vt.REF_BASE and top_of(vt.heap_of(storage)) in (vt.EXTERN, vt.EXN)


def _is_function(storage: int) -> bool:
    return storage >= vt.REF_BASE and top_of(vt.heap_of(storage)) == vt.FUNC


_MAPS: Final = ((layout.TYPE_REFERENCES, _is_reference), (layout.TYPE_HANDLES, _is_handle), (layout.TYPE_FUNCTIONS, _is_function))


def holds_functions(deftype: DefType) -> bool:
    """True for structures and arrays with references to functions in them."""
    composite = deftype.composite
    if isinstance(composite, StructType):
        return any(_is_function(field.storage) for field in composite.fields)
    return isinstance(composite, ArrayType) and _is_function(composite.field.storage)
