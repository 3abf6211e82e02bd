"""The descriptors that one instance has open, by number."""

from __future__ import annotations

import heapq

from purewasm.light_typing import TYPE_CHECKING, final
from purewasm_wasi.errno import BADF, MFILE, WasiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm_wasi.descriptor import Descriptor


@final
class FdTable:
    """Numbers are given as POSIX gives them: the lowest that is free. At most `limit` at once, `mfile` beyond."""

    __slots__ = ("_free", "_open", "find", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._open: dict[int, Descriptor] = {}
        self.find: Callable[[int], Descriptor | None] = self._open.get
        """The descriptor of a number, None if there is none."""
        self._free: list[int] = []
        """A heap. Every number that was ever given is either in here or open."""

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, fd: int) -> bool:
        return fd in self._open

    def all(self) -> list[Descriptor]:
        """Everything that is open."""
        return list(self._open.values())

    def get(self, fd: int) -> Descriptor:
        """The descriptor of that number; `badf` if there is none."""
        try:
            return self._open[fd]
        except KeyError:
            raise WasiError(BADF) from None

    def check_room(self) -> None:
        """Raise `mfile` if nothing more can be opened: asked before opening, so that a refusal has no effect."""
        if len(self._open) >= self.limit:
            raise WasiError(MFILE)

    def add(self, descriptor: Descriptor) -> int:
        """Give the descriptor a number. `check_room` was called."""
        fd = heapq.heappop(self._free) if self._free else len(self._open)
        self._open[fd] = descriptor
        return fd

    def replace(self, fd: int, descriptor: Descriptor) -> Descriptor:
        """Put another descriptor in the place of one that is open, and return that one."""
        old = self.get(fd)
        self._open[fd] = descriptor
        return old

    def close(self, fd: int) -> None:
        """Close; the number is free even if closing fails."""
        self._remove(fd).close()

    def renumber(self, source: int, target: int) -> None:
        """Move `source` to the number of `target`, which is closed. Both have to be open."""
        moved, replaced = self.get(source), self.get(target)
        if source == target:
            return
        self._remove(source)
        self._open[target] = moved
        replaced.close()

    def clear(self) -> None:
        """Let go of everything: a descriptor is closed with the last reference to it."""
        self._open.clear()
        self._free.clear()

    def _remove(self, fd: int) -> Descriptor:
        descriptor = self.get(fd)
        del self._open[fd]
        heapq.heappush(self._free, fd)
        return descriptor
