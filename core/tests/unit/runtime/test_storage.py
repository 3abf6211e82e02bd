"""The bytes of an entry: every one of them is checked before it is used."""

from __future__ import annotations

import hashlib
import zlib
from contextlib import suppress
from typing import Final

import pytest

from purewasm.engine.protocol import GROUP_BITS, GROUP_MASK
from purewasm.runtime.storage import DamagedEntryError, StoredEntry, pack_entry

KEY = hashlib.sha256(b"key").digest()
PARTS = {7: b"seven", 0: b"", 3: bytes(range(256)), 2**32 - 1: b"last"}


def test_parts_come_back() -> None:
    entry = StoredEntry(pack_entry(KEY, PARTS), KEY)
    assert len(entry) == len(PARTS)
    assert list(entry.numbers()) == [0, 3, 7, 2**32 - 1]
    assert {number: bytes(part) for number in entry.numbers() if (part := entry.get(number)) is not None} == PARTS
    assert [entry.get(number) for number in (1, 4, 8, 2**32 - 2)] == [None] * 4


def test_an_entry_without_parts() -> None:
    entry = StoredEntry(pack_entry(KEY, {}), KEY)
    assert (len(entry), entry.get(0), entry.group(0)) == (0, None, None)


def test_groups_come_back_as_a_whole() -> None:
    parts = {number: bytes([number & 0xFF]) * (number & 0xFF) for number in (0, 1, 200, GROUP_MASK, GROUP_MASK + 1, GROUP_MASK + 8)}
    entry = StoredEntry(pack_entry(KEY, parts), KEY)
    for group in (0, 1):
        found = entry.group(group)
        assert found is not None
        expected = {number & GROUP_MASK: part for number, part in parts.items() if number >> GROUP_BITS == group}
        slices = [bytes(found.content[at : at + size]) for at, size in zip(found.offsets, found.sizes, strict=True)]
        assert dict(zip(found.numbers, slices, strict=True)) == expected
        assert not any(offset % 64 for offset in found.offsets)
    assert (entry.group(2), entry.group(15)) == (None, None)


def test_nothing_of_a_damaged_group_is_given_out() -> None:
    entry = StoredEntry(pack_entry(KEY, PARTS).replace(b"seven", b"SEVEN"), KEY)
    with pytest.raises(DamagedEntryError, match="group 0"):
        entry.group(0)
    other = entry.group((2**32 - 1) >> GROUP_BITS)
    assert other is not None
    assert bytes(other.content[:4]) == b"last"


def test_a_group_may_be_asked_for_again() -> None:
    entry = StoredEntry(pack_entry(KEY, PARTS), KEY)
    first, second = entry.group(0), entry.group(0)
    assert first is not None
    assert first == second


def test_the_same_parts_make_the_same_bytes() -> None:
    assert pack_entry(KEY, PARTS) == pack_entry(KEY, dict(sorted(PARTS.items())))


def test_parts_are_not_copied() -> None:
    content = pack_entry(KEY, PARTS)
    part = StoredEntry(content, KEY).get(3)
    assert part is not None
    assert part.obj is content


def read_all(content: bytes) -> dict[int, bytes]:
    entry = StoredEntry(content, KEY)
    assert all(entry.group(group) is not None for group in (0, 15))
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
            StoredEntry(damaged, KEY)


def test_an_entry_of_another_key_is_noticed() -> None:
    with pytest.raises(DamagedEntryError, match="not an entry of this key"):
        StoredEntry(pack_entry(KEY, PARTS), bytes(32))


def test_a_damaged_part_does_not_spoil_the_others() -> None:
    content = pack_entry(KEY, PARTS)
    entry = StoredEntry(content.replace(b"seven", b"SEVEN"), KEY)
    assert bytes(entry.get(3) or b"") == PARTS[3]
    with pytest.raises(DamagedEntryError, match="part 7"):
        entry.get(7)


NUMBERS: Final = (0, 1, 5, 1 << 28, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)


@pytest.mark.parametrize("at", range(8, len(pack_entry(KEY, PARTS)) - 4, 4))
def test_numbers_that_make_no_sense_are_noticed_or_do_no_harm(at: int) -> None:
    """Also where the checksum says that they were written like that."""
    for number in NUMBERS:
        content = bytearray(pack_entry(KEY, PARTS))
        content[at : at + 4] = number.to_bytes(4, "little")
        count, groups = int.from_bytes(content[12:16], "little"), int.from_bytes(content[16:20], "little")
        head = content[: 64 + 32 * groups + 24 * count + 63 & -64]
        content[20:24] = zlib.crc32(head[24:], zlib.crc32(head[:20])).to_bytes(4, "little")
        try:
            entry = StoredEntry(bytes(content), KEY)
        except DamagedEntryError:
            continue
        for part in PARTS:
            with suppress(DamagedEntryError):
                entry.get(part)
        for group in (0, 15):
            with suppress(DamagedEntryError):
                found = entry.group(group)
                assert found is None or len(found.numbers) <= len(entry)
