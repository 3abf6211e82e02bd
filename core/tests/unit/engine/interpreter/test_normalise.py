"""Canonical text of fragments, by evaluating it."""

from __future__ import annotations

import pytest

from purewasm.engine.interpreter.fragments import (
    MASK32,
    MASK64,
    NAME,
    OFFSET,
    ONE_DIGIT,
    SUM,
    SUMMED,
    Fragment,
    condition,
    constant,
    variable,
)
from purewasm.engine.interpreter.normalise import DIRTY_MAX, bounded, signed, signed_constant, truth, unsigned

EDGES = (0, 1, 2, ONE_DIGIT, ONE_DIGIT + 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)


def dirty_values(lo: int, hi: int) -> list[int]:
    near = {lo, hi, *EDGES, *(-edge for edge in EDGES), *(edge + 1 for edge in EDGES)}
    return sorted(value for value in near if lo <= value <= hi)


@pytest.mark.parametrize("mask", [MASK32, MASK64])
@pytest.mark.parametrize("name", [True, False])
@pytest.mark.parametrize("form", [0, SUMMED])
@pytest.mark.parametrize("compact", [True, False])
def test_every_interval(mask: int, name: bool, form: int, compact: bool) -> None:
    half = (mask + 1) >> 1
    for lo, hi in (
        (0, mask),
        (-half, half - 1),
        (-mask - 1, mask),
        (0, mask << 1),
        (-mask - 1, mask << 1),
        (-(mask << 2), mask << 2),
        (-5, 5),
    ):
        fragment: Fragment = ("x", NAME, lo, hi, 0, 0, form, "", "") if name else ("x + 0", SUM, lo, hi, 0, 0, form, "", "")
        for value in dirty_values(lo, hi):
            names = {"x": value}
            assert value & mask == eval(unsigned(fragment, mask, compact)[0], names), (lo, hi, value)
            expected = (value & mask) - ((value & half) << 1)
            assert expected == eval(signed(fragment, mask)[0], names), (lo, hi, value)
            assert bool(value & mask) is bool(eval(truth(fragment, mask)[0], names))
            assert (not value & mask) is bool(eval(truth(fragment, mask)[1], names))
            assert value & mask == eval(bounded(fragment, mask)[0], names) & mask


@pytest.mark.parametrize("mask", [MASK32, MASK64])
@pytest.mark.parametrize("offset", [0, 1, 16, (1 << 20) - 1, 1 << 20, 1 << 30])
def test_offset_of_a_variable(mask: int, offset: int) -> None:
    fragment: Fragment = (f"x + {offset}", SUM, offset, mask + offset, 0, 0, OFFSET, "x", "")
    for value in dirty_values(0, mask):
        assert value + offset & mask == eval(unsigned(fragment, mask)[0], {"x": value})


def test_precedence_that_is_told_holds() -> None:
    for fragment in (variable("x", 0, MASK32), variable("x", -5, MASK32), ("x + y", SUM, 0, MASK32 << 1, 0, 0, SUMMED, "", "")):
        for text, prec in (unsigned(fragment, MASK32), signed(fragment, MASK32)):
            if prec >= SUM:
                assert eval(f"{text} + 1", {"x": 3, "y": 4}) == eval(f"({text}) + 1", {"x": 3, "y": 4})


def test_constants() -> None:
    assert ("4294967295", "-1") == (unsigned(constant(MASK32), MASK32)[0], signed(constant(MASK32), MASK32)[0])
    assert [-1, -(1 << 31), 5] == [signed_constant(constant(value), MASK32) for value in (MASK32, 1 << 31, 5)]
    assert signed_constant(constant(MASK32), MASK64) == MASK32


def test_condition_stays_a_condition() -> None:
    assert truth(condition("a < b", "a >= b", 0, 0)) == ("a < b", "a >= b")


def test_values_far_from_zero_are_brought_back() -> None:
    far: Fragment = ("x", NAME, 0, DIRTY_MAX[MASK32], 0, 0, 0, "", "")
    assert bounded(far, MASK32)[2:4] == (0, MASK32)
