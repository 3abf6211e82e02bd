"""Tables of precomputed instruction bytes that fill themselves on first use.

A compiler appends `table[a][b]` to its code: two list subscripts, 19 ns in CPython 3.11, where putting the same bytes
together takes half a microsecond. There are some hundred tables of 256 (two registers) or 4,096 entries (three), of which a
program uses a small part, so a row is built when it is asked for: until then a `_Pending` stands in its place, which answers
the first subscript, puts the finished plain list where it stood, and is gone.

Before: a function that builds one row. After: `list[list[T]]`, whose rows are only good for being subscripted. Two
threads may build the same row at once; both build the same bytes, and either may be the one that stays.
"""

from __future__ import annotations

from itertools import repeat

from purewasm.light_typing import TYPE_CHECKING, Final, TypeVar, cast, final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

Bytes1 = list[bytes]
Bytes2 = list[list[bytes]]
Bytes3 = list[list[list[bytes]]]

# ModRM with mod 3, by field and register: the tail of an instruction between two registers.
REGISTER_TAILS: Final[Bytes2] = [[bytes((0xC0 | field << 3 | rm,)) for rm in range(8)] * 2 for field in range(8)]


@final
class _Pending:
    # Not generic: making a generic class takes longer than everything else in this module, and `table2` has the types.
    __slots__ = ("_build", "_position", "_table")

    def __init__(self, table: list[list[T]], position: int, build: Callable[[int], list[T]]) -> None:
        self._table = cast("list[object]", table)
        self._position, self._build = position, build

    def __getitem__(self, index: int) -> object:
        row = self._table[self._position] = self._build(self._position)
        return row[index]


def table2(build: Callable[[int], list[T]], rows: int = 16) -> list[list[T]]:
    """A table whose row `i` is `build(i)`."""
    table: list[list[T]] = []
    # The cast is the trick: what stands in for a row answers the one thing that is done with it.
    table.extend(cast("Iterable[list[T]]", map(_Pending, repeat(table), range(rows), repeat(build))))
    return table


def table3(build: Callable[[int, int], list[T]]) -> list[list[list[T]]]:
    """A table whose row `i, j` is `build(i, j)`."""

    def plane(i: int) -> list[list[T]]:
        return table2(lambda j: build(i, j))

    return table2(plane)
