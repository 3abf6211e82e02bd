"""purewasm, by its public interface only."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Literal, final

import purewasm
from bench.engines.protocol import Engine, HostFunction, UnavailableError
from purewasm import Function, Instance, Module, Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

_Kind = Literal["interpreter", "compiler"]


@final
class PurewasmGuest:
    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def function(self, name: str) -> Callable[..., object]:
        function = self._instance.exports[name]
        assert isinstance(function, Function)
        return function

    def written_call(self, name: str, arguments: str) -> tuple[str, dict[str, object]]:
        return f"instance.exports.{name}({arguments})", {"instance": self._instance}

    def reader(self) -> Callable[[int, int], object]:
        return self._instance.memory.read

    def close(self) -> None:
        self._instance.close()


@final
class PurewasmModule:
    def __init__(self, runtime: Runtime, module: Module, *, own_runtime: bool) -> None:
        self._runtime = runtime
        self._module = module
        self._own_runtime = own_runtime

    def instantiate(self, host: HostFunction | None = None) -> PurewasmGuest:
        imports = None if host is None else {"bench": {"host": host}}
        return PurewasmGuest(self._runtime.instantiate(self._module, imports=imports))

    def close(self) -> None:
        if self._own_runtime:
            self._runtime.close()


@final
class PurewasmEngine:
    """One runtime for all lazily compiled modules, one for each eager one. Nothing is cached."""

    runtime: Final = f"purewasm {purewasm.__version__}"

    def __init__(self, kind: _Kind, name: str | None = None, workers: int = 1, optimize_after: int | None = None) -> None:
        self.name: Final = name or kind
        self._kind: Final[_Kind] = kind
        self._runtime = Runtime(engine=kind, workers=workers, optimize_after=optimize_after)

    def compile(self, wasm: bytes, *, eager: bool = False) -> PurewasmModule:
        runtime = Runtime(engine=self._kind, eager=True) if eager else self._runtime
        return PurewasmModule(runtime, runtime.compile(wasm), own_runtime=eager)

    def check(self, wasm: bytes) -> None:
        self._runtime.compile(wasm)


def open_interpreter() -> Engine:
    return PurewasmEngine("interpreter")


def open_compiler() -> Engine:
    return _compiler("compiler", 1)


def open_compiler_ahead() -> Engine:
    """On all processors, as `purewasm run` does: the others compile what the guest is likely to call."""
    return _compiler("compiler-ahead", len(os.sched_getaffinity(0)))


def open_compiler_at_once() -> Engine:
    """Without baseline code."""
    return _compiler("compiler-at-once", 1, 0)


def _compiler(name: str, workers: int, optimize_after: int | None = None) -> Engine:
    try:
        return PurewasmEngine("compiler", name, workers, optimize_after)
    except purewasm.WasmError as error:
        raise UnavailableError(f"compiler: {error}") from error
