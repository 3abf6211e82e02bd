"""The comparison of engines for a given time: what counts as a difference, and that a short run finds none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.tests.differential.budget import smith

pytest.importorskip("wasmtime", reason="the other runtime: pip install wasmtime")

from core.tests.differential import run
from core.tests.differential.outcomes import INCONCLUSIVE, OUT_OF_FUEL, Call, calls_that_end, differences, new_runtime, oracle_outcomes
from core.tests.differential.run import Case, compare, make_case, outcomes_of
from purewasm import Features
from purewasm.runtime.source import read_source

_CASE = Case("generated", b"", [Call("f", (1,)), Call("g", (2,))])


def test_a_difference_is_told_with_its_call() -> None:
    same = ["instantiated", "returned 1", "returned 2"]
    found = {"wasmtime": same, "interpreter": same, "compiler": ["instantiated", "returned 1", "trap unreachable"]}
    differing = compare(_CASE, found)
    assert len(differing) == 2
    assert "compiler: Call(name='g', arguments=(2,)): trap unreachable instead of returned 2 (wasmtime)" in differing


def test_nothing_is_compared_behind_what_depends_on_the_runtime() -> None:
    found = {"wasmtime": ["instantiated", INCONCLUSIVE], "interpreter": ["instantiated", "returned 1", "returned 2"]}
    assert compare(_CASE, found) == []
    found["compiler"] = ["instantiated", "returned 1", "returned 3"]
    assert len(compare(_CASE, found)) == 1  # the engines are still compared with each other


def test_fuel_is_compared_between_the_engines() -> None:
    plain = ["instantiated", "returned 1", "returned 2"]
    found = {"wasmtime": plain, "interpreter": plain}
    found |= {"interpreter, fuel": [*plain, "fuel left 7"], "compiler, fuel": [*plain, "fuel left 8"]}
    assert compare(_CASE, found) == ["compiler, fuel: state: fuel left 8 instead of fuel left 7 (interpreter, fuel)"]


def test_where_little_fuel_runs_out_is_compared_between_the_engines() -> None:
    found = {"wasmtime": ["instantiated", "returned 1", "returned 2"], "interpreter": ["instantiated", "returned 1", "returned 2"]}
    found |= {"interpreter, little fuel": ["instantiated", OUT_OF_FUEL], "compiler, little fuel": ["instantiated", "returned 1"]}
    case = _CASE._replace(aside=(Call("h", (0,)),))
    assert compare(case, found) == [
        f"compiler, little fuel: Call(name='h', arguments=(0,)): returned 1 instead of {OUT_OF_FUEL} (interpreter, little fuel)"
    ]


_TURNING = """(module (global $calls (export "calls") (mut i32) (i32.const 0))
  (func $count (global.set $calls (i32.add (global.get $calls) (i32.const 1))))
  (func (export "some") (param i32) (call $count) (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "ever") (call $count) (loop $l (br $l)))
  (func (export "deep") (call $count) (call 3)))"""


def test_calls_that_take_long_are_set_aside() -> None:
    binary = read_source(_TURNING, Features.all())
    short, long, ever = Call("some", (100,)), Call("some", (-1,)), Call("ever", ())
    assert calls_that_end(binary, [long, short, ever, short, ever]) == [short, short]
    assert list(oracle_outcomes(binary, [short, short]))[-1] == "global calls 2"
    assert list(oracle_outcomes(binary, [short, ever, short])) == ["instantiated", "returned null", OUT_OF_FUEL]


def test_what_the_other_runtime_cannot_tell_is_the_last_call() -> None:
    binary = read_source(_TURNING, Features.all())
    short, deep = Call("some", (100,)), Call("deep", ())
    assert calls_that_end(binary, [short, deep, short]) == [short, deep]


def test_a_start_function_that_takes_long() -> None:
    assert calls_that_end(read_source("(module (func (loop $l (br $l))) (start 0))", Features.all()), [Call("f", ())]) is None


def test_a_call_that_takes_long_does_not_keep_others_from_being_compared() -> None:
    binary = read_source(_TURNING, Features.all())
    with new_runtime("interpreter") as runtime:
        assert differences(binary, [Call("ever", ()), Call("some", (5,))], runtime) == []


def test_an_exception_that_comes_out_is_compared() -> None:
    binary = read_source('(module (tag $e) (func (export "f") (throw $e)) (func (export "g")))', Features.all())
    calls = [Call("f", ()), Call("g", ())]
    assert list(oracle_outcomes(binary, calls)) == ["instantiated", "trap exception", "returned null"]
    assert calls_that_end(binary, calls) == calls


def test_generated_programs_may_take_long() -> None:
    case = make_case(5073)  # it calls itself in loops
    assert case is not None
    assert case.aside


def test_a_seed_makes_the_same_case_again() -> None:
    assert make_case(2) == make_case(2)


@pytest.mark.slow
def test_a_batch_finds_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    smith()
    run.run_batch(100, 8, tmp_path)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line.get("differing")] == []
    assert sum("source" in line for line in lines) >= 6


@pytest.mark.slow
def test_a_process_that_dies_is_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "dies.py"
    script.write_text('import os, json\nprint(json.dumps({"begin": 5}), flush=True)\nos.abort()\n')
    (tmp_path / "last.wasm").write_bytes(b"module")
    monkeypatch.setattr(run, "__file__", str(script))
    tally = run.run(0.5, 5, tmp_path)
    assert set(tally.differences) == {"seed 5: the process ended with status -6"}
    assert (tmp_path / "5.wasm").read_bytes() == b"module"


@pytest.mark.slow
def test_a_module_that_takes_too_long_is_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "waits.py"
    script.write_text('import json, time\nprint(json.dumps({"begin": 5}), flush=True)\ntime.sleep(600)\n')
    monkeypatch.setattr(run, "__file__", str(script))
    monkeypatch.setattr(run, "_MODULE_SECONDS", 0.5)
    assert set(run.run(0.1, 5, tmp_path).differences) == {"seed 5: took more than 0.5 s"}


@pytest.mark.slow
def test_options_come_to_every_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "tells.py"
    script.write_text("import sys; open(sys.argv[4] + '/arguments', 'w').write(repr(sys.argv[5:]))\n")
    monkeypatch.setattr(run, "__file__", str(script))
    assert run.main(["--seconds", "0.1", "--keep", str(tmp_path / "kept"), "--option", "eager=True"]) == 0
    assert (tmp_path / "kept" / "arguments").read_text() == "['--option=eager=True']"


def test_every_way_runs() -> None:
    case = make_case(3)
    assert case is not None
    assert not case.aside
    found = outcomes_of(case)
    unlimited = [way for way in found if not way.endswith("little fuel")]
    assert len({tuple(found[way][: len(found["wasmtime"])]) for way in unlimited}) == 1


def test_options_come_to_every_way() -> None:
    case = make_case(3)
    assert case is not None
    found = outcomes_of(case, {"memory_limit_pages": 0})
    assert {way for way, outcomes in found.items() if outcomes == [INCONCLUSIVE]} == found.keys() - {"wasmtime"}
