"""Compiled code shared by runtimes."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from purewasm.errors import WasmError

if TYPE_CHECKING:
    from collections.abc import Callable


@final
class CompilationCache:
    """Compiled code in memory, keyed by everything that it depends on. Any number of runtimes and threads may share one.

    Closing a runtime or a module never takes code away from another one that uses it.
    """

    def __init__(self) -> None:
        self._entries: dict[bytes, object] = {}
        self._closed = False

    def get_or_add(self, key: bytes, make: Callable[[], object]) -> object:
        """The entry of `key`, made by `make()` where there is none. Two threads that make the same thing both succeed."""
        if self._closed:
            raise WasmError("the compilation cache is closed")
        found = self._entries.get(key)
        return found if found is not None else self._entries.setdefault(key, make())

    def clear(self) -> None:
        """Forget every entry. What runtimes hold already goes on."""
        self._entries.clear()

    def close(self) -> None:
        """Forget every entry and take no new ones."""
        self._closed = True
        self.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def __enter__(self) -> CompilationCache:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<CompilationCache of {len(self)} modules{' (closed)' if self._closed else ''}>"
