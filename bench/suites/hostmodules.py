"""Host modules: nanoseconds of a cell read by the host, and of a call of an operation from a guest's loop.

With purewasm the host modules are written with `purewasm.hostmod`, every address and type checked. With wasmtime they are written as its
documentation has users write them: a function with access to its caller, which reads and writes the memory and does no check but
wasmtime's own. The column `python` is the operation itself, called from a loop of Python.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple, cast, final

from bench.context import Context
from bench.measure import best_nanoseconds, best_seconds
from bench.results import Row, SuiteResult, Table
from purewasm import Runtime, WasmError, i32
from purewasm.hostmod import Cell, MailboxModule, Page, PageModule, operation, page_call, plain_import, u32
from purewasm.hostmod.codec import decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable

_CALLS: Final = 2_000
_TITLES: Final = {
    "plain": "plain import (i32, i32) → i32",
    "cells": "version 0: read and write a cell",
    "mailbox": "mailbox: two small arguments",
}
_HEADER: Final = struct.Struct("<IHHIiIIIIQ")
_MAILBOX: Final = 64
_LOOP: Final = """
  (func (export "{name}") (param $n i32)
    (loop $again
      {body}
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))"""
_CALLER: Final = rf"""(module
  (import "bench/adder@1" "__adder_call" (func $mailbox))
  (import "bench/adder@1" "__adder_plain" (func $plain (param i32 i32) (result i32)))
  (import "bench/cells" "__cells_next" (func $cells))
  (memory (export "memory") 1)
  (data (i32.const {_MAILBOX}) "HMB1\01\00\00\00\01\00\00\00\00\00\00\00\00\04\00\00\00\01\00\00")
  (data (i32.const 128) "\00\02\00\00")
  (func (export "__adder") (result i32) (i32.const {_MAILBOX}))
  (func (export "__cells") (result i32) (i32.const 128))
  {_LOOP.format(name="mailbox", body='''
      (i32.store (i32.const 88) (i32.const 3)) (i32.store (i32.const 92) (i32.const 0))
      (i32.store8 (i32.const 1024) (i32.const 0x92)) (i32.store16 (i32.const 1025) (i32.const 0x0302)) (call $mailbox)''')}
  {_LOOP.format(name="cells", body="(call $cells)")}
  {_LOOP.format(name="plain", body="(drop (call $plain (i32.const 2) (i32.const 3)))")})"""


@final
class Adder(MailboxModule):
    """An operation with two small arguments, and the same as a plain import."""

    name = "bench/adder@1"
    abi = (1, 0)

    @operation(1, name="add")
    def on_add(self, left: u32, right: u32) -> u32:
        return left + right

    @plain_import("__adder_plain")
    def plain(self, left: i32, right: i32) -> i32:
        return left + right


class Cells(NamedTuple):
    """One cell."""

    value: Cell


@final
class Next(PageModule[Cells]):
    """Version 0: reads a cell and writes it."""

    name = "bench/cells"
    page_export = "__cells"
    entries = 1

    def bind(self, page: Page) -> Cells:
        return Cells(page.cell(0, "u64", "the value cell"))

    @page_call("__cells_next")
    def following(self, cells: Cells) -> None:
        cells.value.set(cells.value.get() + 1)


def measure(context: Context) -> SuiteResult:
    """One table, a row for each kind of crossing."""
    result = SuiteResult("hostmodules")
    context.say("hostmodules")
    reads: dict[str, tuple[str, dict[str, object]]] = {}
    loops: dict[str, dict[str, Callable[[int], object]]] = {}
    runtimes = []
    for name in ("interpreter", "compiler"):
        try:
            runtime = Runtime(engine=name)
        except WasmError as error:
            result.skipped.append(f"{name}: {error}")
            continue
        runtimes.append(runtime)
        guest = runtime.instantiate(_CALLER, imports=[Adder(), Next()])
        loops[name] = {export: cast("Callable[[int], object]", guest.exports[export]) for export in _TITLES}
        cell = Cell(guest.memory, 512, "u64", "a cell", "bench", "read")
        reads[name] = ("read()", {"read": cell.get})
    try:
        reads["wasmtime"], loops["wasmtime"] = _wasmtime()
    except ImportError as error:
        result.skipped.append(f"wasmtime: {error}")
    rows = [Row("a cell read by the host", best_nanoseconds(reads, context.rounds))]
    for export, title in _TITLES.items():
        calls = {name: (lambda call=found[export]: call(_CALLS)) for name, found in loops.items()}
        seconds = best_seconds(calls, context.rounds)
        rows.append(Row(title, {name: value / _CALLS * 1e9 for name, value in seconds.items()}))
    for runtime in runtimes:
        runtime.close()
    baseline = "wasmtime" if "wasmtime" in loops else None
    table = Table(key="hostmodules", title="Host modules", unit="ns", engines=tuple(loops), baseline=baseline, rows=tuple(rows))
    result.tables.append(table)
    return result


def _wasmtime() -> tuple[tuple[str, dict[str, object]], dict[str, Callable[[int], object]]]:
    """The same guest under wasmtime: (statement of a cell read, loops by export)."""
    import wasmtime

    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    word = wasmtime.ValType.i32()

    def memory_of(caller: wasmtime.Caller) -> wasmtime.Memory:
        return cast("wasmtime.Memory", caller["memory"])

    def mailbox(caller: wasmtime.Caller) -> None:
        memory = memory_of(caller)
        fields = _HEADER.unpack(memory.read(caller, _MAILBOX, _MAILBOX + 40))
        left, right = cast("list[int]", decode(bytes(memory.read(caller, fields[5], fields[5] + fields[7]))))
        reply = encode(left + right)
        memory.write(caller, reply, fields[5])
        memory.write(caller, struct.pack("<iIIII", 0, fields[5], fields[6], len(reply), 0), _MAILBOX + 12)

    def cells(caller: wasmtime.Caller) -> None:
        memory = memory_of(caller)
        value = int.from_bytes(memory.read(caller, 512, 520), "little")
        memory.write(caller, (value + 1).to_bytes(8, "little"), 512)

    imports = [
        wasmtime.Func(store, wasmtime.FuncType([], []), mailbox, access_caller=True),
        wasmtime.Func(store, wasmtime.FuncType([word, word], [word]), lambda left, right: left + right),
        wasmtime.Func(store, wasmtime.FuncType([], []), cells, access_caller=True),
    ]
    exports = wasmtime.Instance(store, wasmtime.Module(engine, _CALLER), imports).exports(store)
    memory = cast("wasmtime.Memory", exports["memory"])
    loops: dict[str, Callable[[int], object]] = {}
    for name in ("mailbox", "cells", "plain"):
        function = cast("wasmtime.Func", exports[name])
        loops[name] = lambda n, function=function: function(store, n)  # type: ignore[misc]
    return ("int.from_bytes(read(store, 512, 520), 'little')", {"read": memory.read, "store": store, "int": int}), loops
