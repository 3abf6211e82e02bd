"""WASI: nanoseconds of the calls that guests make most, from a guest's loop, and 100 MB copied from one file to another.

`python` is what Python itself takes for the same system calls. Files lie in a temporary folder, on whatever disk that is on; both
runtimes read and write the same ones.
"""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from bench.context import Context
from bench.measure import best_seconds
from bench.results import Row, SuiteResult, Table
from purewasm import Function, Runtime
from purewasm_wasi import Wasi

if TYPE_CHECKING:
    from collections.abc import Callable

_ENGINES: Final = ("interpreter", "compiler", "wasmtime")
_CALLS: Final = 2_000
_COPIED_BYTES: Final = 100_000_000
_CHUNK_BYTES: Final = 65_536
_LOOP: Final = "(br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))"
_GUEST: Final = f"""(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (memory (export "memory") 8)
    (data (i32.const 64) "inout")
    (func (export "open") (result i32)
        (drop (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 2) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0)
            (i32.const 32)))
        (drop (call $open (i32.const 3) (i32.const 0) (i32.const 66) (i32.const 3) (i32.const 9) (i64.const 64) (i64.const 0) (i32.const 0)
            (i32.const 36)))
        (i32.add (i32.mul (i32.load (i32.const 32)) (i32.const 100)) (i32.load (i32.const 36))))
    (func $vector (param $bytes i32)
        (i32.store (i32.const 16) (i32.const 65536)) (i32.store (i32.const 20) (local.get $bytes)))
    (func (export "write") (param $n i32)
        (call $vector (i32.const 1))
        (loop $again (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 8))) {_LOOP}))
    (func (export "read") (param $n i32)
        (call $vector (i32.const 1))
        (loop $again (drop (call $read (i32.load (i32.const 32)) (i32.const 16) (i32.const 1) (i32.const 8))) {_LOOP}))
    (func (export "time") (param $n i32)
        (loop $again (drop (call $time (i32.const 1) (i64.const 0) (i32.const 8))) {_LOOP}))
    (func (export "copy") (result i32) (local $sum i32)
        (drop (call $seek (i32.load (i32.const 32)) (i64.const 0) (i32.const 0) (i32.const 8)))
        (drop (call $seek (i32.load (i32.const 36)) (i64.const 0) (i32.const 0) (i32.const 8)))
        (block $end (loop $again
            (call $vector (i32.const {_CHUNK_BYTES}))
            (br_if $end (call $read (i32.load (i32.const 32)) (i32.const 16) (i32.const 1) (i32.const 8)))
            (br_if $end (i32.eqz (i32.load (i32.const 8))))
            (i32.store (i32.const 20) (i32.load (i32.const 8)))
            (br_if $end (call $write (i32.load (i32.const 36)) (i32.const 16) (i32.const 1) (i32.const 8)))
            (local.set $sum (i32.add (local.get $sum) (i32.load (i32.const 8))))
            (br $again)))
        (local.get $sum)))"""
# row → the guest's function
_FUNCTIONS: Final = {"fd_write of 1 byte": "write", "fd_read of 1 byte": "read", "clock_time_get": "time"}


def measure(context: Context) -> SuiteResult:
    """One table of calls, one of the copy."""
    result = SuiteResult("wasi")
    engines = context.engines(_ENGINES, result)
    with Runtime(engine="interpreter") as runtime:
        wasm = bytes(runtime.compile(_GUEST).source)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "in").write_bytes(bytes(_COPIED_BYTES))
        guests = {engine: _open(engine, wasm, folder, stack) for engine in engines}
        for guest in guests.values():
            guest("open")()
        rows = [_call(context, guests, folder, title, function) for title, function in _FUNCTIONS.items()]
        context.say("wasi: copying")
        copies: dict[str, Callable[[], object]] = {engine: guest("copy") for engine, guest in guests.items()}
        result.wrong += [f"{engine} does not copy everything" for engine, copy in copies.items() if copy() != _COPIED_BYTES]
        seconds = best_seconds(copies | {"python": lambda: _copy(folder)}, context.rounds)
    baseline = "wasmtime" if "wasmtime" in engines else None
    notes = ("A turn of the guest's loop is included. Standard output is a file; `python` has no guest.",)
    shown = (*engines, "python")
    result.tables.append(
        Table(key="wasi-calls", title="WASI: a call", unit="ns", engines=shown, baseline=baseline, rows=tuple(rows), notes=notes)
    )
    copied = Row("100 MB, 64 KiB at a time", {engine: value * 1e3 for engine, value in seconds.items()})
    result.tables.append(Table(key="wasi-copy", title="WASI: copying", unit="ms", engines=shown, baseline=baseline, rows=(copied,)))
    return result


def _call(context: Context, guests: dict[str, Callable[[str], Callable[..., object]]], folder: Path, title: str, name: str) -> Row:
    context.say(f"wasi: {title}")
    candidates: dict[str, Callable[[], object]] = {engine: partial(guest(name), _CALLS) for engine, guest in guests.items()}
    with open(folder / "python", "wb", buffering=0) as out, open(folder / "in", "rb", buffering=0) as source:
        plain = {"write": _writes, "read": _reads, "time": _times}[name]
        candidates["python"] = lambda: plain(source.fileno(), out.fileno())
        seconds = best_seconds(candidates, context.rounds)
    return Row(title, {engine: value / _CALLS * 1e9 for engine, value in seconds.items()})


def _writes(source: int, target: int) -> None:
    for _ in range(_CALLS):
        os.write(target, b"x")


def _reads(source: int, target: int) -> None:
    buffers = [bytearray(1)]
    for _ in range(_CALLS):
        os.readv(source, buffers)


def _times(source: int, target: int) -> None:
    for _ in range(_CALLS):
        time.monotonic_ns()


def _copy(folder: Path) -> None:
    buffer = memoryview(bytearray(_CHUNK_BYTES))
    with open(folder / "in", "rb", buffering=0) as source, open(folder / "copy", "wb", buffering=0) as target:
        while size := source.readinto(buffer):
            target.write(buffer[:size])


def _open(engine: str, wasm: bytes, folder: Path, stack: ExitStack) -> Callable[[str], Callable[..., object]]:
    """The functions of a guest by name, that has the folder as `/` and writes to a file."""
    output = folder / f"{engine}.output"
    if engine == "wasmtime":
        return _open_wasmtime(wasm, folder, output)
    return _open_purewasm("compiler" if engine == "compiler" else "interpreter", wasm, folder, output, stack)


def _open_purewasm(
    engine: Literal["compiler", "interpreter"], wasm: bytes, folder: Path, output: Path, stack: ExitStack
) -> Callable[[str], Callable[..., object]]:
    runtime = stack.enter_context(Runtime(engine=engine))
    wasi = stack.enter_context(Wasi(stdout=output, dirs={"/": folder}))
    wasi.register(runtime)
    instance = runtime.instantiate(wasm)

    def function(name: str) -> Callable[..., object]:
        found = instance.exports[name]
        assert isinstance(found, Function)
        return found

    return function


def _open_wasmtime(wasm: bytes, folder: Path, output: Path) -> Callable[[str], Callable[..., object]]:
    import wasmtime  # only where it was asked for and is here

    machine = wasmtime.Engine()
    store = wasmtime.Store(machine)
    config = wasmtime.WasiConfig()
    config.stdout_file = str(output)
    config.preopen_dir(str(folder), "/")
    store.set_wasi(config)
    linker = wasmtime.Linker(machine)
    linker.define_wasi()
    exports = linker.instantiate(store, wasmtime.Module(machine, wasm)).exports(store)

    def function(name: str) -> Callable[..., object]:
        found = exports[name]
        assert isinstance(found, wasmtime.Func)
        return lambda *arguments: found(store, *arguments)

    return function
