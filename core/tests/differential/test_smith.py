"""Modules of `wasm-tools smith` behave as in the other runtime."""

from __future__ import annotations

from random import Random

import pytest

from core.tests.conformance.conftest import AVAILABLE
from core.tests.differential.budget import budget, smith
from purewasm import Features, UnsupportedError

pytest.importorskip("wasmtime", reason="the other runtime: pip install wasmtime")

from core.tests.differential.outcomes import differences, new_runtime, with_plain_exports
from core.tests.differential.smith import make_module, smith_calls


@pytest.mark.slow
@pytest.mark.parametrize("engine", AVAILABLE)
def test_smith_modules(engine: str) -> None:
    smith()
    for seed in budget(25):
        rng = Random(seed)
        made = make_module(rng)
        with new_runtime(engine) as runtime:
            try:
                binary, functions = with_plain_exports(made, Features.all())
            except UnsupportedError:
                continue
            found = differences(binary, smith_calls(rng, functions), runtime)
        assert not found, f"seed {seed} on {engine}: {found}"
