"""What rax is known to hold, and what makes it wrong: assignments from elsewhere, ways that meet, operands that are gone."""

from __future__ import annotations

import pytest

from core.tests.unit.isa.x64.loaded_code import CAN_RUN, LoadedCode

pytestmark = pytest.mark.skipif(not CAN_RUN, reason="needs Linux on an x86-64 processor with AVX2 and BMI2")

_TRIPLE = "local.get $a i64.const 3 i64.mul"
_SUM = "local.get 0 local.get $a i64.add"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # the local in rax is assigned from elsewhere
        ("local.get 0 i64.const 1 i64.add local.set $a  i64.const 5 local.set $a  " + _TRIPLE, 15),
        ("local.get 0 i64.const 1 i64.add local.set $a  i64.const 5 local.tee $a drop  " + _TRIPLE, 15),
        ("local.get 0 i64.const 1 i64.add local.set $a  local.get 1 local.set $a  " + _TRIPLE, 60),
        ("local.get 0 i64.const 1 i64.add local.set $a  local.get 1 local.tee $a drop  " + _TRIPLE, 60),
        # it was pushed before
        ("local.get $a  local.get 0 i64.const 1 i64.add local.set $a  local.get $a i64.sub", -8),
        ("local.get 0 i64.const 1 i64.add local.tee $a  i64.const 5 local.set $a  local.get $a i64.sub", 3),
        ("local.get 0 i64.const 1 i64.add local.tee $a  local.get 1 local.tee $a  local.get $a i64.sub i64.sub", 8),
        # two ways meet, one of which has something else in rax
        ("block local.get 0 i64.const 7 i64.eq br_if 0  local.get 1 i64.const 1 i64.add local.set $a end " + _TRIPLE, 0),
        ("block local.get 0 i64.const 8 i64.eq br_if 0  local.get 1 i64.const 1 i64.add local.set $a end " + _TRIPLE, 63),
        ("local.get 0 i64.eqz if local.get 1 local.set $a else local.get 0 local.get 1 i64.sub local.set 0 end " + _SUM, -13),
        # the condition is in rax, in the flags, or neither
        ("local.get 0 i64.const 3 local.get 1 i32.wrap_i64 select", 7),
        ("local.get 0 i64.const 3 local.get 0 local.get 1 i64.gt_u i32.eqz i32.eqz select", 3),
        ("local.get 0 local.get 1 i64.add  local.get 0 i64.const 7 i64.eq if (param i64) (result i64) i64.const 1 i64.add end", 28),
        ("local.get 0 local.get 1 i64.add  i64.const 0 i64.eqz  br_if 0  i64.const 1 i64.add", 27),
        ("local.get 0 local.get 1 i64.add  local.get 0 local.get 1 i64.lt_u  i64.extend_i32_u i64.sub", 26),
        # a result that nobody has stored yet, below another one
        ("local.get 0 i64.const 2 i64.add  local.get 1 i64.const 3 i64.mul  i64.sub", -51),
        ("local.get 0 i64.const 2 i64.add  local.get 1 i64.const 3 i64.mul  drop", 9),
        ("local.get 0 i64.const 2 i64.add  i32.const 40 local.get 1 i64.store  i32.const 8 i64.load offset=32  i64.add", 29),
        ("local.get 1 i64.const 3 i64.mul  local.get 0 i64.const 2 i64.add  i64.shl", 60 << 9),
        ("local.get 0 i64.const 2 i64.add  block (param i64) (result i64) br 0 end  local.get 1 i64.add", 29),
    ],
)  # fmt: skip
def test_values_are_those_of_the_last_assignment(body: str, expected: int) -> None:
    text = f'(module (memory 1) (func (export "run") (param i64 i64) (result i64) (local $a i64) {body}))'
    assert LoadedCode(text, baseline=True).run("run", 7, 20) == expected & (1 << 64) - 1
