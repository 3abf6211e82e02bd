"""Engine names → adapters. A runtime that is not installed is reported, never an error."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from bench.engines.protocol import Engine, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_ADAPTERS: Final = {
    "interpreter": "bench.engines.purewasm_engine:open_interpreter",
    "compiler": "bench.engines.purewasm_engine:open_compiler",
    "compiler-at-once": "bench.engines.purewasm_engine:open_compiler_at_once",
    "compiler-ahead": "bench.engines.purewasm_engine:open_compiler_ahead",
    "wasmtime": "bench.engines.wasmtime_engine:open_engine",
    "wasmtime-1": "bench.engines.wasmtime_engine:open_single_threaded",
    "pywasm": "bench.engines.pywasm_engine:open_engine",
}

NAMES: Final = tuple(_ADAPTERS)


@cache
def open_engine(name: str) -> Engine:
    """The engine, the same one each time, or UnavailableError."""
    module, _, function = _ADAPTERS[name].partition(":")
    try:
        opener = cast("Callable[[], Engine]", getattr(import_module(module), function))
    except ImportError as error:
        raise UnavailableError(f"{name}: not installed ({error})") from error
    return opener()


def open_engines(names: Iterable[str]) -> tuple[dict[str, Engine], list[str]]:
    """Those that are here, and a sentence for each of the others."""
    engines: dict[str, Engine] = {}
    missing = []
    for name in names:
        try:
            engines[name] = open_engine(name)
        except UnavailableError as error:
            missing.append(str(error))
    return engines, missing
