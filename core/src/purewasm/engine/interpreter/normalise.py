"""Canonical text of fragments: unsigned, signed, and as a truth value.

Every recipe was measured: CPython's fast integers have one 30-bit digit, so the usual case (a small result) is tested first and the
expensive `& mask` is left to the rest. `compact` code (outside of loops of long functions) uses the shortest text instead,
because there compiling the text costs more than running it.
"""

from __future__ import annotations

from purewasm.engine.interpreter.fragments import (
    AND,
    CONDITION,
    CONST,
    MASK32,
    MASK64,
    NAME,
    NOT,
    OFFSET,
    ONE_DIGIT,
    SUMMED,
    TERNARY,
    TWIN,
    UNARY,
    Fragment,
    grouped,
)
from purewasm.light_typing import Final

_SMALL_OFFSET: Final = 1 << 20
DIRTY_MAX: Final = {MASK32: 1 << 66, MASK64: 1 << 98}
"""How far a dirty value may be from zero: more digits would make every operation on it slower."""


def unsigned(fragment: Fragment, mask: int, compact: bool = False) -> tuple[str, int]:
    """(text, precedence) of the canonical unsigned value; `mask` is 2**32 - 1 or 2**64 - 1."""
    text, prec, lo, hi, _, _, form, one, _ = fragment
    if lo >= 0 and hi <= mask:
        return text, prec
    if form == OFFSET and lo < _SMALL_OFFSET and not compact:
        return f"{text} if {one} <= {ONE_DIGIT} else {text} & {mask}", TERNARY
    if not compact:
        if lo >= -mask - 1 and hi <= mask:
            if prec == NAME:
                return f"{text} if {text} >= 0 else {text} + {mask + 1}", TERNARY
            return f"t if (t := {text}) >= 0 else t + {mask + 1}", TERNARY
        if form == SUMMED and hi <= mask << 1:
            if lo >= 0:
                return f"t if (t := {text}) <= {ONE_DIGIT} else t & {mask}", TERNARY
            if lo >= -mask - 1:
                return f"t if 0 <= (t := {text}) <= {ONE_DIGIT} else t & {mask}", TERNARY
    return f"{grouped(text, prec, AND)} & {mask}", AND


def signed(fragment: Fragment, mask: int) -> tuple[str, int]:
    """(text, precedence) of the signed value."""
    text, prec, lo, hi, _, _, form, one, _ = fragment
    half = (mask + 1) >> 1
    if lo >= -half and hi < half:
        return text, prec
    if form == CONST:
        return str(lo - mask - 1), UNARY
    if form == TWIN:
        return one, prec
    if lo >= 0 and hi <= mask:
        if prec == NAME:
            return f"{text} if {text} <= {ONE_DIGIT} else ({text} ^ {half}) - {half}", TERNARY
        return f"t if (t := {text}) <= {ONE_DIGIT} else (t ^ {half}) - {half}", TERNARY
    if lo >= -mask - 1 and hi <= mask:
        return f"t if {-half} <= (t := {text}) < {half} else (t & {mask} ^ {half}) - {half}", TERNARY
    return f"t if (t := {grouped(text, prec, AND)} & {mask}) < {half} else t - {mask + 1}", TERNARY


def truth(fragment: Fragment, mask: int = MASK32) -> tuple[str, str]:
    """(condition, negation): Python conditions that hold where the value is not zero, and where it is."""
    text, prec, lo, hi, _, _, form, one, two = fragment
    if form == CONDITION:
        return one, two
    if lo < -mask or hi > mask:
        text, prec = f"{grouped(text, prec, AND)} & {mask}", AND
    return grouped(text, prec, NOT), f"not {grouped(text, prec, NOT)}"


def signed_constant(fragment: Fragment, mask: int) -> int:
    """Signed value of a constant fragment."""
    value = fragment[2]
    return value - mask - 1 if value > mask >> 1 else value


def bounded(fragment: Fragment, mask: int) -> Fragment:
    """The fragment itself, or its canonical form where it is too far from zero to stay dirty."""
    limit = DIRTY_MAX[mask]
    if fragment[3] < limit and fragment[2] > -limit:
        return fragment
    text, prec = unsigned(fragment, mask)
    return (text, prec, 0, mask, fragment[4], fragment[5], 0, "", "")
