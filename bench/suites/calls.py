"""The boundary: nanoseconds of a call into a guest, of a call of the host from a guest's loop, of a read of the memory.

`add, looked up by each call` is `instance.exports.add(2, 3)`, as people write it, and what the others' documentation has for it.
The column `python` is what the same costs without a guest: a Python function called, a slice of a bytes-like object copied.
Each figure is the time around one turn of a Python (or guest) loop; `an empty turn` shows what the loop itself takes.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, cast

from bench.context import Context
from bench.engines.protocol import Guest
from bench.measure import best_nanoseconds, best_seconds
from bench.results import Row, SuiteResult, Table

if TYPE_CHECKING:
    from collections.abc import Callable

_ENGINES: Final = ("interpreter", "compiler", "wasmtime", "pywasm")
_HOST_CALLS: Final = 2_000
_MEGABYTE: Final = 1 << 20


def _host(x: int) -> int:
    return x + 1


def _add(x: int, y: int) -> int:
    return x + y


def _nop() -> None:
    return None


def _call_host(n: int) -> int:
    x = 0
    for _ in range(n):
        x = _host(x)
    return x


def measure(context: Context) -> SuiteResult:
    """One table, a row for each kind of crossing."""
    result = SuiteResult("calls")
    engines = context.engines(_ENGINES, result)
    wasm = context.wasm("boundary", result)
    if wasm is None:
        return result
    guests = {name: engine.compile(wasm).instantiate(_host) for name, engine in engines.items()}
    rows = [
        Row("an empty turn", best_nanoseconds({"python": ("pass", {})}, context.rounds)),
        _exported(context, guests, "add(i32, i32)", "add", "f(2, 3)", _add),
        _written(context, guests),
        _exported(context, guests, "nop()", "nop", "f()", _nop),
        _host_calls(context, guests),
        _reads(context, guests, "memory: 1 B", 1),
        _reads(context, guests, "memory: 1 MiB", _MEGABYTE),
    ]
    for guest in guests.values():
        guest.close()
    result.tables.append(
        Table(
            key="calls",
            title="Crossing the boundary",
            unit="ns",
            engines=(*engines, "python"),
            baseline="wasmtime" if "wasmtime" in engines else None,
            rows=tuple(rows),
            notes=("A turn of the loop around the call is included; for calls of the host it is a turn of the guest's loop.",),
        )
    )
    return result


def _exported(
    context: Context, guests: dict[str, Guest], title: str, name: str, call: str, plain: Callable[..., object]
) -> Row:
    context.say(f"calls: {title}")
    statements: dict[str, tuple[str, dict[str, object]]] = {engine: (call, {"f": guest.function(name)}) for engine, guest in guests.items()}
    statements["python"] = (call, {"f": plain})
    return Row(title, best_nanoseconds(statements, context.rounds))


def _written(context: Context, guests: dict[str, Guest]) -> Row:
    context.say("calls: as it is written")
    statements = {engine: guest.written_call("add", "2, 3") for engine, guest in guests.items()}
    statements["python"] = ("module.add(2, 3)", {"module": SimpleNamespace(add=_add)})
    return Row("add, looked up by each call", best_nanoseconds(statements, context.rounds))


def _host_calls(context: Context, guests: dict[str, Guest]) -> Row:
    context.say("calls: host function")
    callers = {engine: cast("Callable[[int], object]", guest.function("call_host")) for engine, guest in guests.items()}
    candidates = {engine: (lambda call=call: call(_HOST_CALLS)) for engine, call in (callers | {"python": _call_host}).items()}
    seconds = best_seconds(candidates, context.rounds)
    return Row("host function (i32) → i32", {engine: value / _HOST_CALLS * 1e9 for engine, value in seconds.items()})


def _reads(context: Context, guests: dict[str, Guest], title: str, count: int) -> Row:
    context.say(f"calls: {title}")
    offset = 4096
    call = f"read({offset}, {count})"
    statements: dict[str, tuple[str, dict[str, object]]] = {engine: (call, {"read": guest.reader()}) for engine, guest in guests.items()}
    plain = memoryview(bytearray(2 * _MEGABYTE))
    statements["python"] = (f"bytes(view[{offset}:{offset + count}])", {"view": plain})
    return Row(title, best_nanoseconds(statements, context.rounds))
