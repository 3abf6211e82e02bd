"""Tail calls from one instance to another: any number of them in the same room, and the caller's own context afterwards."""

from __future__ import annotations

import pytest

from purewasm import Instance, Runtime, Trap, traps

TURNS = 1_000_000


def _pair(runtime: Runtime, body: str, params: str = "i32 i64", results: str = "i64") -> tuple[Instance, Instance]:
    """Two instances that share a table, in which `step` of the first is element 0, that of the second 1."""
    text = """(module
      (type $t (func (param {params}) (result {results})))
      (import "host" "table" (table 2 funcref)) (memory 1)
      (global $number i64 (i64.const {number})) (data (i32.const 0) "\\0{number}")
      (elem (i32.const {mine}) $step)
      (func $step (export "step") (type $t) {body})
      (func (export "run") (param i32) (result i64 i64)
        (call $step (local.get 0) (i64.const 0)) {finish}
        (i64.add (i64.mul (global.get $number) (i64.const 100)) (i64.load8_u (i32.const 0)))))"""
    table = runtime.instantiate('(module (table (export "table") 2 funcref))').exports["table"]
    counts = {"params": params, "results": results, "finish": "(drop)" * (results.count("i64") - 1)}
    first = runtime.instantiate(text.format(number=1, mine=0, body=body.format(other=1), **counts), imports={"host": {"table": table}})
    second = runtime.instantiate(text.format(number=2, mine=1, body=body.format(other=0), **counts), imports={"host": {"table": table}})
    return first, second


STEP = """(if (result i64) (i32.eqz (local.get 0)) (then (local.get 1))
  (else (return_call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1))
    (i64.add (local.get 1) (global.get $number)) (i32.const {other}))))"""


def test_a_million_through_a_table(runtime: Runtime) -> None:
    first, second = _pair(runtime, STEP)
    assert first.exports.step(TURNS, 0) == 3 * TURNS // 2
    assert first.exports.run(TURNS) == (3 * TURNS // 2, 101)
    assert second.exports.run(TURNS + 1) == (3 * TURNS // 2 + 2, 202)


def test_arguments_on_the_stack_grow_and_shrink(runtime: Runtime) -> None:
    """The two functions take different numbers of arguments, so that each has to make room for the other's, or to give it up."""
    text = """(module
      (type $few (func (param i32 i64) (result i64)))
      (type $many (func (param i32 i64 i64 i64 i64 i64 i64 i64 i64 f64 i64) (result i64)))
      (import "host" "table" (table 2 funcref))
      {function})"""
    few = """(elem (i32.const 0) $step) (func $step (export "step") (type $few)
      (if (result i64) (i32.eqz (local.get 0)) (then (local.get 1)) (else
        (return_call_indirect (type $many) (i32.sub (local.get 0) (i32.const 1)) (local.get 1) (i64.const 2) (i64.const 3) (i64.const 4)
          (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8) (f64.const 9) (i64.const 10) (i32.const 1)))))"""
    many = """(elem (i32.const 1) $step) (func $step (type $many) (local $x i64)
      (local.set $x (i64.add (i64.add (local.get 1) (local.get 5)) (i64.add (i64.mul (local.get 8) (local.get 7)) (local.get 10))))
      (if (result i64) (i32.eqz (local.get 0)) (then (local.get $x)) (else
        (return_call_indirect (type $few) (i32.sub (local.get 0) (i32.const 1)) (local.get $x) (i32.const 0)))))"""
    table = runtime.instantiate('(module (table (export "table") 2 funcref))').exports["table"]
    first = runtime.instantiate(text.format(function=few), imports={"host": {"table": table}})
    runtime.instantiate(text.format(function=many), imports={"host": {"table": table}})
    assert first.exports.step(0, 5) == 5
    assert first.exports.step(1, 5) == 5 + 5 + 8 * 7 + 10
    assert first.exports.step(TURNS, 0) == TURNS // 2 * (5 + 8 * 7 + 10)


def test_several_results(runtime: Runtime) -> None:
    step = """(if (result i64 i64) (i32.eqz (local.get 0)) (then (local.get 1) (global.get $number))
      (else (return_call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1))
        (i64.add (local.get 1) (global.get $number)) (i32.const {other}))))"""
    first, second = _pair(runtime, step, results="i64 i64")
    assert first.exports.step(TURNS, 0) == (3 * TURNS // 2, 1)
    assert first.exports.run(7) == (10, 101)
    assert second.exports.run(7) == (11, 202)


def test_through_references_and_imports(runtime: Runtime) -> None:
    first = runtime.instantiate("""(module (type $t (func (param i32 (ref null $t) (ref null $t)) (result i32)))
      (func (export "step") (type $t) (if (i32.eqz (local.get 0)) (then (return (i32.const 42))))
        (return_call_ref $t (i32.sub (local.get 0) (i32.const 1)) (local.get 2) (local.get 1) (local.get 1))))""")
    second = runtime.instantiate(
        """(module (type $t (func (param i32 (ref null $t) (ref null $t)) (result i32)))
      (import "first" "step" (func $step (type $t)))
      (func $mine (export "mine") (type $t) (if (i32.eqz (local.get 0)) (then (return (i32.const 43))))
        (return_call $step (i32.sub (local.get 0) (i32.const 1)) (local.get 1) (local.get 2)))
      (elem declare func $mine)
      (func (export "run") (param i32) (result i32) (call $step (local.get 0) (ref.func $mine) (ref.func $mine))))""",
        imports={"first": first},
    )
    assert second.exports.run(TURNS) == 42
    assert second.exports.run(TURNS + 1) == 43


def test_a_host_function(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        """(module (import "host" "double" (func $double (param i64) (result i64))) (global $g i64 (i64.const 5))
          (func $tail (param i64) (result i64) (return_call $double (local.get 0)))
          (func (export "run") (result i64) (i64.add (call $tail (global.get $g)) (global.get $g))))""",
        imports={"host": {"double": lambda x: 2 * x}},
    )
    assert instance.exports.run() == 15


@pytest.mark.parametrize("turns", [0, 1, 2, 5])
def test_backtraces_pass_through(runtime: Runtime, turns: int) -> None:
    body = STEP.replace("(local.get 1))\n", "(unreachable))\n", 1)
    first, _ = _pair(runtime, body)
    with pytest.raises(Trap) as caught:
        first.exports.run(turns)
    assert caught.value.code == traps.UNREACHABLE
    assert len(caught.value.frames) == 2  # `step` of one of the two, and `run`


def test_an_error_of_a_tail_called_host_function_names_the_caller(runtime: Runtime) -> None:
    def fail() -> None:
        raise KeyError("gone")

    instance = runtime.instantiate(
        """(module (import "host" "fail" (func $fail)) (func $tail (return_call $fail))
          (func (export "run") (call $tail)))""",
        imports={"host": {"fail": fail}},
    )
    with pytest.raises(KeyError) as caught:
        instance.exports.run()
    assert "run" in caught.value.__notes__[0]


def test_an_exception_passes_through(runtime: Runtime) -> None:
    """The search for a handler goes from the function called in the other instance to this one's, whose context is back then."""
    table = runtime.instantiate('(module (table (export "table") 1 funcref))').exports["table"]
    tag = runtime.instantiate('(module (tag (export "tag") (param i64)))').exports["tag"]
    imports = {"host": {"table": table, "tag": tag}}
    start = '(module (type $t (func (param i64 i64 i64 i64 i64 i64 i64 i64))) (import "host" "table" (table 1 funcref))'
    runtime.instantiate(
        start + '(import "host" "tag" (tag $e (param i64))) (elem (i32.const 0) $f) (func $f (type $t) (throw $e (local.get 7))))',
        imports=imports,
    )
    instance = runtime.instantiate(
        start
        + """(import "host" "tag" (tag $e (param i64))) (global $number i64 (i64.const 5))
          (func $tail (param i64) (return_call_indirect (type $t) (i64.const 0) (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)
            (i64.const 5) (i64.const 6) (local.get 0) (i32.const 0)))
          (func (export "run") (param i64) (result i64)
            (i64.add (global.get $number)
              (block $caught (result i64) (try_table (catch $e $caught) (call $tail (local.get 0))) (i64.const 0)))))""",
        imports=imports,
    )
    for number in range(3):
        assert instance.exports.run(number) == 5 + number
