"""How a runtime works: every option with its default."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from purewasm.wasm.features import Features

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.runtime.cache import CompilationCache

ENGINES = ("auto", "compiler", "interpreter")


@dataclass(frozen=True, kw_only=True, slots=True)
class RuntimeConfig:
    """Options of a `Runtime`. Each may be given to `Runtime(...)` itself.

    `ValueError` for a value that makes no sense, `TypeError` for an option that nobody knows.
    """

    engine: str = "auto"
    """`compiler` (native code, Linux x86-64), `interpreter` (portable), or `auto`: the compiler where it works."""
    features: Features = Features.WASM3
    """The proposals that modules may use."""
    cache: CompilationCache | None = None
    """Compiled code shared with other runtimes; None for a cache of the runtime's own."""
    memory_limit_pages: int | None = None
    """Pages of 64 KiB that any one memory can grow to, whatever its module declares; None for no limit but the address space."""
    max_stack_bytes: int = 1 << 20
    """Stack that guest calls may use before they trap with `call stack exhausted`. The interpreter counts 64 bytes a frame."""
    fuel: bool = False
    """Count fuel, so that calls and instances can be given a limit."""
    interruptible: bool = True
    """Poll for interruption (timeouts, `close()` from another thread) at function entries and loop headers."""
    explicit_checks: bool = False
    """Let compiled code compare every address with the memory's size, rather than reserve address space whose use faults."""
    eager: bool = False
    """Compile every function in `compile()` rather than at its first call."""
    workers: int = 1
    """Processes that compile where everything is compiled at once (`eager`, `precompile`). What they make does not depend on it."""
    progress: Callable[[int, int], None] | None = None
    """Called with what is done and what there is to do, in bytes of code, while everything is compiled at once."""
    debug_info: bool = True
    """Keep what backtraces need: function names and offsets."""
    timeout: float | None = None
    """Default limit of each call from Python, in seconds; None for none."""
    call_fuel: int | None = None
    """Default fuel of each call from Python; None for none. Needs `fuel=True`."""

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise ValueError(f"unknown engine {self.engine!r}: one of {', '.join(ENGINES)}")
        if not isinstance(self.features, Features):
            raise TypeError(f"features is a Features object, such as Features.WASM3, not {self.features!r}")
        if self.memory_limit_pages is not None and self.memory_limit_pages < 0:
            raise ValueError(f"memory_limit_pages is not negative: {self.memory_limit_pages}")
        if self.max_stack_bytes < 1 << 12:
            raise ValueError(f"max_stack_bytes is at least 4096: {self.max_stack_bytes}")
        if self.workers < 1:
            raise ValueError(f"workers is at least 1: {self.workers}")
        if self.timeout is not None and not (self.timeout >= 0 and self.interruptible):
            raise ValueError("timeout is a number of seconds, not negative, and needs interruptible=True")
        if self.call_fuel is not None and not (self.call_fuel >= 0 and self.fuel):
            raise ValueError("call_fuel is not negative and needs fuel=True")

    def with_(self, **options: object) -> RuntimeConfig:
        """This configuration with some options changed."""
        known = {f.name: getattr(self, f.name) for f in fields(self)}
        unknown = options.keys() - known.keys()
        if unknown:
            raise TypeError(f"unknown option {', '.join(sorted(unknown))}: one of {', '.join(known)}")
        return RuntimeConfig(**{**known, **options})
