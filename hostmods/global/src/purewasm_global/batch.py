"""Version 1: many values in one call, from the same overrides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from purewasm.hostmod import OperationError, Status, u64
from purewasm_global.abi import GlobalBatchAbi

_MAX_LIST: Final = 1_000


@final
class GlobalBatch(GlobalBatchAbi):
    """The import module. `snapshot` gives all overrides at one moment."""

    def __init__(self, snapshot: Callable[[], dict[str, int]]) -> None:
        super().__init__()
        self._snapshot = snapshot

    def on_get_many(self, names: list[str], defaults: list[u64]) -> list[u64]:
        """The values of several names, all of one moment."""
        if len(names) != len(defaults):
            raise OperationError(Status.INVALID, f"{len(names)} names and {len(defaults)} defaults: one for each is needed")
        values = self._snapshot()
        return [values.get(name, default) for name, default in zip(names, defaults, strict=True)]

    def on_list(self, prefix: str, after: str = "") -> list[str]:
        """Names in order."""
        return sorted(name for name in self._snapshot() if name.startswith(prefix) and name > after)[:_MAX_LIST]
