"""Growing entries: batches, what other processes add, and storages that lose or damage things."""

from __future__ import annotations

import threading

import pytest

from purewasm.runtime import code_entry
from purewasm.runtime.code_entry import CodeEntry
from purewasm.runtime.storage import StoredEntry, pack_entry

KEY = bytes(range(32))


class Dictionary:
    """A storage that counts."""

    def __init__(self) -> None:
        self.kept: dict[bytes, bytes] = {}
        self.writes = 0
        self.is_full = False

    def get(self, key: bytes) -> bytes | None:
        return self.kept.get(key)

    def add(self, key: bytes, content: bytes) -> None:
        self.writes += 1
        if not self.is_full:
            self.kept[key] = content

    def delete(self, key: bytes) -> None:
        self.kept.pop(key, None)

    def numbers(self) -> list[int]:
        return list(StoredEntry(self.kept[KEY], KEY).numbers())


@pytest.fixture
def storage() -> Dictionary:
    return Dictionary()


def test_what_was_saved_is_found_by_the_next(storage: Dictionary) -> None:
    first = CodeEntry(KEY, storage)
    assert not first.is_valid
    first.mark_valid()
    first.add(1, b"one")
    assert (first.get(1), first.get(2)) == (b"one", None)
    first.save()
    second = CodeEntry(KEY, storage)
    assert second.is_valid
    assert (second.get(1), second.get(2)) == (b"one", None)


def test_nothing_new_is_not_written(storage: Dictionary) -> None:
    entry = CodeEntry(KEY, storage)
    entry.save()
    assert storage.writes == 0
    entry.mark_valid()
    entry.save()
    entry.save()
    assert storage.writes == 1
    CodeEntry(KEY, storage).mark_valid()
    assert storage.numbers() == []


def test_many_parts_are_written_in_few_batches(storage: Dictionary) -> None:
    entry = CodeEntry(KEY, storage)
    for number in range(10_000):
        entry.add(number, b"x")
    assert 3 <= storage.writes <= 6
    entry.save()
    assert storage.numbers() == list(range(10_000))


def test_two_writers_keep_what_the_other_wrote(storage: Dictionary) -> None:
    one, other = CodeEntry(KEY, storage), CodeEntry(KEY, storage)
    one.add(1, b"one")
    other.add(2, b"two")
    one.save()
    other.save()
    assert storage.numbers() == [1, 2]


def test_a_damaged_part_is_made_again(storage: Dictionary) -> None:
    storage.kept[KEY] = pack_entry(KEY, {1: b"one", 2: b"two"}).replace(b"two", b"TWO")
    entry = CodeEntry(KEY, storage)
    assert (entry.get(2), entry.get(1)) == (None, b"one")
    assert KEY not in storage.kept
    entry.add(2, b"two")
    entry.save()
    assert storage.kept[KEY] == pack_entry(KEY, {1: b"one", 2: b"two"})


def test_a_damaged_part_that_nobody_asks_for_is_dropped_by_the_next_write(storage: Dictionary) -> None:
    storage.kept[KEY] = pack_entry(KEY, {1: b"one", 2: b"two"}).replace(b"two", b"TWO")
    entry = CodeEntry(KEY, storage)
    entry.add(3, b"three")
    entry.save()
    assert storage.kept[KEY] == pack_entry(KEY, {1: b"one", 3: b"three"})


@pytest.mark.parametrize("damaged", [b"", b"nonsense", pack_entry(bytes(32), {}), pack_entry(KEY, {1: b"one"})[:-1]])
def test_a_damaged_entry_is_removed(storage: Dictionary, damaged: bytes) -> None:
    storage.kept[KEY] = damaged
    entry = CodeEntry(KEY, storage)
    assert (entry.is_valid, entry.get(1), storage.kept) == (False, None, {})


def test_what_a_storage_does_not_take_stays_here(storage: Dictionary) -> None:
    storage.is_full = True
    entry = CodeEntry(KEY, storage)
    entry.add(1, b"one")
    entry.save()
    assert (entry.get(1), storage.kept) == (b"one", {})
    storage.is_full = False
    entry.add(2, b"two")
    entry.save()
    assert storage.numbers() == [1, 2]


def test_the_end_of_the_process_saves(storage: Dictionary) -> None:
    CodeEntry(KEY, storage).add(1, b"one")  # nobody holds it
    code_entry._save_all()
    assert storage.numbers() == [1]


def test_a_write_that_takes_long_stops_nobody_else(storage: Dictionary) -> None:
    """No lock is held while a storage works that another thread's `get` or `add` would wait for."""
    writing, done = threading.Event(), threading.Event()

    class Slow(Dictionary):
        def add(self, key: bytes, content: bytes) -> None:
            writing.set()
            done.wait(10)
            super().add(key, content)

    slow = Slow()
    entry = CodeEntry(KEY, slow)
    entry.add(1, b"one")
    thread = threading.Thread(target=entry.save)
    thread.start()
    assert writing.wait(10)
    entry.add(2, b"two")
    entry.save()  # somebody is at it
    assert entry.get(2) == b"two"
    done.set()
    thread.join()
    entry.save()
    assert slow.numbers() == [1, 2]
