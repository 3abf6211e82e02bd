from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from purewasm.isa.x64 import conditions
from purewasm.isa.x64.conditions import CONDITION_NAMES, SWAPPED

if TYPE_CHECKING:
    from collections.abc import Callable

_Flags = dict[str, bool]

# What the manual says each condition tests.
_TESTS: Final[dict[str, Callable[[_Flags], bool]]] = {
    "o": lambda f: f["O"],
    "b": lambda f: f["C"],
    "e": lambda f: f["Z"],
    "be": lambda f: f["C"] or f["Z"],
    "s": lambda f: f["S"],
    "p": lambda f: f["P"],
    "l": lambda f: f["S"] != f["O"],
    "le": lambda f: f["Z"] or f["S"] != f["O"],
}


def _holds(cc: int, flags: _Flags) -> bool:
    return _TESTS[CONDITION_NAMES[cc & ~1]](flags) != bool(cc & 1)


def _compare(a: int, b: int) -> _Flags:
    """The flags of an 8-bit `cmp`."""
    result = (a - b) & 255
    signed = (a ^ 128) - 128 - ((b ^ 128) - 128)
    return {"C": a < b, "Z": not result, "S": result > 127, "O": not -128 <= signed <= 127, "P": result.bit_count() % 2 == 0}


def test_numbers_and_names_agree() -> None:
    assert [vars(conditions)["CC_" + name.upper()] for name in CONDITION_NAMES] == list(range(16))


def test_orders_mean_what_they_say() -> None:
    for a, b in product((0, 1, 2, 127, 128, 129, 254, 255), repeat=2):
        flags = _compare(a, b)
        x, y = (a ^ 128) - 128, (b ^ 128) - 128
        assert [a < b, a >= b, a == b, a != b, a <= b, a > b] == [_holds(cc, flags) for cc in range(2, 8)]
        assert [x < y, x >= y, x <= y, x > y] == [_holds(cc, flags) for cc in range(12, 16)]


def test_swapped_holds_of_swapped_operands() -> None:
    for a, b in product((0, 1, 127, 128, 255), repeat=2):
        for cc in (*range(2, 8), *range(12, 16)):
            assert _holds(cc, _compare(a, b)) == _holds(SWAPPED[cc], _compare(b, a))
    assert list(range(16)) == [SWAPPED[SWAPPED[cc]] for cc in range(16)]
