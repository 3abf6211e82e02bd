"""The import module of version 0: reads a name out of the guest's cells and writes a value.

Every access is checked by `purewasm.hostmod`: what a guest gets wrong is an `AbiError`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from purewasm_global.page_abi import GlobalPagesAbi, GlobalPagesCells
from purewasm_global.values import MAX_NAME_BYTES

MODULE: Final = GlobalPagesAbi.name
GET: Final = "__global_get"


@final
class GlobalPages(GlobalPagesAbi):
    """The import module. `lookup` gives the override of a name, or None."""

    max_name_bytes = MAX_NAME_BYTES

    def __init__(self, lookup: Callable[[str], int | None]) -> None:
        super().__init__()
        self._lookup = lookup

    def on_get(self, cells: GlobalPagesCells) -> None:
        """Overwrite the value cell, if there is an override of the name."""
        value = self._lookup(cells.name.read_str(GET))
        if value is not None:
            cells.value.set(value)
