"""Whole functions as machine code: control flow, calls, multiple values, tail calls, fuel; and random ones against the interpreter."""

from __future__ import annotations

import struct
from random import Random

import pytest

from core.tests.processors import random_processor
from core.tests.unit.isa.x64.loaded_code import CAN_RUN, LoadedCode
from core.tests.unit.isa.x64.random_loops import LoopGenerator
from core.tests.unit.isa.x64.random_programs import Generator
from purewasm import Runtime
from purewasm.isa.x64.cpu import X86_64_V3

pytestmark = pytest.mark.skipif(not CAN_RUN, reason="needs Linux on an x86-64 processor with AVX2 and BMI2")

ARGUMENTS = ((0, 0, 0), (1, 2, 3), (0xFFFFFFFF, (1 << 64) - 1, 0x80000000), (12345, 1 << 63, 77))


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("explicit_checks", [False, True])
@pytest.mark.parametrize("baseline", [False, True])
def test_random_programs_do_what_the_interpreter_does(seed: int, explicit_checks: bool, baseline: bool) -> None:
    text = Generator(seed).module()
    processor = random_processor(Random(seed)) if seed % 2 else X86_64_V3
    loaded = LoadedCode(text, processor, explicit_checks=explicit_checks, baseline=baseline)
    with Runtime(engine="interpreter") as runtime:
        for args in ARGUMENTS:
            instance = runtime.instantiate(text)
            loaded.memory[:65536] = bytes(65536)
            expected = instance.exports.run(*args) & (1 << 64) - 1
            assert expected == loaded.run("run", *args)


@pytest.mark.parametrize("seed", range(100))
@pytest.mark.parametrize("baseline", [False, True])
def test_random_loops_do_what_the_interpreter_does(seed: int, baseline: bool) -> None:
    text = LoopGenerator(seed).module()
    loaded = LoadedCode(text, random_processor(Random(seed)) if seed % 4 == 3 else X86_64_V3, baseline=baseline)
    with Runtime(engine="interpreter") as runtime:
        for args in ((0, 0, 0), (5, 9, 1 << 40), (0xFFFF_FFFD, 1000, (1 << 64) - 7)):
            instance = runtime.instantiate(text)
            loaded.memory[:65536] = bytes(65536)
            assert instance.exports.run(*args) & (1 << 64) - 1 == loaded.run("run", *args)


def test_thousands_of_values_at_once() -> None:
    """All in slots, since they live across a call."""
    count = 6000
    loads = "\n".join(f"(i64.load offset={8 * i} (local.get 0))" for i in range(count))
    fold = "\n".join("i64.xor" if i % 2 else "i64.sub" for i in range(count - 1))
    loaded = LoadedCode(f"""(module (memory 1)
      (func $none (param i32) (result i32) (local.get 0))
      (func (export "run") (param i32) (result i64) {loads} (drop (call $none (i32.const 8))) {fold}))""")
    values = [Random(i).getrandbits(64) for i in range(count)]
    struct.pack_into(f"<{count}Q", loaded.memory, 0, *values)
    expected = values.pop()
    for i in range(count - 1):
        expected = (values.pop() ^ expected if i % 2 else values.pop() - expected) & (1 << 64) - 1
    assert loaded.run("run", 0) == expected


def test_more_arguments_than_registers_and_more_results_than_one() -> None:
    params = "i32 i64 f32 f64 " * 4
    gets = "".join(f"(local.get {i})" for i in reversed(range(16)))
    results = "f64 f32 i64 i32 " * 4
    text = f"""(module (memory 1)
      (func $reverse (param {params}) (result {results}) {gets})
      (func (export "run") (param i32) {" ".join(f"(local $r{i} {t})" for i, t in enumerate(results.split()))}
        {" ".join(f"({t}.const {i + 1})" for i, t in enumerate(params.split()))}
        (call $reverse)
        {" ".join(f"(local.set $r{i})" for i in reversed(range(16)))}
        {" ".join(f"({t}.store offset={8 * i} (local.get 0) (local.get $r{i}))" for i, t in enumerate(results.split()))}))"""
    loaded = LoadedCode(text)
    loaded.run("run", 64)
    formats = {"i32": "<I", "i64": "<Q", "f32": "<f", "f64": "<d"}
    actual = [struct.unpack_from(formats[t], loaded.memory, 64 + 8 * i)[0] for i, t in enumerate(results.split())]
    assert actual == list(range(16, 0, -1))


def test_a_tail_call_makes_room_for_more_stack_arguments_and_runs_in_constant_stack() -> None:
    many = "i64 " * 12
    text = f"""(module
      (func $few (param i64 i64) (result i64)
        (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
        (return_call $many (i64.sub (local.get 0) (i64.const 1)) (local.get 1) {"".join(f"(i64.const {i})" for i in range(10))}))
      (func $many (param {many}) (result i64)
        (return_call $few (local.get 0) (i64.add (local.get 1) (i64.add (local.get 11) (local.get 6)))))
      (func (export "run") (param i64 i64) (result i64)
        (i64.add (call $few (local.get 0) (local.get 1)) (i64.const 1000))))"""
    assert LoadedCode(text).run("run", 200_000, 5) == 1000 + 5 + 200_000 * 13


def test_a_tail_call_passes_on_where_further_results_go() -> None:
    text = """(module
      (func $end (param i64) (result i64 i64 i64) (local.get 0) (i64.const 20) (i64.const 3))
      (func $start (param i64 i64) (result i64 i64 i64) (return_call $end (local.get 1)))
      (func (export "run") (param i64 i64) (result i64)
        (call $start (local.get 0) (local.get 1)) (i64.add) (i64.mul)))"""
    assert LoadedCode(text).run("run", 1, 7) == 7 * 23


def test_indirect_calls_find_functions_by_index_and_type() -> None:
    text = """(module (type $unary (func (param i64) (result i64))) (table 4 funcref) (elem (i32.const 1) $double $square)
      (func $double (param i64) (result i64) (i64.add (local.get 0) (local.get 0)))
      (func $square (param i64) (result i64) (i64.mul (local.get 0) (local.get 0)))
      (func (export "run") (param i32 i64) (result i64) (call_indirect (type $unary) (local.get 1) (local.get 0)))
      (func (export "tail") (param i32 i64) (result i64) (return_call_indirect (type $unary) (local.get 1) (local.get 0))))"""
    loaded = LoadedCode(text)
    assert (20, 100) == (loaded.run("run", 1, 10), loaded.run("run", 2, 10))
    assert (20, 100) == (loaded.run("tail", 1, 10), loaded.run("tail", 2, 10))


def test_a_loop_is_left_by_a_branch_over_a_branch() -> None:
    """What is carried out of the loop differs from what the next turn gets, and the branch's condition is turned round."""
    text = """(module (func (export "run") (param i64 i64) (result i64) (local $sum i64)
      (block $out (result i64)
        (loop $again
          (block $on
            (br_if $on (i64.ne (local.get 0) (local.get 1)))
            (br $out (local.get $sum)))
          (block $on
            (br_if $on (i64.ne (local.get $sum) (i64.const 100)))
            (br $out (i64.const 7777)))
          (local.set $sum (i64.add (local.get $sum) (local.get 0)))
          (local.set 0 (i64.add (local.get 0) (i64.const 1)))
          (br $again))
        (unreachable))))"""
    loaded = LoadedCode(text)
    assert loaded.run("run", 3, 9) == 3 + 4 + 5 + 6 + 7 + 8
    assert loaded.run("run", 100, 109) == 7777


@pytest.mark.parametrize("name", ["add", "sub", "xor", "mul", "shl", "shr_u", "rotl", "div_u"])
def test_operations_on_a_value_that_has_just_gone_to_its_slot(name: str) -> None:
    """More values live than there are registers, each computed from the one before and from an old one, on either side."""
    count = 24
    turns = "".join(
        f"(local.set {i + 2} (i64.or (i64.{name} "
        + (f"(local.get {i + 1}) (local.get {i // 2})" if i % 2 else f"(local.get {i // 2}) (local.get {i + 1})")
        + f") (i64.const {2 * i + 1})))"
        for i in range(count)
    )
    sums = "(local.get 0)" + "".join(f"(local.get {i}) (i64.add) (i64.const 3) (i64.rotl)" for i in range(1, count + 2))
    text = f"""(module (func (export "run") (param i64 i64) (result i64) (local {"i64 " * count}) {turns} {sums}))"""
    loaded = LoadedCode(text)
    with Runtime(engine="interpreter") as runtime:
        exports = runtime.instantiate(text).exports
        for args in ((1, 2), (0x123456789ABCDEF, 77), ((1 << 64) - 1, 1 << 63)):
            assert loaded.run("run", *args) == exports.run(*args) & (1 << 64) - 1


def test_a_call_by_reference_may_be_to_a_subtype() -> None:
    text = """(module (type $base (sub (func (param i64) (result i64)))) (type $derived (sub $base (func (param i64) (result i64))))
      (table 2 funcref) (elem (i32.const 0) $plus)
      (func $plus (type $derived) (i64.add (local.get 0) (i64.const 5)))
      (elem declare func $plus)
      (func (export "run") (param i64) (result i64) (call_ref $base (local.get 0) (ref.func $plus))))"""
    assert LoadedCode(text).run("run", 37) == 42


def test_fuel_is_charged_by_segments() -> None:
    text = """(module (func (export "run") (param i32) (result i32)
      (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (i32.const 7)))"""
    loaded = LoadedCode(text, fuel=True)
    before = loaded.fuel
    assert loaded.run("run", 10) == 7
    # local.get, const, sub, tee and br_if ten times, then a const: block structure is free.
    assert before - loaded.fuel == 10 * 5 + 1


@pytest.mark.parametrize(
    "text",
    [
        """(module (memory 1) (func (export "run") (param $a i32) (param $b i32) (param $l i64) (result i64) (local $c i32) (local $d
        i32) (local $e i32) (local $y f64) (local $z f64) (local $v v128) (local $w v128) (local $k0_2 i32) (local $k1_3 i32) (block
        $B6 (loop $L6 (br_if $B6 (i32.eqz (i32.le_u (local.get $k1_3) (i32.const 10)))) (loop $L7 (if (local.get $d) (then) (else
        (local.set $w (i8x16.splat (i32.load8_u offset=100 (i32x4.extract_lane 3 (local.get $w))))) (local.set $c (local.get $c))))
        (local.set $w (select (local.get $v) (local.get $w) (i32.wrap_i64 (local.get $l)))) (local.set $k0_2 (local.get $k0_2)))
        (block $B8 (loop $L8 (br_if $B8 (i32.eqz (i32.le_u (local.get $k0_2) (i32.const 10)))) (if (i32.trunc_sat_f64_s (f64.const
        0)) (then) (else (local.set $b (i32.popcnt (i32.const 1))) (local.set $e (select (i32.const 1531483048) (i32.rotl (i32.load
        offset=0 (local.get $e)) (i32.extend8_s (local.get $b))) (i32.trunc_sat_f64_s (f64.div (local.get $z) (f64.const 1)))))))
        (br_if $B8 (i32.const -117911)))) (local.set $k1_3 (i32.add (local.get $k1_3) (i32.const 1))) (br $L6))) (if (local.get $c)
        (then) (else (local.set $y (f64.convert_i32_s (local.get $b))))) (i64.trunc_sat_f64_s (local.get $y))))""",
        """(module (memory 1) (func (export "run") (param $a i32) (param $b i32) (param $l i64) (result i64) (local $c i32) (local $d
        i32) (local $m i64) (local $o i64) (local $y f64) (local $k0_2 i32) (local $k1_1 i32) (local $k1_3 i32) (local $k2_2 i32) (if
        (i32.const 1) (then (loop $L1 (local.set $k0_2 (i32.add (local.get $k0_2) (i32.const 1)))))) (if (i32.const 1) (then
        (local.set $d (i32.const 1)))) (block $B12 (loop $L12 (br_if $B12 (local.get $k1_3)) (loop $L13 (local.set $y
        (f64.convert_i64_s (local.get $m))) (br_if $L13 (i32.sub (local.get $k0_2) (i32.const 1)))) (local.set $m (local.get $o))
        (block $B15 (loop $L15 (br_if $B15 (i32.eqz (i32.le_u (local.get $k2_2) (i32.const 4)))) (local.set $d (i32.gt_u (local.get
        $k2_2) (local.get $c))) (block $B16 (br_if $B16 (i32.le_u (local.get $k1_1) (i32.const 10))) (local.set $b (i32.load offset=4
        (i32.popcnt (i32.const -1)))) (local.set $o (i64.mul (i64.rem_u (i64.rem_u (local.get $m) (i64.const 7)) (i64.const 7))
        (i64.load8_u offset=8 (f64.ge (local.get $y) (local.get $y))))) (local.set $k1_1 (local.get $k1_1))) (br_if $B15 (local.get
        $b)) (local.set $k2_2 (local.get $k2_2)))) (local.set $k1_3 (i32.const 2)) (br $L12))) (i64.extend_i32_u (local.get $d))))""",
    ],
)
def test_a_value_that_rested_does_not_come_back_over_the_one_that_got_its_register(text: str) -> None:
    loaded = LoadedCode(text)
    with Runtime(engine="interpreter") as runtime:
        expected = runtime.instantiate(text).exports.run(5, 9, 1 << 40) & (1 << 64) - 1
    assert expected == loaded.run("run", 5, 9, 1 << 40)
