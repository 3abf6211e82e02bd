"""Tables as columns of distances."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purewasm.engine.native.packed_rows import pack_rows, unpack_rows

VALUES = st.one_of(st.integers(-300, 300), st.integers(0, 1 << 32), st.integers(-(1 << 62), (1 << 62) - 1))
ROWS = st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[VALUES] * width)))


@settings(deadline=None)
@given(ROWS)
def test_rows_come_back(rows: list[tuple[int, ...]]) -> None:
    assert unpack_rows(pack_rows(rows)) == rows


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_each_size_holds_what_it_can(size: int) -> None:
    most = (1 << 8 * size - 1) - 1
    for first in (most, -most - 1):
        assert len(pack_rows([(first,)])) == 5 + 1 + size
        assert unpack_rows(pack_rows([(first,)])) == [(first,)]
    if size < 8:
        assert len(pack_rows([(most + 1,)])) > 5 + 1 + size
    else:
        with pytest.raises(ValueError, match="does not fit"):
            pack_rows([(most + 1,)])


def test_the_form_is_the_one_in_the_docstring() -> None:
    rows = [(4, 1, 900), (9, 1, 905)]
    assert pack_rows(rows) == bytes((2, 0, 0, 0, 3, 0, 4, 5, 0, 1, 0, 1, 900 & 0xFF, 900 >> 8, 5, 0))
    assert pack_rows([]) == b""


def test_ascending_rows_take_few_bytes() -> None:
    rows = [(7 * i, 3, 1_000_000 + 5 * i) for i in range(1000)]
    assert len(pack_rows(rows)) < 7 * len(rows)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_other_bytes_are_refused_or_are_rows(content: bytes) -> None:
    try:
        rows = unpack_rows(content)
    except ValueError:
        return
    assert all(isinstance(row, tuple) for row in rows)
