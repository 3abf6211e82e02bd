"""Stores: SQLite always, LMDB and Redis where their packages and a `redis-server` are installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from purewasm_kv import SqliteStore, Store


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server of its own, without a disk, for the tests of one process."""
    server = shutil.which("redis-server")
    if server is None or find_spec("redis") is None:
        pytest.skip("needs a redis-server and the package redis")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"]
    folder = tmp_path_factory.mktemp("redis")
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(params=["sqlite memory", "sqlite file", "lmdb", "redis", "redis without an index"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Makes stores that all hold the same empty data; the ones in memory each their own."""
    made: list[Store] = []
    kind = str(request.param)
    if kind == "lmdb":
        lmdb_store = pytest.importorskip("purewasm_kv.lmdb_store", reason="needs lmdb", exc_type=ImportError)
        one: Store = lmdb_store.LmdbStore(tmp_path / "lmdb", map_bytes=1 << 26)
        made.append(one)
    elif kind.startswith("redis"):
        redis_store = pytest.importorskip("purewasm_kv.redis_store", reason="needs redis", exc_type=ImportError)
        import redis

        port = request.getfixturevalue("redis_port")
        client = redis.Redis(port=port)
        client.flushall()

    def make() -> Store:
        if kind == "lmdb":
            return one
        if kind == "redis":
            store: Store = redis_store.RedisStore(redis.Redis(port=port))
        elif kind.startswith("redis"):
            store = redis_store.RedisStore(redis.Redis(port=port), index=None)
        else:
            store = SqliteStore(tmp_path / "kv.db" if kind == "sqlite file" else ":memory:")
        made.append(store)
        return store

    yield make
    for store in made:
        store.close()


@pytest.fixture
def store(new_store: Callable[[], Store]) -> Store:
    """One store."""
    return new_store()
