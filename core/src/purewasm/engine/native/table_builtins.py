"""Builtins of tables. All take long where a table is large, and poll: no loop need be around them."""

from __future__ import annotations

from purewasm import traps
from purewasm.engine.native import libc
from purewasm.errors import Trap
from purewasm.light_typing import TYPE_CHECKING

if TYPE_CHECKING:

    from purewasm.engine.native.space import Space


def table_grow(space: Space, table: int, word: int, delta: int) -> int:
    space.poll()
    return space.tables[table].grow_words(delta, word)


def _check_table(size: int, start: int, count: int) -> None:
    if start + count > size:
        raise Trap(traps.OUT_OF_BOUNDS_TABLE)


def table_fill(space: Space, table: int, start: int, word: int, count: int) -> None:
    space.poll()
    target = space.tables[table]
    _check_table(target.size, start, count)
    target.write_words(start, libc.repeated(word, count))
    target.changed(start, count)


def table_copy(space: Space, table: int, source: int, start: int, source_start: int, count: int) -> None:
    space.poll()
    target, origin = space.tables[table], space.tables[source]
    _check_table(target.size, start, count)
    _check_table(origin.size, source_start, count)
    target.take_words(start, origin, source_start, count)
    target.changed(start, count)


def table_init(space: Space, segment: int, table: int, start: int, source_start: int, count: int) -> None:
    space.poll()
    target, source = space.tables[table], space.elements[segment]
    _check_table(target.size, start, count)
    _check_table(len(source), source_start, count)
    target.write_raw(start, source[source_start : source_start + count])
    target.changed(start, count)


def elem_drop(space: Space, segment: int) -> None:
    space.elements[segment] = []
