"""Programs on engines: load, check that all agree, time. Shared by the suites `interpreter` and `run`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench.context import Context
from bench.engines.protocol import Engine, Guest
from bench.measure import best_seconds
from bench.programs import Program
from bench.results import Row, SuiteResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def time_program(
    context: Context, program: Program, n: int, engines: Mapping[str, Engine], result: SuiteResult, *, native: bool
) -> Row | None:
    """Milliseconds of `run(n)`, warm, on each engine (and natively); None where nothing could run. Disagreements are noted."""
    wasm = context.wasm(program.name, result)
    if wasm is None:
        return None
    candidates: dict[str, Callable[[], object]] = {}
    guests: list[Guest] = []
    for name, engine in engines.items():
        guest = engine.compile(wasm).instantiate()
        guests.append(guest)
        candidates[name] = partial(guest.function("run"), n)
    compiled = context.native(program.name, result) if native else None
    if compiled is not None:
        candidates["native"] = partial(compiled, n)
    agreeing = _checked(program, n, candidates, result)
    seconds = best_seconds(agreeing, context.rounds)
    for guest in guests:
        guest.close()
    return Row(program.name, {name: value * 1e3 for name, value in seconds.items()}) if seconds else None


def _checked(
    program: Program, n: int, candidates: Mapping[str, Callable[[], object]], result: SuiteResult
) -> dict[str, Callable[[], object]]:
    """Runs each candidate once (which also warms it) and drops those that fail or disagree with most of the others."""
    answers: dict[str, object] = {}
    for name, call in candidates.items():
        try:
            answers[name] = call()
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in a runtime is a finding, not the end of the run
            result.wrong.append(f"{program.name}({n}) on {name}: {type(error).__name__}: {error}")
    given = list(answers.values())
    agreed = max(given, key=given.count) if given else None
    for name, answer in answers.items():
        if answer != agreed:
            result.wrong.append(f"{program.name}({n}) on {name} is {answer}, elsewhere {agreed}")
    return {name: candidates[name] for name, answer in answers.items() if answer == agreed}
