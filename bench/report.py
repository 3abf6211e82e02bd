"""Results → JSON, Markdown and one SVG plot a table, in one folder."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.plot import bar_plot
from bench.results import Row, SuiteResult, Table, geometric_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Environment:
    """When and where the run was."""

    date: str
    machine: str
    python: str
    runtimes: list[str]

    def line(self) -> str:
        """One line for humans."""
        return " · ".join([self.date, self.machine, self.python, *self.runtimes])


def environment(runtimes: Iterable[str]) -> Environment:
    """This machine, now."""
    machine = f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return Environment(datetime.now(UTC).strftime("%Y-%m-%d"), machine, python, sorted(runtimes))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown processor")


def write(result: SuiteResult, where: Environment, folder: Path) -> list[Path]:
    """Writes `<suite>.json`, `<suite>.md` and a plot of each table, and returns their paths. Those of earlier runs are written over."""
    folder.mkdir(parents=True, exist_ok=True)
    document = json.dumps({"environment": asdict(where), **asdict(result)}, indent=1) + "\n"
    texts = {f"{result.suite}.json": document, f"{result.suite}.md": markdown([result], where)}
    for table in result.tables:
        picture = bar_plot(table, where.line())
        if picture is not None:
            texts[f"{table.key}.svg"] = picture
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def markdown(results: Sequence[SuiteResult], where: Environment) -> str:
    """All tables as text."""
    parts = ["# Benchmark results", "", where.line(), ""]
    for result in results:
        parts += [f"## {result.suite}", ""]
        for table in result.tables:
            parts += [*_table_lines(table), ""]
        parts += [f"- not measured: {reason}" for reason in result.skipped]
        parts += [f"- **WRONG**: {complaint}" for complaint in result.wrong]
        if result.skipped or result.wrong:
            parts.append("")
    return "\n".join(parts)


def _table_lines(table: Table) -> list[str]:
    heads = [""]
    for engine in table.engines:
        heads.append(f"{engine}, {table.unit}")
        if table.baseline not in (None, engine):
            heads.append(f"÷ {table.baseline}")
    lines = [f"### {table.title}", ""]
    lines += [_line(heads), _line(["---", *["---:"] * (len(heads) - 1)])]
    lines += [_line(_cells(table, row)) for row in table.rows]
    if table.mean and any(table.ratios(engine) for engine in table.engines if engine != table.baseline):
        lines.append(_line(_mean_cells(table)))
    lines += ["", *[f"{note}  " for note in table.notes]]
    return lines


def _cells(table: Table, row: Row) -> list[str]:
    cells = [row.name]
    for engine in table.engines:
        value = row.values.get(engine)
        cells.append("" if value is None else significant(value))
        if table.baseline is not None and engine != table.baseline:
            ratio = row.ratio(engine, table.baseline)
            cells.append("" if ratio is None else significant(ratio))
    return cells


def _mean_cells(table: Table) -> list[str]:
    cells = ["**geometric mean**"]
    for engine in table.engines:
        cells.append("")
        if engine != table.baseline:
            ratios = table.ratios(engine)
            cells.append(f"**{significant(geometric_mean(ratios))}**" if ratios else "")
    return cells


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def significant(value: float) -> str:
    """Three significant digits without an exponent: 0.000123, 1.23, 12.3, 12,345."""
    if value != 0 and abs(value) < 1:
        return f"{float(f'{value:.2e}'):.10f}".rstrip("0").rstrip(".")
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:,.{digits}f}"
