"""How a runtime works: every option with its default."""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final, Never, final
from purewasm.wasm.features import Features

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.runtime.cache import CompilationCache

ENGINES = ("auto", "compiler", "interpreter")
MOST_TURNS: Final = 1 << 62
"""No function is ever optimized."""
_OPTIONS: Final = (
    *("engine", "features", "cache", "memory_limit_pages", "heap_limit_bytes", "max_stack_bytes", "fuel", "interruptible"),
    *("explicit_checks", "optimize_after", "eager", "workers", "progress", "debug_info", "timeout", "call_fuel"),
)
"""In the order of their documentation, which is that of `repr`."""


@final
class RuntimeConfig:
    """Options of a `Runtime`. Each may be given to `Runtime(...)` itself.

    `ValueError` for a value that makes no sense, `TypeError` for an option that nobody knows. It does not change: `with_` makes another.
    No data class, since what makes those takes as long to import as all that a small guest needs of a runtime.
    """

    __slots__ = _OPTIONS

    engine: str
    """`compiler` (native code, Linux x86-64), `interpreter` (portable), or `auto`: the compiler where it works."""
    features: Features
    """The proposals that modules may use."""
    cache: CompilationCache | None
    """Compiled code shared with other runtimes; None for a cache of the runtime's own."""
    memory_limit_pages: int | None
    """Pages of 64 KiB that any one memory can grow to, whatever its module declares; None for no limit but the address space."""
    heap_limit_bytes: int | None
    """Bytes that the structures and arrays of all guests may take together; None for as many as there is room for, at most about 3.5 GB.
    An allocation beyond it traps with `out of heap memory`.
    The interpreter's objects count as much, but take several times as much: they are Python's."""
    max_stack_bytes: int
    """Stack that guest calls may use before they trap with `call stack exhausted`. The interpreter counts 64 bytes a frame."""
    fuel: bool
    """Count fuel, so that calls and instances can be given a limit."""
    interruptible: bool
    """Poll for interruption (timeouts, `close()` from another thread) at function entries and loop headers."""
    explicit_checks: bool
    """Let compiled code compare every address with the memory's size, rather than reserve address space whose use faults."""
    optimize_after: int | None
    """Calls and turns of loops that a function runs in code that was made in a hurry before it is compiled again, for speed. 0: everything
    is compiled for speed at once. None: whatever takes the least time in all, as far as that can be known."""
    eager: bool
    """Compile every function in `compile()` rather than at its first call."""
    workers: int
    """Processes that compile, where everything is compiled at once (`eager`, `precompile`); else the others of them compile what a guest
    of a large module is likely to call next, while this one runs it. What they make does not depend on it."""
    progress: Callable[[int, int], None] | None
    """Called with what is done and what there is to do, in bytes of code, while everything is compiled at once."""
    debug_info: bool
    """Keep what backtraces need: function names and offsets."""
    timeout: float | None
    """Default limit of each call from Python, in seconds; None for none."""
    call_fuel: int | None
    """Default fuel of each call from Python; None for none. Needs `fuel=True`."""

    def __init__(
        self,
        *,
        engine: str = "auto",
        features: Features = Features.WASM3,
        cache: CompilationCache | None = None,
        memory_limit_pages: int | None = None,
        heap_limit_bytes: int | None = None,
        max_stack_bytes: int = 1 << 20,
        fuel: bool = False,
        interruptible: bool = True,
        explicit_checks: bool = False,
        optimize_after: int | None = None,
        eager: bool = False,
        workers: int = 1,
        progress: Callable[[int, int], None] | None = None,
        debug_info: bool = True,
        timeout: float | None = None,
        call_fuel: int | None = None,
    ) -> None:
        if engine not in ENGINES:
            raise ValueError(f"unknown engine {engine!r}: one of {', '.join(ENGINES)}")
        if not isinstance(features, Features):
            raise TypeError(f"features is a Features object, such as Features.WASM3, not {features!r}")
        if memory_limit_pages is not None and memory_limit_pages < 0:
            raise ValueError(f"memory_limit_pages is not negative: {memory_limit_pages}")
        if heap_limit_bytes is not None and heap_limit_bytes < 1 << 16:
            raise ValueError(f"heap_limit_bytes is at least 65536: {heap_limit_bytes}")
        if max_stack_bytes < 1 << 12:
            raise ValueError(f"max_stack_bytes is at least 4096: {max_stack_bytes}")
        if optimize_after is not None and not 0 <= optimize_after <= MOST_TURNS:
            raise ValueError(f"optimize_after is between 0 and {MOST_TURNS}, or None: {optimize_after}")
        if workers < 1:
            raise ValueError(f"workers is at least 1: {workers}")
        if timeout is not None and not (timeout >= 0 and interruptible):
            raise ValueError("timeout is a number of seconds, not negative, and needs interruptible=True")
        if call_fuel is not None and not (call_fuel >= 0 and fuel):
            raise ValueError("call_fuel is not negative and needs fuel=True")
        # In the order of `_OPTIONS`.
        values = (
            engine,
            features,
            cache,
            memory_limit_pages,
            heap_limit_bytes,
            max_stack_bytes,
            fuel,
            interruptible,
            explicit_checks,
            optimize_after,
            eager,
            workers,
            progress,
            debug_info,
            timeout,
            call_fuel,
        )
        for name, value in zip(_OPTIONS, values, strict=True):
            object.__setattr__(self, name, value)

    def with_(self, **options: object) -> RuntimeConfig:
        """This configuration with some options changed."""
        unknown = options.keys() - set(_OPTIONS)
        if unknown:
            raise TypeError(f"unknown option {', '.join(sorted(unknown))}: one of {', '.join(_OPTIONS)}")
        return _with_options({**self._options(), **options})

    def _options(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in _OPTIONS}

    def __setattr__(self, name: str, value: object) -> Never:
        raise AttributeError(f"a RuntimeConfig does not change, so {name!r} cannot be set: with_({name}=…) makes another")

    def __delattr__(self, name: str) -> Never:
        raise AttributeError(f"a RuntimeConfig does not change, so {name!r} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return self._options() == other._options() if isinstance(other, RuntimeConfig) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self._options().values()))

    def __repr__(self) -> str:
        return f"RuntimeConfig({', '.join(f'{name}={value!r}' for name, value in self._options().items())})"

    def __reduce__(self) -> tuple[Callable[[dict[str, object]], RuntimeConfig], tuple[dict[str, object]]]:
        return _with_options, (self._options(),)


def _with_options(options: dict[str, object]) -> RuntimeConfig:
    return RuntimeConfig(**options)  # type: ignore[arg-type]  # checked there
