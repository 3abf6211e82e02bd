"""Memories within a runtime's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purewasm.errors import LinkError

if TYPE_CHECKING:
    from purewasm.engine.protocol import Engine
    from purewasm.store.memory import Memory
    from purewasm.wasm.module import MemoryType


def new_memory(engine: Engine, type: MemoryType, limit_pages: int | None) -> Memory:
    """A memory of the type's minimum size. `LinkError` where the runtime's limit (in pages of 64 KiB) or the machine has no room for it."""
    size = type.limits.min << type.page_size_log2
    if limit_pages is not None and size > limit_pages << 16:
        raise LinkError(f"memory of {type.limits.min} pages is larger than the runtime's limit of {limit_pages} pages")
    try:
        return engine.new_memory(type, limit_pages)
    except (MemoryError, OverflowError, OSError) as error:
        raise LinkError(f"no room for a memory of {type.limits.min} pages ({size} bytes)") from error
