"""Modules of our own generator behave as in the other runtime, however they are lowered."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from core.tests.conformance.conftest import AVAILABLE
from core.tests.differential.budget import budget
from core.tests.differential.generator import generate
from purewasm.engine.interpreter import floats, fragments, integers, lowering, memory, structured

if TYPE_CHECKING:
    from collections.abc import Callable

pytest.importorskip("wasmtime", reason="the other runtime: pip install wasmtime")

from core.tests.differential.outcomes import Call, differences, new_runtime

_PARAMETERS = 3
_FUNCTIONS = 6


def check(seed: int, engine: str, **options: bool) -> None:
    """Compare the module of a seed; the message has all that is needed to see the difference again."""
    rng = Random(seed)
    text = generate(rng)
    with new_runtime(engine, **options) as runtime:
        binary = runtime.compile(text).wasm.source
        calls = [
            Call(f"f{function}", tuple(rng.choice((0, 1, 2, 3, -1, rng.getrandbits(32) - (1 << 31))) for _ in range(_PARAMETERS)))
            for function in range(_FUNCTIONS)
            for _ in range(2)
        ]
        found = differences(binary, calls, runtime)
    assert not found, f"seed {seed} on {engine} {options}: {found}"


@pytest.mark.slow
@pytest.mark.parametrize("engine", AVAILABLE)
def test_generated_modules(engine: str) -> None:
    for seed in budget(25):
        check(seed, engine)


@pytest.mark.slow
@pytest.mark.parametrize("engine", AVAILABLE)
def test_generated_modules_with_fuel(engine: str) -> None:
    for seed in budget(8):
        check(10_000 + seed, engine, fuel=True)


def _flat(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(structured, "MAX_INDENT", 0)


def _few_loops(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(structured, "MAX_NESTED_LOOPS", 1)


def _grouped(patch: pytest.MonkeyPatch) -> None:
    for name, value in (("_MIN_GROUP", 2), ("_MAX_LINEAR", 1), ("_MIN_TABLE", 2)):
        patch.setattr(structured, name, value)


def _compact(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lowering, "COMPACT_INSTRUCTIONS", -1)


def _short_text(patch: pytest.MonkeyPatch) -> None:
    for module in (floats, fragments, integers, lowering, memory):
        patch.setattr(module, "MAX_TEXT", 12)


@pytest.mark.slow
@pytest.mark.parametrize("way", [_flat, _few_loops, _grouped, _compact, _short_text])
def test_every_way_of_lowering(way: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    way(monkeypatch)
    for seed in budget(8):
        check(20_000 + seed, "interpreter")
