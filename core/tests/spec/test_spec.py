"""A few small files of the official testsuite on every engine, and the runner itself. `run.py` runs the whole suite."""

from __future__ import annotations

from typing import Final

import pytest

from core.tests.processors import PROCESSORS, processor
from core.tests.spec.run import available_engines, judge, run_file
from core.tests.spec.suite import FOLDERS, HOW_TO_GET, find_suite, scripts
from purewasm import Features
from purewasm.text.script import Either, LanesPattern, NanPattern, Value
from purewasm.wast.runner import Failure, Outcome, run_script
from purewasm.wast.values import HostObjects, float_from_f32_bits, float_from_f64_bits, matches, scalar_bits

SMALL: Final = (
    "annotations.wast", "array_copy.wast", "br_if.wast", "custom/custom_annot.wast", "fac.wast", "instance.wast", "legacy/rethrow.wast",
    "linking1.wast", "memory_grow64.wast", "proposals/threads/exports.wast", "ref_cast.wast", "return_call.wast", "simd_splat.wast",
    "start.wast", "throw_ref.wast", "traps.wast", "type-rec.wast",
)  # fmt: skip
SUITE: Final = find_suite()
ENGINES: Final = available_engines()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", SMALL)
def test_small_scripts(engine: str, name: str) -> None:
    if SUITE is None:
        pytest.skip(f"no WebAssembly testsuite: {HOW_TO_GET}")
    (script,) = (script for script in scripts(SUITE) if script.name == name)
    report = run_file(engine, script)
    assert judge(report) == ([], [])
    assert sum(report.outcome.passed.values()) > 0


@pytest.mark.skipif("compiler" not in ENGINES, reason="needs the compiler")
@pytest.mark.parametrize("name", ["penryn", "sandy-bridge"])
@pytest.mark.parametrize("script", ["i64", "f32_cmp", "memory_trap", "simd_i16x8_cmp", "simd_conversions"])
def test_small_scripts_on_old_processors(name: str, script: str) -> None:
    if SUITE is None:
        pytest.skip(f"no WebAssembly testsuite: {HOW_TO_GET}")
    (found,) = (known for known in scripts(SUITE) if known.name == f"{script}.wast")
    with processor(PROCESSORS[name]):
        report = run_file("compiler", found)
    assert judge(report) == ([], [])
    assert sum(report.outcome.passed.values()) > 0


def test_every_folder_has_scripts() -> None:
    if SUITE is None:
        pytest.skip(f"no WebAssembly testsuite: {HOW_TO_GET}")
    names = [script.name for script in scripts(SUITE)]
    assert len(names) == len(set(names))
    for folder in FOLDERS:
        assert any(name.startswith(f"{folder}/") or (folder == "." and "/" not in name) for name in names)


# ---- the runner: it must see what is wrong

_GOOD: Final = """
(module $m (func (export "one") (result i32) (i32.const 1)) (func (export "trap") unreachable) (global (export "g") i32 (i32.const 7))
  (func (export "deep") (call 2)) (tag $e) (func (export "throw") (throw $e)) (func (export "same") (param externref) (result externref)
  (local.get 0)))
(assert_return (invoke "one") (i32.const 1))
(assert_return (invoke $m "same" (ref.extern 3)) (ref.extern 3))
(assert_return (get "g") (i32.const 7))
(assert_trap (invoke "trap") "unreachable")
(assert_exhaustion (invoke "deep") "call stack exhausted")
(assert_exception (invoke "throw"))
(assert_malformed (module quote "(") "unexpected")
(assert_invalid (module (func (result i32))) "type mismatch")
(assert_unlinkable (module (import "no" "thing" (func))) "unknown import")
(assert_trap (module (start 0) (func unreachable)) "unreachable")
(register "again" $m)
(module (import "again" "one" (func)) (import "spectest" "print_i32" (func (param i32))))
(thread $t (shared (module $m)) (assert_return (invoke $m "one") (i32.const 1)))
(wait $t)
(module definition $d (global (export "g") i32 (i32.const 3)))
(module instance $i $d)
(assert_return (get $i "g") (i32.const 3))
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_right_passes(engine: str) -> None:
    outcome = run_script(
        _GOOD.replace('(import "again" "one" (func))', '(import "again" "one" (func (result i32)))').encode(), engine, Features.WASM3
    )
    assert outcome.failures == []
    assert outcome.passed == {
        "module": 4, "return": 5, "trap": 1, "exhaustion": 1, "exception": 1, "malformed": 1, "invalid": 1, "unlinkable": 1,
        "uninstantiable": 1, "register": 1, "thread": 1, "wait": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("right", "wrong", "kind"),
    [
        ('(invoke "one") (i32.const 1)', '(invoke "one") (i32.const 2)', "return"),
        ('(invoke "one") (i32.const 1)', '(invoke "one")', "return"),
        ('(invoke "one") (i32.const 1)', '(invoke "none") (i32.const 1)', "return"),
        ('(invoke "one") (i32.const 1)', '(invoke "one") (i64.const 1)', "return"),
        ("(ref.extern 3)) (ref.extern 3)", "(ref.extern 3)) (ref.extern 4)", "return"),
        ("(ref.extern 3)) (ref.extern 3)", "(ref.extern 3)) (ref.null)", "return"),
        ('(get "g") (i32.const 7)', '(get "g") (i32.const 8)', "return"),
        ('(invoke "trap") "unreachable"', '(invoke "trap") "integer overflow"', "trap"),
        ('(invoke "trap") "unreachable"', '(invoke "one") "unreachable"', "trap"),
        ('(invoke "trap") "unreachable"', '(invoke "throw") "unreachable"', "trap"),
        ('(assert_exception (invoke "throw"))', '(assert_exception (invoke "trap"))', "exception"),
        ('(assert_exhaustion (invoke "deep")', '(assert_exhaustion (invoke "one")', "exhaustion"),
        ('(module quote "(") "unexpected"', '(module quote "(module)") "unexpected"', "malformed"),
        ('(module quote "(") "unexpected"', '(module quote "(func (result i32))") "type mismatch"', "malformed"),
        ('(module (func (result i32))) "type', '(module) "type', "invalid"),
        ('"unknown import"', '"incompatible import type"', "unlinkable"),
        ("(start 0) (func unreachable)", "(func unreachable)", "uninstantiable"),
        ("(start 0) (func unreachable)", "(start 0) (func)", "uninstantiable"),
        ('(invoke $m "one") (i32.const 1)))', '(invoke $m "one") (i32.const 2)))', "return"),
    ],
)
def test_what_is_wrong_fails(right: str, wrong: str, kind: str) -> None:
    script = _GOOD.replace('(import "again" "one" (func))', "")
    assert script.count(right) == 1
    outcome = run_script(script.replace(right, wrong).encode(), ENGINES[0], Features.WASM3)
    assert [failure.kind for failure in outcome.failures] == [kind]


def test_a_module_that_does_not_link_fails() -> None:
    outcome = run_script(_GOOD.encode(), ENGINES[0], Features.WASM3)
    assert [(failure.kind, "incompatible import type" in failure.reason) for failure in outcome.failures] == [("module", True)]


def test_outcomes_add_up() -> None:
    outcome = Outcome({"return": 1}, [])
    outcome.add(Outcome({"return": 2, "trap": 1}, [Failure(3, "trap", "no")]))
    assert outcome == Outcome({"return": 3, "trap": 1}, [Failure(3, "trap", "no")])


@pytest.mark.parametrize(
    ("result", "expected", "is_match"),
    [
        (-1, Value("i32", 2**32 - 1), True),
        (2**32 - 1, Value("i32", 2**32 - 1), False),  # results are signed
        (1.5, Value("f32", 0x3FC0_0000), True),
        (0.1, Value("f32", 0x3DCC_CCCD), False),  # no f32
        (-0.0, Value("f64", 0), False),
        (float("nan"), NanPattern("f64", canonical=True), True),
        (float_from_f64_bits(0x7FF8_0000_0000_0001), NanPattern("f64", canonical=True), False),
        (float_from_f64_bits(0x7FF8_0000_0000_0001), NanPattern("f64", canonical=False), True),
        (float_from_f64_bits(0x7FF0_0000_0000_0001), NanPattern("f64", canonical=False), False),
        (float_from_f32_bits(0xFFC0_0000), NanPattern("f32", canonical=True), True),
        (1.0, NanPattern("f32", canonical=False), False),
        (None, Value("ref.null", None), True),
        (None, Value("ref.extern", None), False),
        (b"\0" * 16, Value("v128", b"\0" * 16), True),
        (bytes([0, 0, 0xC0, 0x7F] * 4), LanesPattern("f32x4", (NanPattern("f32", True),) * 3 + (Value("f32", 0x7FC0_0000),)), True),
        (bytes(16), LanesPattern("f32x4", (NanPattern("f32", True),) * 4), False),
        (2, Either((Value("i32", 1), Value("i32", 2))), True),
        (3, Either((Value("i32", 1), Value("i32", 2))), False),
    ],
)
def test_results_and_expectations(result: object, expected: object, is_match: bool) -> None:
    assert isinstance(expected, Value | NanPattern | LanesPattern | Either)
    assert matches(result, expected, HostObjects()) is is_match


@pytest.mark.parametrize("bits", [0, 1, 0x8000_0000, 0x3F80_0000, 0x7F80_0000, 0x7F80_0001, 0xFFC0_0123])
def test_f32_bits_survive(bits: int) -> None:
    assert scalar_bits(float_from_f32_bits(bits), "f32") == bits
