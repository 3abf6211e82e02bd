"""Keys and values in LMDB: each value begins with the time at which it ends, 8 bytes, 0 for never."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING, Final, TypeVar, final

try:
    import lmdb  # type: ignore[import-untyped,import-not-found,unused-ignore]
except ImportError as _missing:
    raise ImportError("this store needs lmdb: pip install 'purewasm-kv[lmdb]'") from _missing

from purewasm_kv.store import StoreError, now_ms

if TYPE_CHECKING:
    from typing import Protocol

    class Cursor(Protocol):
        """What is used of a cursor of LMDB."""

        def set_range(self, key: bytes) -> bool: ...
        def next(self) -> bool: ...
        def key(self) -> bytes: ...
        def value(self) -> bytes: ...

    class Transaction(Protocol):
        """What is used of a transaction of LMDB."""

        def get(self, key: bytes) -> bytes | None: ...
        def put(self, key: bytes, value: bytes) -> bool: ...
        def delete(self, key: bytes) -> bool: ...
        def cursor(self) -> Cursor: ...


T = TypeVar("T")
_TIME_BYTES: Final = 8
_FOREVER: Final = (1 << 64) - 1


def _pack(value: bytes, ttl_ms: int) -> bytes:
    return (min(now_ms() + ttl_ms, _FOREVER) if ttl_ms else 0).to_bytes(_TIME_BYTES, "big") + value


def _live(stored: bytes | None) -> bytes | None:
    if stored is None:
        return None
    ends = int.from_bytes(stored[:_TIME_BYTES], "big")
    return stored[_TIME_BYTES:] if ends == 0 or ends > now_ms() else None


@final
class LmdbStore:
    """A store in a folder. Safe for several threads and processes. A key whose time is over is removed when it is written next."""

    def __init__(self, path: str | PathLike[str], *, map_bytes: int = 1 << 30) -> None:
        try:
            self._environment = lmdb.open(fspath(path), map_size=map_bytes)
        except lmdb.Error as error:
            raise StoreError(f"{fspath(path)}: {error}") from error
        self.max_key_bytes: int = self._environment.max_key_size()

    def _step(self, write: bool, work: Callable[[Transaction], T]) -> T:
        try:
            with self._environment.begin(write=write) as transaction:
                return work(transaction)
        except lmdb.Error as error:
            raise StoreError(str(error)) from error

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return self._step(False, lambda transaction: [_live(transaction.get(key)) for key in keys])

    def set(self, key: bytes, value: bytes, ttl_ms: int) -> None:
        self._step(True, lambda transaction: transaction.put(key, _pack(value, ttl_ms)))

    def add(self, key: bytes, value: bytes, ttl_ms: int) -> bool:
        def work(transaction: Transaction) -> bool:
            return _live(transaction.get(key)) is None and transaction.put(key, _pack(value, ttl_ms))

        return self._step(True, work)

    def delete(self, key: bytes) -> bool:
        def work(transaction: Transaction) -> bool:
            existed = _live(transaction.get(key)) is not None
            transaction.delete(key)
            return existed

        return self._step(True, work)

    def compare_and_set(self, key: bytes, expected: bytes, value: bytes) -> bool | None:
        def work(transaction: Transaction) -> bool | None:
            found = _live(transaction.get(key))
            return None if found is None else found == expected and transaction.put(key, _pack(value, 0))

        return self._step(True, work)

    def keys(self, prefix: bytes, after: bytes, limit: int) -> Sequence[bytes]:
        def work(transaction: Transaction) -> list[bytes]:
            cursor = transaction.cursor()
            found: list[bytes] = []
            more = cursor.set_range(max(prefix, after) or b"\0")
            while more and len(found) < limit and cursor.key().startswith(prefix):
                if cursor.key() > after and _live(cursor.value()) is not None:
                    found.append(cursor.key())
                more = cursor.next()
            return found

        return self._step(False, work)

    def close(self) -> None:
        self._environment.close()
