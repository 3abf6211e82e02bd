"""What a suite asks of a runtime, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

HostFunction = Callable[[int], int]


class UnavailableError(Exception):
    """This engine cannot run here; the message says why and what to do."""


class Guest(Protocol):
    """An instance."""

    def function(self, name: str) -> Callable[..., object]:
        """The exported function, in the form in which a user of that runtime calls it most cheaply."""
        ...

    def written_call(self, name: str, arguments: str) -> tuple[str, dict[str, object]]:
        """Source text of a call as the runtime's documentation writes it, the function looked up each time; and the names in it."""
        ...

    def reader(self) -> Callable[[int, int], object]:
        """`(offset, count) -> bytes` of the memory `memory`, as a user of that runtime reads it."""
        ...

    def close(self) -> None: ...


class Compiled(Protocol):
    """A module, ready to be instantiated."""

    def instantiate(self, host: HostFunction | None = None) -> Guest:
        """A new instance, initialised (`_initialize` called where there is one); `host` is the import `bench.host`."""
        ...

    def close(self) -> None: ...


class Engine(Protocol):
    """A runtime, open until the process ends."""

    @property
    def name(self) -> str: ...

    @property
    def runtime(self) -> str:
        """Name and version of the runtime, for the caption of the results."""
        ...

    def compile(self, wasm: bytes, *, eager: bool = False) -> Compiled:
        """Decodes and validates (where the engine does); with `eager` every function is compiled, where that is otherwise put off."""
        ...

    def check(self, wasm: bytes) -> None:
        """Decodes and validates, as far as the engine does either, and compiles nothing."""
        ...
