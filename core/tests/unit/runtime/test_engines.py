"""Which engine a runtime gets."""

from __future__ import annotations

import pytest

from core.tests.conformance.conftest import AVAILABLE
from purewasm import Runtime, RuntimeConfig, WasmError


def test_the_engine_that_is_asked_for(engine: str) -> None:
    assert Runtime(RuntimeConfig(engine=engine)).engine_name == engine


def test_there_is_always_one() -> None:
    assert Runtime().engine_name in AVAILABLE


@pytest.mark.skipif("compiler" in AVAILABLE, reason="there is a compiler for this platform")
def test_a_compiler_that_is_not_there_says_why() -> None:
    with pytest.raises(WasmError, match="compiler"):
        Runtime(engine="compiler")
