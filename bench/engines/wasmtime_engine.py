"""wasmtime-py, as its documentation has users call it: a store for each instance, exports called with the store."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, final

import wasmtime

from bench.engines.protocol import Engine, HostFunction

if TYPE_CHECKING:
    from collections.abc import Callable


@final
class WasmtimeGuest:
    def __init__(self, store: wasmtime.Store, instance: wasmtime.Instance) -> None:
        self._store = store
        self._exports = instance.exports(store)

    def function(self, name: str) -> Callable[..., object]:
        function = self._exports[name]
        assert isinstance(function, wasmtime.Func)
        return partial(function, self._store)

    def written_call(self, name: str, arguments: str) -> tuple[str, dict[str, object]]:
        return f"exports[{name!r}](store, {arguments})", {"exports": self._exports, "store": self._store}

    def reader(self) -> Callable[[int, int], object]:
        memory = self._exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        return lambda offset, count: memory.read(self._store, offset, offset + count)

    def close(self) -> None:
        self._store.close()


@final
class WasmtimeModule:
    def __init__(self, engine: wasmtime.Engine, module: wasmtime.Module) -> None:
        self._engine = engine
        self._module = module
        self._initialises = any(export.name == "_initialize" for export in module.exports)

    def instantiate(self, host: HostFunction | None = None) -> WasmtimeGuest:
        store = wasmtime.Store(self._engine)
        imports = [] if host is None else [wasmtime.Func(store, _host_type(), host)]
        guest = WasmtimeGuest(store, wasmtime.Instance(store, self._module, imports))
        if self._initialises:
            guest.function("_initialize")()
        return guest

    def close(self) -> None:
        self._module.close()


@final
class WasmtimeEngine:
    runtime: Final = f"wasmtime {version('wasmtime')}"

    def __init__(self, name: str, engine: wasmtime.Engine) -> None:
        self.name: Final = name
        self._engine = engine

    def compile(self, wasm: bytes, *, eager: bool = False) -> WasmtimeModule:
        return WasmtimeModule(self._engine, wasmtime.Module(self._engine, wasm))

    def check(self, wasm: bytes) -> None:
        wasmtime.Module.validate(self._engine, wasm)


def _host_type() -> wasmtime.FuncType:
    # Made anew each time: a type that one engine has seen makes another one abort the process.
    return wasmtime.FuncType([wasmtime.ValType.i32()], [wasmtime.ValType.i32()])


def open_engine() -> Engine:
    return WasmtimeEngine("wasmtime", wasmtime.Engine())


def open_single_threaded() -> Engine:
    """As much of the machine as purewasm uses: one thread."""
    config = wasmtime.Config()
    config.parallel_compilation = False
    return WasmtimeEngine("wasmtime-1", wasmtime.Engine(config))
