"""Run time of every program on the compilers, beside wasmtime and the same C in native code."""

from __future__ import annotations

from bench.context import Context
from bench.results import Row, SuiteResult, Table
from bench.suites.execution import time_program


def measure(context: Context) -> SuiteResult:
    """One table with the geometric mean of the ratios to wasmtime."""
    result = SuiteResult("run")
    engines = context.engines(("compiler", "wasmtime"), result)
    rows: list[Row] = []
    for program in context.programs():
        context.say(f"run: {program.name}")
        row = time_program(context, program, program.large_n, engines, result, native=True)
        if row is not None:
            rows.append(row)
    result.tables.append(
        Table(
            key="run",
            title="Run time",
            unit="ms",
            engines=(*engines, "native"),
            baseline="wasmtime" if "wasmtime" in engines else None,
            rows=tuple(rows),
            notes=("Warm, best of all rounds. Native is the same C by the machine's compiler with -O2, called through ctypes.",),
            mean=True,
        )
    )
    return result
