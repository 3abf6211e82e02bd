"""Bulk operations of memories and tables, as functions that generated code calls (spec: memory and table instructions).

Every range is checked before anything is written. `data` and `elements` are looked up at each call: growth replaces them.
"""

from __future__ import annotations

from struct import Struct

from purewasm import traps
from purewasm.errors import Trap
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from purewasm.store.memory import Memory
    from purewasm.store.table import Table


def memory_grow(memory: Memory, delta: int) -> int:
    return memory.grow_pages(delta)


def memory_fill(memory: Memory, start: int, value: int, count: int) -> None:
    data = memory.data
    if start + count > len(data):
        raise Trap(traps.OUT_OF_BOUNDS_MEMORY)
    data[start : start + count] = bytes((value & 0xFF,)) * count


def memory_copy(target: Memory, source: Memory, start: int, source_start: int, count: int) -> None:
    data, from_data = target.data, source.data
    if start + count > len(data) or source_start + count > len(from_data):
        raise Trap(traps.OUT_OF_BOUNDS_MEMORY)
    data[start : start + count] = from_data[source_start : source_start + count]


def memory_init(memory: Memory, segments: Sequence[bytes], segment: int, start: int, source_start: int, count: int) -> None:
    data, source = memory.data, segments[segment]
    if start + count > len(data) or source_start + count > len(source):
        raise Trap(traps.OUT_OF_BOUNDS_MEMORY)
    data[start : start + count] = source[source_start : source_start + count]


def table_set(table: Table, index: int, value: object) -> None:
    if index >= len(table.elements):
        raise Trap(traps.OUT_OF_BOUNDS_TABLE)
    table.elements[index] = value
    table.changed(index, 1)


def table_grow(table: Table, value: object, delta: int) -> int:
    return table.grow_elements(delta, value)


def table_fill(table: Table, start: int, value: object, count: int) -> None:
    if start + count > len(table.elements):
        raise Trap(traps.OUT_OF_BOUNDS_TABLE)
    table.elements[start : start + count] = [value] * count
    table.changed(start, count)


def table_copy(target: Table, source: Table, start: int, source_start: int, count: int) -> None:
    if start + count > len(target.elements) or source_start + count > len(source.elements):
        raise Trap(traps.OUT_OF_BOUNDS_TABLE)
    target.elements[start : start + count] = source.elements[source_start : source_start + count]
    target.changed(start, count)


def table_init(table: Table, segments: Sequence[Sequence[object]], segment: int, start: int, source_start: int, count: int) -> None:
    source = segments[segment]
    if start + count > len(table.elements) or source_start + count > len(source):
        raise Trap(traps.OUT_OF_BOUNDS_TABLE)
    table.elements[start : start + count] = source[source_start : source_start + count]
    table.changed(start, count)


FUNCTIONS: Final[dict[str, Callable[..., object]]] = {
    function.__name__: function
    for function in (
        memory_grow, memory_fill, memory_copy, memory_init, table_set, table_grow, table_fill, table_copy, table_init,
    )
} | {
    **{f"bytes{count}": Struct(f"{count}s").unpack_from for count in (1, 2, 4, 8, 16)},
    **{f"put{count}": Struct(f"{count}s").pack_into for count in (1, 2, 4, 8, 16)},
}  # fmt: skip
"""By the names that generated code uses. `bytesN` reads N bytes as a tuple of one, `putN` writes them; both check the bounds."""
