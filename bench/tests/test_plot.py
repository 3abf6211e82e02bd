"""The picture of a table: well-formed, one bar for each ratio, on the right side of the baseline."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from bench.plot import bar_plot
from bench.results import Row, Table

SVG = "{http://www.w3.org/2000/svg}"


def table(*rows: Row, baseline: str | None = "wasmtime", mean: bool = False) -> Table:
    return Table(key="t", title="Time & <more>", unit="ms", engines=("compiler", "wasmtime"), baseline=baseline, rows=rows, mean=mean)


def drawn(shown: Table) -> ElementTree.Element:
    text = bar_plot(shown, "caption")
    assert text is not None
    return ElementTree.fromstring(text)


def bars(picture: ElementTree.Element) -> list[tuple[float, float]]:
    """Left and right end of each bar of the compiler (the legend's square is the first)."""
    found = [one for one in picture.iter(f"{SVG}rect") if one.get("fill") == "#2f6fde"][1:]
    return [(float(one.attrib["x"]), float(one.attrib["x"]) + float(one.attrib["width"])) for one in found]


def baseline_x(picture: ElementTree.Element) -> float:
    return next(float(line.attrib["x1"]) for line in picture.iter(f"{SVG}line") if line.get("stroke-width") == "1.5")


@pytest.mark.parametrize("ratio", [0.001, 0.5, 0.95])
def test_less_than_the_baseline_ends_at_it(ratio: float) -> None:
    picture = drawn(table(Row("fib", {"compiler": ratio, "wasmtime": 1.0})))
    assert bars(picture)[0][1] == pytest.approx(baseline_x(picture), abs=0.2)


@pytest.mark.parametrize("ratio", [1.15, 3.0, 5000.0])
def test_more_than_the_baseline_starts_at_it(ratio: float) -> None:
    picture = drawn(table(Row("fib", {"compiler": ratio, "wasmtime": 1.0})))
    assert bars(picture)[0][0] == pytest.approx(baseline_x(picture), abs=0.2)


def test_every_bar_lies_inside_the_picture() -> None:
    rows = (Row("a", {"compiler": 1e-6, "wasmtime": 1.0}), Row("b", {"compiler": 1e6, "wasmtime": 1.0}))
    picture = drawn(table(*rows))
    assert all(0 < left < right < float(picture.attrib["width"]) for left, right in bars(picture))


def test_a_mean_is_one_more_bar() -> None:
    rows = (Row("a", {"compiler": 0.5, "wasmtime": 1.0}), Row("b", {"compiler": 2.0, "wasmtime": 1.0}))
    assert len(bars(drawn(table(*rows, mean=True)))) == 3


def test_rows_without_a_ratio_are_left_out() -> None:
    rows = (Row("a", {"compiler": 0.5, "wasmtime": 1.0}), Row("b", {"wasmtime": 1.0}))
    assert len(bars(drawn(table(*rows)))) == 1


@pytest.mark.parametrize("baseline", [None, "wasmtime"])
def test_nothing_to_compare_is_no_picture(baseline: str | None) -> None:
    assert bar_plot(table(Row("a", {"wasmtime": 1.0}), baseline=baseline), "caption") is None
