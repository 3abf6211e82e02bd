"""A guest's function over a lot of data, in several processes: the module travels, compiled code is found in the cache."""

import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from work import longest, parts, start

from purewasm import CompilationCache, Runtime

GUEST = Path(__file__).with_name("guest.wat")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        with CompilationCache(directory) as cache, Runtime(cache=cache, eager=True) as runtime:
            module = runtime.compile(GUEST)  # everything, now, and into the cache
            print("compiled once:", len(cache), "module in the cache")
        with ProcessPoolExecutor(2, initializer=start, initargs=(module, directory)) as pool:
            first, second = pool.map(longest, [[97], [871]])
            print(f"97 takes {first[0]} steps, 871 takes {second[0]} steps")
            steps, number = max(pool.map(longest, parts(20_000, 2500)))
            print(f"longest way below 20000: from {number}, {steps} steps")


if __name__ == "__main__":
    main()
