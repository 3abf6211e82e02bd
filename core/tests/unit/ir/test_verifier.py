"""Each rule of the verifier, broken once."""

from __future__ import annotations

import pytest

from purewasm.errors import InternalError
from purewasm.ir.parser import parse_function
from purewasm.ir.verifier import verify

GOOD = """function 0 results (1) labels 3
  0: arg.i _ _ 0
  1: arg.f _ _ 1
  2: br_if 0 c1 (4, 0, [(8, 0)], 2)
  3: br _ _ ([(5, 0)], 1)
  4: loop _ _ 1
  5: param.i _ _ [0, 5]
  6: endloop _ _ 1
  7: label _ _ 2
  8: param.i _ _ [0]
  9: return _ _ (8)
  c0 = 0
  c1 = 0
"""


def test_good_ir_passes() -> None:
    verify(parse_function(GOOD))


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("used before it is defined", "br_if 0 c1", "br_if 5 c1"),
        ("no constant", "br_if 0 c1", "br_if 0 c7"),
        ("has no result", "return _ _ (8)", "return _ _ (7)"),
        ("is not bound", "[(5, 0)], 1)", "[(5, 0)], 9)"),
        ("bound twice", "label _ _ 2", "label _ _ 1"),
        ("not the innermost", "endloop _ _ 1", "endloop _ _ 2"),
        ("gives other parameters", "[(8, 0)], 2)", "[(5, 0)], 2)"),
        ("classes differ", "[(8, 0)], 2)", "[(8, 1)], 2)"),
        ("runs out", "return _ _ (8)", "i32.clz 8 _ 0"),
    ],
)
def test_a_broken_rule_is_named(rule: str, old: str, new: str) -> None:
    assert old in GOOD
    with pytest.raises(InternalError, match=rule):
        verify(parse_function(GOOD.replace(old, new, 1)))


LANDING = """function 0 results () labels 4
  0: br _ _ ([], 1)
  1: label _ _ 1
  2: call _ _ ((), 0, ((), ()))
  3: return _ _ ()
  4: label _ _ 2
  5: landing _ _ 2
  6: landing_tag _ _ (0)
  7: br _ _ ([], 3)
  8: label _ _ 3
  9: return _ _ ()
  c0 = 0
  c1 = 0
"""


def test_good_landing_pad_passes() -> None:
    verify(parse_function(LANDING))


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("goes to a landing pad", "br _ _ ([], 3)", "br _ _ ([], 2)"),
        ("goes to a landing pad", "br _ _ ([], 1)", "br _ _ ([], 2)"),
        ("is no call", "landing _ _ 2", "landing _ _ 0"),
        ("no landing_tag", "landing_tag _ _ (0)", "tag_word _ _ 0"),
        ("no label", "4: label _ _ 2", "4: ref_func _ _ 0"),
    ],
)
def test_each_rule_of_landing_pads(rule: str, old: str, new: str) -> None:
    assert old in LANDING
    with pytest.raises(InternalError, match=rule):
        verify(parse_function(LANDING.replace(old, new)))
