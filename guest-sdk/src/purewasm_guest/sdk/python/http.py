"""HTTP requests, as far as the embedder allows them. The guest's side of `purewasm/http@1`. Written by `purewasm gen` from abi.toml: change that instead.

Importing this file exports `__http`, through which the host finds the mailbox. After each call `status()` says how it
went, 0 for well, and `message()` more; without a result the functions return an empty value.
"""

from dataclasses import dataclass

from purewasm_guest.python import export, host, i32, u32, u64
from purewasm_guest.python.memory import reserve
from purewasm_guest.sdk.python import mailbox

__hostmods__ = b'\x81\xd9\x0d\x70\x75\x72\x65\x77\x61\x73\x6d\x2f\x68\x74\x74\x70\x92\xcd\x00\x01\xcd\x00\x00'
_BOX: u32 = reserve(40)


@export("__http")
def mailbox_address() -> u32:
    """Where the host finds the mailbox."""
    return mailbox.prepare(_BOX, 0x1)


@host("purewasm/http@1", "__http_call")
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


@dataclass
class RequestResult:
    """What `request` answers."""

    code: u32
    fields: list[str]
    content: bytes


def request(verb: str, url: str, headers: list[str], body: bytes, timeout_ms: u32) -> RequestResult:
    """Send a request and wait for the whole answer. Headers are names and values in turn; a timeout of 0 is the host's own. Errors: DENIED, INVALID, TOO_LARGE, TIMEOUT, UNAVAILABLE."""
    request = mailbox.request()
    request.put_array(5)
    request.put_str(verb)
    request.put_str(url)
    request.put_array(len(headers))
    for headers_item in headers:
        request.put_str(headers_item)
    request.put_bytes(body)
    request.put_uint(u64(timeout_ms))
    answer = _send(1, request)
    code: u32 = 0
    fields: list[str] = []
    content: bytes = b""
    if status() == 0:
        assert answer.array() == 3
        code = answer.u32_()
        for _ in range(answer.array()):
            fields.append(answer.str_())
        content = answer.bytes_()
    return RequestResult(code, fields, content)


def allowed(verb: str, url: str) -> bool:
    """True if the embedder allows requests with this verb to this URL, as far as that can be said without resolving its host."""
    request = mailbox.request()
    request.put_array(2)
    request.put_str(verb)
    request.put_str(url)
    answer = _send(2, request)
    permitted: bool = False
    if status() == 0:
        permitted = answer.bool_()
    return permitted
