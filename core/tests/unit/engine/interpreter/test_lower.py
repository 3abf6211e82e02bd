"""The lowering as a whole: every instruction has a handler, and the text keeps its promises."""

from __future__ import annotations

import re

import pytest

from purewasm import Features, Runtime
from purewasm.binary.body import decode_body
from purewasm.engine.interpreter import lower, structured
from purewasm.engine.interpreter.context import ModuleContext
from purewasm.engine.interpreter.lower import HANDLERS, is_leaf, is_plain_leaf, local_types, lower_function
from purewasm.wasm import opcodes
from purewasm.wasm.opcodes import CODE


def text_of(wat: str, function: int = 0, *, fuel: bool = False, interruptible: bool = False) -> lower.Lowered:
    with Runtime(engine="interpreter", features=Features.all()) as runtime:
        module = runtime.compile(wat).wasm
    context = ModuleContext(module, fuel=fuel, interruptible=interruptible)
    return lower_function(context, function, decode_body(module, module.codes[function - module.imported_functions]))


def body_of(wat: str) -> str:
    """Text of a function without its head."""
    return text_of(f"(module (memory 1) {wat})").source.partition("\n")[2].rstrip("\n")


def test_every_instruction_has_a_handler() -> None:
    assert opcodes.BY_CODE.keys() == HANDLERS.keys()


LOOP = """(module (memory 1) (global $g (mut i32) (i32.const 0)) (type $s (struct (field i32)))
  (func (param i32) (result i32) (local i32)
    (loop $l (local.set 1 (i32.add (local.get 1) (i32.load (local.get 0)))) (global.set $g (local.get 1))
      (drop (struct.get $s 0 (struct.new $s (i32.const 1))))
      (br_if $l (i32.lt_s (local.get 1) (i32.const 100)))) (local.get 1)))"""


def test_each_line_has_its_place() -> None:
    for fuel in (False, True):
        lowered = text_of(LOOP, fuel=fuel, interruptible=True)
        assert lowered.source.count("\n") == len(lowered.ats)


def test_same_input_same_text() -> None:
    assert text_of(LOOP) == text_of(LOOP)


def test_text_names_no_types_of_this_process() -> None:
    other = "(module (type (struct (field i64) (field f32))) (type (array i64)) (func))"
    before = text_of(LOOP).source
    text_of(other)
    assert before == text_of(LOOP).source


EXPRESSIONS = [
    ("(i32.add (local.get 0) (i32.const 1))", "l0 + 1 if l0 <= 1073741823 else l0 + 1 & 4294967295"),
    ("(i32.add (local.get 0) (local.get 1))", "t if (t := l0 + l1) <= 1073741823 else t & 4294967295"),
    ("(i32.xor (i32.shl (local.get 0) (i32.const 3)) (local.get 1))", "(l0 << 3 ^ l1) & 4294967295"),
    ("(i32.lt_s (local.get 0) (i32.const 2))", "1 if not 2 <= l0 <= 2147483647 else 0"),
    ("(i32.load8_u offset=3 (local.get 0))", "mem[l0 + 3]"),
    ("(i32.load (i32.const 8))", "u32[2]"),
    ("(if (result i32) (local.get 0) (then (local.get 1)) (else (i32.const 5)))", "l1 if l0 else 5"),
    ("(i32.eqz (i32.eqz (local.get 0)))", "1 if l0 else 0"),
]


@pytest.mark.parametrize(("expression", "expected"), EXPRESSIONS)
def test_expressions(expression: str, expected: str) -> None:
    assert f" return {expected}" == body_of(f"(func (param i32 i32) (result i32) {expression})")


def test_if_else_needs_no_loop() -> None:
    text = body_of(
        "(func (param i32) (result i32) (local i32) (block $a (block $b (br_if $b (local.get 0)) (local.set 1 (i32.const 5)) (br $a))"
        "(local.set 1 (i32.const 6))) (local.get 1))"
    )
    assert text == " l1 = 0\n if l0:\n  l1 = 6\n else:\n  l1 = 5\n return l1"


def test_loop_that_ends_at_its_end() -> None:
    text = body_of("(func (param i32) (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))")
    assert text == " while True:\n  l0 = t if (t := l0 - 1) >= 0 else t + 4294967296\n  if not l0:\n   break\n return"


def test_switch_is_a_search() -> None:
    cases = ")".join(f"(return (i32.const {i}))" for i in range(8))
    text = body_of(f"(func (param i32) (result i32) {'(block ' * 9}(br_table 0 1 2 3 4 5 6 7 8 (local.get 0))){cases}) (i32.const 9))")
    assert "while" not in text
    assert max(len(line) - len(line.lstrip()) for line in text.split("\n")) <= 5


def test_long_expressions_are_cut() -> None:
    text = body_of(f"(func (param i32) (result i32) {'(local.get 0)' * 2000}{'(i32.mul)' * 1999})")
    assert max(map(len, text.split("\n"))) < 700


def test_compact_text_outside_of_loops_of_long_functions() -> None:
    step = "(local.set 0 (i32.add (local.get 0) (local.get 1)))"
    assert "l0 = l0 + l1 & 4294967295" in body_of(f"(func (param i32 i32) {step * 60})")
    assert "l0 = t if" in body_of(f"(func (param i32 i32) {step * 5})")


def test_what_nests_too_deeply_is_a_state_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structured, "MAX_NESTED_LOOPS", 2)
    loops = "".join(f"(loop $l{i} " for i in range(4))
    branches = "".join(f"(br_if $l{i} (local.get 0))" for i in (0, 3, 1, 2))
    text = body_of(f"(func (param i32) {loops}{branches}{')' * 4})")
    assert len(re.findall("while", text)) == 1
    assert " pc = 0" in text


def test_leaves() -> None:
    plain, looping, calling = [CODE["local.get"], 0x0B], [0x03, 0x0B, 0x0B], [0x10, 0x0B]
    assert [True, True, False] == [is_leaf(ops) for ops in (plain, looping, calling)]
    assert [True, False, False] == [is_plain_leaf(ops) for ops in (plain, looping, calling)]


def test_types_of_locals() -> None:
    with Runtime(engine="interpreter") as runtime:
        module = runtime.compile("(module (func (param i32 f64) (local i64 i64 f32)))").wasm
    assert local_types(module, 0) == [0x7F, 0x7C, 0x7E, 0x7E, 0x7D]
