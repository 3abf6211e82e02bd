"""Fragments: the pending expressions of the lowering, as plain tuples of text and facts.

The operand stack of the guest becomes a stack of fragments at lowering time; a fragment turns into Python text that is not yet
part of any statement. Integers are kept *unsigned canonical* in locals, temporaries, globals and memory, but inside an expression
a fragment may be "dirty": any int that is congruent to the value modulo 2**32 or 2**64, with `lo <= value <= hi` known.
`normalise` makes canonical text of one where a consumer needs it.

A fragment is `(text, prec, lo, hi, reads, impure, form, one, two)`:

- `text`, `prec`: Python expression, and the precedence of its outermost operator (constants below);
- `lo`, `hi`: bounds of an integer (0, 0 for any other type);
- `reads`: bit set of the locals that the text names, so that a write to one can first save the old value;
- `impure`: 0, or 1 + the index of the first instruction in it that may trap, read memory or globals, or call: such a fragment
  keeps its place in the order of effects;
- `form`: what `one` and `two` hold, see below.
"""

from __future__ import annotations

from purewasm.light_typing import Final

Fragment = tuple[str, int, int, int, int, int, int, str, str]

# precedence of Python operators, lowest first; a fragment is put in parentheses where its consumer binds tighter
TERNARY: Final = 1
NOT: Final = 2
COMPARE: Final = 3
OR: Final = 4
XOR: Final = 5
AND: Final = 6
SHIFT: Final = 7
SUM: Final = 8
PRODUCT: Final = 9
UNARY: Final = 10
ATOM: Final = 11
NAME: Final = 12  # a variable: evaluating it twice costs nothing

PLAIN: Final = 0
CONST: Final = 1  # an integer literal; its value is lo (= hi), canonical unsigned
CONDITION: Final = 2  # `1 if one else 0`; `two` is the negation of `one`, both free of top-level conditional expressions
TWIN: Final = 3  # a load; `one` reads the same bytes as a signed number
OFFSET: Final = 4  # `one + lo`, where `one` is a variable that holds a canonical value
SUMMED: Final = 5  # a sum or difference: normalised by a conditional expression that tests the usual case first

MASK32: Final = 0xFFFF_FFFF
MASK64: Final = 0xFFFF_FFFF_FFFF_FFFF
ONE_DIGIT: Final = (1 << 30) - 1
"""Largest int of one CPython digit: comparing with it and staying below it are the fast cases of CPython's integers."""

MAX_TEXT: Final = 300
"""A longer fragment is put in a variable: the parser and the compiler recurse over nested expressions."""

SCRATCH: Final = "t"
"""The one variable that expressions assign to in passing; never live across two operands."""


def variable(name: str, lo: int, hi: int, reads: int = 0) -> Fragment:
    """A variable that holds a value within [lo, hi]."""
    return (name, NAME, lo, hi, reads, 0, PLAIN, "", "")


def constant(value: int) -> Fragment:
    """An integer literal, canonical unsigned."""
    return (str(value), ATOM, value, value, 0, 0, CONST, "", "")


def condition(yes: str, no: str, reads: int, impure: int) -> Fragment:
    """The i32 that is 1 where the Python condition `yes` holds; `no` is its negation."""
    return (f"1 if {yes} else 0", TERNARY, 0, 1, reads, impure, CONDITION, yes, no)


def inside(fragment: Fragment, prec: int) -> str:
    """Text of the fragment as an operand where anything that binds weaker than `prec` needs parentheses."""
    return fragment[0] if fragment[1] >= prec else f"({fragment[0]})"


def grouped(text: str, own: int, prec: int) -> str:
    """The same for text and precedence apart."""
    return text if own >= prec else f"({text})"
