"""Memories and tables within the limits of a runtime and of the machine."""

from __future__ import annotations

from purewasm.errors import LinkError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.limits import MAX_TABLE_ELEMENTS

_FREE_TABLES: Final = 8
"""So many tables of an instance may each grow to the limit of one."""

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purewasm.engine.protocol import Engine
    from purewasm.store.instance import Instance
    from purewasm.store.memory import Memory
    from purewasm.store.table import Table
    from purewasm.wasm.module import MemoryType, TableType, WasmModule


def new_memory(engine: Engine, type: MemoryType, limit_pages: int | None) -> Memory:
    """A memory of the type's minimum size. `LinkError` where the runtime's limit (in pages of 64 KiB) or the machine has no room for it."""
    size = type.limits.min << type.page_size_log2
    if limit_pages is not None and size > limit_pages << 16:
        raise LinkError(f"memory of {type.limits.min} pages is larger than the runtime's limit of {limit_pages} pages")
    try:
        return engine.new_memory(type, limit_pages)
    except (MemoryError, OverflowError, OSError) as error:
        raise LinkError(f"no room for a memory of {type.limits.min} pages ({size} bytes)") from error


def check_tables(wasm: WasmModule) -> None:
    """`LinkError` where a module's own tables are too large together."""
    size = sum([table.type.limits.min for table in wasm.tables])
    if size > MAX_TABLE_ELEMENTS:
        raise LinkError(f"tables of {size} elements together are larger than the limit of {MAX_TABLE_ELEMENTS} elements")


def share_growth(tables: Sequence[Table]) -> None:
    """What a few tables may grow to is what many of one instance may together."""
    if len(tables) > _FREE_TABLES:
        for table in tables:
            table.limit = max(table.size, min(table.limit, _FREE_TABLES * MAX_TABLE_ELEMENTS // len(tables)))


def new_table(engine: Engine, type: TableType, init: object, instance: Instance | None) -> Table:
    """A table of the type's minimum size, `init` in all elements. `LinkError` where that is too large for the runtime or the machine."""
    size = type.limits.min
    if size > MAX_TABLE_ELEMENTS:
        raise LinkError(f"table of {size} elements is larger than the limit of {MAX_TABLE_ELEMENTS} elements")
    try:
        return engine.new_table(type, init, instance)
    except (MemoryError, OverflowError, OSError) as error:
        raise LinkError(f"no room for a table of {size} elements") from error
