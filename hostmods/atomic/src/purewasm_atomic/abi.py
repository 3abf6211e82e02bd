"""The page and the imports of `pantopic/wazero-atomic`. Written by `purewasm gen` from abi.toml: change that instead."""

from __future__ import annotations

from typing import NamedTuple

from purewasm.hostmod import Cell, Page, PageModule, page_call


class AtomicsCells(NamedTuple):
    """What the host reads and writes in one instance."""

    set: Cell
    """The number of a set of counters. u32."""
    id: Cell
    """The counter in that set. u64."""
    value: Cell
    """What is added or stored, and what the host answers. u64."""


class AtomicsAbi(PageModule[AtomicsCells]):
    """Counters of 64 bits that all guests of a host share. A host module overrides every import."""

    name = "pantopic/wazero-atomic"
    aliases = ("pantopic/ext-atomic",)
    page_export = "__atomic"
    entries = 3

    def bind(self, page: Page) -> AtomicsCells:
        """The cells of an instance."""
        return AtomicsCells(
            page.cell(0, "u32", "the set cell"),
            page.cell(1, "u64", "the id cell"),
            page.cell(2, "u64", "the value cell"),
        )

    @page_call("__atomic_uint64_add")
    def on_add(self, cells: AtomicsCells) -> None:
        """Add to a counter, modulo 2^64: the sum. A counter that is not there is 0. Takes set, id, value. Gives value."""
        raise NotImplementedError

    @page_call("__atomic_uint64_load")
    def on_load(self, cells: AtomicsCells) -> None:
        """The value of a counter. Takes set, id. Gives value."""
        raise NotImplementedError

    @page_call("__atomic_uint64_store")
    def on_store(self, cells: AtomicsCells) -> None:
        """Give a counter a value. Takes set, id, value."""
        raise NotImplementedError

    @page_call("__atomic_uint64_del")
    def on_delete(self, cells: AtomicsCells) -> None:
        """Forget a counter: it is 0 again. Takes set, id."""
        raise NotImplementedError
