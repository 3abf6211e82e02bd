"""Tables whose elements compiled code reads and writes: words in memory, null is 0."""

from __future__ import annotations

from purewasm.engine.native import libc
from purewasm.engine.native.entry import Entries, kind_of, reference_of
from purewasm.engine.native.functions import any_word, function_word
from purewasm.engine.native.handles import Converting, add_holder, object_of, word_of
from purewasm.engine.native.space import SegmentReferences, function_of, mark_shared
from purewasm.errors import Trap
from purewasm.light_library import Sequence, ref
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.store import layout
from purewasm.store.table import Table
from purewasm.store.values import to_raw
from purewasm.traps import OUT_OF_BOUNDS_TABLE
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import keep_alive
from purewasm.wasm.limits import MAX_TABLE_ELEMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purewasm.engine.native.heap import Heap
    from purewasm.wasm.module import TableType

_LEAST: Final = 8


@final
class Elements:
    """`Table.elements` of a native table: reads and writes raw references as a list does."""

    __slots__ = ("_table",)

    def __init__(self, table: NativeTable) -> None:
        self._table = table

    def __len__(self) -> int:
        return self._table.size

    def __iter__(self) -> Iterator[object]:
        return (self._table.raw_at(i) for i in range(self._table.size))

    def __getitem__(self, index: int | slice) -> object:
        if isinstance(index, slice):
            return [self._table.raw_at(i) for i in range(*index.indices(self._table.size))]
        self._check(index)
        return self._table.raw_at(index)

    def __setitem__(self, index: int | slice, value: object) -> None:
        if isinstance(index, slice):
            places = range(*index.indices(self._table.size))
            assert isinstance(value, Sequence)
            self._table.write_raw(places.start, value)
        else:
            self._check(index)
            self._table.write_raw(index, (value,))

    def _check(self, index: int) -> None:
        """A list's `IndexError` is a trap where generated Python code raises it itself; this one would come from a frame below."""
        if not 0 <= index < self._table.size:
            raise Trap(f"{OUT_OF_BOUNDS_TABLE}: element {index} of a table of {self._table.size}", code=OUT_OF_BOUNDS_TABLE)


@final
class NativeTable(Table):
    """A table of function records, of words of objects or of handles. Whose functions may be in it stays alive: `pin`."""

    __slots__ = (
        "_elements", "_kind", "_only_user", "_outgrown", "_pair", "_pins", "address", "always_slow", "capacity", "heap", "pair_address",
    )  # fmt: skip

    def __init__(self, type: TableType, init: object = None, heap: Heap | None = None) -> None:
        """`heap`: where its type names structures or arrays."""
        self.type = type
        most = type.limits.max
        self.limit = MAX_TABLE_ELEMENTS if most is None else min(most, MAX_TABLE_ELEMENTS)
        self._observers = []
        self._convert = to_raw(type.reftype)
        self._type_kept = keep_alive(type.reftype)
        self._kind, self.heap = kind_of(type.reftype), heap
        self._pins: set[object] = set()
        self._only_user: ref[object] | None = None
        self.always_slow = False
        pair = libc.Block(layout.PAIR_BYTES)
        self._pair, self.pair_address = pair.words, pair.address
        self._elements, self.address = pair.words[:0], 0
        self._outgrown: list[memoryview] = []
        self.capacity = 0
        if self._kind != vt.FUNCREF:
            add_holder(self)
        if heap is not None and self._kind == vt.ANYREF:
            heap.add_roots(self)
        _kept = Converting((init,))
        self._extend(type.limits.min, self.word(init))

    @classmethod
    def placed(cls, type: TableType, block: libc.Block, pair: int, elements: int) -> NativeTable:
        """A table of functions whose words are at these offsets of a block, and hold what it starts with."""
        made = cls.__new__(cls)
        size, most = type.limits
        made.type, made.capacity = type, size
        made.limit = MAX_TABLE_ELEMENTS if most is None else min(most, MAX_TABLE_ELEMENTS)
        made._observers = []
        made._convert = to_raw(type.reftype)
        made._type_kept = keep_alive(type.reftype)
        made._kind, made.heap = vt.FUNCREF, None
        made._pins, made._outgrown = set(), []
        made._only_user = None
        made.always_slow = False
        words = block.words
        made._pair, made.pair_address = words[pair >> 3 : (pair >> 3) + 2], block.address + pair
        made._elements, made.address = words[elements >> 3 : (elements >> 3) + size], block.address + elements
        return made

    elements = property(Elements)

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._pair[1]

    def __len__(self) -> int:
        return self._pair[1]

    # ---- words

    def word(self, raw: object) -> int:
        """The word of a raw reference. While a `Converting` of it lives."""
        if self._kind == vt.FUNCREF:
            return function_word(raw, self, self.type.reftype)
        return word_of(raw) if self._kind == vt.EXTERNREF else any_word(raw, self.heap)

    def raw_at(self, index: int) -> object:
        if self._kind == vt.ANYREF and self.heap is not None:
            with self.heap.lock:
                return reference_of(self._elements[index])
        word = self._elements[index]
        if self._kind == vt.EXTERNREF:
            return object_of(word)
        return function_of(word) if word else None

    def words(self) -> Iterable[int]:
        return self._elements[: self.size]

    def root_area(self) -> tuple[int, int]:
        return self.address, 8 * self.size

    def write_raw(self, start: int, values: Iterable[object]) -> None:
        """Raw references from `start` on; the range has been checked."""
        if isinstance(values, SegmentReferences):
            self.pin(values.space.pin_target())
            self.write_words(start, values.words())
            return
        raws = list(values)
        _kept = Converting(raws)
        self.write_words(start, libc.words_of([self.word(raw) for raw in raws]))

    def write_words(self, start: int, words: memoryview) -> None:
        """Words from `start` on."""
        if start < 0 or start + len(words) > self.size:
            raise IndexError(f"elements {start} to {start + len(words)} of a table of {self.size}")
        self._elements[start : start + len(words)] = words

    def take_words(self, start: int, source: NativeTable, source_start: int, count: int) -> None:
        """Copy elements of a table (this one included); both ranges have been checked."""
        if start + count > self.size or source_start + count > source.size:
            raise IndexError("elements outside of a table")
        if source is not self:
            self._pins |= source._pins
        libc.copy_bytes(self.address + 8 * start, source.address + 8 * source_start, 8 * count)

    def _extend(self, delta: int, word: int) -> None:
        old = self.size
        size = old + delta
        if size > self.capacity or self.capacity == 0:
            capacity = max(size, min(2 * self.capacity, self.limit), _LEAST)
            block = libc.Block(8 * capacity)
            if old:
                libc.copy_bytes(block.address, self.address, 8 * old)
            self._outgrown.append(self._elements)  # code of another thread may be about to read it
            self._elements, self.address, self.capacity = block.words, block.address, capacity
            self._pair[0] = block.address
        self._elements[old:size] = libc.repeated(word, delta)
        self._pair[1] = size

    def grow_words(self, delta: int, word: int) -> int:
        """`table.grow` with a word: the old size, or -1 where it cannot grow."""
        old = self.size
        if old + delta > self.limit:
            return -1
        if delta:
            try:
                self._extend(delta, word)
            except (MemoryError, OSError):
                return -1
            self.changed(old, delta)
        return old

    def grow_elements(self, delta: int, raw: object) -> int:
        _kept = Converting((raw,))
        return self.grow_words(delta, self.word(raw))

    def get(self, index: int) -> object:
        self._check(index)
        return self.raw_at(index)

    def set(self, index: int, value: object) -> None:
        raw = self._convert(value)
        self._check(index)
        self.write_raw(index, (raw,))
        self.changed(index, 1)

    __getitem__ = get
    __setitem__ = set

    # ---- as the owner of functions

    def call(self, entries: Entries, record: int, words: list[object]) -> object:
        raise TypeError("a table is not called")

    def pin_target(self) -> object:
        return self

    def pin(self, target: object) -> None:
        """Keep something alive as long as the table: a function of it may be an element."""
        if self._only_user is None or self._only_user() is not target:
            self._pins.add(target)
            mark_shared(target)

    def belongs_to(self, user: object) -> None:
        """Nobody but this instance ever sees the table: it need not keep it alive."""
        self._only_user = ref(user)

    def replace_pin(self, target: object, other: object) -> bool:
        """Keep `other` alive instead; False where `target` is not kept alive."""
        found = target in self._pins
        if found:
            self._pins.discard(target)
            self._pins.add(other)
        return found
