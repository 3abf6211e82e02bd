"""The saved code of one module under one key: what an engine reads from and adds to while the module runs.

Functions are compiled one by one, so an entry grows: what is new is kept until there is enough of it to be worth writing, or until a
runtime, the cache or the process ends. Each time the whole entry is written, with what other processes have added meanwhile.

Nothing that happens to the storage is an error to the guest: what cannot be read is compiled, what cannot be written is not kept.
"""

from __future__ import annotations

import _thread
import atexit

from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.runtime.storage import DamagedEntryError, StoredEntry, pack_entry

if TYPE_CHECKING:
    from purewasm.engine.protocol import Content, SavedGroup
    from purewasm.runtime.storage import Storage

_FIRST_BATCH: Final = 256
"""New functions that are worth a write; each write doubles the number, so that writing stays a small part of compiling."""

_unsaved: Final[set[CodeEntry]] = set()
"""Entries with something new, of all caches: written when the process ends, whether or not anybody still holds them."""


@final
class CodeEntry:
    """Parts of the code of one module, by number. Shared by threads."""

    __slots__ = ("__weakref__", "_batch", "_new", "_saving", "_storage", "_stored", "is_valid", "key")

    def __init__(self, key: bytes, storage: Storage) -> None:
        self.key: Final = key
        self._storage: Final = storage
        self._new: dict[int, Content] = {}
        self._batch = _FIRST_BATCH
        self._saving: Final = _thread.allocate_lock()
        self._stored: StoredEntry | None = self._read()
        self.is_valid: bool = self._stored is not None
        """True once the module is known to be valid: only code of valid modules is ever stored."""

    # ---- what engines call

    def get(self, number: int) -> Content | None:
        """A part that was saved, or None. Its bytes are what was added, unchanged."""
        new = self._new.get(number)
        stored = self._stored
        if new is not None or stored is None:
            return new
        try:
            return stored.get(number)
        except DamagedEntryError:
            self._give_up()
            return None

    def group(self, group: int) -> SavedGroup | None:
        """Every part of a group that was saved, at once; None where there is nothing, or where it is damaged: `get` has the good ones."""
        stored = self._stored
        if stored is None:
            return None
        try:
            return stored.group(group)
        except DamagedEntryError:
            self._give_up()
            return None

    def add(self, number: int, content: bytes) -> None:
        """Save a part, sooner or later."""
        self._new[number] = content
        _unsaved.add(self)
        if len(self._new) >= self._batch:
            self._batch *= 2
            self.save()

    # ---- life

    def mark_valid(self) -> None:
        """The module has passed validation, which is worth an entry even if no function of it is ever called."""
        if not self.is_valid:
            self.is_valid = True
            _unsaved.add(self)

    def save(self) -> None:
        """Write what is new. Where another thread is at it, that is left to the next time."""
        if self not in _unsaved or not self._saving.acquire(blocking=False):
            return
        try:
            new = dict(self._new)
            parts = {**self._good_parts(self._stored), **self._good_parts(self._read()), **new}
            content = pack_entry(self.key, parts)
            _unsaved.discard(self)
            self._storage.add(self.key, content)
            self._take_back(new)
        finally:
            self._saving.release()

    def _take_back(self, new: dict[int, Content]) -> None:
        """Forget parts that the storage has by now. What it did not take stays, for this process and the next write."""
        stored = self._read()
        if stored is None:
            return
        self._stored = stored
        have = set(stored.numbers())
        for number, content in new.items():
            if number in have and self._new.get(number) is content:
                del self._new[number]

    def _read(self) -> StoredEntry | None:
        content = self._storage.get(self.key)
        if content is None:
            return None
        try:
            return StoredEntry(content, self.key)
        except DamagedEntryError:
            self._storage.delete(self.key)
            return None

    def _good_parts(self, stored: StoredEntry | None) -> dict[int, Content]:
        parts: dict[int, Content] = {}
        if stored is not None:
            for number in stored.numbers():
                try:
                    part = stored.get(number)
                except DamagedEntryError:
                    self._give_up()
                    continue
                if part is not None:
                    parts[number] = part
        return parts

    def _give_up(self) -> None:
        """The entry is damaged: nobody shall find it again. Its good parts are written once more, with what is made for the bad ones."""
        self._storage.delete(self.key)
        _unsaved.add(self)


def _save_all() -> None:
    for entry in list(_unsaved):
        entry.save()


atexit.register(_save_all)
