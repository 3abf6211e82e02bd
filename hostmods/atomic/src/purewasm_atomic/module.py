"""The host module: counters by set and id, each operation one step.

    entry     layout of 3      layout of 2
      0       set, u32         id, u32
      1       id, u64          value, u64
      2       value, u64
"""

from __future__ import annotations

import threading
from typing import Final, final

from purewasm import WasmError
from purewasm.hostmod import Page
from purewasm_atomic.abi import AtomicsAbi, AtomicsCells

_MODULO: Final = 1 << 64


class CounterError(WasmError):
    """There are as many counters as there may be."""


@final
class Atomics(AtomicsAbi):
    """Counters that guests share: `Atomics().register(runtime)`. Thread-safe; the host may use them too."""

    def __init__(self, *, layout: int = 3, max_counters: int = 1_000_000) -> None:
        if layout not in (2, 3):
            raise ValueError(f"the layout of a page has 2 or 3 entries, not {layout}")
        super().__init__()
        self.entries = layout
        self._max_counters = max_counters
        self._lock = threading.Lock()
        self._counters: dict[tuple[int, int], int] = {}

    def bind(self, page: Page) -> AtomicsCells:
        """The cells of an instance, by the layout that the embedder has chosen."""
        if self.entries == 3:
            return super().bind(page)
        id_cell = page.cell(0, "u32", "the id cell")
        # Nobody reads a set of this layout: see `_key`.
        return AtomicsCells(id_cell, id_cell, page.cell(1, "u64", "the value cell"))

    def _key(self, cells: AtomicsCells) -> tuple[int, int]:
        """(set, id) of the counter that the guest means."""
        return (cells.set.get() if self.entries == 3 else 0, cells.id.get())

    # ---- what guests call

    def on_add(self, cells: AtomicsCells) -> None:
        """Add the value cell, and give back the sum."""
        cells.value.set(self._increase_by(self._key(cells), cells.value.get()))

    def on_load(self, cells: AtomicsCells) -> None:
        """Give back the counter."""
        cells.value.set(self._counters.get(self._key(cells), 0))

    def on_store(self, cells: AtomicsCells) -> None:
        """Make the counter the value cell."""
        self._store(self._key(cells), cells.value.get())

    def on_delete(self, cells: AtomicsCells) -> None:
        """Forget the counter."""
        key = self._key(cells)
        with self._lock:
            self._counters.pop(key, None)

    # ---- the host's own use

    def increase(self, id: int, delta: int = 1, *, set: int = 0) -> int:
        """Add to a counter, modulo 2**64, and return the sum."""
        return self._increase_by((set, id), delta)

    def load(self, id: int, *, set: int = 0) -> int:
        """A counter; 0 where there is none."""
        return self._counters.get((set, id), 0)

    def store(self, id: int, value: int, *, set: int = 0) -> None:
        """Give a counter a value of 64 unsigned bits. `OverflowError` for another one."""
        if not 0 <= value < _MODULO:
            raise OverflowError(f"a counter is 0 to 2**64 - 1, not {value}")
        self._store((set, id), value)

    def delete(self, id: int, *, set: int = 0) -> None:
        """Forget a counter: it is 0 again."""
        with self._lock:
            self._counters.pop((set, id), None)

    def __len__(self) -> int:
        return len(self._counters)

    def _increase_by(self, key: tuple[int, int], delta: int) -> int:
        with self._lock:
            self._check_room(key)
            total = self._counters[key] = (self._counters.get(key, 0) + delta) % _MODULO
        return total

    def _store(self, key: tuple[int, int], value: int) -> None:
        with self._lock:
            self._check_room(key)
            self._counters[key] = value

    def _check_room(self, key: tuple[int, int]) -> None:
        if len(self._counters) >= self._max_counters and key not in self._counters:
            raise CounterError(f"{self.name}: there are {self._max_counters} counters already, and counter {key[1]} of set {key[0]} is new")
