"""Messages to other guests and to the host, by the number of a pipe. The guest's side of `pantopic/wazero-pipe`. Written by `purewasm gen` from abi.toml: change that instead.

There is no status: what the host cannot do ends the guest's call. Importing this file exports `__pipe`, through which
the host learns where the cells are.
"""

from purewasm_guest.python import export, host, u32
from purewasm_guest.python.memory import address, allocate, as_bytes, copy, load_u32, reserve, store_u32

_CELL_PIPE: u32 = reserve(4)
_CELL_MESSAGE_CAPACITY: u32 = reserve(4)
_CELL_MESSAGE_LENGTH: u32 = reserve(4)
_CELL_MESSAGE: u32 = reserve(4096)
_PAGE: u32 = reserve(16)


@export("__pipe")
def page_address() -> u32:
    """The address of the page: the address of each cell."""
    store_u32(_CELL_MESSAGE_CAPACITY, 4096)
    store_u32(_PAGE + 0, _CELL_PIPE)
    store_u32(_PAGE + 4, _CELL_MESSAGE_CAPACITY)
    store_u32(_PAGE + 8, _CELL_MESSAGE_LENGTH)
    store_u32(_PAGE + 12, _CELL_MESSAGE)
    return _PAGE


@host("pantopic/wazero-pipe", "__pipe_send")
def _host_send() -> None: ...


@host("pantopic/wazero-pipe", "__pipe_recv")
def _host_recv() -> None: ...


def _copied(at: u32, size: u32) -> bytes:
    made = allocate(size + 8)
    store_u32(made, size)
    store_u32(made + 4, size)
    copy(made + 8, at, size)
    return as_bytes(made)


def send(pipe: u32, message: bytes) -> None:
    """Put a copy of the bytes into a pipe; waits for room."""
    store_u32(_CELL_PIPE, pipe)
    assert len(message) <= 4096
    copy(_CELL_MESSAGE, address(message) + 8, load_u32(address(message)))
    store_u32(_CELL_MESSAGE_LENGTH, load_u32(address(message)))
    _host_send()


def recv(pipe: u32) -> bytes:
    """Take the first message out of a pipe; waits for one."""
    store_u32(_CELL_PIPE, pipe)
    _host_recv()
    return _copied(_CELL_MESSAGE, load_u32(_CELL_MESSAGE_LENGTH))
