"""Where compiled code is kept beyond the life of a process, and the entries that are kept there.

An entry holds the code of one module, in numbered parts (one for each function). Layout, integers little-endian:

    header   "purewasm", format version, number of parts, size of the whole, the key that it was stored under
    index    a row for each part, by rising number: number, size, offset, first 16 bytes of its SHA-256
    check    SHA-256 of header and index
    parts    one behind the other, without gaps

Opening an entry checks header and index; a part is checked when it is asked for. So every byte is checked before it is used, and what
opening costs does not depend on how much of the code is used.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Protocol, final

from purewasm.engine.protocol import Content

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAGIC: Final = b"purewasm"
_FORMAT: Final = 1
_HEADER: Final = struct.Struct("<8sIIQ32s")
_ROW: Final = struct.Struct("<IIQ16s")
_CHECK_BYTES: Final = 32
_PART_CHECK_BYTES: Final = 16


class Storage(Protocol):
    """Keeps entries under keys of 32 bytes. May lose any of them at any time, and is called by several threads at once.

    Whoever can write to it can run code in the processes that read from it: what it holds is Python bytecode and machine code.
    """

    def get(self, key: bytes, /) -> Content | None:
        """The content last added under the key, or None."""

    def add(self, key: bytes, content: bytes, /) -> None:
        """Keep the content under the key, in the place of what was there."""

    def delete(self, key: bytes, /) -> None:
        """Forget what is kept under the key; there may be nothing."""


class DamagedEntryError(Exception):
    """Bytes that are not, or not any more, what was stored under a key."""


def pack_entry(key: bytes, parts: Mapping[int, Content]) -> bytes:
    """The bytes of an entry with these parts."""
    numbers = sorted(parts)
    offset = _HEADER.size + _ROW.size * len(numbers) + _CHECK_BYTES
    rows = []
    for number in numbers:
        part = parts[number]
        rows.append(_ROW.pack(number, len(part), offset, _check_of(part)))
        offset += len(part)
    head = b"".join([_HEADER.pack(_MAGIC, _FORMAT, len(numbers), offset, key), *rows])
    return b"".join([head, sha256(head).digest(), *(parts[number] for number in numbers)])


def _check_of(part: Content) -> bytes:
    return sha256(part).digest()[:_PART_CHECK_BYTES]


@final
class StoredEntry:
    """The parts of an entry, read where they lie. `DamagedEntryError` for bytes that are not a whole entry of this key."""

    __slots__ = ("_content", "_count")

    def __init__(self, key: bytes, content: Content) -> None:
        self._content: Final = memoryview(content)
        if len(content) < _HEADER.size:
            raise DamagedEntryError("shorter than a header")
        count: int
        magic, version, count, size, of = _HEADER.unpack_from(content)
        self._count: Final = count
        if magic != _MAGIC or version != _FORMAT or of != key:
            raise DamagedEntryError("not an entry of this key and format")
        end = _HEADER.size + _ROW.size * self._count
        if size != len(content) or end + _CHECK_BYTES > size:
            raise DamagedEntryError(f"{len(content)} bytes where its header says {size}")
        if sha256(self._content[:end]).digest() != self._content[end : end + _CHECK_BYTES]:
            raise DamagedEntryError("the checksum of the index is wrong")

    def __len__(self) -> int:
        return self._count

    def get(self, number: int) -> memoryview | None:
        """A part, None if there is none of this number. `DamagedEntryError` if its bytes have changed."""
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            found, size, offset, check = self._row(middle)
            if found == number:
                part = self._content[offset : offset + size]
                if _check_of(part) != check:
                    raise DamagedEntryError(f"the checksum of part {number} is wrong")
                return part
            if found < number:
                low = middle + 1
            else:
                high = middle
        return None

    def numbers(self) -> Iterator[int]:
        """Numbers of all parts, rising."""
        for row in range(self._count):
            yield self._row(row)[0]

    def _row(self, row: int) -> tuple[int, int, int, bytes]:
        number, size, offset, check = _ROW.unpack_from(self._content, _HEADER.size + _ROW.size * row)
        return number, size, offset, check
