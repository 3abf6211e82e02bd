"""Ratios and their mean."""

from __future__ import annotations

import math

import pytest

from bench.results import Row, Table, geometric_mean


def table(*rows: Row, baseline: str | None = "wasmtime") -> Table:
    return Table(key="t", title="T", unit="ms", engines=("compiler", "wasmtime"), baseline=baseline, rows=rows)


def test_ratio_to_the_baseline() -> None:
    assert Row("fib", {"compiler": 3.0, "wasmtime": 4.0}).ratio("compiler", "wasmtime") == 0.75


@pytest.mark.parametrize("values", [{"compiler": 3.0}, {"wasmtime": 4.0}, {"compiler": 3.0, "wasmtime": 0.0}])
def test_no_ratio_of_what_was_not_measured(values: dict[str, float]) -> None:
    assert Row("fib", values).ratio("compiler", "wasmtime") is None


def test_rows_without_both_values_are_left_out() -> None:
    rows = Row("a", {"compiler": 1.0, "wasmtime": 2.0}), Row("b", {"wasmtime": 2.0})
    assert table(*rows).ratios("compiler") == [0.5]


def test_no_ratios_without_a_baseline() -> None:
    assert table(Row("a", {"compiler": 1.0}), baseline=None).ratios("compiler") == []


def test_geometric_mean() -> None:
    assert geometric_mean([0.5, 2.0]) == pytest.approx(1.0)
    assert math.isnan(geometric_mean([]))
