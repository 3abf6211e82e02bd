"""Random numbers: the function `random_get`, and where they come from."""

from __future__ import annotations

import os
from collections.abc import Callable

from purewasm.light_typing import TYPE_CHECKING, Final, TypeAlias
from purewasm_wasi.guest_memory import check

if TYPE_CHECKING:
    import random

    from purewasm import Memory
    from purewasm_wasi.process import Process

RandomSource: TypeAlias = "int | random.Random | Callable[[int], bytes] | None"
"""None for the host's own, a seed or a generator for repeatable ones, or a callable `f(n) -> bytes`."""

_CHUNK_BYTES: Final = 65_536
"""How much is asked for at a time: a guest may ask for all its memory, and the host does not hold that twice."""


def open_random(source: RandomSource) -> Callable[[int], bytes]:
    """A function that gives `n` random bytes. Of a seed each call makes its own sequence from the start."""
    if source is None:
        return os.urandom
    import random  # not at the top: few programs are given a seed or a generator

    if isinstance(source, int):
        return random.Random(source).randbytes
    if isinstance(source, random.Random):
        return source.randbytes
    if callable(source):
        return source
    raise TypeError(f"random cannot be {source!r}: pass None, a seed, a random.Random or a callable that returns n bytes")


def random_get(process: Process, memory: Memory, buffer: int, size: int) -> None:
    """Fill a buffer with random bytes."""
    check(memory, buffer, size)
    for start in range(buffer, buffer + size, _CHUNK_BYTES):
        wanted = min(_CHUNK_BYTES, buffer + size - start)
        data = process.random(wanted)
        if len(data) != wanted:
            raise ValueError(f"the source of random numbers gave {len(data)} bytes where {wanted} were asked for")
        memory.write(start, data)
        if wanted == _CHUNK_BYTES:
            process.check_interruption()  # a guest may ask for gigabytes
