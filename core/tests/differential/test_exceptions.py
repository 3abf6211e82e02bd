"""Modules that throw and catch behave in the same way on every engine, and as in the other runtime."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from core.tests.conformance.conftest import AVAILABLE
from core.tests.differential.budget import budget
from core.tests.differential.throwing import Throwing
from purewasm import Features, FuelExhausted, GuestException, Runtime, Trap
from purewasm.store.values import to_public
from purewasm.wasm.valtypes import I64

if TYPE_CHECKING:
    from collections.abc import Iterator

_FUNCTIONS = 5


def _arguments(rng: Random) -> list[tuple[int, int, float]]:
    return [(rng.choice((0, 1, 2, 5, -1)), rng.choice((0, 3, -7, 1 << 40)), rng.choice((0.0, 2.5, -1e9))) for _ in range(3)]


def _functions(error: GuestException | Trap) -> list[int]:
    """The backtrace. Offsets are left out: the interpreter has that of the statement which a call became part of."""
    return [frame.function_index for frame in error.frames]


def _outcomes(text: str, engine: str, rng: Random, *, with_frames: bool, fuel: bool) -> Iterator[str]:
    """What each call gives: results, or payload, tag and frames of what comes out."""
    with Runtime(engine=engine, features=Features.all(), fuel=fuel) as runtime:
        instance = runtime.instantiate(text)
        for index in range(_FUNCTIONS):
            function = instance.exports[f"f{index}"]
            for arguments in _arguments(rng):
                instance.exports.reset()
                limited = function.with_options(fuel=rng.randint(20, 2000)) if fuel else function  # type: ignore[union-attr]
                try:
                    yield f"{limited(*arguments)}"  # type: ignore[operator]
                except GuestException as error:
                    tag = instance.tags.index(error.tag)  # type: ignore[arg-type]
                    yield f"tag {tag} {error.values} {error.raw} {_functions(error) if with_frames else ''}"
                except (Trap, FuelExhausted) as error:
                    yield f"{error} {_functions(error)}"
                yield f"seen {to_public(instance.globals[1].raw, I64)}"


@pytest.mark.slow
@pytest.mark.skipif(len(AVAILABLE) < 2, reason="there is one engine only")
@pytest.mark.parametrize("fuel", [False, True], ids=["plain", "fuel"])
@pytest.mark.parametrize("legacy", [False, True], ids=["exceptions", "legacy"])
def test_engines_agree(legacy: bool, fuel: bool) -> None:
    for seed in budget(25):
        text = Throwing(Random(seed), legacy=legacy, functions=_FUNCTIONS).text()
        # what comes to a rethrow, the interpreter counts with what goes on from there
        one, *others = ([*_outcomes(text, engine, Random(seed), with_frames=not legacy, fuel=fuel)] for engine in AVAILABLE)
        for other in others:
            differing = [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]
            assert not differing, f"seed {seed}: {differing[0]}"


@pytest.mark.slow
@pytest.mark.parametrize("engine", AVAILABLE)
def test_the_other_runtime_agrees(engine: str) -> None:
    pytest.importorskip("wasmtime", reason="the other runtime: pip install wasmtime")
    from core.tests.differential.outcomes import Call, differences, new_runtime

    for seed in budget(25):
        rng = Random(1000 + seed)
        text = Throwing(rng, functions=_FUNCTIONS).text()
        with new_runtime(engine) as runtime:
            binary = runtime.compile(text).wasm.source
            calls = []
            for index in range(_FUNCTIONS):
                for arguments in _arguments(rng):
                    calls += [Call("reset", ()), Call(f"f{index}", arguments)]
            found = differences(binary, calls, runtime)
        assert not found, f"seed {1000 + seed}: {found}"
