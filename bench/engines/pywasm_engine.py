"""pywasm, the interpreter written in Python that the interpreter engine is compared with."""

from __future__ import annotations

import io
from functools import partial
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, final

from bench.engines.protocol import Engine, HostFunction

if TYPE_CHECKING:
    from collections.abc import Callable

# Imported by name: the package has no types.
_pywasm: Final = import_module("pywasm")
_core: Final = import_module("pywasm.core")


@final
class PywasmGuest:
    def __init__(self, runtime: object, instance: object) -> None:
        self._runtime = runtime
        self._instance = instance

    def function(self, name: str) -> Callable[..., object]:
        invoke = partial(_core.Runtime.invocate, self._runtime, self._instance, name)

        def call(*args: int) -> object:
            results = invoke(list(args))
            return results[0] if results else None

        return call

    def written_call(self, name: str, arguments: str) -> tuple[str, dict[str, object]]:
        invoke = partial(_core.Runtime.invocate, self._runtime)
        return f"invocate(instance, {name!r}, [{arguments}])", {"invocate": invoke, "instance": self._instance}

    def reader(self) -> Callable[[int, int], object]:
        memory = _core.Runtime.exported_memory(self._runtime, self._instance, "memory")
        return lambda offset, count: bytes(memory.data[offset : offset + count])

    def close(self) -> None:
        pass


@final
class PywasmModule:
    def __init__(self, description: object, *, initialises: bool) -> None:
        self._description = description
        self._initialises = initialises

    def instantiate(self, host: HostFunction | None = None) -> PywasmGuest:
        runtime = _core.Runtime()
        if host is not None:
            i32 = _core.ValType.i32()
            called = host
            function = runtime.allocate_func_host(_core.FuncType([i32], [i32]), lambda _machine, args: [called(args[0])])
            runtime.imports["bench"] = {"host": function}
        guest = PywasmGuest(runtime, runtime.instance(self._description))
        if self._initialises:
            guest.function("_initialize")()
        return guest

    def close(self) -> None:
        pass


@final
class PywasmEngine:
    name: Final = "pywasm"
    runtime: Final = f"pywasm {version('pywasm')}"

    def compile(self, wasm: bytes, *, eager: bool = False) -> PywasmModule:
        description = _core.ModuleDesc.from_reader(io.BytesIO(wasm))
        return PywasmModule(description, initialises=any(export.name == "_initialize" for export in description.exps))

    def check(self, wasm: bytes) -> None:
        _core.ModuleDesc.from_reader(io.BytesIO(wasm))


def open_engine() -> Engine:
    return PywasmEngine()
