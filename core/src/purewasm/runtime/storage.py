"""Where compiled code is kept beyond the life of a process, and the entries that are kept there.

An entry holds the code of one module, in numbered parts (one for each function, say). Parts whose numbers agree in everything but the
lowest 28 bits are a group: they lie one behind the other, and can be taken all at once. Layout, integers little-endian:

    header   "purewasm", format version, number of parts, number of groups, CRC-32 of all else in front of the parts, size of the whole,
             the key that it was stored under
    groups   a row for each: its number, number of its parts, offset and size of its bytes, their CRC-32, zeros
    index    a row for each part, by rising number: number, size, offset, CRC-32, zeros
    parts    one behind the other, each at a multiple of 64 bytes

Opening an entry checks what is in front of the parts; a part, or a group as a whole, is checked when it is asked for. So every byte is
checked before it is used, and what opening costs does not depend on how much of the code is used.
"""

from __future__ import annotations

import struct
from binascii import crc32
from itertools import groupby

from purewasm.engine.protocol import GROUP_BITS, GROUP_MASK, Content, SavedGroup
from purewasm.light_typing import TYPE_CHECKING, Final, Protocol, final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAGIC: Final = b"purewasm"
_FORMAT: Final = 3
_HEADER: Final = struct.Struct("<8sIIIIQ32s")
_CHECK: Final = slice(20, 24)
"""Where the header has its checksum."""
_GROUP: Final = struct.Struct("<IIQQI4x")
_ROW: Final = struct.Struct("<IIQI4x")
_ALIGNMENT: Final = 64


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


def is_entry(content: Content) -> bool:
    """True for bytes that begin as an entry does, of whatever version."""
    return bytes(content[: len(_MAGIC)]) == _MAGIC


class DamagedEntryError(Exception):
    """Bytes that are not, or not any more, what was stored under a key."""


def pack_entry(key: bytes, parts: Mapping[int, Content]) -> bytes:
    """The bytes of an entry with these parts."""
    numbers = sorted(parts)
    of_group = [(group, list(members)) for group, members in groupby(numbers, _group_of)]
    head_bytes = _HEADER.size + _GROUP.size * len(of_group) + _ROW.size * len(numbers)
    offset = first = _aligned(head_bytes)
    rows: list[bytes] = []
    groups: list[bytes] = []
    pieces: list[Content] = []
    for group, members in of_group:
        start = offset
        first_piece = len(pieces)
        for number in members:
            part = parts[number]
            size = len(part)
            rows.append(_ROW.pack(number, size, offset, crc32(part)))
            padding = bytes(-size % _ALIGNMENT)
            pieces += (part, padding)
            offset += size + len(padding)
        groups.append(_GROUP.pack(group, len(members), start, offset - start, crc32(b"".join(pieces[first_piece:]))))
    head = bytearray(b"".join([_HEADER.pack(_MAGIC, _FORMAT, len(numbers), len(groups), 0, offset, key), *groups, *rows]))
    head += bytes(first - head_bytes)
    head[_CHECK] = _check_of(head).to_bytes(4, "little")
    return b"".join([head, *pieces])


def _group_of(number: int) -> int:
    return number >> GROUP_BITS


def _aligned(offset: int) -> int:
    return offset + _ALIGNMENT - 1 & -_ALIGNMENT


def _check_of(head: Content | bytearray) -> int:
    """Of what is in front of the parts, but for the checksum itself."""
    view = memoryview(head)
    return crc32(view[_CHECK.stop :], crc32(view[: _CHECK.start]))


@final
class StoredEntry:
    """The parts of an entry, read where they lie. `DamagedEntryError` for bytes that are not a whole entry of this key."""

    __slots__ = ("_content", "_count", "_groups", "_index", "key")

    def __init__(self, content: Content, key: bytes | None = None) -> None:
        self._content: Final = memoryview(content)
        if len(content) < _HEADER.size:
            raise DamagedEntryError("shorter than a header")
        count: int
        magic, version, count, groups, check, size, of = _HEADER.unpack_from(content)
        self._count: Final = count
        self.key: Final[bytes] = of
        if magic != _MAGIC or version != _FORMAT or key not in (None, of):
            raise DamagedEntryError("not an entry of this key and format")
        self._index: Final = _HEADER.size + _GROUP.size * groups
        end = _aligned(self._index + _ROW.size * count)
        if size != len(content) or end > size:
            raise DamagedEntryError(f"{len(content)} bytes where its header says {size}")
        if _check_of(self._content[:end]) != check:
            raise DamagedEntryError("the checksum of the index is wrong")
        rows = _GROUP.iter_unpack(self._content[_HEADER.size : self._index])
        self._groups: Final = {group: (members, start, length, check) for group, members, start, length, check in rows}

    def __len__(self) -> int:
        return self._count

    def get(self, number: int) -> memoryview | None:
        """A part, None if there is none of this number. `DamagedEntryError` if its bytes have changed."""
        row = self._find(number)
        found, size, offset, check = self._row(row) if row < self._count else (-1, 0, 0, 0)
        if found != number:
            return None
        part = self._content[offset : offset + size]
        if crc32(part) != check:
            raise DamagedEntryError(f"the checksum of part {number} is wrong")
        return part

    def group(self, group: int) -> SavedGroup | None:
        """A whole group, None if there is none of this number. `DamagedEntryError` if its bytes have changed."""
        members, start, size, check = self._groups.get(group, (0, 0, 0, 0))
        if not members:
            return None
        content = self._content[start : start + size]
        if crc32(content) != check:
            raise DamagedEntryError(f"the checksum of group {group} is wrong")
        first = self._find(group << GROUP_BITS)
        if first + members > self._count:
            raise DamagedEntryError(f"group {group} has more parts than there are")
        begin = self._index + _ROW.size * first
        rows = self._content[begin : begin + _ROW.size * members]
        words, longs = struct.unpack(f"<{len(rows) // 4}I", rows), struct.unpack(f"<{len(rows) // 8}Q", rows)
        step = _ROW.size // 4
        offsets = [offset - start for offset in longs[1 :: step // 2]]
        return SavedGroup([number & GROUP_MASK for number in words[0::step]], list(words[1::step]), offsets, content)

    def numbers(self) -> Iterator[int]:
        """Numbers of all parts, rising."""
        for row in range(self._count):
            yield self._row(row)[0]

    def _find(self, number: int) -> int:
        """The first row whose number is not less."""
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            if self._row(middle)[0] < number:
                low = middle + 1
            else:
                high = middle
        return low

    def _row(self, row: int) -> tuple[int, int, int, int]:
        number, size, offset, check = _ROW.unpack_from(self._content, self._index + _ROW.size * row)
        return number, size, offset, check
