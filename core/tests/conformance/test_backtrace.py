"""Frames of traps: functions by name, instructions by offset, innermost first."""

from __future__ import annotations

import pytest

from purewasm import Runtime, Trap
from purewasm.binary.body import decode_body
from purewasm.wasm.opcodes import NAME


def frames(runtime: Runtime, text: str, *arguments: int) -> list[tuple[str | None, str]]:
    """(function, instruction) of each frame of the trap of export `f`."""
    instance = runtime.instantiate(text)
    with pytest.raises(Trap) as caught:
        instance.exports.f(*arguments)
    found = []
    for frame in caught.value.frames:
        wasm = instance.wasm
        body = decode_body(wasm, wasm.codes[frame.function_index - wasm.imported_functions])
        found.append((frame.function, NAME[body.ops[body.offsets.index(frame.offset)]]))
    return found


def test_calls_and_the_instruction_that_trapped(runtime: Runtime) -> None:
    text = """(module (memory 1) (type $t (func (param i32) (result i32))) (table 1 funcref) (elem (i32.const 0) $inner)
      (func $inner (param i32) (result i32) (i32.add (i32.const 1) (i32.load offset=4 (local.get 0))))
      (func $middle (param i32) (result i32) (i32.mul (i32.const 3) (call_indirect (type $t) (local.get 0) (i32.const 0))))
      (func $outer (export "f") (param i32) (local i32)
        (loop $l (local.set 1 (call $middle (i32.sub (local.get 0) (i32.const 8)))) (br_if $l (i32.eqz (local.get 1))))))"""
    assert frames(runtime, text, 0) == [("inner", "i32.load"), ("middle", "call_indirect"), ("outer", "call")]


@pytest.mark.parametrize(("body", "instruction"), [
    ("(unreachable)", "unreachable"),
    ("(if (local.get 0) (then (nop)) (else (drop (i32.div_u (i32.const 1) (local.get 0)))))", "i32.div_u"),
    ("(drop (i32.div_s (i32.const 1) (local.get 0)))", "i32.div_s"),
    ("(i64.store (i32.const -1) (i64.const 0))", "i64.store"),
    ("(drop (i32.trunc_f64_u (f64.const -5)))", "i32.trunc_f64_u"),
    ("(drop (ref.as_non_null (ref.null func)))", "ref.as_non_null"),
    ("(memory.fill (i32.const -1) (i32.const 0) (i32.const 9))", "memory.fill"),
    ("(block (block (br_if 0 (i32.eqz (local.get 0))) (return)) (drop (i32.load8_u (i32.const -1))))", "i32.load8_u"),
])  # fmt: skip
def test_instruction_that_trapped(runtime: Runtime, body: str, instruction: str) -> None:
    assert frames(runtime, f'(module (memory 1) (func (export "f") (param i32) {body}))', 0) == [("f", instruction)]


def test_recursion_keeps_the_innermost_frames(runtime: Runtime) -> None:
    instance = runtime.instantiate('(module (func $f (export "f") (call $f)))')
    with pytest.raises(Trap) as caught:
        instance.exports.f()
    assert 100 <= len(caught.value.frames) <= 1000
    assert {0} == {frame.function_index for frame in caught.value.frames}


def test_names_of_modules(runtime: Runtime) -> None:
    runtime.instantiate('(module $left (func (export "bad") (unreachable)))', name="left")
    user = runtime.instantiate('(module (import "left" "bad" (func $bad)) (func (export "f") (call $bad)))', name="right")
    with pytest.raises(Trap) as caught:
        user.exports.f()
    assert [("left", "bad"), ("right", "f")] == [(frame.module, frame.function) for frame in caught.value.frames]


def test_trap_in_a_start_function_has_frames(runtime: Runtime) -> None:
    with pytest.raises(Trap) as caught:
        runtime.instantiate("(module (func $bad (unreachable)) (func $start (call $bad)) (start $start))")
    assert ["bad", "start"] == [frame.function for frame in caught.value.frames]


def test_functions_that_made_a_tail_call_are_gone(runtime: Runtime) -> None:
    text = """(module (func $bad (unreachable)) (func $gone (return_call $bad)) (func (export "f") (call $gone) (nop)))"""
    assert [frame[0] for frame in frames(runtime, text)] in (["bad", "f"], ["bad", "gone", "f"])
