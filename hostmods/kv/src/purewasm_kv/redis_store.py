"""Keys and values on a Redis server. Steps that read and write are one script each, which the server runs as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast, final

try:
    import redis
except ImportError as _missing:
    raise ImportError("this store needs redis: pip install 'purewasm-kv[redis]'") from _missing

from purewasm_kv.store import StoreError

if TYPE_CHECKING:
    from typing import Protocol

    class Client(Protocol):
        """What is used of a client of Redis."""

        def execute_command(self, *words: object) -> object: ...
        def close(self) -> None: ...


_COMPARE_AND_SET: Final = """
local found = redis.call('GET', KEYS[1])
if not found then return -1 end
if found ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
"""
_LONGEST_MS: Final = 1 << 52
"""Redis keeps the time at which a key ends in 64 bits of milliseconds since 1970; this many are 140,000 years."""


@final
class RedisStore:
    """A store on a server: `RedisStore(redis.Redis(…))`, a client that gives bytes. Closing the store closes the client."""

    max_key_bytes: int = 1 << 16

    def __init__(self, client: Client) -> None:
        self._client = client

    def _run(self, *words: object) -> object:
        try:
            return self._client.execute_command(*words)
        except redis.RedisError as error:
            raise StoreError(str(error)) from error

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return cast("list[bytes | None]", self._run("MGET", *keys)) if keys else []

    def set(self, key: bytes, value: bytes, ttl_ms: int) -> None:
        self._run("SET", key, value, *_ends(ttl_ms))

    def add(self, key: bytes, value: bytes, ttl_ms: int) -> bool:
        return self._run("SET", key, value, "NX", *_ends(ttl_ms)) is not None

    def delete(self, key: bytes) -> bool:
        return self._run("DEL", key) == 1

    def compare_and_set(self, key: bytes, expected: bytes, value: bytes) -> bool | None:
        answer = self._run("EVAL", _COMPARE_AND_SET, 1, key, expected, value)
        return None if answer == -1 else answer == 1

    def keys(self, prefix: bytes, after: bytes, limit: int) -> Sequence[bytes]:
        pattern = b"".join(b"\\" + bytes([byte]) if byte in b"*?[]\\^-" else bytes([byte]) for byte in prefix) + b"*"
        found: set[bytes] = set()
        cursor: object = b"0"
        while True:
            cursor, keys = cast("tuple[object, list[bytes]]", self._run("SCAN", cursor, "MATCH", pattern, "COUNT", 1000))
            found.update(key for key in keys if key > after)
            if cursor in (0, b"0"):
                return sorted(found)[:limit]

    def close(self) -> None:
        self._client.close()


def _ends(ttl_ms: int) -> tuple[object, ...]:
    return ("PX", min(ttl_ms, _LONGEST_MS)) if ttl_ms else ()
