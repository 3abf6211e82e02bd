"""Named values that the host may override: the Python side of the import module `pantopic/wazero-global`.

    from purewasm_guest.sdk.python import global_

    verbose = global_.boolean("VERBOSE", False)
    timeout = global_.duration("TIMEOUT", 30_000_000_000)

Each call asks the host and returns its value, or the default where the host has none. A name is UTF-8 of at most 64 bytes; a longer
one traps. Importing this file exports `__global`, through which the host learns where the cells are.
"""

from purewasm_guest.python import export, host, i64, u32, u64
from purewasm_guest.python.memory import address, copy, load_u32, load_u64, reserve, store_u32, store_u64

NAME_CAPACITY: u32 = 64

_PAGE: u32 = reserve(16)
_VALUE: u32 = reserve(8)
_CAPACITY: u32 = reserve(4)
_LENGTH: u32 = reserve(4)
_NAME: u32 = reserve(64)


@export("__global")
def page_address() -> u32:
    """The address of the page: four u32, each the address of a cell."""
    store_u32(_CAPACITY, NAME_CAPACITY)
    store_u32(_PAGE, _VALUE)
    store_u32(_PAGE + 4, _CAPACITY)
    store_u32(_PAGE + 8, _LENGTH)
    store_u32(_PAGE + 12, _NAME)
    return _PAGE


@host("pantopic/wazero-global", "__global_get")
def _get() -> None: ...


def boolean(name: str, default: bool) -> bool:
    """A bool."""
    return uint64(name, u64(default)) == 1


def uint64(name: str, default: u64) -> u64:
    """A number from 0 to 2**64 - 1."""
    text = address(name)
    size = load_u32(text)
    assert size <= NAME_CAPACITY
    copy(_NAME, text + 8, size)
    store_u32(_LENGTH, size)
    store_u64(_VALUE, default)
    _get()
    return load_u64(_VALUE)


def duration(name: str, default_ns: i64) -> i64:
    """Signed nanoseconds."""
    return i64(uint64(name, u64(default_ns)))
