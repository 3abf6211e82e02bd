"""An instance of a compiled module, made and closed again, by size of module; on request, how many can be alive at once."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from bench.context import Context
from bench.engines.protocol import Compiled
from bench.measure import best_nanoseconds
from bench.results import Row, SuiteResult, Table

_ENGINES: Final = ("interpreter", "compiler", "wasmtime", "pywasm")
_MOST_INSTANCES: Final = 40_000
_SECONDS: Final = 300
_ROOT: Final = Path(__file__).resolve().parent.parent.parent
_PROGRAMS: Final = ("fib", "coremark", "lua", "sqlite")


def measure(context: Context) -> SuiteResult:
    """A table of microseconds; with `large` one of live instances."""
    result = SuiteResult("instantiate")
    engines = context.engines(_ENGINES, result)
    rows = []
    for program in context.programs(_PROGRAMS):
        wasm = context.wasm(program.name, result)
        if wasm is None:
            continue
        context.say(f"instantiate: {program.name}")
        modules: dict[str, Compiled] = {name: engine.compile(wasm) for name, engine in engines.items()}
        statements = {name: ("module.instantiate().close()", {"module": module}) for name, module in modules.items()}
        nanoseconds = best_nanoseconds(statements, context.rounds)
        rows.append(Row(f"{program.name}, {len(wasm):,} bytes", {name: value / 1e3 for name, value in nanoseconds.items()}))
        for module in modules.values():
            module.close()
    baseline = "wasmtime" if "wasmtime" in engines else None
    result.tables.append(
        Table(
            key="instantiate",
            title="An instance of a compiled module",
            unit="µs",
            engines=tuple(engines),
            baseline=baseline,
            rows=tuple(rows),
            notes=("Made, `_initialize` called where the guest has it, closed.",),
        )
    )
    wasm = context.wasm("fib", result) if context.large else None
    if wasm is not None:
        context.say("instantiate: live instances")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "fib.wasm"
            path.write_bytes(wasm)
            row = Row("alive at once", {name: float(_live_instances(name, path)) for name in engines if name != "pywasm"})
        result.tables.append(
            Table(
                key="live-instances",
                title="Live instances with a memory of one page",
                unit="instances",
                engines=tuple(row.values),
                baseline=baseline,
                rows=(row,),
                direction="speed",
                notes=(f"Counted up to {_MOST_INSTANCES:,}.",),
            )
        )
    return result


def _live_instances(engine: str, path: Path) -> int:
    command = [sys.executable, "-m", "bench.live_instances", engine, str(path), str(_MOST_INSTANCES)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=_SECONDS, check=True)
    return int(done.stdout)
