"""The compiler, stage by stage: nanoseconds per guest instruction, by size of module. Flat lines are what a large module needs.

A module is decoded, validated, and then every function of it compiled, as an eager `compile()` does. Stages are timed in one pass, from
inside: each stage's function is replaced by one that looks at the clock. What no stage has counts as `emission`. Baseline code of the
same functions is made apart from that.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Final

from bench.bytecode import count_instructions, repeat_functions
from bench.context import Context
from bench.results import Row, SuiteResult, Table
from purewasm import Features
from purewasm.backend.machine_code import TargetOptions
from purewasm.binary.decoder import decode_module
from purewasm.isa.x64 import compile as compiler
from purewasm.isa.x64.baseline.compile import BaselineCompiler
from purewasm.isa.x64.cpu import EMITTED_FEATURES
from purewasm.validate.module import validate_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PROGRAMS: Final = ("coremark", "zlib", "lua", "sqlite")
_LARGE_TIMES: Final = 20
_FUNCTIONS: Final = {"build_function": "front end", "run_passes": "passes", "allocate": "allocation"}
"""What the compiler's module calls, by its name there."""
STAGES: Final = ("decode", "validate", *_FUNCTIONS.values(), "emission")
_BASELINE: Final = "baseline instead"


def measure(context: Context) -> SuiteResult:
    """One table, a row for each module, the smallest first."""
    result = SuiteResult("stages")
    modules = {program.name: context.wasm(program.name, result) for program in context.programs(_PROGRAMS)}
    if context.large and (sqlite := modules.get("sqlite")) is not None:
        modules[f"sqlite, {_LARGE_TIMES} times"] = repeat_functions(sqlite, _LARGE_TIMES)
    rows = []
    for name, wasm in modules.items():
        if wasm is None:
            continue
        context.say(f"stages: {name}")
        count = count_instructions(wasm)
        rounds = 1 if len(wasm) > 10 << 20 else context.rounds
        runs = [stage_seconds(wasm) for _ in range(rounds)]
        best = min(runs, key=lambda run: sum(run.values()))
        values = {stage: seconds / count * 1e9 for stage, seconds in best.items()}
        values |= {"all": sum(values.values()), _BASELINE: min(baseline_seconds(wasm) for _ in range(rounds)) / count * 1e9}
        rows.append(Row(f"{name}, {len(wasm) / 1e3:,.0f} kB, {count:,} instructions", values))
    result.tables.append(
        Table(
            key="stages",
            title="Compile time per guest instruction, by stage",
            unit="ns",
            engines=(*STAGES, "all", _BASELINE),
            baseline=None,
            rows=tuple(rows),
            notes=("All functions, one core, CPython without any compiled extension; the best of a few rounds.",),
        )
    )
    return result


def stage_seconds(wasm: bytes) -> dict[str, float]:
    """Seconds of each stage for a whole module."""
    gc.collect()
    start = perf_counter()
    module = decode_module(wasm, Features.WASM3)
    decoded = perf_counter()
    validate_module(module, Features.WASM3)
    validated = perf_counter()
    options = TargetOptions(EMITTED_FEATURES)
    compile_function = compiler.function_compiler(module, options)
    with _stopwatch() as spent:
        for index in range(module.imported_functions, len(module.func_types)):
            compile_function(index)
    spent["emission"] = perf_counter() - validated - sum(spent.values())
    return {"decode": decoded - start, "validate": validated - decoded, **spent}


def baseline_seconds(wasm: bytes) -> float:
    """Seconds that baseline code of a whole module takes."""
    module = decode_module(wasm, Features.WASM3)
    compile_function = BaselineCompiler(module, TargetOptions(EMITTED_FEATURES))
    gc.collect()
    start = perf_counter()
    gc.disable()
    try:
        for index in range(module.imported_functions, len(module.func_types)):
            compile_function(index)
    finally:
        gc.enable()
    return perf_counter() - start


@contextmanager
def _stopwatch() -> Iterator[dict[str, float]]:
    """Seconds spent in each of `_FUNCTIONS` while this lasts."""
    spent = dict.fromkeys(_FUNCTIONS.values(), 0.0)
    originals = {name: getattr(compiler, name) for name in _FUNCTIONS}

    def timed(function: Callable[..., object], stage: str) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            start = perf_counter()
            try:
                return function(*arguments)
            finally:
                spent[stage] += perf_counter() - start

        return call

    try:
        for name, stage in _FUNCTIONS.items():
            setattr(compiler, name, timed(originals[name], stage))
        yield spent
    finally:
        for name, original in originals.items():
            setattr(compiler, name, original)
