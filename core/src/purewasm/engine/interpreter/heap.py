"""How much the structures and arrays of a runtime take, where that is limited.

They are Python objects, which go when nothing refers to them. What is counted are the bytes that compiled code spends on them, so that a
guest comes to the same limit on both engines; Python spends several times as much. Nobody is told when an object goes: those that have
gone are looked for when too much has been made, or as much as there was.
"""

from __future__ import annotations

import gc

from purewasm.engine.interpreter import gc_operations
from purewasm.errors import Trap
from purewasm.light_library import ref
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.store.gc import ArrayObject, StructObject
from purewasm.store.layout import ARRAY_ELEMENTS, OBJECT_ALIGNMENT
from purewasm.store.object_layout import element_bytes, most_elements, struct_layout
from purewasm.traps import OUT_OF_HEAP
from purewasm.wasm.locks import process_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from purewasm.wasm.deftypes import DefType

_FULL: Final = 64
"""A heap is full where less than this part of it is free, as that of the compiler is."""
_LEAST: Final = 1024
_lock: Final = process_lock()


def _array_bytes(deftype: DefType, count: int) -> int:
    return ARRAY_ELEMENTS + count * element_bytes(deftype) + OBJECT_ALIGNMENT - 1 & -OBJECT_ALIGNMENT


@final
class LimitedHeap:
    """Makes the objects of a runtime with a limit in bytes."""

    __slots__ = ("_limit", "_most", "_sizes", "_taken")

    def __init__(self, limit_bytes: int) -> None:
        self._limit: Final = limit_bytes
        self._sizes: Final[dict[ref[StructObject | ArrayObject], int]] = {}
        self._taken = 0
        """Bytes of those objects, some of which may be gone."""
        self._most = _LEAST

    def struct(self, deftype: DefType, fields: list[object]) -> StructObject:
        made = StructObject(deftype, fields)
        self._count(made, struct_layout(deftype)[1])
        return made

    def array(self, deftype: DefType, elements: list[object]) -> ArrayObject:
        made = ArrayObject(deftype, elements)
        self._count(made, _array_bytes(deftype, len(elements)))
        return made

    def repeated(self, deftype: DefType, values: list[object], times: int) -> ArrayObject:
        """An array of these elements again and again."""
        self._make_room(_array_bytes(deftype, len(values) * times))  # before there is a list of that many
        return self.array(deftype, values * times)

    def _array_new(self, deftype: DefType, value: object, count: int) -> ArrayObject:
        if count <= most_elements(deftype):
            self._make_room(_array_bytes(deftype, count))
        made = gc_operations.array_new(deftype, value, count)
        self._count(made, _array_bytes(deftype, count))
        return made

    def _array_new_data(self, deftype: DefType, data: bytes, start: int, count: int) -> ArrayObject:
        made = gc_operations.array_new_data(deftype, data, start, count)
        self._count(made, _array_bytes(deftype, count))
        return made

    def _array_new_elem(
        self, deftype: DefType, segments: Sequence[Sequence[object]], segment: int, start: int, count: int
    ) -> ArrayObject:
        made = gc_operations.array_new_elem(deftype, segments, segment, start, count)
        self._count(made, _array_bytes(deftype, count))
        return made

    def names(self) -> dict[str, Callable[..., object]]:
        """What generated code has instead of the names that make objects without counting them."""
        return {
            "StructObject": self.struct,
            "ArrayObject": self.array,
            "array_new": self._array_new,
            "array_new_data": self._array_new_data,
            "array_new_elem": self._array_new_elem,
        }

    def _count(self, made: StructObject | ArrayObject, size: int) -> None:
        with _lock:
            self._make_room(size)
            self._sizes[ref(made)] = size
            self._taken += size

    def _make_room(self, size: int) -> None:
        """A trap where there is none for so many bytes."""
        with _lock:
            if len(self._sizes) > self._most:
                self._forget_gone()
            if self._taken + size <= self._limit:
                return
            self._forget_gone()
            if self._is_full(size):
                gc.collect()  # some may be in circles
                self._forget_gone()
            if self._is_full(size):
                raise Trap(f"{OUT_OF_HEAP}: {self._taken} of at most {self._limit} bytes are in use", code=OUT_OF_HEAP)

    def _is_full(self, size: int) -> bool:
        return self._taken + size > self._limit or self._taken > self._limit - self._limit // _FULL

    def _forget_gone(self) -> None:
        sizes = self._sizes
        for known in [known for known in list(sizes) if known() is None]:
            self._taken -= sizes.pop(known, 0)
        self._most = max(_LEAST, 2 * len(sizes))
