from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import assemble
from purewasm.binary.expressions import expression_at, skip_expression, start_of_instruction
from purewasm.binary.types import TypeSpace
from purewasm.errors import MalformedError
from purewasm.wasm.features import Features
from purewasm.wasm.opcodes import CODE

SPACE = TypeSpace([], Features.all().bits)


@pytest.mark.parametrize(
    "code",
    [
        assemble("end"),
        assemble("i32.const", 5, "end"),
        assemble("block", b"\x40", "loop", b"\x40", "end", "if", b"\x7f", "else", "end", "end", "end"),
        assemble("try", b"\x40", "delegate", 0, "try_table", b"\x40\0", "end", "end"),
        assemble("br_table", 60, bytes(61), "end"),
        assemble("i32.const", 0, "drop") * 200 + assemble("end"),
    ],
)
def test_the_end_is_the_one_that_closes_the_expression(code: bytes) -> None:
    rest = iter(code + b"\x2a")
    skip_expression(rest, SPACE)
    assert list(rest) == [0x2A]
    place = expression_at(b"??" + code + b"\x2a", 2, 2 + len(code) + 1, SPACE)
    assert (place.start, place.end) == (2, 2 + len(code))


def test_an_expression_without_an_end() -> None:
    with pytest.raises(StopIteration):
        expression_at(assemble("i32.const", 1, "end"), 0, 2, SPACE)
    with pytest.raises(MalformedError, match="illegal opcode ff"):
        expression_at(b"\xff" + bytes(100), 0, 101, SPACE)


def test_the_start_of_the_instruction_that_a_byte_belongs_to() -> None:
    code = assemble("i32.const", 300, "local.get", 1, "end")
    found = [start_of_instruction(code, position, SPACE) for position in range(1, len(code) + 1)]
    assert found == [(0, CODE["i32.const"])] * 3 + [(3, CODE["local.get"])] * 2 + [(5, CODE["end"])]
