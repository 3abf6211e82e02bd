"""The interpreter engine beside pywasm: the five programs that the project's goals name, small and warm."""

from __future__ import annotations

from typing import Final

from bench.context import Context
from bench.results import SuiteResult, Table
from bench.suites.execution import time_program

_PROGRAMS: Final = ("fib", "sha256", "matmul", "nbody", "coremark")


def measure(context: Context) -> SuiteResult:
    """One table: run time, and how many times faster the interpreter is."""
    result = SuiteResult("interpreter")
    engines = context.engines(("interpreter", "pywasm"), result)
    rows = []
    for program in context.programs(_PROGRAMS):
        context.say(f"interpreter: {program.name}")
        row = time_program(context, program, program.small_n, engines, result, native=False)
        if row is not None:
            rows.append(row)
    notes = [
        f"{row.name}: {speedup:.0f} times faster than pywasm"
        for row in rows
        if (speedup := row.ratio("pywasm", "interpreter")) is not None
    ]
    result.tables.append(
        Table(
            key="interpreter",
            title="Run time on the interpreter engine",
            unit="ms",
            engines=tuple(engines),
            baseline="pywasm" if "pywasm" in engines else None,
            rows=tuple(rows),
            notes=tuple(notes),
            mean=True,
        )
    )
    return result
