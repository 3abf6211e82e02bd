"""Atomic accesses do the same on every engine: results, traps and what is in memory afterwards."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from core.tests.conformance.conftest import AVAILABLE
from core.tests.differential.atomics import LOCALS, Atomics
from core.tests.differential.budget import budget
from purewasm import Features, Runtime, Trap

if TYPE_CHECKING:
    from collections.abc import Iterator


def _outcomes(text: str, engine: str, rng: Random, *, explicit_checks: bool) -> Iterator[str]:
    with Runtime(engine=engine, features=Features.all(), explicit_checks=explicit_checks) as runtime:
        instance = runtime.instantiate(text)
        for _ in range(4):
            arguments = [rng.choice((0, 1, -1, 8, 16, 0x11, rng.getrandbits(63), rng.getrandbits(32))) for _ in range(LOCALS)]
            try:
                yield f"{instance.exports.f(*arguments)}"
            except Trap as error:
                yield str(error)
            for name in ("memory", "second"):
                memory = instance.exports[name]
                yield memory.read(0, memory.size).rstrip(b"\0").hex()  # type: ignore[union-attr]


@pytest.mark.skipif(len(AVAILABLE) < 2, reason="there is one engine only")
@pytest.mark.parametrize("page_bytes", [65536, 1])
@pytest.mark.parametrize("is_64", [False, True], ids=["memory32", "memory64"])
@pytest.mark.parametrize("shared", [False, True], ids=["own", "shared"])
def test_engines_agree(shared: bool, is_64: bool, page_bytes: int) -> None:
    for seed in budget(25):
        text = Atomics(Random(seed), shared=shared, is_64=is_64, page_bytes=page_bytes).text()
        one, *others = ([*_outcomes(text, engine, Random(seed), explicit_checks=bool(seed & 1))] for engine in AVAILABLE)
        for other in others:
            assert one == other, f"seed {seed}: {text}"
