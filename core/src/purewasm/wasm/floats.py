"""Floating-point arithmetic (spec: floating-point operations). Values are as `float_bits` has them.

Arithmetic on f32 is arithmetic on f64, rounded: that is exact for + - * / and sqrt, since f64 has more than twice the bits of
f32 (Figueroa, "When is double rounding innocuous?"), and for everything whose f64 result is an f32 already.

NaN results: `neg`, `abs` and `copysign` change the sign bit and nothing else. Everything else gives an arithmetic NaN, canonical
if each NaN among the operands is: the processor's own rule (an operand made quiet) where Python's arithmetic yields a NaN,
`NAN` (canonical, positive) where Python would raise.
"""

from __future__ import annotations

from math import copysign, inf, nan, sqrt

from purewasm.light_library import add, mul, neg, sub
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.float_bits import round_f32

if TYPE_CHECKING:
    from collections.abc import Callable

NAN: Final = nan
"""The canonical, positive NaN, of f64 and of f32."""
_TWO_52: Final = float(1 << 52)
"""From here on every f64 is an integer."""

# Operations that f32 and f64 share: on an f32 their result is an f32.


def ceil(a: float) -> float:
    r = -(-a // 1.0)  # the quotient of a zero, and one that is zero, has the sign that the spec wants
    return r if r == r else a + 0.0  # an infinity, or a NaN, which the addition makes quiet


def floor(a: float) -> float:
    r = a // 1.0
    return r if r == r else a + 0.0


def trunc(a: float) -> float:
    r = a // 1.0 if a > 0.0 else -(-a // 1.0)
    return r if r == r else a + 0.0


def nearest(a: float) -> float:
    """To the nearest integer, ties to even. Adding 2**52 leaves no bit for a fraction; the sign is that of the operand."""
    if a > 0.0:
        return a + _TWO_52 - _TWO_52 if a < _TWO_52 else a
    if a < 0.0:
        return -(_TWO_52 - a - _TWO_52) if a > -_TWO_52 else a
    return a * 1.0


def minimum(a: float, b: float) -> float:
    """The smaller one; -0.0 is less than 0.0, and a NaN wins."""
    if a < b:
        return a
    if b < a:
        return b
    if a == b:
        return a if a else -(-a - b)
    return a + b


def maximum(a: float, b: float) -> float:
    """The larger one; 0.0 is more than -0.0, and a NaN wins."""
    if a > b:
        return a
    if b > a:
        return b
    if a == b:
        return a if a else a + b
    return a + b


def eq(a: float, b: float) -> int:
    return 1 if a == b else 0


def ne(a: float, b: float) -> int:
    return 1 if a != b else 0


def lt(a: float, b: float) -> int:
    return 1 if a < b else 0


def gt(a: float, b: float) -> int:
    return 1 if a > b else 0


def le(a: float, b: float) -> int:
    return 1 if a <= b else 0


def ge(a: float, b: float) -> int:
    return 1 if a >= b else 0


# Operations that differ: those of f32 round.


def f64_sqrt(a: float) -> float:
    return sqrt(a) if a >= 0.0 else a + NAN


def f64_div(a: float, b: float) -> float:
    try:
        return a / b
    except ZeroDivisionError:
        if a == 0.0:
            return NAN
        return copysign(inf, a) * copysign(1.0, b) if a == a else a + b


def f32_sqrt(a: float) -> float:
    return round_f32(sqrt(a)) if a >= 0.0 else a + NAN


def f32_add(a: float, b: float) -> float:
    return round_f32(a + b)


def f32_sub(a: float, b: float) -> float:
    return round_f32(a - b)


def f32_mul(a: float, b: float) -> float:
    return round_f32(a * b)


def f32_div(a: float, b: float) -> float:
    return round_f32(f64_div(a, b))


_SHARED: Final[dict[str, Callable[..., float]]] = {
    "eq": eq,
    "ne": ne,
    "lt": lt,
    "gt": gt,
    "le": le,
    "ge": ge,
    "abs": abs,
    "neg": neg,
    "ceil": ceil,
    "floor": floor,
    "trunc": trunc,
    "nearest": nearest,
    "min": minimum,
    "max": maximum,
    "copysign": copysign,
}

FLOATS: Final[dict[str, Callable[..., float]]] = {
    **{f"f32.{name}": function for name, function in _SHARED.items()},
    "f32.sqrt": f32_sqrt,
    "f32.add": f32_add,
    "f32.sub": f32_sub,
    "f32.mul": f32_mul,
    "f32.div": f32_div,
    **{f"f64.{name}": function for name, function in _SHARED.items()},
    "f64.sqrt": f64_sqrt,
    "f64.add": add,
    "f64.sub": sub,
    "f64.mul": mul,
    "f64.div": f64_div,
}
"""Function of each floating-point instruction that is no conversion, by its name."""
