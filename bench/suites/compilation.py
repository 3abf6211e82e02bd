"""Compiling whole modules, and the way from bytes to a first result in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.bytecode import count_instructions, repeat_functions
from bench.context import Context
from bench.engines.protocol import Engine
from bench.measure import best_seconds
from bench.results import Row, SuiteResult, Table

if TYPE_CHECKING:
    from collections.abc import Callable

_ENGINES: Final = ("interpreter", "compiler", "wasmtime", "wasmtime-1")
_FIRST_ENGINES: Final = ("interpreter", "compiler", "compiler-at-once", "compiler-ahead", "wasmtime", "wasmtime-1")
_PROGRAMS: Final = ("fib", "coremark", "zlib", "lua", "sqlite")
_LARGE_TIMES: Final = 20
_FIRST_PROGRAMS: Final = (("coremark", 1), ("lua", 100), ("sqlite", 20))
_FIRST_SECONDS: Final = 120
_ROOT: Final = Path(__file__).resolve().parent.parent.parent


def measure(context: Context) -> SuiteResult:
    """A table of compile speed by module, and one of the time to the first result."""
    result = SuiteResult("compile")
    engines = context.engines(_ENGINES, result)
    result.tables.append(_compile_table(context, engines, result))
    result.tables.append(_first_result_table(context, context.engines(_FIRST_ENGINES, result), result))
    return result


def _compile_table(context: Context, engines: dict[str, Engine], result: SuiteResult) -> Table:
    modules = {program.name: context.wasm(program.name, result) for program in context.programs(_PROGRAMS)}
    if context.large and (sqlite := modules.get("sqlite")) is not None:
        modules[f"sqlite, {_LARGE_TIMES} times"] = repeat_functions(sqlite, _LARGE_TIMES)
    rows = []
    for name, wasm in modules.items():
        if wasm is None:
            continue
        context.say(f"compile: {name}")
        count = count_instructions(wasm)
        seconds = best_seconds({key: _compiler(engine, wasm) for key, engine in engines.items()}, min(context.rounds, 2))
        title = f"{name}, {count:,} instructions"
        rows.append(Row(title, {key: count / value / 1e3 for key, value in seconds.items()}))
    return Table(
        key="compile",
        title="Compile speed, decoding and validation included",
        unit="thousand instructions/s",
        engines=tuple(engines),
        baseline=_baseline(engines),
        rows=tuple(rows),
        direction="speed",
        notes=("Every function is compiled. `wasmtime` uses all cores, `wasmtime-1` one, as purewasm does.",),
    )


def _compiler(engine: Engine, wasm: bytes) -> Callable[[], None]:
    return lambda: engine.compile(wasm, eager=True).close()


def _first_result_table(context: Context, engines: dict[str, Engine], result: SuiteResult) -> Table:
    rows = []
    for name, n in _FIRST_PROGRAMS:
        wasm = context.wasm(name, result) if context.programs([name]) else None
        if wasm is None:
            continue
        context.say(f"compile: first result of {name}")
        best: dict[str, float] = {}
        answers: dict[str, int] = {}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "guest.wasm"
            path.write_bytes(wasm)
            for engine in list(engines) * min(context.rounds, 2):
                try:
                    seconds, answers[engine] = _first_result(engine, path, n)
                except (subprocess.SubprocessError, ValueError) as error:
                    result.wrong.append(f"first result of {name}({n}) on {engine}: {error}")
                    continue
                best[engine] = min(best.get(engine, seconds), seconds)
        if len(set(answers.values())) > 1:
            result.wrong.append(f"first result of {name}({n}): {answers}")
        rows.append(Row(f"{name}({n})", {engine: seconds * 1e3 for engine, seconds in best.items()}))
    return Table(
        key="first-result",
        title="From bytes to the first result",
        unit="ms",
        engines=tuple(engines),
        baseline=_baseline(engines),
        rows=tuple(rows),
        notes=(
            "Compile, instantiate, one call: in a fresh process each time, after the import of the runtime, nothing cached.",
            "`wasmtime` and `compiler-ahead` use all cores, the others one.",
        ),
    )


def _first_result(engine: str, path: Path, n: int) -> tuple[float, int]:
    command = [sys.executable, "-m", "bench.first_result", engine, str(path), str(n)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=_FIRST_SECONDS, check=True)
    seconds, answer = json.loads(done.stdout)
    return float(seconds), int(answer)


def _baseline(engines: dict[str, Engine]) -> str | None:
    return "wasmtime" if "wasmtime" in engines else None
