"""A guest's function over a lot of data, in several processes: the module travels, compiled code is found in the cache."""

import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from purewasm import CompilationCache, Module, Runtime

GUEST = Path(__file__).with_name("guest.wat")

# What a worker sets up once, for all that it is given to do.
worker: dict[str, Callable[[int], int]] = {}


def start(module: Module, directory: str) -> None:
    """In each worker, first of all: a runtime and an instance of its own."""
    runtime = Runtime(cache=CompilationCache(directory))
    worker["steps"] = runtime.instantiate(module).exports.steps


def longest(numbers: Iterable[int]) -> tuple[int, int]:
    """(steps, number) of the longest way among some numbers."""
    steps = worker["steps"]
    return max((steps(number), number) for number in numbers)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        with CompilationCache(directory) as cache, Runtime(cache=cache, eager=True) as runtime:
            module = runtime.compile(GUEST)  # everything, now, and into the cache
            print("compiled once:", len(cache), "module in the cache")
        with ProcessPoolExecutor(2, initializer=start, initargs=(module, directory)) as pool:
            first, second = pool.map(longest, [[97], [871]])
            print(f"97 takes {first[0]} steps, 871 takes {second[0]} steps")
            parts = [range(begin, begin + 2500) for begin in range(1, 20_000, 2500)]
            steps, number = max(pool.map(longest, parts))
            print(f"longest way below 20000: from {number}, {steps} steps")


if __name__ == "__main__":
    main()
