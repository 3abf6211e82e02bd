"""What each worker does, whoever started it: sets up a runtime and an instance once, then calls the guest for data."""

from collections.abc import Callable, Iterable

from purewasm import CompilationCache, Module, Runtime

# What a worker has set up, for all that it is given to do.
guest: dict[str, Callable[[int], int]] = {}


def start(module: Module, directory: str) -> None:
    """Once in each worker: a runtime and an instance of its own. The module came as bytes, its code is in the shared directory."""
    runtime = Runtime(cache=CompilationCache(directory))
    guest["steps"] = runtime.instantiate(module).exports.steps


def longest(numbers: Iterable[int]) -> tuple[int, int]:
    """(steps, number) of the longest way among some numbers."""
    steps = guest["steps"]
    return max((steps(number), number) for number in numbers)


def parts(end: int, size: int) -> list[range]:
    """The numbers from 1 to `end`, in pieces for the workers."""
    return [range(begin, min(begin + size, end)) for begin in range(1, end, size)]
