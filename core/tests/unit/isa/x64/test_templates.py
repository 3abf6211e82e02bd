from __future__ import annotations

from purewasm.isa.x64.templates import REGISTER_TAILS, table2, table3


def test_rows_are_built_when_asked_for_and_once() -> None:
    built = []

    def build(row: int) -> list[int]:
        built.append(row)
        return [row * 100 + column for column in range(16)]

    table = table2(build)
    assert built == []
    assert table[3][7] == 307
    assert table[3][8] == 308
    assert built == [3]
    assert type(table[3]) is list
    assert len(table) == 16


def test_a_row_kept_from_before_it_was_built_still_answers() -> None:
    table = table2(lambda row: [row, row + 1])
    early = table[5]
    assert (table[5][0], early[1]) == (5, 6)


def test_three_indexes() -> None:
    table = table3(lambda i, j: [100 * i + 10 * j + k for k in range(16)])
    assert table[3][4][5] == 345
    assert type(table[3]) is list
    assert type(table[3][4]) is list


def test_number_of_rows() -> None:
    assert len(table2(lambda row: [row], 32)) == 32


def test_register_tails() -> None:
    assert all(REGISTER_TAILS[field][rm] == bytes((0xC0 | field << 3 | rm & 7,)) for field in range(8) for rm in range(16))
