"""Random programs over structures, arrays and casts do the same everywhere: results, traps, and the fuel that is left."""

from __future__ import annotations

from random import Random

import pytest

from core.tests.conformance.conftest import AVAILABLE
from core.tests.differential.aggregates import Aggregates
from core.tests.differential.budget import budget

pytest.importorskip("wasmtime", reason="the other runtime: pip install wasmtime")

from core.tests.differential.outcomes import Call, differences, new_runtime, own_outcomes

_CALLS = 8


def _calls(rng: Random) -> list[Call]:
    return [
        Call(
            f"f{number >> 1}",
            (rng.choice((0, 1, 2, -1, rng.getrandbits(31))), rng.choice((0, -1, rng.getrandbits(62))), rng.choice((0.0, -1.5, 1e10))),
        )
        for number in range(_CALLS)
    ]


@pytest.mark.skipif(len(AVAILABLE) < 2, reason="there is one engine only")
@pytest.mark.parametrize("explicit_checks", [False, True], ids=["guard pages", "explicit checks"])
def test_engines_agree(explicit_checks: bool) -> None:
    for seed in budget(20):
        rng = Random(seed)
        text, calls = Aggregates(rng).text(), _calls(rng)
        found = []
        for engine in AVAILABLE:
            with new_runtime(engine, fuel=True, explicit_checks=explicit_checks) as runtime:
                found.append([*own_outcomes(runtime.compile(text).wasm.source, calls, runtime, 1 << 40)])
        assert found[0] == found[1], f"seed {seed}: {text}"


@pytest.mark.parametrize("engine", AVAILABLE)
def test_the_other_runtime_agrees(engine: str) -> None:
    for seed in budget(20):
        rng = Random(1000 + seed)
        text, calls = Aggregates(rng).text(), _calls(rng)
        with new_runtime(engine) as runtime:
            found = differences(runtime.compile(text).wasm.source, calls, runtime)
        assert not found, f"seed {seed}: {found} {text}"


@pytest.mark.parametrize("engine", AVAILABLE)
def test_many_of_the_programs_run_to_their_end(engine: str) -> None:
    returned = 0
    for seed in range(20):
        rng = Random(seed)
        text, calls = Aggregates(rng).text(), _calls(rng)
        with new_runtime(engine) as runtime:
            outcomes = [*own_outcomes(runtime.compile(text).wasm.source, calls, runtime)]
        returned += sum(outcome.startswith("returned") for outcome in outcomes)
    assert returned > 30
