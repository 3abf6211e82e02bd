"""The printer's text and the parser, which must give back what was printed."""

from __future__ import annotations

import pytest

from purewasm.ir import ops
from purewasm.ir.function import Function
from purewasm.ir.parser import parse_function
from purewasm.ir.printer import format_function

TEXT = """function 3 results (1) labels 3
  0: arg.i _ _ 0
  1: br _ _ ([(3, 0)], 1)
  2: loop _ _ 1
  3: param.i _ _ [0, 4]
  4: i32.sub 3 c2 0
  5: br_if 4 c1 (5, 0, [(3, 4)], 1)
  6: endloop _ _ 1
  7: i32.load 4 _ 16
  8: i32.add 4 mem (4, 16, 7)
  9: return _ _ (8)
  c0 = 0
  c1 = 0
  c2 = 1
  c3 = x0000803f
"""


def test_text_is_read_back_as_it_was_printed() -> None:
    assert format_function(parse_function(TEXT)) == TEXT


def test_the_parser_makes_the_tuples_of_the_ir() -> None:
    function = parse_function(TEXT)
    assert function.insts[4] == (0x6B, 3, ~2, 0)
    assert function.insts[5] == (ops.BR_IF, 4, ~1, (ops.CC_NE, ops.KIND_32, [(3, 4)], 1))
    assert function.insts[8] == (0x6A, 4, ops.MEM, (4, 16, 7))
    assert function.constants[3] == bytes.fromhex("0000803f")
    assert len(function.loops) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("  4: i32.sub 3 c2 0", "  4: i32.subtract 3 c2 0"), ("  4: i32.sub", "  5: i32.sub"), ("c2 = 1", "c4 = 1"), ("_ 16", "_ (16")],
)
def test_what_is_no_ir_is_an_error(wrong: str, said: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        parse_function(TEXT.replace(wrong, said))


def test_only_live_instructions_are_printed_when_liveness_is_given() -> None:
    function = Function(0, [(ops.ARG + 1, ops.NO, ops.NO, 0), (0x67, 0, ops.NO, 0), (ops.RETURN, ops.NO, ops.NO, ())], [0, 0])
    text = format_function(function, bytearray((1, 0, 1)))
    assert "i32.clz" not in text
    assert "2: return" in text
