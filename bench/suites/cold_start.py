"""Starts of whole processes: modules of 10 KB to 15 MB cold, with code from a cache, precompiled; and a program that says hello."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Final

from bench.bytecode import repeat_functions
from bench.context import Context
from bench.results import Row, SuiteResult, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

# (title, program, how often its functions are repeated, argument of `run`): the call itself takes a millisecond or two.
_MODULES: Final = (
    ("10 KB", "coremark", 1, 1),
    ("100 KB", "zlib", 2, 1),
    ("1 MB", "sqlite", 1, 1),
    ("15 MB", "sqlite", 15, 1),
)
_BASELINE: Final = "wasmtime"
_LARGE_BYTES: Final = 4 << 20
_SECONDS: Final = 300

# What a user of each runtime writes. Arguments: the module, the precompiled module, a directory for a cache, n.
_OURS: Final = """\
import sys
from purewasm import CompilationCache, Runtime
module, precompiled, cache, n = sys.argv[1:]
with Runtime({options}) as runtime:
    print(runtime.instantiate({module}).exports.run(int(n)))
"""
_WASMTIME: Final = """\
import sys
import wasmtime
module, precompiled, cache, n = sys.argv[1:]
config = wasmtime.Config()
{configure}
engine = wasmtime.Engine(config)
store = wasmtime.Store(engine)
exports = wasmtime.Instance(store, {module}, []).exports(store)
if "_initialize" in exports: exports["_initialize"](store)
print(exports["run"](store, int(n)))
"""
_READ: Final = "open(module, 'rb').read()"
_STARTS: Final = {
    "cold": _OURS.format(options="", module=_READ),
    "cold, all cores": _OURS.format(options=f"workers={os.cpu_count() or 1}", module=_READ),
    "cached": _OURS.format(options="cache=CompilationCache(cache)", module=_READ),
    "precompiled": _OURS.format(options="", module="runtime.load(precompiled)"),
    _BASELINE: _WASMTIME.format(configure="", module="wasmtime.Module.from_file(engine, module)"),
    "wasmtime, cached": _WASMTIME.format(configure="config.cache = cache + '.toml'", module="wasmtime.Module.from_file(engine, module)"),
    "wasmtime, precompiled": _WASMTIME.format(configure="", module="wasmtime.Module.deserialize_file(engine, precompiled + '.cwasm')"),
}
_WASMTIME_PRECOMPILE: Final = """\
import sys, wasmtime
engine = wasmtime.Engine()
open(sys.argv[2] + '.cwasm', 'wb').write(wasmtime.Module.from_file(engine, sys.argv[1]).serialize())
"""

_HELLO: Final = r"""(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 0) "\10\00\00\00\06\00\00\00") (data (i32.const 16) "hello\n")
  (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"""
_WASMTIME_HELLO: Final = """\
import sys, wasmtime
config = wasmtime.Config()
config.cache = sys.argv[2]
engine = wasmtime.Engine(config)
linker, store, wasi = wasmtime.Linker(engine), wasmtime.Store(engine), wasmtime.WasiConfig()
linker.define_wasi()
wasi.inherit_stdout()
store.set_wasi(wasi)
linker.instantiate(store, wasmtime.Module.from_file(engine, sys.argv[1])).exports(store)["_start"](store)
"""


def measure(context: Context) -> SuiteResult:
    """A table of modules, and one of a program."""
    result = SuiteResult("start")
    with tempfile.TemporaryDirectory() as folder:
        result.tables.append(_modules(context, Path(folder), result))
        result.tables.append(_hello(context, Path(folder), result))
    return result


# ---- modules


def _modules(context: Context, folder: Path, result: SuiteResult) -> Table:
    rows = []
    for title, name, times, n in _MODULES:
        wasm = context.wasm(name, result) if context.programs([name]) else None
        if wasm is not None:
            context.say(f"start: {title}")
            data = wasm if times == 1 else repeat_functions(wasm, times)
            rows.append(_module_row(context, folder / f"{name}-{times}.wasm", title, data, n, result))
    return Table(
        key="start-modules",
        title="Start of a process that calls one function of a module",
        unit="ms",
        engines=tuple(_STARTS),
        baseline=_BASELINE,
        rows=tuple(rows),
        notes=(
            "From the start of the process to its end, Python and the import of the runtime included. `wasmtime` compiles on all cores.",
            "`cold` compiles in one process, `cold, all cores` in as many as there are cores: `Runtime(workers=…)`.",
            "Modules: CoreMark, zlib twice, SQLite, SQLite 15 times. Wasmtime compiles all functions, purewasm those that are called.",
        ),
    )


def _module_row(context: Context, path: Path, title: str, wasm: bytes, n: int, result: SuiteResult) -> Row:
    path.write_bytes(wasm)
    arguments = [str(path), str(path.with_suffix(".pwasm")), str(path.with_suffix(".cache")), str(n)]
    Path(f"{arguments[2]}.toml").write_text(f'[cache]\ndirectory = "{arguments[2]}.wasmtime"\n')
    _run([sys.executable, "-m", "purewasm", "compile", arguments[0], "-q"], result)
    _run([sys.executable, "-c", _WASMTIME_PRECOMPILE, *arguments], result)
    best: dict[str, float] = {}
    answers: dict[str, str] = {}
    for _ in range(1 + (1 if len(wasm) > _LARGE_BYTES else max(context.rounds, 5))):  # the first round fills the caches
        for key, source in _STARTS.items():
            done = _run([sys.executable, "-c", source, *arguments], result)
            if done is not None:
                answers[key] = done[1]
                best[key] = min(best.get(key, done[0]), done[0])
    if len(set(answers.values())) > 1:
        result.wrong.append(f"{title}: {answers}")
    return Row(f"{title} ({len(wasm):,} bytes)", best)


# ---- a program


def _hello(context: Context, folder: Path, result: SuiteResult) -> Table:
    context.say("start: hello")
    text, program, settings = folder / "hello.wat", folder / "hello.wasm", folder / "hello.toml"
    text.write_text(_HELLO)
    settings.write_text(f'[cache]\ndirectory = "{folder / "hello.wasmtime"}"\n')
    _run([sys.executable, "-m", "purewasm", "wasm", str(text), "-o", str(program)], result)
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "purewasm run": [sys.executable, "-m", "purewasm", "run", str(program)],
        "purewasm run --no-cache": [sys.executable, "-m", "purewasm", "run", "--no-cache", str(program)],
        _BASELINE: [sys.executable, "-c", _WASMTIME_HELLO, str(program), str(settings)],
    }
    best: dict[str, float] = {}
    environment = {**os.environ, "PUREWASM_CACHE_DIR": str(folder / "hello")}
    for _ in range(max(context.rounds, 10)):
        for key, command in commands.items():
            done = _run(command, result, environment)
            if done is not None:
                best[key] = min(best.get(key, done[0]), done[0])
    return Table(
        key="start-hello",
        title="A WASI program that says hello, from the start of the process to its end",
        unit="ms",
        engines=tuple(commands),
        baseline=_BASELINE,
        rows=(Row("hello", best),),
        notes=("`purewasm run` and wasmtime find compiled code in their caches.",),
    )


def _run(command: Sequence[str], result: SuiteResult, environment: dict[str, str] | None = None) -> tuple[float, str] | None:
    """(milliseconds, output) of a process; None where it fails, which is noted once."""
    start = perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False, env=environment)
    milliseconds = (perf_counter() - start) * 1e3
    if done.returncode == 0:
        return milliseconds, done.stdout.strip()
    note = f"{' '.join(command[:2])} …: {(done.stderr.strip().splitlines() or ['failed'])[-1]}"
    if note not in result.skipped:
        result.skipped.append(note)
    return None
