"""Decode and validate: guest instructions per second, and the most memory that it takes (and compiling), by size of module.

For purewasm that is a lazy `compile()`, for wasmtime `Module.validate` (native code, for a sense of scale), for pywasm parsing:
it has no validator.
"""

from __future__ import annotations

import gc
import tracemalloc
from functools import partial
from typing import TYPE_CHECKING, Final

from bench.bytecode import count_instructions, repeat_functions
from bench.context import Context
from bench.measure import best_seconds
from bench.results import Row, SuiteResult, Table

if TYPE_CHECKING:
    from collections.abc import Callable

_PROGRAMS: Final = ("coremark", "zlib", "lua", "sqlite")
_LARGE_TIMES: Final = 20
_EAGER: Final = "interpreter, eager"


def measure(context: Context) -> SuiteResult:
    """A table of speeds by module, and one of peak memory."""
    result = SuiteResult("frontend")
    engines = context.engines(("interpreter", "wasmtime", "pywasm"), result)
    modules = {program.name: context.wasm(program.name, result) for program in context.programs(_PROGRAMS)}
    if context.large and (sqlite := modules.get("sqlite")) is not None:
        modules[f"sqlite, {_LARGE_TIMES} times"] = repeat_functions(sqlite, _LARGE_TIMES)
    speeds, memory = [], []
    for name, wasm in modules.items():
        if wasm is None:
            continue
        context.say(f"frontend: {name}")
        count = count_instructions(wasm)
        candidates = {engine_name: partial(engine.check, wasm) for engine_name, engine in engines.items()}
        seconds = best_seconds(candidates, min(context.rounds, 2))
        title = f"{name}, {len(wasm) / 1e6:.2g} MB"
        speeds.append(Row(title, {engine_name: count / value / 1e6 for engine_name, value in seconds.items()}))
        # wasmtime's memory is not Python's, and not seen here.
        peaks = {key: _peak_bytes(partial(engine.check, wasm)) for key, engine in engines.items() if key != "wasmtime"}
        if "interpreter" in engines:
            peaks[_EAGER] = _peak_bytes(partial(engines["interpreter"].compile, wasm, eager=True))
        memory.append(Row(title, {key: peak / len(wasm) for key, peak in peaks.items()}))
    baseline = "wasmtime" if "wasmtime" in engines else None
    result.tables.append(
        Table(
            key="frontend",
            title="Decode and validate",
            unit="million instructions/s",
            engines=tuple(engines),
            baseline=baseline,
            rows=tuple(speeds),
            direction="speed",
        )
    )
    result.tables.append(
        Table(
            key="frontend-memory",
            title="Peak memory of compiling",
            unit="times the module's size",
            engines=tuple(dict.fromkeys(key for row in memory for key in row.values)),
            baseline=None,
            rows=tuple(memory),
            notes=(
                f"Decoding and validating; `{_EAGER}`: every function lowered as well.",
                "Memory of Python objects, as tracemalloc counts it; the module's own bytes are not in it.",
            ),
        )
    )
    return result


def _peak_bytes(compile_module: Callable[[], object]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        compile_module()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
