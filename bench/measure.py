"""Timing: candidates take turns, so that a machine that changes its speed in between changes it for all of them."""

from __future__ import annotations

import gc
import timeit
from time import perf_counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SLICE_SECONDS: Final = 0.15
_SAMPLE_SECONDS: Final = 0.02
_SAMPLES_A_ROUND: Final = 3


def best_seconds(candidates: Mapping[str, Callable[[], object]], rounds: int, slice_seconds: float = _SLICE_SECONDS) -> dict[str, float]:
    """The shortest time of one call of each candidate: the best of the samples that it gives in its slices of time, one a round.

    A sample of each candidate lasts about as long as one call of the slowest, and is the mean of the calls in it. The best of a
    thousand short calls beside the best of three long ones would flatter the short one on a machine that does other things too.
    """
    once = {name: _sample(call, 1) for name, call in candidates.items()}
    sample_seconds = max(once.values(), default=0.0)
    counts = {name: max(1, round(sample_seconds / max(seconds, 1e-9))) for name, seconds in once.items()}
    best = dict.fromkeys(candidates, float("inf"))
    for _ in range(rounds):
        for name, call in candidates.items():
            gc.collect()
            end = perf_counter() + slice_seconds
            while True:
                best[name] = min(best[name], _sample(call, counts[name]))
                if perf_counter() >= end:
                    break
    return best


def _sample(call: Callable[[], object], count: int) -> float:
    """Mean seconds of a call, over `count` of them."""
    start = perf_counter()
    for _ in range(count):
        call()
    return (perf_counter() - start) / count


def best_nanoseconds(statements: Mapping[str, tuple[str, Mapping[str, object]]], rounds: int) -> dict[str, float]:
    """Nanoseconds of one execution of each statement (source text and its names), the loop around it included."""
    timers = {name: timeit.Timer(source, globals=dict(names)) for name, (source, names) in statements.items()}
    counts = {name: _repetitions(timer) for name, timer in timers.items()}
    best = dict.fromkeys(statements, float("inf"))
    for _ in range(rounds * _SAMPLES_A_ROUND):
        for name, timer in timers.items():
            best[name] = min(best[name], timer.timeit(counts[name]) / counts[name])
    return {name: seconds * 1e9 for name, seconds in best.items()}


def _repetitions(timer: timeit.Timer) -> int:
    """How often the statement fits into one sample."""
    count = 1
    while (seconds := timer.timeit(count)) < _SAMPLE_SECONDS:
        count = max(count + 1, int(count * min(10.0, 1.2 * _SAMPLE_SECONDS / max(seconds, 1e-9))))
    return count
