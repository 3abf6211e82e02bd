"""Host module `purewasm/kv@1`: bytes by text keys, kept by the host.

    from purewasm import Runtime
    from purewasm_kv import Kv, SqliteStore

    with Runtime() as runtime:
        Kv(SqliteStore("data.db")).register(runtime)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from purewasm_kv._version import __version__
from purewasm_kv.module import Kv
from purewasm_kv.sqlite import SqliteStore
from purewasm_kv.store import Store, StoreError

if TYPE_CHECKING:
    from purewasm_kv.lmdb_store import LmdbStore
    from purewasm_kv.redis_store import RedisStore

__all__ = ["Kv", "LmdbStore", "RedisStore", "SqliteStore", "Store", "StoreError", "__version__"]

_WITH_EXTRA = {"LmdbStore": "lmdb_store", "RedisStore": "redis_store"}


def __getattr__(name: str) -> object:
    home = _WITH_EXTRA.get(name)
    if home is None:
        raise AttributeError(f"module 'purewasm_kv' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"purewasm_kv.{home}"), name)
    return value
