"""Counters of 64 bits that all guests of a host share. The guest's side of `pantopic/wazero-atomic`. Written by `purewasm gen` from abi.toml: change that instead.

There is no status: what the host cannot do ends the guest's call. Importing this file exports `__atomic`, through which
the host learns where the cells are.
"""

from purewasm_guest.python import export, host, u32, u64
from purewasm_guest.python.memory import load_u64, reserve, store_u32, store_u64

_CELL_SET: u32 = reserve(4)
_CELL_ID: u32 = reserve(8)
_CELL_VALUE: u32 = reserve(8)
_PAGE: u32 = reserve(12)


@export("__atomic")
def page_address() -> u32:
    """The address of the page: the address of each cell."""
    store_u32(_PAGE + 0, _CELL_SET)
    store_u32(_PAGE + 4, _CELL_ID)
    store_u32(_PAGE + 8, _CELL_VALUE)
    return _PAGE


@host("pantopic/wazero-atomic", "__atomic_uint64_add")
def _host_add() -> None: ...


@host("pantopic/wazero-atomic", "__atomic_uint64_load")
def _host_load() -> None: ...


@host("pantopic/wazero-atomic", "__atomic_uint64_store")
def _host_store() -> None: ...


@host("pantopic/wazero-atomic", "__atomic_uint64_del")
def _host_delete() -> None: ...


def add(set: u32, id: u64, value: u64) -> u64:
    """Add to a counter, modulo 2^64: the sum. A counter that is not there is 0."""
    store_u32(_CELL_SET, set)
    store_u64(_CELL_ID, id)
    store_u64(_CELL_VALUE, value)
    _host_add()
    return load_u64(_CELL_VALUE)


def load(set: u32, id: u64) -> u64:
    """The value of a counter."""
    store_u32(_CELL_SET, set)
    store_u64(_CELL_ID, id)
    _host_load()
    return load_u64(_CELL_VALUE)


def store(set: u32, id: u64, value: u64) -> None:
    """Give a counter a value."""
    store_u32(_CELL_SET, set)
    store_u64(_CELL_ID, id)
    store_u64(_CELL_VALUE, value)
    _host_store()


def delete(set: u32, id: u64) -> None:
    """Forget a counter: it is 0 again."""
    store_u32(_CELL_SET, set)
    store_u64(_CELL_ID, id)
    _host_delete()
