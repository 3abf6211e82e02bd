"""Messages for the host's log. The guest's side of `purewasm/log@1`. Written by `purewasm gen` from abi.toml: change that instead.

Importing this file exports `__log`, through which the host finds the mailbox. After each call `status()` says how it
went, 0 for well, and `message()` more; without a result the functions return an empty value.
"""

from purewasm_guest.python import export, host, i32, u32, u64
from purewasm_guest.python.memory import reserve
from purewasm_guest.sdk.python import mailbox

__hostmods__ = b'\x81\xd9\x0c\x70\x75\x72\x65\x77\x61\x73\x6d\x2f\x6c\x6f\x67\x92\xcd\x00\x01\xcd\x00\x00'
_BOX: u32 = reserve(40)


@export("__log")
def mailbox_address() -> u32:
    """Where the host finds the mailbox."""
    return mailbox.prepare(_BOX, 0x1)


@host("purewasm/log@1", "__log_call")
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


def write(level: u32, logger: str, message_: str, fields: list[str]) -> None:
    """Log a message of a level (10 debug, 20 info, 30 warning, 40 error, 50 critical) under a name; fields are names and values in turn. Errors: INVALID, TOO_LARGE."""
    request = mailbox.request()
    request.put_array(4)
    request.put_uint(u64(level))
    request.put_str(logger)
    request.put_str(message_)
    request.put_array(len(fields))
    for fields_item in fields:
        request.put_str(fields_item)
    _send(1, request)


def enabled(level: u32, logger: str) -> bool:
    """True if a message of this level under this name would be kept: ask before making an expensive one. Errors: INVALID."""
    request = mailbox.request()
    request.put_array(2)
    request.put_uint(u64(level))
    request.put_str(logger)
    answer = _send(2, request)
    kept: bool = False
    if status() == 0:
        kept = answer.bool_()
    return kept


@host("purewasm/log@1", "__log_lowest_level")
def lowest_level() -> i32:
    """The lowest level that is kept under the guest's own name, and 51 where none is. It costs next to nothing: ask before each message."""
    raise NotImplementedError
