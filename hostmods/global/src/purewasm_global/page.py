"""The guest's side of version 0: four cells, and the import that reads a name and writes a value.

    entry 0   value           u64      in: the guest's default; out: the override, if there is one
    entry 1   name capacity   u32
    entry 2   name length     u32      at most the capacity
    entry 3   name            bytes    UTF-8, not terminated

Every access is checked by `purewasm.hostmod`: what a guest gets wrong is an `AbiError`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, final

from purewasm.hostmod import Buffer, Cell, Page, PageModule, page_call
from purewasm_global.values import MAX_NAME_BYTES

MODULE: Final = "pantopic/wazero-global"
GET: Final = "__global_get"
PAGE_EXPORT: Final = "__global"


class Cells(NamedTuple):
    """What the host reads and writes in one instance."""

    value: Cell
    name: Buffer


@final
class GlobalPages(PageModule[Cells]):
    """The import module. `lookup` gives the override of a name, or None."""

    name = MODULE
    page_export = PAGE_EXPORT
    entries = 4

    def __init__(self, lookup: Callable[[str], int | None]) -> None:
        super().__init__()
        self._lookup = lookup

    def bind(self, page: Page) -> Cells:
        """The cells of an instance."""
        value = page.cell(0, "u64", "the value cell")
        capacity = page.cell(1, "u32", "the cell of the name's capacity")
        length = page.cell(2, "u32", "the cell of the name's length")
        return Cells(value, page.buffer(3, capacity, length, "the name's buffer", MAX_NAME_BYTES))

    @page_call(GET)
    def answer(self, cells: Cells) -> None:
        """Overwrite the value cell, if there is an override of the name."""
        value = self._lookup(cells.name.read_str(GET))
        if value is not None:
            cells.value.set(value)
