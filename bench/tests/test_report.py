"""Tables as text and the files of a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bench.report import Environment, markdown, significant, write
from bench.results import Row, SuiteResult, Table

if TYPE_CHECKING:
    from pathlib import Path

WHERE = Environment("2026-01-02", "a machine", "CPython 3", ["wasmtime 1"])


def result() -> SuiteResult:
    rows = Row("fib", {"compiler": 0.5, "wasmtime": 1.0}), Row("lua", {"wasmtime": 1234.5})
    table = Table(key="time", title="Run time", unit="ms", engines=("compiler", "wasmtime"), baseline="wasmtime", rows=rows, mean=True)
    return SuiteResult("run", [table], ["pywasm: not installed"], ["fib is 3, elsewhere 2"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.000123456, "0.000123"), (0.5, "0.5"), (1.2345, "1.23"), (12.345, "12.3"), (123.45, "123"), (12345.6, "12,346"), (0.0, "0.00")],
)
def test_three_significant_digits(value: float, expected: str) -> None:
    assert significant(value) == expected


def test_a_table_shows_values_ratios_and_their_mean() -> None:
    lines = markdown([result()], WHERE).splitlines()
    assert "2026-01-02 · a machine · CPython 3 · wasmtime 1" in lines
    assert "|  | compiler, ms | ÷ wasmtime | wasmtime, ms |" in lines
    assert "| fib | 0.5 | 0.5 | 1.00 |" in lines
    assert "| lua |  |  | 1,234 |" in lines
    assert "| **geometric mean** |  | **0.5** |  |" in lines


def test_what_is_missing_and_what_is_wrong_is_said() -> None:
    text = markdown([result()], WHERE)
    assert "- not measured: pywasm: not installed" in text
    assert "- **WRONG**: fib is 3, elsewhere 2" in text


def test_files_of_a_suite(tmp_path: Path) -> None:
    written = write(result(), WHERE, tmp_path / "results")
    assert [path.name for path in written] == ["run.json", "run.md", "time.svg"]
    document = json.loads(written[0].read_text(encoding="utf-8"))
    assert document["environment"]["date"] == "2026-01-02"
    assert document["tables"][0]["rows"][0] == {"name": "fib", "values": {"compiler": 0.5, "wasmtime": 1.0}}
