"""The command that runs the official testsuite: what it counts as passed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hostmods.wasi.tests.testsuite.run import main

GUESTS = Path(__file__).parent / "guests"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A suite of one program, of which the test says what to expect."""
    folder = tmp_path / "tests" / "c" / "testsuite" / "wasm32-wasip1"
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "a.txt").write_text("inside")
    shutil.copy(GUESTS / "cat.wasm", folder / "cat.wasm")
    return tmp_path


def run(checkout: Path, *words: str, **specification: object) -> int:
    (checkout / "tests" / "c" / "testsuite" / "wasm32-wasip1" / "cat.json").write_text(json.dumps(specification))
    return main([str(checkout), *words])


def test_a_program_that_does_as_it_should(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(checkout, args=["/a.txt"], dirs=["files"], stdout="inside")
    assert 0 == run(checkout, args=["/b.txt"], root="files", exit_code=1)
    lines = capsys.readouterr().out.splitlines()
    assert ["interpreter: 1 of 1 pass (c 1 of 1)", "compiler: 1 of 1 pass (c 1 of 1)"] == [line.rpartition(",")[0] for line in lines[:2]]
    assert 0 == len(list((checkout / "tests/c/testsuite/wasm32-wasip1").glob("files/b*")))


@pytest.mark.parametrize("wrong", [{"stdout": "outside"}, {"exit_code": 1}, {"args": ["/missing"]}])
def test_a_program_that_does_not(wrong: dict[str, object], checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    specification: dict[str, object] = {"args": ["/a.txt"], "dirs": ["files"], "stdout": "inside"}
    assert 1 == run(checkout, "--engine", "interpreter", **{**specification, **wrong})
    assert "c/cat: " in capsys.readouterr().out


def test_nothing_to_run(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    assert 2 == main([str(tmp_path)])
    assert 2 == main([str(tmp_path), "--only", "cat"])
