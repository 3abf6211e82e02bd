"""Where compiled code is kept beyond the life of a process, and the entries that are kept there.

An entry holds the code of one module, in numbered parts (one for each function, say). Parts whose numbers agree in everything but the
lowest 28 bits are a group: they lie one behind the other, and can be taken all at once. Layout, integers little-endian:

    header   "purewasm", format version, number of parts, number of groups, size of the whole, the key that it was stored under
    groups   a row for each: its number, number of its parts, offset and size of its bytes, their SHA-256
    index    a row for each part, by rising number: number, size, offset, first 16 bytes of its SHA-256
    check    zeros up to a multiple of 64 less 32, and the SHA-256 of all that is in front of it
    parts    one behind the other, each at a multiple of 64 bytes

Opening an entry checks what is in front of the parts; a part, or a group as a whole, is checked when it is asked for. So every byte is
checked before it is used, and what opening costs does not depend on how much of the code is used.
"""

from __future__ import annotations

import struct
import sys
from array import array
from itertools import groupby

from purewasm.engine.digest import DigestAhead, sha256
from purewasm.engine.protocol import GROUP_BITS, GROUP_MASK, Content, SavedGroup
from purewasm.light_typing import TYPE_CHECKING, Final, Protocol, final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAGIC: Final = b"purewasm"
_FORMAT: Final = 2
_HEADER: Final = struct.Struct("<8sIIIIQ32s")
_GROUP: Final = struct.Struct("<IIQQ32s")
_ROW: Final = struct.Struct("<IIQ16s")
_CHECK_BYTES: Final = 32
_PART_CHECK_BYTES: Final = 16
_ALIGNMENT: Final = 64
_LONG_BYTES: Final = 1 << 20
"""From here on checking takes much longer than starting a thread."""


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
    offset = first = _aligned(head_bytes + _CHECK_BYTES)
    rows: list[bytes] = []
    groups: list[bytes] = []
    pieces: list[Content] = []
    for group, members in of_group:
        start = offset
        first_piece = len(pieces)
        for number in members:
            part = parts[number]
            size = len(part)
            rows.append(_ROW.pack(number, size, offset, _check_of(part)))
            padding = bytes(-size % _ALIGNMENT)
            pieces += (part, padding)
            offset += size + len(padding)
        groups.append(_GROUP.pack(group, len(members), start, offset - start, sha256(b"".join(pieces[first_piece:]))))
    head = b"".join([_HEADER.pack(_MAGIC, _FORMAT, len(numbers), len(groups), 0, offset, key), *groups, *rows])
    head += bytes(first - _CHECK_BYTES - head_bytes)
    return b"".join([head, sha256(head), *pieces])


def _integers(code: str, content: memoryview) -> array[int]:
    """Little-endian integers of 4 (`I`) or 8 (`Q`) bytes."""
    found = array(code, bytes(content))
    if sys.byteorder == "big":
        found.byteswap()
    return found


def _group_of(number: int) -> int:
    return number >> GROUP_BITS


def _aligned(offset: int) -> int:
    return offset + _ALIGNMENT - 1 & -_ALIGNMENT


def _check_of(part: Content) -> bytes:
    return sha256(part)[:_PART_CHECK_BYTES]


@final
class StoredEntry:
    """The parts of an entry, read where they lie. `DamagedEntryError` for bytes that are not a whole entry of this key."""

    __slots__ = ("_ahead", "_content", "_count", "_groups", "_index", "key")

    def __init__(self, content: Content, key: bytes | None = None) -> None:
        self._content: Final = memoryview(content)
        self._ahead: dict[int, DigestAhead] = {}
        if len(content) < _HEADER.size:
            raise DamagedEntryError("shorter than a header")
        count: int
        magic, version, count, groups, _, size, of = _HEADER.unpack_from(content)
        self._count: Final = count
        self.key: Final[bytes] = of
        if magic != _MAGIC or version != _FORMAT or key not in (None, of):
            raise DamagedEntryError("not an entry of this key and format")
        self._index: Final = _HEADER.size + _GROUP.size * groups
        end = _aligned(self._index + _ROW.size * count + _CHECK_BYTES) - _CHECK_BYTES
        if size != len(content) or end + _CHECK_BYTES > size:
            raise DamagedEntryError(f"{len(content)} bytes where its header says {size}")
        if sha256(self._content[:end]) != self._content[end : end + _CHECK_BYTES]:
            raise DamagedEntryError("the checksum of the index is wrong")
        rows = _GROUP.iter_unpack(self._content[_HEADER.size : self._index])
        self._groups: Final = {group: (members, start, length, check) for group, members, start, length, check in rows}

    def __len__(self) -> int:
        return self._count

    def get(self, number: int) -> memoryview | None:
        """A part, None if there is none of this number. `DamagedEntryError` if its bytes have changed."""
        row = self._find(number)
        found, size, offset, check = self._row(row) if row < self._count else (-1, 0, 0, b"")
        if found != number:
            return None
        part = self._content[offset : offset + size]
        if _check_of(part) != check:
            raise DamagedEntryError(f"the checksum of part {number} is wrong")
        return part

    def group(self, group: int) -> SavedGroup | None:
        """A whole group, None if there is none of this number. `DamagedEntryError` if its bytes have changed."""
        members, start, size, check = self._groups.get(group, (0, 0, 0, b""))
        if not members:
            return None
        content = self._content[start : start + size]
        ahead = self._ahead.pop(group, None)
        if (sha256(content) if ahead is None else ahead.digest()) != check:
            raise DamagedEntryError(f"the checksum of group {group} is wrong")
        begin = self._index + _ROW.size * self._find(group << GROUP_BITS)
        rows = self._content[begin : begin + _ROW.size * members]
        words, longs = _integers("I", rows), _integers("Q", rows)
        offsets = [offset - start for offset in longs[1::4]]
        return SavedGroup([number & GROUP_MASK for number in words[0::8]], words[1::8].tolist(), offsets, content)

    def expect(self, group: int) -> None:
        """A group will be asked for soon: where that is long it is checked meanwhile."""
        _, start, size, _ = self._groups.get(group, (0, 0, 0, b""))
        if size >= _LONG_BYTES:
            self._ahead[group] = DigestAhead(self._content[start : start + size])

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

    def _row(self, row: int) -> tuple[int, int, int, bytes]:
        number, size, offset, check = _ROW.unpack_from(self._content, self._index + _ROW.size * row)
        return number, size, offset, check
