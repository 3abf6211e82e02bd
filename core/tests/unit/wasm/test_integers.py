"""Against the definitions of the specification, written with Python's signed arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tests.unit.wasm.definitions import signed
from core.tests.unit.wasm.operands import border_integers
from purewasm import traps
from purewasm.errors import Trap
from purewasm.wasm.integers import INTEGERS, integer_functions

if TYPE_CHECKING:
    from collections.abc import Callable


def towards_zero(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def rotated_left(value: int, count: int, bits: int) -> int:
    text = f"{value:0{bits}b}"
    return int(text[count % bits :] + text[: count % bits], 2)


UNARY: dict[str, Callable[[int, int], int]] = {
    "eqz": lambda a, _: int(a == 0),
    "clz": lambda a, bits: len(f"{a:0{bits}b}") - len(f"{a:0{bits}b}".lstrip("0")),
    "ctz": lambda a, bits: len(f"{a:0{bits}b}") - len(f"{a:0{bits}b}".rstrip("0")),
    "popcnt": lambda a, _: bin(a).count("1"),
    "extend8_s": lambda a, _: signed(a & 0xFF, 8),
    "extend16_s": lambda a, _: signed(a & 0xFFFF, 16),
}
# name: function of the operands as unsigned and as signed numbers, and the width
BINARY: dict[str, Callable[[int, int, int, int, int], int]] = {
    "eq": lambda a, b, *_: int(a == b),
    "ne": lambda a, b, *_: int(a != b),
    "lt_s": lambda _a, _b, x, y, _: int(x < y),
    "lt_u": lambda a, b, *_: int(a < b),
    "gt_s": lambda _a, _b, x, y, _: int(x > y),
    "gt_u": lambda a, b, *_: int(a > b),
    "le_s": lambda _a, _b, x, y, _: int(x <= y),
    "le_u": lambda a, b, *_: int(a <= b),
    "ge_s": lambda _a, _b, x, y, _: int(x >= y),
    "ge_u": lambda a, b, *_: int(a >= b),
    "add": lambda a, b, *_: a + b,
    "sub": lambda a, b, *_: a - b,
    "mul": lambda a, b, *_: a * b,
    "div_s": lambda _a, _b, x, y, _: towards_zero(x, y),
    "div_u": lambda a, b, *_: a // b,
    "rem_s": lambda _a, _b, x, y, _: x - y * towards_zero(x, y),
    "rem_u": lambda a, b, *_: a % b,
    "and": lambda a, b, *_: a & b,
    "or": lambda a, b, *_: a | b,
    "xor": lambda a, b, *_: a ^ b,
    "shl": lambda a, b, _x, _y, bits: a << b % bits,
    "shr_s": lambda _a, b, x, _y, bits: x >> b % bits,
    "shr_u": lambda a, b, _x, _y, bits: a >> b % bits,
    "rotl": lambda a, b, _x, _y, bits: rotated_left(a, b, bits),
    "rotr": lambda a, b, _x, _y, bits: rotated_left(a, -b, bits),
}
widths = pytest.mark.parametrize("bits", [32, 64])


def numbers(bits: int) -> st.SearchStrategy[int]:
    return st.sampled_from(border_integers(bits)) | st.integers(0, (1 << bits) - 1)


def test_the_definitions_here_are_of_all_operations() -> None:
    assert {*UNARY, *BINARY} == set(integer_functions(32))


@widths
@pytest.mark.parametrize("name", UNARY)
@given(data=st.data())
def test_unary(bits: int, name: str, data: st.DataObject) -> None:
    a = data.draw(numbers(bits))
    assert UNARY[name](a, bits) & (1 << bits) - 1 == integer_functions(bits)[name](a)


@widths
@pytest.mark.parametrize("name", BINARY)
@given(data=st.data())
def test_binary(bits: int, name: str, data: st.DataObject) -> None:
    a, b = data.draw(numbers(bits)), data.draw(numbers(bits))
    function = INTEGERS[f"i{bits}.{name}"]
    least = 1 << bits - 1
    if not b and name[:3] in ("div", "rem"):
        with pytest.raises(Trap, match=traps.INTEGER_DIVIDE_BY_ZERO):
            function(a, b)
    elif name == "div_s" and a == least and b == (1 << bits) - 1:
        with pytest.raises(Trap, match=traps.INTEGER_OVERFLOW):
            function(a, b)
    else:
        expected = BINARY[name](a, b, signed(a, bits), signed(b, bits), bits) & (1 << bits) - 1
        assert expected == function(a, b)


def test_remainder_of_the_least_integer_and_minus_one_is_zero() -> None:
    assert INTEGERS["i32.rem_s"](0x8000_0000, 0xFFFF_FFFF) == 0
    assert INTEGERS["i64.rem_s"](1 << 63, (1 << 64) - 1) == 0


@given(numbers(64))
def test_conversions_between_the_widths(a: int) -> None:
    low = a & 0xFFFF_FFFF
    assert INTEGERS["i32.wrap_i64"](a) == low
    assert INTEGERS["i64.extend_i32_u"](low) == low
    assert INTEGERS["i64.extend_i32_s"](low) == signed(low, 32) % (1 << 64)
    assert INTEGERS["i64.extend32_s"](a) == signed(low, 32) % (1 << 64)


@given(*[numbers(64)] * 4)
def test_wide_arithmetic(low_a: int, high_a: int, low_b: int, high_b: int) -> None:
    a, b = high_a << 64 | low_a, high_b << 64 | low_b
    results = {
        "add128": ((low_a, high_a, low_b, high_b), a + b),
        "sub128": ((low_a, high_a, low_b, high_b), a - b),
        "mul_wide_u": ((low_a, low_b), low_a * low_b),
        "mul_wide_s": ((low_a, low_b), signed(low_a, 64) * signed(low_b, 64)),
    }
    for name, (operands, exact) in results.items():
        assert (exact % (1 << 64), (exact >> 64) % (1 << 64)) == INTEGERS[f"i64.{name}"](*operands)
