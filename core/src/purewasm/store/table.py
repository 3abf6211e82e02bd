"""Tables of references (spec: runtime structure, table instances)."""

from __future__ import annotations

from purewasm.errors import MemoryAccessError
from purewasm.light_library import ref
from purewasm.light_typing import TYPE_CHECKING, Protocol
from purewasm.store.values import to_raw
from purewasm.wasm.deftypes import keep_alive
from purewasm.wasm.limits import MAX_TABLE_ELEMENTS

if TYPE_CHECKING:
    from purewasm.wasm.module import TableType

    class TableObserver(Protocol):
        """Whoever keeps something derived from a table's elements."""

        def table_changed(self, table: Table, start: int, count: int) -> None:
            """Elements `start` … `start + count - 1` are other ones now; the table may have grown by them."""


class Table:
    """A table of references. Accesses outside raise `MemoryAccessError`, references of a wrong type `TypeError`."""

    __slots__ = ("__weakref__", "_convert", "_observers", "_type_kept", "elements", "limit", "type")

    elements: list[object]
    """The raw references."""

    def __init__(self, type: TableType, init: object = None) -> None:
        self.type = type
        most = type.limits.max
        self.limit = MAX_TABLE_ELEMENTS if most is None else min(most, MAX_TABLE_ELEMENTS)
        """Elements that it can grow to."""
        self.elements = [init] * type.limits.min
        self._observers: list[ref[TableObserver]] = []
        self._convert = to_raw(type.reftype)
        self._type_kept = keep_alive(type.reftype)

    @property
    def size(self) -> int:
        """Number of elements."""
        return len(self.elements)

    def __len__(self) -> int:
        return len(self.elements)

    def get(self, index: int) -> object:
        """The reference at `index`; None is null."""
        self._check(index)
        return self.elements[index]

    def set(self, index: int, value: object) -> None:
        """Put a reference at `index`."""
        raw = self._convert(value)
        self._check(index)
        self.elements[index] = raw
        self.changed(index, 1)

    __getitem__ = get
    __setitem__ = set

    def grow(self, delta: int, value: object = None) -> int:
        """Grow by `delta` elements, all `value`, and return the old size. `MemoryAccessError` if it cannot grow that far."""
        if delta < 0:
            raise ValueError(f"a table cannot shrink: {delta}")
        old = self.grow_elements(delta, self._convert(value))
        if old < 0:
            raise MemoryAccessError(f"cannot grow table from {self.size} by {delta} elements: the limit is {self.limit}")
        return old

    def grow_elements(self, delta: int, raw: object) -> int:
        """`table.grow`: the old size, or -1 where it cannot grow."""
        old = len(self.elements)
        if old + delta > self.limit:
            return -1
        if delta:
            self.elements.extend([raw] * delta)
            self.changed(old, delta)
        return old

    def add_observer(self, observer: TableObserver) -> None:
        """Tell `observer` (held weakly) of every change of the elements."""
        self._observers = [observing for observing in self._observers if observing() is not None]
        self._observers.append(ref(observer))

    def changed(self, start: int, count: int) -> None:
        """Tell the observers: whoever writes `elements` calls this."""
        for observing in self._observers:
            observer = observing()
            if observer is not None:
                observer.table_changed(self, start, count)

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self.elements):
            raise MemoryAccessError(f"out of bounds table access: element {index} of a table of {len(self.elements)}")

    def __repr__(self) -> str:
        return f"<Table of {self.size} elements>"
