"""One table → an SVG picture: horizontal bars of each engine's ratio to the baseline, on a logarithmic axis with the baseline at 1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from bench.results import Table, geometric_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLOURS: Final = {
    "compiler": "#2f6fde",
    "interpreter": "#12908e",
    "wasmtime": "#e07b39",
    "wasmtime-1": "#c2a083",
    "pywasm": "#b04a7a",
    "native": "#7a7f87",
    "python": "#c9a227",
}
_OTHER: Final = "#555b66"
_WIDTH: Final = 860
_LEFT: Final = 210
_RIGHT: Final = 90
_TOP: Final = 92
_BAR: Final = 11
_GAP: Final = 10
_FONT: Final = 'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"'


def bar_plot(table: Table, caption: str) -> str | None:
    """The picture, or None where there is nothing to compare."""
    engines = [engine for engine in table.engines if engine != table.baseline and table.ratios(engine)]
    if table.baseline is None or not engines:
        return None
    groups = list(_groups(table, engines))
    low, high = _range([ratio for _, ratios in groups for ratio in ratios.values()])
    row_height = _BAR * len(engines) + _GAP
    height = _TOP + row_height * len(groups) + 48
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" {_FONT} role="img">',
        f"<title>{escape(table.title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" rx="8" fill="#ffffff"/>',
        _text(24, 32, table.title, size=17, weight=600),
        *_legend(table, engines),
        *_axis(table.baseline, low, high, height - 44),
    ]
    for number, (name, ratios) in enumerate(groups):
        parts += _group(name, ratios, engines, _TOP + 8 + number * row_height, low, high)
    parts += [_text(24, height - 12, caption, size=10, colour="#6b7078"), "</svg>", ""]
    return "\n".join(parts)


def _groups(table: Table, engines: list[str]) -> Iterator[tuple[str, dict[str, float]]]:
    """(row, ratio of each engine), the mean last."""
    baseline = table.baseline or ""
    for row in table.rows:
        found = {engine: row.ratio(engine, baseline) for engine in engines}
        ratios = {engine: ratio for engine, ratio in found.items() if ratio is not None}
        if ratios:
            yield row.name, ratios
    if table.mean:
        yield "geometric mean", {engine: geometric_mean(table.ratios(engine)) for engine in engines}


def _range(ratios: list[float]) -> tuple[float, float]:
    """Ends of the axis as powers of ten: what is there and the baseline. Whole decades where there is more than one."""
    low, high = math.log10(min(1.0, *ratios)), math.log10(max(1.0, *ratios))
    if high - low > 1.2:
        low, high = math.floor(low), math.ceil(high)
    # Air on both sides, for the figure at the end of the longest bar.
    air = 0.07 * (high - low) + 0.02
    return low - air, high + air


def _x(ratio: float, low: float, high: float) -> float:
    return _LEFT + (math.log10(ratio) - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)


def _ticks(low: float, high: float) -> list[float]:
    if high - low > 2:
        step = max(1, round((high - low) / 8))
        return [10.0**power for power in range(math.ceil(low), math.floor(high) + 1) if power % step == 0]
    choices = (0.05, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.5, 2, 3, 5, 7, 10, 20, 50)
    return [tick for tick in choices if low <= math.log10(tick) <= high]


def _axis(baseline: str, low: float, high: float, bottom: float) -> Iterator[str]:
    last = -math.inf
    for tick in _ticks(low, high):
        x = _x(tick, low, high)
        if x - last < 34 and tick != 1:
            continue
        last = x
        yield f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom:.0f}" stroke="#e6e8eb"/>'
        yield _text(x, bottom + 14, f"{tick:g}", size=10, colour="#6b7078", anchor="middle")
    x, colour = _x(1.0, low, high), _COLOURS.get(baseline, _OTHER)
    yield f'<line x1="{x:.1f}" y1="{_TOP - 4}" x2="{x:.1f}" y2="{bottom:.0f}" stroke="{colour}" stroke-width="1.5"/>'
    yield _text(x, _TOP - 8, f"{baseline} = 1", size=11, colour=colour, anchor="middle")


def _legend(table: Table, engines: list[str]) -> Iterator[str]:
    better = "the further left the better" if table.direction == "time" else "the further right the better"
    what = f"{'time' if table.direction == 'time' else 'speed'} divided by that of {table.baseline}, {better}"
    yield _text(24, 52, what, size=11, colour="#6b7078")
    x = 24.0
    for engine in engines:
        yield f'<rect x="{x:.0f}" y="62" width="11" height="11" rx="2" fill="{_COLOURS.get(engine, _OTHER)}"/>'
        yield _text(x + 16, 72, engine, size=11)
        x += 34 + 7 * len(engine)


def _group(name: str, ratios: dict[str, float], engines: list[str], top: float, low: float, high: float) -> Iterator[str]:
    weight = 600 if name == "geometric mean" else 400
    yield _text(_LEFT - 12, top + _BAR * len(engines) / 2 + 4, name, size=11, anchor="end", weight=weight)
    origin = _x(1.0, low, high)
    for place, engine in enumerate(engines):
        if engine not in ratios:
            continue
        ratio = ratios[engine]
        end, y = _x(ratio, low, high), top + place * _BAR
        x, width = min(origin, end), max(abs(end - origin), 1.0)
        yield f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{_BAR - 2}" rx="1.5" fill="{_COLOURS.get(engine, _OTHER)}"/>'
        beside, anchor = (end - 5, "end") if ratio < 1 else (end + 5, "start")
        yield _text(beside, y + _BAR - 3, f"{ratio:.3g}", size=9, colour="#4a4f57", anchor=anchor)


def _text(x: float, y: float, text: str, *, size: int, colour: str = "#1f2329", anchor: str = "start", weight: int = 400) -> str:
    style = f'font-size="{size}" fill="{colour}" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'
