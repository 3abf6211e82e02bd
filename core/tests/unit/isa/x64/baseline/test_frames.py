"""Frames of baseline code: what needs room there, and how they look from outside."""

from __future__ import annotations

import pytest

from core.tests.unit.isa.x64.loaded_code import CAN_RUN, FEATURES
from purewasm import Runtime, Trap
from purewasm.backend.machine_code import MachineCode, TargetOptions
from purewasm.binary.decoder import decode_module
from purewasm.isa.x64.baseline.compile import BaselineCompiler
from purewasm.isa.x64.baseline.forms import FRAME
from purewasm.isa.x64.baseline.state import numbers
from purewasm.isa.x64.cpu import X86_64_V3
from purewasm.text.assembler import assemble
from purewasm.validate.module import validate_module

ONLY_BASELINE = 1 << 62
runs_code = pytest.mark.skipif(not CAN_RUN, reason="needs Linux on an x86-64 processor with AVX2 and BMI2")


def compiled(text: str, index: int = 0) -> MachineCode | None:
    module = decode_module(assemble(text, FEATURES), FEATURES)
    validate_module(module, FEATURES)
    return BaselineCompiler(module, TargetOptions(X86_64_V3))(index)


def called(text: str, *args: int) -> object:
    with Runtime(engine="compiler", optimize_after=ONLY_BASELINE, features=FEATURES) as runtime:
        return runtime.instantiate(text).exports.run(*args)


@runs_code
def test_more_results_than_the_body_has_instructions() -> None:
    text = f"""(module (func $none) (func (export "run") (result {"i32 " * 40}) (call $none) (unreachable)))"""
    with pytest.raises(Trap, match="unreachable"):
        called(text)


@runs_code
@pytest.mark.parametrize("valtype", ["i64", "f64"])
def test_what_is_thrown_has_room_for_its_arguments(valtype: str) -> None:
    """In a function that calls others, which need less."""
    count = 20
    payload = " ".join(f"(local.get {i % 6})" for i in range(count))
    text = f"""(module (tag $t (param {f"{valtype} " * count})) (func $pair (result i32 i32) (i32.const 1) (i32.const 2))
      (func $throws (param {f"{valtype} " * 6})
        (drop (i32.add (call $pair))) (throw $t {payload}))
      (func (export "run") (result {f"{valtype} " * count})
        (block $caught (result {f"{valtype} " * count})
          (try_table (catch $t $caught) (call $throws {" ".join(f"({valtype}.const {i + 1})" for i in range(6))}))
          (unreachable))))"""
    assert called(text) == tuple(i % 6 + 1 for i in range(count))


def test_only_functions_that_call_have_room_for_arguments_and_results() -> None:
    text = f"""(module (func (param i32) (result i32) (i32.add (local.get 0) (local.get 0)))
      (func (param {"i64 " * 500}) (result {"i64 " * 500}) (unreachable))
      (func (call 1 {"(i64.const 1) " * 500}) {"(drop) " * 500}))"""
    small, large = compiled(text, 0), compiled(text, 2)
    assert small is not None
    assert large is not None
    assert small.frame_bytes < 64
    assert large.frame_bytes > 500 * 24


@pytest.mark.parametrize("count", [0, 1, 16, 17, 50_000])
@pytest.mark.parametrize("valtype", ["i64", "f32", "v128", "funcref"])
@runs_code
def test_locals_begin_as_zero(count: int, valtype: str) -> None:
    if not count:
        used = "(i32.const 0)"
    elif valtype == "v128":
        used = f"(i32.add (v128.any_true (local.get 1)) (v128.any_true (local.get {count})))"
    elif valtype == "funcref":
        used = f"(i32.add (ref.is_null (local.get 1)) (i32.sub (ref.is_null (local.get {count})) (i32.const 2)))"
    else:
        used = f"(i32.add ({valtype}.ne (local.get 1) ({valtype}.const 0)) ({valtype}.ne (local.get {count}) ({valtype}.const 0)))"
    dirty = " ".join(f"(i64.const {-i})" for i in range(1, 200)) + " i64.add" * 198
    text = f"""(module (func $dirty (result i64) {dirty})
      (func $zeros (param i32) (result i32) (local {f"{valtype} " * count}) {used})
      (func (export "run") (result i32) (drop (call $dirty)) (call $zeros (i32.const 7))))"""
    assert called(text) == 0


@runs_code
def test_thousands_of_operands_at_once() -> None:
    """More than may be locals that are read later: each is what its local was when it was pushed."""
    count = 5000
    pushes = " ".join(f"(local.get 0) (local.set 0 (i64.add (local.get 0) (i64.const {i})))" for i in range(count))
    text = f"""(module (func (export "run") (param i64) (result i64) {pushes} {"i64.sub " * (count - 1)}))"""
    values, value = [], 3
    for i in range(count):
        values.append(value)
        value += i
    expected = values.pop()
    while values:
        expected = values.pop() - expected
    assert called(text, 3) == expected


@runs_code
def test_traps_and_backtraces_name_the_place() -> None:
    """The same in frames of every size, with stack arguments or without, as the optimizing compiler's."""
    for count in (1, 30, 800):
        for params in ("", f"(param {'i64 ' * 9})", f"(param {'v128 ' * 9})"):
            arguments = params[7:-1].replace("i64", "(i64.const 1)").replace("v128", "(v128.const i64x2 1 2)")
            text = f"""(module $guest (memory 1)
              (func $traps {params} (result i64) (local {"i64 " * count})
                (i64.add (i64.const 1) (i64.load offset=65530 (i32.const 4))))
              (func $calls (result i64) (local {"i64 " * count}) (i64.add (i64.const 1) (call $traps {arguments})))
              (func (export "run") (result i64) (call $calls)))"""
            frames = []
            for after in (0, ONLY_BASELINE):
                with Runtime(engine="compiler", optimize_after=after) as runtime, pytest.raises(Trap) as caught:
                    runtime.instantiate(text).exports.run()
                frames.append([(frame.function, frame.offset) for frame in caught.value.frames])
            assert len(frames[0]) == 3
            assert frames[0] == frames[1]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("count", [0, 1, 1000, 1024, 5000, 9000, 40_000])
def test_numbers_of_slots(count: int, stride: int) -> None:
    first = FRAME + 3
    assert numbers(first, count, stride) == list(range(first, first + count * stride, stride))


@runs_code
@pytest.mark.parametrize("locals_", [0, 100, 600, 5000])
def test_the_stack_ends_in_frames_of_every_size(locals_: int) -> None:
    """With arguments on the stack; the instance is as good as before."""
    params = "i64 " * 9
    text = f"""(module (func $deeper (param i32 {params}) (result i32) (local {"i64 " * locals_})
        (if (result i32) (local.get 0)
          (then (i32.add (i32.const 1) (call $deeper (i32.sub (local.get 0) (i32.const 1))
            (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7) (local.get 8) (local.get 9) (local.get 1))))
          (else (i32.wrap_i64 (local.get 9)))))
      (func (export "run") (param i32) (result i32)
        (call $deeper (local.get 0) {" ".join(f"(i64.const {i})" for i in range(1, 10))})))"""
    with Runtime(engine="compiler", optimize_after=ONLY_BASELINE) as runtime:
        run = runtime.instantiate(text).exports.run
        assert run(4) == 4 + 4
        with pytest.raises(Trap, match="call stack exhausted") as caught:
            run(-1)
        assert {frame.function for frame in caught.value.frames[:20]} == {"deeper"}
        assert run(9) == 9 + 9


@runs_code
def test_exceptions_pass_through_frames_of_every_size() -> None:
    """The function that catches is not baseline code; its locals are what they were."""
    for count in (0, 40, 900):
        text = f"""(module (tag $t (param i64))
          (func $throws (param i32 {"i64 " * 9}) (local {"v128 " * count})
            (if (i32.eqz (local.get 0)) (then (throw $t (local.get 9))))
            (call $throws (i32.sub (local.get 0) (i32.const 1)) {" ".join(f"(local.get {i})" for i in (9, *range(1, 9)))}))
          (func (export "run") (param i32 i64) (result i64)
            (block $caught (result i64)
              (try_table (catch $t $caught) (call $throws (local.get 0) {" ".join(f"(i64.const {i})" for i in range(1, 10))}))
              (i64.const -1))
            (i64.mul (local.get 1))))"""
        for depth in range(4):
            assert called(text, depth, 1000) == 1000 * (9 - depth)


@runs_code
@pytest.mark.parametrize("options", [{}, {"fuel": True}, {"explicit_checks": True}])
def test_a_loop_is_replaced_while_it_runs_in_frames_of_every_size(options: dict[str, bool]) -> None:
    """All ways out of it carry operands: into blocks, to an outer loop's head, out of the function."""
    for count in (0, 30, 5000):
        text = f"""(module
          (func (export "run") (param i32 i32) (result i32 i64 f64) (local {"i64 " * count}) (local $n i32) (local $m i64)
            (f64.const 0.5) (i32.const 1) (i64.const 2)
            (loop $outer (param f64 i32 i64) (result f64 i32 i64)
              (local.set $m) (local.set $n)
              (f64.add (f64.const 1)) (local.get $n) (local.get $m)
              (loop $inner (param f64 i32 i64) (result f64 i32 i64)
                (i64.add (i64.const 3))
                (local.set $m)
                (i32.add (i32.const 1))
                (local.tee $n)
                (local.get $m)
                (br_if $inner (i32.and (local.get $n) (i32.const 7)))
                (br_if $outer (i32.lt_u (local.get $n) (local.get 0)))
                (if (param f64 i32 i64) (result f64 i32 i64) (local.get 1)
                  (then (local.set $m) (local.set $n) (local.set 0 (i32.trunc_sat_f64_s))
                    (return (local.get $n) (local.get $m) (f64.convert_i32_s (local.get 0)))))))
            (local.set $m) (local.set $n) (local.set 0 (i32.trunc_sat_f64_s))
            (local.get $n) (local.get $m) (f64.convert_i32_s (local.get 0))))"""
        found = []
        for after in (0, 1, 3, 7, 20, ONLY_BASELINE):
            with Runtime(engine="compiler", optimize_after=after, **options) as runtime:
                run = runtime.instantiate(text).exports.run
                found.append([run(20, 0), run(100, 1), run(3, 0)])
        assert all(one == found[0] for one in found)
        assert found[0][0][0] == 24
