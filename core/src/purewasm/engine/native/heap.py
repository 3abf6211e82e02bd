"""The heap of a runtime's structures and arrays, as compiled code allocates in it.

Code takes memory between `HEAP_FREE` and `HEAP_LIMIT` by itself; when there is not enough, it calls the builtin `gc_allocate`.
"""

from __future__ import annotations

import _thread
import re
import weakref

from purewasm.binary.body import decode_body
from purewasm.engine.native import libc
from purewasm.engine.native.turn import Turn
from purewasm.engine.native.type_records import HeapTypes
from purewasm.errors import InternalError, Trap
from purewasm.light_typing import TYPE_CHECKING, Final, Protocol, final
from purewasm.store import layout
from purewasm.traps import ALLOCATION_TOO_LARGE, OUT_OF_HEAP
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import top_of
from purewasm.wasm.limits import MAX_ARRAY_BYTES
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purewasm.engine.native.references import NativeArray, NativeStruct
    from purewasm.engine.native.tags import NativeTag
    from purewasm.store.tag import Tag
    from purewasm.wasm.module import WasmModule

RESERVED_BYTES: Final = 1 << 32
_PERMANENT_BYTES: Final = 1 << 26
_STEP: Final = 1 << 20


class RootHolder(Protocol):
    """A table or a global of references to objects."""

    def words(self) -> Iterable[int]:
        """The words that it holds."""


@final
class Heap:
    """Memory for the objects of one runtime."""

    __slots__ = ("__weakref__", "_end", "_next", "_permanent", "lock", "roots", "start", "tags", "turn", "types", "words", "wrappers")

    def __init__(self) -> None:
        flags = libc.MAP_PRIVATE | libc.MAP_ANONYMOUS | libc.MAP_NORESERVE
        self.start: Final = libc.map_pages(RESERVED_BYTES, libc.PROT_READ | libc.PROT_WRITE, flags)
        self.words: Final = libc.view_at(self.start, 4096).cast("Q")
        self._permanent = self.start + 4096
        self._next, self._end = self.start + _PERMANENT_BYTES, self.start + RESERVED_BYTES
        self.types: Final = HeapTypes(self._take_permanent)
        self.turn: Final = Turn()
        """One thread at a time runs code that uses the heap."""
        self.lock: Final = _thread.RLock()
        """Held while something is collected, and by threads that look at objects when it is not their turn."""
        self.wrappers: Final[weakref.WeakValueDictionary[int, NativeStruct | NativeArray]] = weakref.WeakValueDictionary()
        """By address: what Python knows objects by."""
        self.roots: Final[weakref.WeakSet[RootHolder]] = weakref.WeakSet()
        self.tags: Final[weakref.WeakKeyDictionary[Tag, NativeTag]] = weakref.WeakKeyDictionary()
        """Tags whose exceptions carry objects of this heap."""
        _heaps[self.start] = weakref.ref(self)

    def add_roots(self, holder: RootHolder) -> None:
        """What its words refer to stays."""
        self.roots.add(holder)

    @property
    def words_address(self) -> int:
        """What contexts point to."""
        return self.start

    def __del__(self) -> None:
        _heaps.pop(self.start, None)
        libc.unmap_pages(self.start, RESERVED_BYTES)

    def _take_permanent(self, size: int) -> int:
        address = self._permanent
        self._permanent += size + 63 & -64
        if self._permanent > self.start + _PERMANENT_BYTES:
            raise MemoryError("no room for more types")
        return address

    def allocate_outside(self, size: int) -> int:
        """Memory for an object that no guest makes. Under the lock, which is held until the object is complete."""
        address = self._next
        self._next += size
        return address

    def allocate(self, size: int) -> int:
        """Address of `size` bytes: what code asks for when it finds no room."""
        if size > MAX_ARRAY_BYTES + layout.ARRAY_ELEMENTS:
            raise Trap(ALLOCATION_TOO_LARGE)
        size = size + layout.OBJECT_ALIGNMENT - 1 & -layout.OBJECT_ALIGNMENT
        address = self._next
        limit = address + size + _STEP
        if limit > self._end:
            raise Trap(OUT_OF_HEAP)
        self._next = limit
        self.words[layout.HEAP_FREE >> 3] = address + size
        self.words[layout.HEAP_LIMIT >> 3] = limit
        return address


_heaps: Final[dict[int, weakref.ref[Heap]]] = {}
"""By address."""


def heap_at(address: int) -> Heap:
    """The heap that has an object at this address."""
    for start, reference in _heaps.items():
        if start <= address < start + RESERVED_BYTES:
            heap = reference()
            if heap is not None:
                return heap
    raise InternalError(f"no heap at {address:#x}")


# ---- which modules use it


_CONVERSION: Final = re.compile(rb"\xfb(?:\x1a|\x9a\x80{0,3}\0)")
"""Where `any.convert_extern` can be, which may give an object to a body that names no such type."""


def uses_heap(module: WasmModule) -> bool:
    """True for modules whose code may have references to structures and arrays."""
    if any(deftype.names_objects for deftype in module.types):
        return True
    if any(valtype >= vt.REF_BASE and top_of(vt.heap_of(valtype)) == vt.ANY for valtype in _types(module)):
        return True
    wanted = CODE["any.convert_extern"]
    return any(
        _CONVERSION.search(module.source, code.start, code.end) and wanted in decode_body(module, code).ops for code in module.codes
    )


def _types(module: WasmModule) -> Iterator[int]:
    for table in module.table_types:
        yield table.reftype
    for variable in module.global_types:
        yield variable.valtype
    for segment in module.elements:
        yield segment.reftype
    for code in module.codes:
        for _, valtype in code.locals:
            yield valtype
