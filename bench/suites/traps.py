"""A trap, caught in Python: microseconds from the call to the `except` clause. `python` is an exception raised by a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.context import Context
from bench.measure import best_nanoseconds
from bench.results import Row, SuiteResult, Table

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


def _raise(*_arguments: int) -> None:
    raise ValueError("as a host would")


def measure(context: Context) -> SuiteResult:
    """One table, a row for each kind of trap."""
    result = SuiteResult("traps")
    engines = context.engines(_ENGINES, result)
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


def _raises(source: str, function: Callable[..., object]) -> bool:
    names: dict[str, object] = {"f": function, "raised": False}
    exec(source.replace("pass", "raised = True"), names)
    return bool(names["raised"])
