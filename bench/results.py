"""What the suites find: tables of one number per row and engine, each set beside the baseline of the same run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Direction = Literal["time", "speed"]


@dataclass(frozen=True, slots=True)
class Row:
    """Measurements of one thing; an engine that is absent was not measured."""

    name: str
    values: dict[str, float]

    def ratio(self, engine: str, baseline: str) -> float | None:
        """The engine's value divided by the baseline's."""
        mine, base = self.values.get(engine), self.values.get(baseline)
        return mine / base if mine is not None and base else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`direction` says what the values are: `time` (less is better) or `speed` (more is better)."""

    key: str
    title: str
    unit: str
    engines: tuple[str, ...]
    baseline: str | None
    rows: tuple[Row, ...]
    direction: Direction = "time"
    notes: tuple[str, ...] = ()
    mean: bool = False
    """Whether the geometric mean of the ratios over all rows says something."""

    def ratios(self, engine: str) -> list[float]:
        """The engine's ratios to the baseline, of the rows that have both."""
        if self.baseline is None:
            return []
        found = (row.ratio(engine, self.baseline) for row in self.rows)
        return [ratio for ratio in found if ratio is not None]


@dataclass(slots=True)
class SuiteResult:
    """Everything that one suite found, and what it could not measure."""

    suite: str
    tables: list[Table] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Disagreements between engines about a result: these make the run fail."""


def geometric_mean(values: Sequence[float]) -> float:
    """Of positive numbers; nan of none."""
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan
