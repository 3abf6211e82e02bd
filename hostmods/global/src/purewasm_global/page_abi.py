"""The page and the imports of `pantopic/wazero-global`. Written by `purewasm gen` from page.toml: change that instead."""

from __future__ import annotations

from typing import NamedTuple

from purewasm.hostmod import Buffer, Cell, Page, PageModule, page_call


class GlobalPagesCells(NamedTuple):
    """What the host reads and writes in one instance."""

    value: Cell
    """The guest's default, and the host's value where it has one. u64."""
    name: Buffer
    """What is asked for: UTF-8, not terminated."""


class GlobalPagesAbi(PageModule[GlobalPagesCells]):
    """Named values that the host sets. A host module overrides every import."""

    name = "pantopic/wazero-global"
    page_export = "__global"
    entries = 4
    max_name_bytes = 65536

    def bind(self, page: Page) -> GlobalPagesCells:
        """The cells of an instance."""
        return GlobalPagesCells(
            page.cell(0, "u64", "the value cell"),
            page.buffer(
                3,
                page.cell(1, "u32", "the cell of the name's capacity"),
                page.cell(2, "u32", "the cell of the name's length"),
                "the name's buffer",
                self.max_name_bytes,
            ),
        )

    @page_call("__global_get")
    def on_get(self, cells: GlobalPagesCells) -> None:
        """The value of a name, or the default as it was. Takes value, name. Gives value."""
        raise NotImplementedError
