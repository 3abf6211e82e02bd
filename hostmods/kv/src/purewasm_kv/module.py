"""The host module: what guests may ask for, checked, and handed to a store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar, final

from purewasm.hostmod import OperationError, Status, u32, u64
from purewasm_kv.abi import KvAbi
from purewasm_kv.sqlite import SqliteStore
from purewasm_kv.store import Store, StoreError

T = TypeVar("T")
MAX_LIST: Final = 1_000
"""How many keys `list` gives at once."""


@final
class Kv(KvAbi):
    """Bytes by text keys: `Kv(SqliteStore("data.db")).register(runtime)`. Without a store they are in memory, and gone with this object.

    Guests see only keys that begin with `prefix`, and do not see the prefix. With `read_only` they cannot change anything. The store
    is closed with the runtime, unless it was given `keep_open`.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        prefix: str = "",
        read_only: bool = False,
        max_value_bytes: int = 1 << 20,
        keep_open: bool = False,
    ) -> None:
        super().__init__()
        self._store: Final[Store] = store if store is not None else SqliteStore()
        self._prefix, self._read_only, self._keep_open = prefix.encode(), read_only, keep_open
        self._max_value_bytes = max_value_bytes

    def close(self) -> None:
        """Close the store, unless it is kept open."""
        if not self._keep_open:
            self._store.close()

    # ---- checks

    def _key(self, key: str) -> bytes:
        found = self._prefix + key.encode()
        if not key:
            raise OperationError(Status.INVALID, "a key is not empty")
        if len(found) > self._store.max_key_bytes:
            limit = self._store.max_key_bytes - len(self._prefix)
            raise OperationError(Status.INVALID, f"a key has at most {limit} bytes, not {len(key.encode())}", limit)
        return found

    def _check_write(self, value: bytes = b"") -> None:
        if self._read_only:
            raise OperationError(Status.DENIED, "these keys are read-only")
        if len(value) > self._max_value_bytes:
            limit = self._max_value_bytes
            raise OperationError(Status.TOO_LARGE, f"a value has at most {limit} bytes, not {len(value)}", limit)

    @staticmethod
    def _ask(step: Callable[[], T]) -> T:
        try:
            return step()
        except StoreError as error:
            raise OperationError(Status.UNAVAILABLE, str(error)) from error

    # ---- operations

    def on_get(self, key: str) -> bytes:
        """The value of a key."""
        stored = self._key(key)
        (value,) = self._ask(lambda: self._store.get_many([stored]))
        if value is None:
            raise OperationError(Status.NOT_FOUND, f"there is no key {key!r}")
        return value

    def on_set(self, key: str, value: bytes, ttl_ms: u64 = 0) -> None:
        """Give a key a value."""
        stored = self._key(key)
        self._check_write(value)
        self._ask(lambda: self._store.set(stored, value, ttl_ms))

    def on_delete(self, key: str) -> bool:
        """Remove a key."""
        stored = self._key(key)
        self._check_write()
        return self._ask(lambda: self._store.delete(stored))

    def on_exists(self, key: str) -> bool:
        """True if the key has a value."""
        stored = self._key(key)
        return self._ask(lambda: self._store.get_many([stored])) != [None]

    def on_list(self, prefix: str, after: str = "", limit: u32 = 0) -> list[str]:
        """Keys in order."""
        most = min(limit or MAX_LIST, MAX_LIST)
        inner, own = self._prefix + prefix.encode(), len(self._prefix)
        start = self._prefix + after.encode()
        keys = self._ask(lambda: self._store.keys(inner, start, most))
        return [key[own:].decode(errors="replace") for key in keys]

    def on_add(self, key: str, value: bytes, ttl_ms: u64 = 0) -> None:
        """Give a key a value if it has none."""
        stored = self._key(key)
        self._check_write(value)
        if not self._ask(lambda: self._store.add(stored, value, ttl_ms)):
            raise OperationError(Status.EXISTS, f"the key {key!r} has a value")

    def on_compare_and_set(self, key: str, expected: bytes, value: bytes) -> bool:
        """Replace the expected value."""
        stored = self._key(key)
        self._check_write(value)
        swapped = self._ask(lambda: self._store.compare_and_set(stored, expected, value))
        if swapped is None:
            raise OperationError(Status.NOT_FOUND, f"there is no key {key!r}")
        return swapped

    def on_get_many(self, keys: list[str]) -> tuple[list[bool], list[bytes]]:
        """Several values at once."""
        stored = [self._key(key) for key in keys]
        values = self._ask(lambda: self._store.get_many(stored))
        return [value is not None for value in values], [value or b"" for value in values]
