"""The comparison of engines for a given time: what counts as a difference, and that a short run finds none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.tests.differential.budget import smith

pytest.importorskip("wasmtime", reason="the other runtime: pip install wasmtime")

from core.tests.differential import run
from core.tests.differential.outcomes import INCONCLUSIVE, Call
from core.tests.differential.run import Case, compare, make_case, outcomes_of

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


def test_every_way_runs() -> None:
    case = make_case(3)
    assert case is not None
    found = outcomes_of(case)
    assert len({tuple(outcomes[: len(found["wasmtime"])]) for outcomes in found.values()}) == 1
