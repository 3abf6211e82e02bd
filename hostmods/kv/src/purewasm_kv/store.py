"""What a store does, and how they count time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from purewasm import WasmError


class StoreError(WasmError):
    """A store cannot do its work now: the disk is full, the server is gone. Guests get the status UNAVAILABLE."""


class Store(Protocol):
    """Bytes by bytes, ordered by key. Each method is one step, also for other threads and processes. `ttl_ms` 0 is for ever."""

    max_key_bytes: int
    """Longer keys are refused before they come here."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values, None for a key without one."""
        ...

    def set(self, key: bytes, value: bytes, ttl_ms: int) -> None:
        """Give a key a value, whatever it had."""
        ...

    def add(self, key: bytes, value: bytes, ttl_ms: int) -> bool:
        """Give a key a value if it has none: true if it had none."""
        ...

    def delete(self, key: bytes) -> bool:
        """Remove a key: true if it was there."""
        ...

    def compare_and_set(self, key: bytes, expected: bytes, value: bytes) -> bool | None:
        """Replace the value if it is the expected one: true if it was, None if there is none."""
        ...

    def keys(self, prefix: bytes, after: bytes, limit: int) -> Sequence[bytes]:
        """Keys in order that begin with the prefix and come after `after`."""
        ...

    def close(self) -> None:
        """Give back what it holds. Closing twice is fine."""
        ...


def now_ms() -> int:
    """Milliseconds since 1970: several processes have to agree on when a key ends."""
    return time.time_ns() // 1_000_000


def end_of(prefix: bytes) -> bytes | None:
    """The first key after all those with this prefix; None where there is none."""
    head = prefix.rstrip(b"\xff")
    return head[:-1] + bytes([head[-1] + 1]) if head else None
