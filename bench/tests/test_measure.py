"""Candidates take turns, and the best of each is kept."""

from __future__ import annotations

import time
from itertools import groupby
from typing import TYPE_CHECKING

from bench.measure import best_nanoseconds, best_seconds

if TYPE_CHECKING:
    from collections.abc import Callable


def test_candidates_take_turns() -> None:
    order: list[str] = []

    def candidate(name: str) -> Callable[[], None]:
        def call() -> None:
            order.append(name)
            time.sleep(0.002)  # long enough that both take about the same time

        return call

    best_seconds({"a": candidate("a"), "b": candidate("b")}, rounds=2, slice_seconds=0.0)
    turns = [name for name, _ in groupby(order)]
    assert turns == ["a", "b", "a", "b", "a", "b"]  # the first two tell how long a call takes


def test_a_slice_of_time_is_filled() -> None:
    calls: list[int] = []
    best_seconds({"a": lambda: calls.append(1)}, rounds=1, slice_seconds=0.005)
    assert len(calls) > 2


def test_the_shortest_time_is_kept() -> None:
    naps = iter([0.03, 0.03, 0.001, 0.03])
    found = best_seconds({"nap": lambda: time.sleep(next(naps))}, rounds=3, slice_seconds=0.0)
    assert 0.001 <= found["nap"] < 0.03


def test_a_fast_candidate_is_averaged_over_as_long_as_a_slow_one_takes() -> None:
    calls: list[int] = []
    best_seconds({"fast": lambda: calls.append(1), "slow": lambda: time.sleep(0.01)}, rounds=1, slice_seconds=0.0)
    assert len(calls) > 100


def test_statements_are_timed_with_their_names() -> None:
    calls: list[int] = []
    found = best_nanoseconds({"append": ("f(1)", {"f": calls.append})}, rounds=1)
    assert calls
    assert found["append"] > 0
