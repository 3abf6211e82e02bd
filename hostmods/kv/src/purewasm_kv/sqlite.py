"""Keys and values in an SQLite database: one table, one connection, a transaction for each step."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike, fspath
from typing import Final, final

from purewasm_kv.store import StoreError, end_of, now_ms

_SCHEMA: Final = "CREATE TABLE IF NOT EXISTS kv (key BLOB PRIMARY KEY, value BLOB NOT NULL, ends_ms INTEGER NOT NULL) WITHOUT ROWID"
_LIVE: Final = "(ends_ms = 0 OR ends_ms > ?)"
_PURGE_EVERY: Final = 1_000
_FOREVER: Final = (1 << 63) - 1


@final
class SqliteStore:
    """A store in a file, or in memory. Safe for several threads, and for several processes on one file."""

    max_key_bytes: int = 1 << 16

    def __init__(self, path: str | PathLike[str] = ":memory:", *, timeout: float = 5.0) -> None:
        self._lock = threading.Lock()
        self._writes = 0
        try:
            self._connection = sqlite3.connect(fspath(path), timeout=timeout, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(_SCHEMA)
        except sqlite3.Error as error:
            raise StoreError(f"{fspath(path)}: {error}") from error

    @contextmanager
    def _step(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection.execute(begin)
                try:
                    yield self._connection
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise StoreError(str(error)) from error

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        query, now = f"SELECT value FROM kv WHERE key = ? AND {_LIVE}", now_ms()
        with self._step("BEGIN") as connection:
            rows = [connection.execute(query, (key, now)).fetchone() for key in keys]
        return [None if row is None else row[0] for row in rows]

    def set(self, key: bytes, value: bytes, ttl_ms: int) -> None:
        with self._step("BEGIN IMMEDIATE") as connection:
            self._put(connection, key, value, ttl_ms)

    def _put(self, connection: sqlite3.Connection, key: bytes, value: bytes, ttl_ms: int) -> None:
        now = now_ms()
        ends = min(now + ttl_ms, _FOREVER) if ttl_ms else 0
        connection.execute("INSERT OR REPLACE INTO kv VALUES (?, ?, ?)", (key, value, ends))
        self._writes += 1
        if self._writes % _PURGE_EVERY == 0:
            connection.execute("DELETE FROM kv WHERE ends_ms != 0 AND ends_ms <= ?", (now,))

    def add(self, key: bytes, value: bytes, ttl_ms: int) -> bool:
        with self._step("BEGIN IMMEDIATE") as connection:
            if connection.execute(f"SELECT 1 FROM kv WHERE key = ? AND {_LIVE}", (key, now_ms())).fetchone():
                return False
            self._put(connection, key, value, ttl_ms)
            return True

    def delete(self, key: bytes) -> bool:
        with self._step("BEGIN IMMEDIATE") as connection:
            found = connection.execute("DELETE FROM kv WHERE key = ? RETURNING ends_ms", (key,)).fetchone()
        return found is not None and (found[0] == 0 or found[0] > now_ms())

    def compare_and_set(self, key: bytes, expected: bytes, value: bytes) -> bool | None:
        with self._step("BEGIN IMMEDIATE") as connection:
            found = connection.execute(f"SELECT value FROM kv WHERE key = ? AND {_LIVE}", (key, now_ms())).fetchone()
            if found is None:
                return None
            if found[0] != expected:
                return False
            self._put(connection, key, value, 0)
            return True

    def keys(self, prefix: bytes, after: bytes, limit: int) -> Sequence[bytes]:
        end = end_of(prefix)
        query = f"SELECT key FROM kv WHERE key >= ? AND key > ? AND (? IS NULL OR key < ?) AND {_LIVE} ORDER BY key LIMIT ?"
        with self._step("BEGIN") as connection:
            rows = connection.execute(query, (prefix, after, end, end, now_ms(), limit)).fetchall()
        return [row[0] for row in rows]

    def close(self) -> None:
        with self._lock:
            self._connection.close()
