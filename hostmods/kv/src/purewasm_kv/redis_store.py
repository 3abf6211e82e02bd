"""Keys and values on a Redis server. Steps that read and write are one script each, which the server runs as one.

Redis keeps its keys in no order, so that the keys of a prefix can be found in two ways only: by a look at all keys of the server (SCAN), or
in a sorted set that has every key as a member, here called the index. The index is the default: it makes each write a script of two steps
and a list a search in a tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast, final

try:
    import redis
except ImportError as _missing:
    raise ImportError("this store needs redis: pip install 'purewasm-kv[redis]'") from _missing

from purewasm_kv.store import StoreError, end_of

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
# A key and the index; a value, and what SET is told beside.
_SET: Final = """
local done = redis.call('SET', KEYS[1], unpack(ARGV))
if done then redis.call('ZADD', KEYS[2], 0, KEYS[1]) end
return done
"""
_DELETE: Final = """
redis.call('ZREM', KEYS[2], KEYS[1])
return redis.call('DEL', KEYS[1])
"""
# The index; the least member, the end and the number of keys. Members whose time to live is over leave the index now.
_LIST: Final = """
local found, start, most = {}, ARGV[1], tonumber(ARGV[3])
while #found < most do
  local members = redis.call('ZRANGEBYLEX', KEYS[1], start, ARGV[2], 'LIMIT', 0, most - #found)
  if #members == 0 then break end
  for _, key in ipairs(members) do
    if redis.call('EXISTS', key) == 1 then found[#found + 1] = key else redis.call('ZREM', KEYS[1], key) end
  end
  start = '(' .. members[#members]
end
return found
"""
INDEX: Final = b"\xffpurewasm-kv"
"""The key of the index: no UTF-8, so that no guest's key is like it."""
_LONGEST_MS: Final = 1 << 52
"""Redis keeps the time at which a key ends in 64 bits of milliseconds since 1970; this many are 140,000 years."""


@final
class RedisStore:
    """A store on a server: `RedisStore(redis.Redis(…))`, a client that gives bytes. Closing the store closes the client.

    `index` is the key of the sorted set in which it finds keys by their prefix; all who write to these keys have to share it. With None
    there is no index: a list looks at every key of the server, and finds those that other programs have written too.
    """

    max_key_bytes: int = 1 << 16

    def __init__(self, client: Client, *, index: bytes | None = INDEX) -> None:
        self._client, self._index = client, index

    def _run(self, *words: object) -> object:
        try:
            return self._client.execute_command(*words)
        except redis.RedisError as error:
            raise StoreError(str(error)) from error

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return cast("list[bytes | None]", self._run("MGET", *keys)) if keys else []

    def set(self, key: bytes, value: bytes, ttl_ms: int) -> None:
        self._write(key, value, *_ends(ttl_ms))

    def add(self, key: bytes, value: bytes, ttl_ms: int) -> bool:
        return self._write(key, value, "NX", *_ends(ttl_ms)) is not None

    def _write(self, key: bytes, value: bytes, *options: object) -> object:
        if self._index is None:
            return self._run("SET", key, value, *options)
        self._check(key)
        return self._run("EVAL", _SET, 2, key, self._index, value, *options)

    def _check(self, key: bytes) -> None:
        if key == self._index:
            raise StoreError(f"the key {key!r} is that of the store's own index")

    def delete(self, key: bytes) -> bool:
        if self._index is None:
            return self._run("DEL", key) == 1
        self._check(key)
        return self._run("EVAL", _DELETE, 2, key, self._index) == 1

    def compare_and_set(self, key: bytes, expected: bytes, value: bytes) -> bool | None:
        answer = self._run("EVAL", _COMPARE_AND_SET, 1, key, expected, value)
        return None if answer == -1 else answer == 1

    def keys(self, prefix: bytes, after: bytes, limit: int) -> Sequence[bytes]:
        if self._index is None:
            return self._scanned(prefix, after, limit)
        start = b"(" + after if after >= prefix and after else b"[" + prefix
        end = end_of(prefix)
        last = b"+" if end is None else b"(" + end
        return cast("list[bytes]", self._run("EVAL", _LIST, 1, self._index, start, last, limit))

    def _scanned(self, prefix: bytes, after: bytes, limit: int) -> Sequence[bytes]:
        """Among all keys of the server."""
        pattern = b"".join(b"\\" + bytes([byte]) if byte in b"*?[]\\^-" else bytes([byte]) for byte in prefix) + b"*"
        found: set[bytes] = set()
        cursor: object = b"0"
        while True:
            cursor, keys = cast("tuple[object, list[bytes]]", self._run("SCAN", cursor, "MATCH", pattern, "COUNT", 1000, "TYPE", "string"))
            found.update(key for key in keys if key > after)
            if cursor in (0, b"0"):
                return sorted(found)[:limit]

    def close(self) -> None:
        self._client.close()


def _ends(ttl_ms: int) -> tuple[object, ...]:
    return ("PX", min(ttl_ms, _LONGEST_MS)) if ttl_ms else ()
