"""Options of a runtime."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

from purewasm import Features, RuntimeConfig


def test_defaults() -> None:
    config = RuntimeConfig()
    assert (config.engine, config.features, config.fuel, config.interruptible, config.eager) == ("auto", Features.WASM3, False, True, False)
    assert (config.memory_limit_pages, config.max_stack_bytes, config.timeout, config.call_fuel) == (None, 1 << 20, None, None)


def test_it_is_a_frozen_dataclass_with_keywords_only() -> None:
    config = RuntimeConfig()
    assert dataclasses.is_dataclass(config)
    assert dataclasses.replace(config, fuel=True) == config.with_(fuel=True)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.fuel = True  # type: ignore[misc]
    with pytest.raises(TypeError):
        RuntimeConfig("interpreter")  # type: ignore[call-arg]
    assert pickle.loads(pickle.dumps(config)) == config
    assert hash(config) == hash(RuntimeConfig())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"engine": "jit"}, ValueError, "unknown engine 'jit': one of auto, compiler, interpreter"),
        ({"features": "simd"}, TypeError, r"features is a Features object"),
        ({"memory_limit_pages": -1}, ValueError, "not negative"),
        ({"max_stack_bytes": 100}, ValueError, "at least 4096"),
        ({"timeout": -0.5}, ValueError, "timeout"),
        ({"timeout": float("nan")}, ValueError, "timeout"),
        ({"timeout": 1, "interruptible": False}, ValueError, "interruptible=True"),
        ({"call_fuel": 5}, ValueError, "needs fuel=True"),
        ({"call_fuel": -5, "fuel": True}, ValueError, "not negative"),
        ({"nonsense": 1}, TypeError, "unknown option nonsense"),
    ],
)
def test_values_that_make_no_sense(options: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        RuntimeConfig().with_(**options)
