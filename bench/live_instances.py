"""`python -m bench.live_instances ENGINE FILE LIMIT`: how many instances of a module can be alive at once, up to a limit.

A process of its own: it ends with all of the address space that the engine can get.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.engines.protocol import Guest
from bench.engines.registry import open_engine


def main(engine_name: str, path: str, limit: str) -> None:
    """Prints the number."""
    module = open_engine(engine_name).compile(Path(path).read_bytes())
    alive: list[Guest] = []
    try:
        while len(alive) < int(limit):
            alive.append(module.instantiate())
    except Exception as error:  # noqa: BLE001 - each runtime has its own way to say that there is no more
        print(f"{engine_name}: {error}", file=sys.stderr)
    print(len(alive))


if __name__ == "__main__":
    main(*sys.argv[1:])
