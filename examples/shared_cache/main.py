"""Compiled code in a store of your own: here a database that processes share."""

import sqlite3
import sys
import tempfile
import warnings
from contextlib import closing
from pathlib import Path
from subprocess import run
from typing import Protocol

from purewasm import CompilationCache, Runtime

GUEST = """
(module
  (func $factorial (export "factorial") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 1))
      (else (i32.mul (local.get 0) (call $factorial (i32.sub (local.get 0) (i32.const 1))))))))
"""


class Storage(Protocol):
    """What a cache asks for."""

    def get(self, key: bytes, /) -> bytes | None: ...
    def add(self, key: bytes, content: bytes, /) -> None: ...
    def delete(self, key: bytes, /) -> None: ...


class DatabaseStorage:
    """Three methods make a storage. Whoever can write to it can run code in the processes that read it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with closing(self._connect()) as database:
            database.execute("CREATE TABLE IF NOT EXISTS code (key BLOB PRIMARY KEY, content BLOB)")

    def _connect(self) -> sqlite3.Connection:
        # Several threads may call: each call has a connection of its own. A remote store would keep a pool.
        return sqlite3.connect(self.path, isolation_level=None)

    def get(self, key: bytes) -> bytes | None:
        with closing(self._connect()) as database:
            row = database.execute("SELECT content FROM code WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def add(self, key: bytes, content: bytes) -> None:
        with closing(self._connect()) as database:
            database.execute("INSERT OR REPLACE INTO code VALUES (?, ?)", (key, content))

    def delete(self, key: bytes) -> None:
        with closing(self._connect()) as database:
            database.execute("DELETE FROM code WHERE key = ?", (key,))

    def __len__(self) -> int:
        with closing(self._connect()) as database:
            return int(database.execute("SELECT count(*) FROM code").fetchone()[0])


def factorial(storage: Storage) -> int:
    """10! by the guest, compiled or found."""
    with CompilationCache(storage=storage) as cache, Runtime(cache=cache) as runtime:
        return int(runtime.instantiate(GUEST).exports.factorial(10))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        storage = DatabaseStorage(Path(folder) / "code.sqlite")
        print("first process:", factorial(storage))
        print("kept in the database:", len(storage), "module")
        print("second process: ", end="", flush=True)
        run([sys.executable, __file__, str(storage.path)], check=True)
        storage.path = Path(folder)  # no database any more
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # it says so, and goes on without
            print("a storage that is gone:", factorial(storage))


if __name__ == "__main__":
    if len(sys.argv) == 2:
        print(factorial(DatabaseStorage(Path(sys.argv[1]))))
    else:
        main()
