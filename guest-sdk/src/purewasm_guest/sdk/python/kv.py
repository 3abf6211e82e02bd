"""Bytes by text keys, kept by the host. The guest's side of `purewasm/kv@1`. Written by `purewasm gen` from abi.toml: change that instead.

Importing this file exports `__kv`, through which the host finds the mailbox. After each call `status()` says how it
went, 0 for well, and `message()` more; without a result the functions return an empty value.
"""

from dataclasses import dataclass

from purewasm_guest.python import export, host, i32, u32, u64
from purewasm_guest.python.memory import reserve
from purewasm_guest.sdk.python import mailbox

__hostmods__ = b'\x81\xd9\x0b\x70\x75\x72\x65\x77\x61\x73\x6d\x2f\x6b\x76\x92\xcd\x00\x01\xcd\x00\x00'
_BOX: u32 = reserve(40)


@export("__kv")
def mailbox_address() -> u32:
    """Where the host finds the mailbox."""
    return mailbox.prepare(_BOX, 0x1)


@host("purewasm/kv@1", "__kv_call")
def _call() -> None: ...


def _send(operation: u32, buffer: mailbox.Buffer) -> mailbox.Buffer:
    mailbox_address()
    mailbox.post(_BOX, operation, buffer, 0)
    _call()
    if mailbox.is_kept(_BOX, buffer):
        mailbox.post(_BOX, operation, buffer, mailbox.FETCH)
        _call()
    return mailbox.answered(_BOX, buffer)


def status() -> i32:
    """The status of the last call."""
    return mailbox.status_of(_BOX)


def message() -> str:
    """The text of the last error."""
    return mailbox.message_of(_BOX)


def get(key: str) -> bytes:
    """The value of a key. Errors: NOT_FOUND, INVALID."""
    request = mailbox.request()
    request.put_array(1)
    request.put_str(key)
    answer = _send(1, request)
    value: bytes = b""
    if status() == 0:
        value = answer.bytes_()
    return value


def set(key: str, value: bytes, ttl_ms: u64) -> None:
    """Give a key a value; with a time to live (milliseconds, 0 for ever) it is gone after that. Errors: INVALID, TOO_LARGE, DENIED."""
    request = mailbox.request()
    request.put_array(3)
    request.put_str(key)
    request.put_bytes(value)
    request.put_uint(ttl_ms)
    _send(2, request)


def delete(key: str) -> bool:
    """Remove a key; true if it was there. Errors: INVALID, DENIED."""
    request = mailbox.request()
    request.put_array(1)
    request.put_str(key)
    answer = _send(3, request)
    existed: bool = False
    if status() == 0:
        existed = answer.bool_()
    return existed


def exists(key: str) -> bool:
    """True if the key has a value. Errors: INVALID."""
    request = mailbox.request()
    request.put_array(1)
    request.put_str(key)
    answer = _send(4, request)
    found: bool = False
    if status() == 0:
        found = answer.bool_()
    return found


def list_(prefix: str, after: str, limit: u32) -> list[str]:
    """Keys that begin with a prefix, in the order of their UTF-8 bytes, after the key `after`; at most `limit` of them (0: as many as the host gives at once). Errors: INVALID."""
    request = mailbox.request()
    request.put_array(3)
    request.put_str(prefix)
    request.put_str(after)
    request.put_uint(u64(limit))
    answer = _send(5, request)
    keys: list[str] = []
    if status() == 0:
        for _ in range(answer.array()):
            keys.append(answer.str_())
    return keys


def add(key: str, value: bytes, ttl_ms: u64) -> None:
    """Give a key a value if it has none. Errors: EXISTS, INVALID, TOO_LARGE, DENIED."""
    request = mailbox.request()
    request.put_array(3)
    request.put_str(key)
    request.put_bytes(value)
    request.put_uint(ttl_ms)
    _send(6, request)


def compare_and_set(key: str, expected: bytes, value: bytes) -> bool:
    """Replace the value of a key if it is the expected one, in one step; true if it was. The time to live ends. Errors: NOT_FOUND, INVALID, TOO_LARGE, DENIED."""
    request = mailbox.request()
    request.put_array(3)
    request.put_str(key)
    request.put_bytes(expected)
    request.put_bytes(value)
    answer = _send(7, request)
    swapped: bool = False
    if status() == 0:
        swapped = answer.bool_()
    return swapped


@dataclass
class GetManyResult:
    """What `get_many` answers."""

    found: list[bool]
    values: list[bytes]


def get_many(keys: list[str]) -> GetManyResult:
    """The values of several keys at once; a key without one has an empty value, and false in `found`. Errors: INVALID."""
    request = mailbox.request()
    request.put_array(1)
    request.put_array(len(keys))
    for keys_item in keys:
        request.put_str(keys_item)
    answer = _send(8, request)
    found: list[bool] = []
    values: list[bytes] = []
    if status() == 0:
        assert answer.array() == 2
        for _ in range(answer.array()):
            found.append(answer.bool_())
        for _ in range(answer.array()):
            values.append(answer.bytes_())
    return GetManyResult(found, values)
