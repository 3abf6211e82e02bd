"""Engines that disagree or fail are reported and not timed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.context import Context
from bench.engines.protocol import Engine, HostFunction
from bench.programs import BY_NAME
from bench.results import SuiteResult
from bench.suites.execution import time_program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class MadeUpGuest:
    def __init__(self, run: Callable[[int], int]) -> None:
        self.run = run
        self.closed = False

    def function(self, _name: str) -> Callable[..., object]:
        return self.run

    def written_call(self, name: str, arguments: str) -> tuple[str, dict[str, object]]:
        return f"{name}({arguments})", {name: self.run}

    def reader(self) -> Callable[[int, int], object]:
        return lambda _offset, count: bytes(count)

    def close(self) -> None:
        self.closed = True


class MadeUpEngine:
    """Is its own module."""

    runtime = "made up 1"

    def __init__(self, name: str, run: Callable[[int], int]) -> None:
        self.name = name
        self.guest = MadeUpGuest(run)

    def compile(self, _wasm: bytes, *, eager: bool = False) -> MadeUpEngine:
        del eager
        return self

    def check(self, wasm: bytes) -> None:
        pass

    def instantiate(self, _host: HostFunction | None = None) -> MadeUpGuest:
        return self.guest

    def close(self) -> None:
        pass


def failing(_n: int) -> int:
    raise RuntimeError("no")


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setattr(Context, "wasm", lambda *_: b"")
    monkeypatch.setattr("bench.suites.execution.best_seconds", lambda candidates, _rounds: dict.fromkeys(candidates, 0.002))
    return Context(cache=tmp_path, rounds=1)


def measured(context: Context, **runs: Callable[[int], int]) -> tuple[dict[str, float], list[str]]:
    made = {name: MadeUpEngine(name, run) for name, run in runs.items()}
    engines: dict[str, Engine] = dict(made)
    result = SuiteResult("run")
    row = time_program(context, BY_NAME["fib"], 20, engines, result, native=False)
    assert all(engine.guest.closed for engine in made.values())
    return ({} if row is None else row.values), result.wrong


def test_milliseconds_of_engines_that_agree(context: Context) -> None:
    assert measured(context, a=lambda n: n, b=lambda n: n) == ({"a": 2.0, "b": 2.0}, [])


def test_the_odd_one_out_is_reported(context: Context) -> None:
    values, wrong = measured(context, a=lambda n: n, b=lambda n: n + 1, c=lambda n: n)
    assert values == {"a": 2.0, "c": 2.0}
    assert wrong == ["fib(20) on b is 21, elsewhere 20"]


def test_a_failure_is_reported(context: Context) -> None:
    values, wrong = measured(context, a=failing, b=lambda n: n)
    assert values == {"b": 2.0}
    assert wrong == ["fib(20) on a: RuntimeError: no"]
