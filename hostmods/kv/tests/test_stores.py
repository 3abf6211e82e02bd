"""Every store does the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from purewasm_kv import SqliteStore, Store, StoreError
from purewasm_kv.store import end_of


def test_values_are_any_bytes(store: Store) -> None:
    values = {b"a": b"", b"b": bytes(range(256)), b"\xff\x00*?": b"x" * 100_000}
    for key, value in values.items():
        store.set(key, value, 0)
    assert store.get_many([*values, b"none"]) == [*values.values(), None]
    assert store.get_many([]) == []


def test_a_key_ends(store: Store) -> None:
    store.set(b"short", b"1", 1000)
    store.set(b"long", b"2", 2**64 - 1)
    store.set(b"ever", b"3", 0)
    assert store.get_many([b"short", b"long", b"ever"]) == [b"1", b"2", b"3"]
    assert not store.add(b"short", b"4", 0)
    time.sleep(1.1)
    assert store.get_many([b"short", b"long", b"ever"]) == [None, b"2", b"3"]
    assert list(store.keys(b"", b"", 9)) == [b"ever", b"long"]
    assert not store.delete(b"short")
    assert store.compare_and_set(b"short", b"1", b"5") is None
    assert store.add(b"short", b"6", 0)
    assert store.get_many([b"short"]) == [b"6"]


def test_a_new_value_has_no_old_end(store: Store) -> None:
    store.set(b"a", b"1", 1000)
    assert store.compare_and_set(b"a", b"1", b"2") is True
    store.set(b"b", b"1", 1000)
    store.set(b"b", b"2", 0)
    time.sleep(1.1)
    assert store.get_many([b"a", b"b"]) == [b"2", b"2"]


def test_keys_in_order(store: Store) -> None:
    keys = [b"a", b"a*", b"a[1]", b"a\\", b"ab", b"b", b"\xff", b"\xff\xff"]
    for key in reversed(keys):
        store.set(key, b"", 0)
    assert list(store.keys(b"", b"", 99)) == sorted(keys)
    assert list(store.keys(b"a", b"", 99)) == [b"a", b"a*", b"a[1]", b"a\\", b"ab"]
    assert list(store.keys(b"a*", b"", 99)) == [b"a*"]
    assert list(store.keys(b"a[1]", b"", 99)) == [b"a[1]"]
    assert list(store.keys(b"a\\", b"", 99)) == [b"a\\"]
    assert list(store.keys(b"\xff", b"\xff", 99)) == [b"\xff\xff"]
    assert list(store.keys(b"a", b"a*", 2)) == [b"a[1]", b"a\\"]


def test_lists_with_keys_that_have_ended(store: Store) -> None:
    for number in range(60):
        store.set(b"k%02d" % number, b"", 40 if number % 3 else 0)
    time.sleep(0.08)
    alive = [b"k%02d" % number for number in range(0, 60, 3)]
    assert list(store.keys(b"k", b"", 5)) == alive[:5]
    assert list(store.keys(b"k", alive[4], 99)) == alive[5:]
    assert list(store.keys(b"k1", b"", 99)) == [key for key in alive if key.startswith(b"k1")]
    assert list(store.keys(b"k", b"a", 1)) == alive[:1]
    assert list(store.keys(b"k", b"z", 9)) == []
    store.delete(alive[0])
    store.add(b"k01", b"", 0)
    assert list(store.keys(b"k", b"", 2)) == [b"k01", alive[1]]


def test_one_of_many_adds_wins(new_store: Callable[[], Store]) -> None:
    store = new_store()
    won: list[bool] = []
    threads = [threading.Thread(target=lambda: won.append(store.add(b"key", b"", 0))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


def test_counting_with_compare_and_set(store: Store) -> None:
    store.set(b"n", b"0", 0)

    def count() -> None:
        for _ in range(20):
            while True:
                (value,) = store.get_many([b"n"])
                assert value is not None
                if store.compare_and_set(b"n", value, str(int(value) + 1).encode()):
                    break

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get_many([b"n"]) == [b"80"]


def test_a_file_outlives_its_store(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "kv.db")
    first.set(b"a", b"1", 0)
    second = SqliteStore(tmp_path / "kv.db")
    assert second.get_many([b"a"]) == [b"1"]
    first.close()
    first.close()
    second.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "kv.db").write_bytes(b"no database, but more than a hundred bytes of text" * 40)
    with pytest.raises(StoreError, match=r"kv\.db: file is not a database"):
        SqliteStore(tmp_path / "kv.db")
    with pytest.raises(StoreError, match="unable to open"):
        SqliteStore(tmp_path / "no folder" / "kv.db")


def test_the_index_of_redis_is_its_own(redis_port: int) -> None:
    redis_store = pytest.importorskip("purewasm_kv.redis_store", reason="needs redis", exc_type=ImportError)
    import redis

    client = redis.Redis(port=redis_port)
    client.flushall()
    store: Store = redis_store.RedisStore(client)
    store.set(b"a", b"1", 20)
    store.set(b"b", b"1", 0)
    with pytest.raises(StoreError, match="the store's own index"):
        store.set(redis_store.INDEX, b"", 0)
    with pytest.raises(StoreError, match="the store's own index"):
        store.delete(redis_store.INDEX)
    assert client.zcard(redis_store.INDEX) == 2
    time.sleep(0.05)
    assert store.keys(b"", b"", 9) == [b"b"]
    assert client.zcard(redis_store.INDEX) == 1
    assert redis_store.RedisStore(client, index=None).keys(b"", b"", 9) == [b"b"]


def test_a_closed_store() -> None:
    store = SqliteStore()
    store.close()
    with pytest.raises(StoreError):
        store.get_many([b"a"])


def test_what_has_ended_is_removed_at_last() -> None:
    store = SqliteStore()
    for number in range(999):
        store.set(b"%d" % number, b"", 1)
    time.sleep(0.005)
    store.set(b"last", b"", 0)
    count = store._connection.execute("SELECT count(*) FROM kv").fetchone()
    assert count == (1,)
    store.close()


@pytest.mark.parametrize(("prefix", "end"), [(b"", None), (b"a", b"b"), (b"a\xff\xff", b"b"), (b"\xff", None)])
def test_the_end_of_a_prefix(prefix: bytes, end: bytes | None) -> None:
    assert end_of(prefix) == end
