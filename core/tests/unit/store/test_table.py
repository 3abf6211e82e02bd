"""The table API."""

from __future__ import annotations

import gc

import pytest

from purewasm.errors import MemoryAccessError
from purewasm.store.function import Function
from purewasm.store.table import Table
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import func_type
from purewasm.wasm.limits import MAX_TABLE_ELEMENTS
from purewasm.wasm.module import Limits, TableType


def make(size: int = 3, most: int | None = None, reftype: int = vt.FUNCREF) -> Table:
    return Table(TableType(reftype, Limits(size, most)))


FUNCTION = Function(func_type((), ()), lambda: None, lambda: None)


class Watcher:
    def __init__(self) -> None:
        self.changes: list[tuple[int, int]] = []

    def table_changed(self, table: Table, start: int, count: int) -> None:
        self.changes.append((start, count))


def test_elements_are_null_at_first() -> None:
    table = make()
    assert [table[i] for i in range(3)] == [None, None, None]
    assert (len(table), table.size, repr(table)) == (3, 3, "<Table of 3 elements>")


def test_setting_and_getting() -> None:
    table = make()
    table[1] = FUNCTION
    assert table.get(1) is FUNCTION
    table.set(1, None)
    assert table[1] is None


@pytest.mark.parametrize("index", [-1, 3, 2**40])
def test_nothing_is_outside(index: int) -> None:
    table = make()
    with pytest.raises(MemoryAccessError, match=f"out of bounds table access: element {index} of a table of 3"):
        table[index]
    with pytest.raises(MemoryAccessError, match="out of bounds table access"):
        table[index] = None


@pytest.mark.parametrize("value", [1, print, "x"])
def test_a_reference_of_another_type_is_refused(value: object) -> None:
    table = make()
    with pytest.raises(TypeError, match="expected funcref, got"):
        table[0] = value
    with pytest.raises(TypeError, match="expected funcref"):
        table.grow(1, value)
    assert (table.size, table[0]) == (3, None)


def test_a_table_of_externref_holds_anything() -> None:
    table = make(reftype=vt.EXTERNREF)
    thing = object()
    table[0] = thing
    assert table[0] is thing


def test_growing() -> None:
    table = make(1, 4)
    assert table.grow(2, FUNCTION) == 1
    assert [table[i] for i in range(3)] == [None, FUNCTION, FUNCTION]
    assert table.grow(0) == 3
    with pytest.raises(MemoryAccessError, match="cannot grow table from 3 by 2 elements: the limit is 4"):
        table.grow(2)
    with pytest.raises(ValueError, match="cannot shrink"):
        table.grow(-1)
    assert table.grow_elements(2, None) == -1


def test_there_is_always_a_limit() -> None:
    assert make(0, 2**32 - 1).limit == MAX_TABLE_ELEMENTS
    assert make(0).grow_elements(2**40, None) == -1


def test_observers_learn_of_every_change() -> None:
    table, watcher, forgotten = make(), Watcher(), Watcher()
    table.add_observer(watcher)
    table.add_observer(forgotten)
    del forgotten
    gc.collect()
    table[2] = FUNCTION
    table.grow(2)
    table.grow(0)
    table.grow_elements(1, None)
    assert watcher.changes == [(2, 1), (3, 2), (5, 1)]
