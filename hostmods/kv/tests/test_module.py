"""What the embedder decides: prefixes, read-only, limits, closing; and stores that fail."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

from purewasm import Runtime
from purewasm.hostmod import OperationError, Status
from purewasm.testing import MailboxGuest
from purewasm_kv import Kv, SqliteStore


def short_keys() -> SqliteStore:
    store = SqliteStore()
    store.max_key_bytes = 10
    return store


def test_guests_behind_a_prefix_are_apart(runtime: Runtime) -> None:
    store = SqliteStore()
    one = MailboxGuest(runtime, Kv(store, prefix="one/", keep_open=True))
    other = MailboxGuest(runtime, Kv(store, prefix="other/", keep_open=True))
    one.call("set", "key", b"1")
    other.call("set", "key", b"2")
    other.call("set", "é", b"3")
    assert (one.call("get", "key"), other.call("get", "key")) == (b"1", b"2")
    assert one.call("list", "") == ["key"]
    assert other.call("list", "") == ["key", "é"]
    assert other.call("list", "", "key", 0) == ["é"]
    assert one.call("exists", "../other/key") is False
    assert list(store.keys(b"", b"", 9)) == [b"one/key", b"other/key", "other/é".encode()]


def test_read_only(runtime: Runtime) -> None:
    store = SqliteStore()
    store.set(b"a", b"1", 0)
    guest = MailboxGuest(runtime, Kv(store, read_only=True))
    assert guest.call("get", "a") == b"1"
    for name, arguments in {"set": ("a", b""), "delete": ("a",), "add": ("b", b""), "compare_and_set": ("a", b"1", b"")}.items():
        with pytest.raises(OperationError, match="DENIED: these keys are read-only"):
            guest.call(name, *arguments)
    assert store.get_many([b"a", b"b"]) == [b"1", None]


def test_limits(runtime: Runtime) -> None:
    guest = MailboxGuest(runtime, Kv(max_value_bytes=10, prefix="p/"))
    guest.call("set", "a", b"x" * 10)
    with pytest.raises(OperationError) as caught:
        guest.call("set", "a", b"x" * 11)
    assert (caught.value.status, caught.value.data) == (Status.TOO_LARGE, 10)
    with pytest.raises(OperationError, match="INVALID: a key has at most 8 bytes, not 9"):
        MailboxGuest(runtime, Kv(short_keys(), prefix="p/")).call("get", "k" * 9)


def test_a_large_value_is_fetched(runtime: Runtime) -> None:
    store = SqliteStore()
    store.set(b"big", bytes(1 << 20), 0)
    assert MailboxGuest(runtime, Kv(store)).call("get", "big") == bytes(1 << 20)


def test_a_store_that_fails_is_unavailable(runtime: Runtime) -> None:
    store = SqliteStore()
    guest = MailboxGuest(runtime, Kv(store))
    guest.call("set", "a", b"1")
    store.close()
    with pytest.raises(OperationError) as caught:
        guest.call("get", "a")
    assert caught.value.status == Status.UNAVAILABLE


def test_the_store_is_closed_with_the_runtime() -> None:
    kept, closed = SqliteStore(), SqliteStore()
    with Runtime() as runtime:
        Kv(closed).register(runtime)
    with Runtime() as runtime:
        Kv(kept, keep_open=True).register(runtime)
    assert kept.get_many([b"a"]) == [None]
    with pytest.raises(Exception, match="closed"):
        closed.get_many([b"a"])


def test_it_is_listed_under_its_import_module_name() -> None:
    found = entry_points(group="purewasm.hostmods", name="purewasm/kv@1")
    if not found:
        pytest.skip("purewasm-kv is not installed, only on the path")
    (entry,) = found
    assert entry.load() is Kv
