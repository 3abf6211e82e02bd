"""The conformance cases of `abi.toml`, and guests that break the ABI, on every store and engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from purewasm import Runtime
from purewasm.testing import ConformanceCase, check_hostile, conformance_cases, fuzz
from purewasm_kv import Kv, Store


@pytest.mark.parametrize("case", conformance_cases(Path(__file__).parent / "abi_cases.json"), ids=str)
def test_conformance(case: ConformanceCase, runtime: Runtime, new_store: Callable[[], Store]) -> None:
    case.run(runtime, Kv(new_store()))


def test_hostile_guests(runtime: Runtime) -> None:
    check_hostile(runtime, Kv)


def test_random_guests(runtime: Runtime) -> None:
    assert fuzz(runtime, Kv, seed=7, rounds=300) > 0
