"""Start-up in fresh processes: the import, what it loads, and how long it takes to a first result."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.context import Context
from bench.results import Row, SuiteResult, Table

# What a user of each runtime writes; `wasm` holds the bytes of `fib`, whose result ends up in `answer`.
_FIRST_RESULTS: Final = {
    "purewasm": "answer = purewasm.Runtime().instantiate(wasm).exports.run(10)",
    "wasmtime": (
        "engine = wasmtime.Engine(); store = wasmtime.Store(engine); module = wasmtime.Module(engine, wasm)\n"
        "answer = wasmtime.Instance(store, module, []).exports(store)['run'](store, 10)"
    ),
    "pywasm": (
        "import io; runtime = pywasm.core.Runtime()\n"
        "instance = runtime.instance(pywasm.core.ModuleDesc.from_reader(io.BytesIO(wasm)))\n"
        "answer = runtime.invocate(instance, 'run', [10])[0]"
    ),
}
_FIB_OF_10: Final = 55
_CHILD: Final = """\
import sys, json
from time import perf_counter
wasm = open(sys.argv[1], "rb").read()
before = set(sys.modules)
start = perf_counter()
import {module}
imported = perf_counter() - start
modules, ctypes = len(set(sys.modules) - before), "ctypes" in sys.modules
{first_result}
print(json.dumps([imported * 1e3, (perf_counter() - start) * 1e3, modules, ctypes, answer]))
"""
_SECONDS: Final = 60


@dataclass(slots=True)
class _Start:
    import_ms: float
    result_ms: float
    modules: int
    ctypes: bool
    answer: int


def measure(context: Context) -> SuiteResult:
    """One table; what is loaded stands in its notes."""
    result = SuiteResult("startup")
    wasm = context.wasm("fib", result)
    if wasm is None:
        return result
    found: dict[str, _Start] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fib.wasm"
        path.write_bytes(wasm)
        for _ in range(max(context.rounds, 5)):
            for name in _FIRST_RESULTS:
                _keep_best(found, name, _start(name, path))
    result.skipped += [f"{name}: not installed, or its first call fails" for name in _FIRST_RESULTS if name not in found]
    result.wrong += [f"fib(10) on {name} is {one.answer}" for name, one in found.items() if one.answer != _FIB_OF_10]
    result.tables.append(
        Table(
            key="startup",
            title="Start-up",
            unit="ms",
            engines=tuple(found),
            baseline="wasmtime" if "wasmtime" in found else None,
            rows=(
                Row("import", {name: one.import_ms for name, one in found.items()}),
                Row("import to first result", {name: one.result_ms for name, one in found.items()}),
            ),
            notes=tuple(
                f"import {name}: {one.modules} modules, ctypes {'among them' if one.ctypes else 'not among them'}"
                for name, one in found.items()
            ),
        )
    )
    return result


def _keep_best(found: dict[str, _Start], name: str, start: _Start | None) -> None:
    if start is None:
        return
    best = found.setdefault(name, start)
    best.import_ms = min(best.import_ms, start.import_ms)
    best.result_ms = min(best.result_ms, start.result_ms)


def _start(module: str, path: Path) -> _Start | None:
    """One process; None where the runtime is missing or fails."""
    source = _CHILD.format(module=module, first_result=_FIRST_RESULTS[module])
    done = subprocess.run([sys.executable, "-c", source, str(path)], capture_output=True, text=True, timeout=_SECONDS, check=False)
    return _Start(*json.loads(done.stdout)) if done.returncode == 0 else None
