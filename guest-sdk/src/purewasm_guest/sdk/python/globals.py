"""Named values that the host sets, many at once. The guest's side of `purewasm/globals@1`. Written by `purewasm gen` from abi.toml: change that instead.

Importing this file exports `__globals`, through which the host finds the mailbox. After each call `status()` says how it
went, 0 for well, and `message()` more; without a result the functions return an empty value.
"""

from purewasm_guest.python import export, host, i32, u32, u64
from purewasm_guest.python.memory import reserve
from purewasm_guest.sdk.python import mailbox

__hostmods__ = b'\x81\xd9\x10\x70\x75\x72\x65\x77\x61\x73\x6d\x2f\x67\x6c\x6f\x62\x61\x6c\x73\x92\xcd\x00\x01\xcd\x00\x00'
_BOX: u32 = reserve(40)


@export("__globals")
def mailbox_address() -> u32:
    """Where the host finds the mailbox."""
    return mailbox.prepare(_BOX, 0x1)


@host("purewasm/globals@1", "__globals_call")
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


def get_many(names: list[str], defaults: list[u64]) -> list[u64]:
    """The values of several names, the default of each where the host has none. Errors: INVALID."""
    request = mailbox.request()
    request.put_array(2)
    request.put_array(len(names))
    for names_item in names:
        request.put_str(names_item)
    request.put_array(len(defaults))
    for defaults_item in defaults:
        request.put_uint(defaults_item)
    answer = _send(1, request)
    values: list[u64] = []
    if status() == 0:
        for _ in range(answer.array()):
            values.append(answer.uint())
    return values


def list_(prefix: str, after: str) -> list[str]:
    """The names that have a value and begin with a prefix, in order, after the name `after`; at most 1,000."""
    request = mailbox.request()
    request.put_array(2)
    request.put_str(prefix)
    request.put_str(after)
    answer = _send(2, request)
    names: list[str] = []
    if status() == 0:
        for _ in range(answer.array()):
            names.append(answer.str_())
    return names
