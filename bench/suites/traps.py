"""A trap, caught in Python: microseconds from the call to the `except` clause. `python` is an exception raised by a function.

And an exception of the guest, thrown and caught by the guest itself: microseconds for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.context import Context
from bench.measure import best_nanoseconds
from bench.results import Row, SuiteResult, Table
from purewasm import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

_ENGINES: Final = ("interpreter", "compiler", "wasmtime", "pywasm")
_CALL: Final = """\
try:
    f{arguments}
except Exception:
    pass
"""
# row → (export, arguments)
_TRAPS: Final = {
    "unreachable": ("trap_unreachable", "()"),
    "load out of bounds": ("trap_load", "(0x7fff0000)"),
    "division by zero": ("trap_divide", "(1, 0)"),
    "below 100 guest frames": ("trap_deep", "(100)"),
}

_THROWS: Final = """\
(module (tag $e (param i32))
  (func $throw (param i32 i32)
    (if (local.get 1)
      (then (call $throw (local.get 0) (i32.sub (local.get 1) (i32.const 1))))
      (else (throw $e (local.get 0)))))
  (func (export "catch") (param i32 i32)
    (loop $next
      (block $caught (result i32)
        (try_table (catch $e $caught) (call $throw (local.get 0) (local.get 1)))
        (unreachable))
      (drop)
      (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "catch_ref") (param i32 i32)
    (loop $next
      (block $caught (result i32 exnref)
        (try_table (catch_ref $e $caught) (call $throw (local.get 0) (local.get 1)))
        (unreachable))
      (drop) (drop)
      (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
"""
_THROWING: Final = ("interpreter", "compiler", "wasmtime")
_TURNS: Final = 1000
# row → (export, frames between)
_CATCHES: Final = {
    "one frame further out": ("catch", 0),
    "50 frames further out": ("catch", 50),
    "as a reference": ("catch_ref", 0),
}


def _raise(*_arguments: int) -> None:
    raise ValueError("as a host would")


def measure(context: Context) -> SuiteResult:
    """A row for each kind of trap, and for each way to catch an exception."""
    result = SuiteResult("traps")
    engines = context.engines(_ENGINES, result)
    _throws(context, result)
    wasm = context.wasm("boundary", result)
    if wasm is None:
        return result
    guests = {name: engine.compile(wasm).instantiate(lambda x: x) for name, engine in engines.items()}
    rows = []
    for title, (export, arguments) in _TRAPS.items():
        context.say(f"traps: {title}")
        functions: dict[str, Callable[..., object]] = {name: guest.function(export) for name, guest in guests.items()}
        source = _CALL.format(arguments=arguments)
        trapping = {name: function for name, function in functions.items() if _raises(source, function)}
        result.wrong += [f"{title} does not trap on {name}" for name in functions.keys() - trapping.keys()]
        statements = {name: (source, {"f": function}) for name, function in {**trapping, "python": _raise}.items()}
        nanoseconds = best_nanoseconds(statements, context.rounds)
        rows.append(Row(title, {name: value / 1e3 for name, value in nanoseconds.items()}))
    for guest in guests.values():
        guest.close()
    result.tables.append(
        Table(
            key="traps",
            title="A trap caught in Python",
            unit="µs",
            engines=(*engines, "python"),
            baseline="wasmtime" if "wasmtime" in engines else None,
            rows=tuple(rows),
        )
    )
    return result


def _throws(context: Context, result: SuiteResult) -> None:
    engines = context.engines(_THROWING, result)
    with Runtime() as runtime:
        wasm = runtime.compile(_THROWS).wasm.source
    guests = {name: engine.compile(wasm).instantiate() for name, engine in engines.items()}
    rows = []
    for title, (export, frames) in _CATCHES.items():
        context.say(f"traps: caught {title}")
        source = f"f({_TURNS}, {frames})"
        statements = {name: (source, {"f": guest.function(export)}) for name, guest in guests.items()}
        nanoseconds = best_nanoseconds(statements, context.rounds)
        rows.append(Row(title, {name: value / 1e3 / _TURNS for name, value in nanoseconds.items()}))
    for guest in guests.values():
        guest.close()
    result.tables.append(
        Table(
            key="exceptions",
            title="An exception thrown and caught by the guest",
            unit="µs",
            engines=tuple(engines),
            baseline="wasmtime" if "wasmtime" in engines else None,
            rows=tuple(rows),
        )
    )


def _raises(source: str, function: Callable[..., object]) -> bool:
    names: dict[str, object] = {"f": function, "raised": False}
    exec(source.replace("pass", "raised = True"), names)
    return bool(names["raised"])
