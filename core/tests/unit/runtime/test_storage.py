"""The bytes of an entry: every one of them is checked before it is used."""

from __future__ import annotations

import hashlib

import pytest

from purewasm.runtime.storage import DamagedEntryError, StoredEntry, pack_entry

KEY = hashlib.sha256(b"key").digest()
PARTS = {7: b"seven", 0: b"", 3: bytes(range(256)), 2**32 - 1: b"last"}


def test_parts_come_back() -> None:
    entry = StoredEntry(KEY, pack_entry(KEY, PARTS))
    assert len(entry) == len(PARTS)
    assert list(entry.numbers()) == [0, 3, 7, 2**32 - 1]
    assert {number: bytes(part) for number in entry.numbers() if (part := entry.get(number)) is not None} == PARTS
    assert [entry.get(number) for number in (1, 4, 8, 2**32 - 2)] == [None] * 4


def test_an_entry_without_parts() -> None:
    entry = StoredEntry(KEY, pack_entry(KEY, {}))
    assert (len(entry), entry.get(0)) == (0, None)


def test_the_same_parts_make_the_same_bytes() -> None:
    assert pack_entry(KEY, PARTS) == pack_entry(KEY, dict(sorted(PARTS.items())))


def test_parts_are_not_copied() -> None:
    content = pack_entry(KEY, PARTS)
    part = StoredEntry(KEY, content).get(3)
    assert part is not None
    assert part.obj is content


def read_all(content: bytes) -> dict[int, bytes]:
    entry = StoredEntry(KEY, content)
    return {number: bytes(entry.get(number) or b"") for number in entry.numbers()}


def test_a_change_of_any_byte_is_noticed() -> None:
    content = pack_entry(KEY, PARTS)
    for at in range(len(content)):
        for change in (1, 0x80):
            changed = bytearray(content)
            changed[at] ^= change
            with pytest.raises(DamagedEntryError):
                read_all(bytes(changed))


def test_any_other_length_is_noticed() -> None:
    content = pack_entry(KEY, PARTS)
    for damaged in (*(content[:size] for size in range(len(content))), content + b"\0", content * 2):
        with pytest.raises(DamagedEntryError):
            StoredEntry(KEY, damaged)


def test_an_entry_of_another_key_is_noticed() -> None:
    with pytest.raises(DamagedEntryError, match="not an entry of this key"):
        StoredEntry(bytes(32), pack_entry(KEY, PARTS))


def test_a_damaged_part_does_not_spoil_the_others() -> None:
    content = pack_entry(KEY, PARTS)
    entry = StoredEntry(KEY, content.replace(b"seven", b"SEVEN"))
    assert bytes(entry.get(3) or b"") == PARTS[3]
    with pytest.raises(DamagedEntryError, match="part 7"):
        entry.get(7)
