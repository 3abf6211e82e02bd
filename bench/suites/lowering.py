"""The interpreter engine's lowering: Python source made from guest code and compiled by CPython, per guest instruction.

Taken from outside as the difference of an eager and a lazy `compile()`: what is left is lowering every function.
"""

from __future__ import annotations

from typing import Final

from bench.bytecode import count_instructions
from bench.context import Context
from bench.engines.protocol import Engine
from bench.measure import best_seconds
from bench.results import Row, SuiteResult, Table

_PROGRAMS: Final = ("coremark", "zlib", "lua", "sqlite")


def measure(context: Context) -> SuiteResult:
    """One table of microseconds per instruction, by module."""
    result = SuiteResult("lowering")
    engines = context.engines(("interpreter",), result)
    if not engines:
        return result
    rows, notes = [], []
    for program in context.programs(_PROGRAMS):
        wasm = context.wasm(program.name, result)
        if wasm is None:
            continue
        context.say(f"lowering: {program.name}")
        count = count_instructions(wasm)
        lazy, eager = _seconds(engines["interpreter"], wasm, context.rounds)
        rows.append(Row(program.name, {"interpreter": (eager - lazy) / count * 1e6, "with decoding and validation": eager / count * 1e6}))
        notes.append(f"{program.name}: {count:,} instructions in {len(wasm):,} bytes")
    result.tables.append(
        Table(
            key="lowering",
            title="Lowering to Python code, per guest instruction",
            unit="µs",
            engines=("interpreter", "with decoding and validation"),
            baseline=None,
            rows=tuple(rows),
            notes=tuple(notes),
        )
    )
    return result


def _seconds(engine: Engine, wasm: bytes, rounds: int) -> tuple[float, float]:
    best = best_seconds(
        {"lazy": lambda: engine.compile(wasm).close(), "eager": lambda: engine.compile(wasm, eager=True).close()},
        min(rounds, 2),
        slice_seconds=0.0,
    )
    return best["lazy"], best["eager"]
