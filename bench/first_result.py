"""`python -m bench.first_result ENGINE FILE N`: seconds from the module's bytes to the result of `run(N)`, and the result, as JSON.

A process of its own, so that nothing is warm.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import perf_counter

from bench.engines.registry import open_engine


def main(engine_name: str, path: str, n: str) -> None:
    """Prints `[seconds, result]`."""
    wasm = Path(path).read_bytes()
    engine = open_engine(engine_name)
    start = perf_counter()
    answer = engine.compile(wasm).instantiate().function("run")(int(n))
    print(json.dumps([perf_counter() - start, answer]))


if __name__ == "__main__":
    main(*sys.argv[1:])
