"""The command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.cli import main
from bench.context import Context
from bench.results import Row, SuiteResult, Table
from bench.suites.registry import SUITES

if TYPE_CHECKING:
    from pathlib import Path


def one_suite(monkeypatch: pytest.MonkeyPatch, *wrong: str) -> list[Context]:
    """Replaces the suites by one that remembers its context."""
    seen: list[Context] = []

    def measure(context: Context) -> SuiteResult:
        seen.append(context)
        table = Table(key="t", title="T", unit="ms", engines=("compiler",), baseline=None, rows=(Row("fib", {"compiler": 1.0}),))
        return SuiteResult("only", [table], wrong=list(wrong))

    monkeypatch.setattr("bench.cli.SUITES", {"only": (measure, "nothing")})
    return seen


def test_list_names_every_suite(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(SUITES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["speed"], "speed: not one of the suites"),
        (["--engines", "v8"], "v8: not one of interpreter"),
        (["--programs", "fib,doom"], "doom: not one of"),
        (["--rounds", "0"], "0 is not a positive number"),
    ],
)
def test_wrong_names_are_refused(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_options_reach_the_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    seen = one_suite(monkeypatch)
    assert main(["only", "--rounds", "7", "--programs", "fib,lua", "--engines", "compiler", "--output", str(tmp_path)]) == 0
    assert (seen[0].rounds, seen[0].program_names, seen[0].engine_names) == (7, frozenset({"fib", "lua"}), frozenset({"compiler"}))
    assert "| fib | 1.00 |" in capsys.readouterr().out
    assert (tmp_path / "only.json").is_file()


def test_a_suite_that_breaks_fails_the_run_and_not_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_context: Context) -> SuiteResult:
        raise RuntimeError("no")

    monkeypatch.setattr("bench.cli.SUITES", {"broken": (broken, ""), "fine": (lambda _context: SuiteResult("fine"), "")})
    assert main(["--output", str(tmp_path)]) == 1
    assert "the suite broke off: RuntimeError: no" in capsys.readouterr().out
    assert (tmp_path / "fine.json").is_file()


def test_a_wrong_result_fails_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one_suite(monkeypatch, "fib is 3, elsewhere 2")
    assert main(["--output", str(tmp_path)]) == 1
