from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import module, section, vector
from core.tests.unit.validate.bodies import validate
from purewasm.errors import InvalidError

OPEN = "50 00 "
UNDER_0 = "50 01 00 "


def _check(*entries: str) -> None:
    validate(module(section(1, vector([bytes.fromhex(entry) for entry in entries]))))


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("60 00 00", "60 00 00"),
        ("60 01 6b 00", "60 01 6e 00"),  # parameters may be wider
        ("60 00 01 6e", "60 00 01 6b"),  # results narrower
        ("5f 00", "5f 01 7f 00"),  # more fields
        ("5f 01 6e 00", "5f 01 6b 00"),  # fields that are only read may be narrower
        ("5f 01 7f 01", "5f 02 7f 01 7e 00"),
        ("5e 6e 00", "5e 6a 00"),
        ("5e 78 01", "5e 78 01"),
    ],
)
def test_types_that_are_below(above: str, below: str) -> None:
    _check(OPEN + above, UNDER_0 + below)


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("60 00 00", "5f 00"),
        ("5f 00", "60 00 00"),
        ("5f 00", "5e 7f 00"),
        ("60 00 00", "60 01 7f 00"),
        ("60 00 00", "60 00 01 7f"),
        ("60 01 6e 00", "60 01 6b 00"),
        ("60 00 01 6b", "60 00 01 6e"),
        ("5f 01 7f 00", "5f 00"),
        ("5f 01 7f 00", "5f 01 7f 01"),
        ("5f 01 7f 01", "5f 01 7f 00"),
        ("5f 01 6e 01", "5f 01 6b 01"),  # fields that are written must be the same
        ("5e 78 00", "5e 77 00"),
        ("5e 78 00", "5e 7f 00"),
        ("5e 6b 00", "5e 6e 00"),
    ],
)
def test_types_that_are_not_below(above: str, below: str) -> None:
    with pytest.raises(InvalidError, match=r"^sub type 1 does not match super type"):
        _check(OPEN + above, UNDER_0 + below)


def test_nothing_is_below_a_final_type() -> None:
    for final in ("60 00 00", "4f 00 60 00 00"):
        with pytest.raises(InvalidError, match=r"^sub type 1 does not match super type: its supertype is final"):
            _check(final, UNDER_0 + "60 00 00")


def test_groups_may_be_under_each_other() -> None:
    # (rec (sub (struct (ref null 1))) (sub (struct))), and a group under it, member by member
    first = "4e 02 50 00 5f 01 63 01 00 50 00 5f 00"
    second = "4e 02 50 01 00 5f 01 63 03 00 50 01 01 5f 00"
    _check(first, second)
    with pytest.raises(InvalidError, match=r"^sub type 2 does not match super type"):
        _check(first, "4e 02 50 01 00 5f 01 63 03 00 50 00 5f 00")
