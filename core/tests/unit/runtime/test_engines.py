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


@pytest.mark.skipif("compiler" not in AVAILABLE, reason="there is no compiler for this platform")
def test_where_the_compiler_is_not_proven_it_has_to_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from purewasm.engine.native import availability

    monkeypatch.setattr(availability, "SYSTEM", "windows")
    assert Runtime(engine="auto").engine_name == "interpreter"
    assert Runtime(engine="compiler").engine_name == "compiler"


def test_an_instance_tells_what_runs_it(engine: str) -> None:
    instance = Runtime(engine=engine).instantiate("(module)")
    assert (instance.engine_name, instance.why_interpreted) == (engine, None)


@pytest.mark.skipif("compiler" not in AVAILABLE, reason="there is no compiler for this platform")
def test_a_module_that_is_not_compiled_says_so_and_why() -> None:
    ways = "(br_if 0 (i32.const 1))" * 4000
    with Runtime(engine="compiler") as runtime:
        instance = runtime.instantiate(f'(module (func (export "f") {"(local i64) " * 20000} (block {ways})))')
        assert instance.engine_name == "interpreter"
        assert str(instance.why_interpreted).startswith("function 0 is too large: ")
        instance.close()
        assert instance.engine_name == "interpreter"
