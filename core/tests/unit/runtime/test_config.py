"""Options of a runtime."""

from __future__ import annotations

import copy
import pickle

import pytest

from purewasm import CompilationCache, Features, RuntimeConfig


def test_defaults() -> None:
    config = RuntimeConfig()
    assert (config.engine, config.features, config.fuel, config.interruptible, config.eager) == ("auto", Features.WASM3, False, True, False)
    assert (config.memory_limit_pages, config.max_stack_bytes, config.timeout, config.call_fuel) == (None, 1 << 20, None, None)


def test_it_does_not_change_and_takes_keywords_only() -> None:
    config = RuntimeConfig()
    with pytest.raises(AttributeError, match=r"with_\(fuel=…\)"):
        config.fuel = True
    with pytest.raises(AttributeError, match="deleted"):
        del config.fuel
    with pytest.raises(AttributeError):
        config.nonsense = 1
    assert not config.fuel
    with pytest.raises(TypeError):
        RuntimeConfig("interpreter")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        RuntimeConfig(nonsense=1)  # type: ignore[call-arg]


CHANGES: dict[str, object] = {
    "engine": "interpreter",
    "features": Features.WASM1,
    "cache": CompilationCache(),
    "memory_limit_pages": 5,
    "heap_limit_bytes": 1 << 20,
    "max_stack_bytes": 1 << 16,
    "fuel": True,
    "interruptible": False,
    "explicit_checks": True,
    "optimize_after": 7,
    "eager": True,
    "workers": 2,
    "progress": print,
    "debug_info": False,
    "timeout": 1.5,
}


@pytest.mark.parametrize("option", CHANGES)
def test_each_option_is_kept_compared_and_shown(option: str) -> None:
    changed = RuntimeConfig().with_(**{option: CHANGES[option]})
    assert getattr(changed, option) == CHANGES[option]
    assert changed != RuntimeConfig()
    assert changed == RuntimeConfig(**{option: CHANGES[option]})  # type: ignore[arg-type]
    assert f"{option}={CHANGES[option]!r}" in repr(changed)
    assert changed.with_(**{option: getattr(RuntimeConfig(), option)}) == RuntimeConfig()


def test_equal_ones_hash_the_same_and_copies_are_equal() -> None:
    config = RuntimeConfig(fuel=True, call_fuel=7)
    assert config.call_fuel == 7
    assert hash(config) == hash(RuntimeConfig(call_fuel=7, fuel=True))
    assert config != (True, 7)
    for other in (copy.copy(config), copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert other == config
        assert other is not config


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"optimize_after": -1}, ValueError, "optimize_after is between 0 and 4611686018427387904, or None: -1"),
        ({"optimize_after": (1 << 62) + 1}, ValueError, "optimize_after is between 0 and"),
        ({"engine": "jit"}, ValueError, "unknown engine 'jit': one of auto, compiler, interpreter"),
        ({"features": "simd"}, TypeError, r"features is a Features object"),
        ({"memory_limit_pages": -1}, ValueError, "not negative"),
        ({"heap_limit_bytes": 1000}, ValueError, "at least 65536"),
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
