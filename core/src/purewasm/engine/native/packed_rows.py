"""Tables of a function's code as bytes: column by column, each value as its distance to the one above.

Rows are tuples of as many integers each. Distances are small, so most take a byte or two where an object of `marshal` takes five:

    rows [(4, 1, 900), (9, 1, 905)] → number of rows, number of columns, then for each column the size of its integers and its distances:
    1: 4, 5    1: 1, 0    2: 900, 5

Integers are little-endian, signed, and as large as the largest distance of their column wants them.
"""

from __future__ import annotations

from itertools import accumulate
from struct import Struct, error, pack, unpack_from

from purewasm.light_library import sub
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    Rows = list[tuple[int, ...]]

_HEADER: Final = Struct("<IB")
_CODES: Final = ("b", "h", "i", "q")
"""Formats by size; a column says it by its place here."""
_SIZES: Final = (1, 2, 4, 8)


def pack_rows(rows: Sequence[tuple[int, ...]]) -> bytes:
    """The bytes of rows; none for no rows."""
    if not rows:
        return b""
    columns = list(zip(*rows, strict=True))
    pieces = [_HEADER.pack(len(rows), len(columns))]
    for column in columns:
        distances = [column[0], *map(sub, column[1:], column)]
        kind = _kind(min(distances), max(distances))
        pieces += (bytes((kind,)), pack(f"<{len(rows)}{_CODES[kind]}", *distances))
    return b"".join(pieces)


def _kind(least: int, most: int) -> int:
    for kind, size in enumerate(_SIZES):
        limit = 1 << 8 * size - 1
        if -limit <= least and most < limit:
            return kind
    raise ValueError(f"a distance of {most - least} does not fit into {_SIZES[-1]} bytes")


def unpack_rows(content: bytes) -> Rows:
    """The rows again. `ValueError` for bytes that are none."""
    if not content:
        return []
    try:
        count, width = _HEADER.unpack_from(content)
        at, columns = _HEADER.size, []
        for _ in range(width):
            kind = content[at]
            columns.append(accumulate(unpack_from(f"<{count}{_CODES[kind]}", content, at + 1)))
            at += 1 + count * _SIZES[kind]
        rows = list(zip(*columns, strict=True))
    except (IndexError, error) as problem:
        raise ValueError(f"not packed rows: {problem}") from None
    if at != len(content) or len(rows) != count:
        raise ValueError(f"{len(content)} bytes are not {count} packed rows")
    return rows
