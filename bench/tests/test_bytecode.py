"""Counting instructions of a module, and making it larger."""

from __future__ import annotations

import pytest

from bench.bytecode import count_instructions, repeat_functions

HEADER = b"\0asm\1\0\0\0"
TYPES = b"\x01\x05\x01\x60\x01\x7f\x00"  # one type: [i32] -> []


def module(*bodies: bytes) -> bytes:
    """A module with one function of type [i32] -> [] for each body (locals and instructions)."""
    functions = bytes([len(bodies)]) + b"\0" * len(bodies)
    code = bytes([len(bodies)]) + b"".join(bytes([len(body)]) + body for body in bodies)
    return HEADER + TYPES + bytes([3, len(functions)]) + functions + bytes([10, len(code)]) + code


NO_LOCALS = b"\x00"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(NO_LOCALS + b"\x0b", 1, id="the final end"),
        pytest.param(b"\x02\x02\x7f\x80\x01\x7e\x0b", 1, id="runs of locals"),
        pytest.param(NO_LOCALS + b"\x41\xff\xff\x00\x1a\x0b", 3, id="long numbers"),
        pytest.param(NO_LOCALS + b"\x44" + b"\x0b" * 8 + b"\x1a\x0b", 3, id="bytes of a constant are no instructions"),
        pytest.param(NO_LOCALS + b"\x20\x00\x0e\x02\x00\x00\x00\x0b", 3, id="br_table"),
        pytest.param(NO_LOCALS + b"\x02\x40\x0c\x00\x0b\x0b", 4, id="block, br, end"),
        pytest.param(NO_LOCALS + b"\x20\x00\x20\x00\x20\x00\xfc\x0b\x00\x0b", 5, id="a prefix byte"),
        pytest.param(NO_LOCALS + b"\xfd\x0c" + b"\x0b" * 16 + b"\x1a\x0b", 3, id="v128.const"),
    ],
)
def test_counts_every_instruction(body: bytes, expected: int) -> None:
    assert count_instructions(module(body)) == expected


def test_counts_all_bodies() -> None:
    assert count_instructions(module(NO_LOCALS + b"\x0b", NO_LOCALS + b"\x01\x01\x0b")) == 4


def test_refuses_what_c_compilers_do_not_make() -> None:
    throw_in_try_table = NO_LOCALS + b"\x1f\x40\x00\x0b\x0b"
    with pytest.raises(ValueError, match="not of a guest that a C compiler made"):
        count_instructions(module(throw_in_try_table))


@pytest.mark.parametrize("times", [1, 2, 200])
def test_repeated_functions_are_all_there(times: int) -> None:
    small = module(NO_LOCALS + b"\x0b", NO_LOCALS + b"\x01\x0b")
    assert count_instructions(repeat_functions(small, times)) == 3 * times


def test_repeating_once_changes_nothing() -> None:
    small = module(NO_LOCALS + b"\x0b")
    assert repeat_functions(small, 1) == small
