"""Guests that break the ABI, for any host module: fixed cases, and random ones.

    def test_hostile_guests(runtime: Runtime) -> None:
        check_hostile(runtime, Kv)
        fuzz(runtime, Kv, seed=1, rounds=500)

The rule that both check: such a guest has its call ended by an `AbiError` that names the host module, nothing outside its own buffer and
mailbox was written, and an honest guest of the same host module goes on.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from purewasm.errors import WasmError
from purewasm.hostmod import AbiError, MailboxModule, OperationError, PageModule, Status
from purewasm.hostmod.codec import encode
from purewasm.hostmod.mailbox import MAILBOX_BYTES
from purewasm.light_typing import Final, NamedTuple
from purewasm.runtime.hostmodule import HostModule
from purewasm.runtime.runtime import Runtime
from purewasm.testing.expectation import expect
from purewasm.testing.raw_guests import BUFFER, CAPACITY, MAILBOX, PAGE, MailboxGuest, PageGuest

MEMORY_BYTES: Final = 65_536
EDGES: Final = (0, 1, MEMORY_BYTES - 1, MEMORY_BYTES, MEMORY_BYTES + 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFC, 0xFFFF_FFFF)
"""Addresses, lengths and capacities at which mistakes show."""
_UNKNOWN: Final = 0xFFFF_FFFE


class HostileMailbox(NamedTuple):
    """A mailbox that no honest guest has: fields that differ, and a body."""

    name: str
    fields: dict[str, int]
    body: bytes = b"\x90"


MAILBOXES: Final = (
    HostileMailbox("wrong magic", {"magic": 0x31424D49}),
    HostileMailbox("magic of zeros", {"magic": 0}),
    HostileMailbox("newer major", {"major": 0xFFFF}),
    HostileMailbox("major 0", {"major": 0}),
    *(HostileMailbox(f"buffer at 0x{at:x}", {"buffer": at, "capacity": 64, "length": 0}) for at in EDGES if at >= MEMORY_BYTES - 1),
    HostileMailbox("capacity past the memory", {"capacity": MEMORY_BYTES}),
    HostileMailbox("capacity that wraps", {"buffer": 0xFFFF_FFF0, "capacity": 0xFFFF_FFFF, "length": 0}),
    HostileMailbox("length over capacity", {"capacity": 8, "length": 9}),
    HostileMailbox("length 2**32 - 1", {"length": 0xFFFF_FFFF}),
    HostileMailbox("buffer over the mailbox", {"buffer": MAILBOX + MAILBOX_BYTES - 1, "capacity": 64, "length": 0}),
    HostileMailbox("buffer that contains the mailbox", {"buffer": 0, "capacity": 4096, "length": 0}),
)
BODIES: Final = (
    HostileMailbox("empty", {}, b""),
    HostileMailbox("no array", {}, encode({"a": 1})),
    HostileMailbox("reserved byte", {}, b"\xc1"),
    HostileMailbox("cut off", {}, b"\x92\x01"),
    HostileMailbox("more than one value", {}, b"\x90\x90"),
    HostileMailbox("deep", {}, b"\x91" * 20_000 + b"\xc0"),
    HostileMailbox("deep maps", {}, b"\x81\xa1a" * 7_000 + b"\xc0"),
    HostileMailbox("array of 2**32 - 1", {}, b"\xdd\xff\xff\xff\xff"),
    HostileMailbox("map of 2**32 - 1", {}, b"\xdf\xff\xff\xff\xff"),
    HostileMailbox("text of 2**32 - 1", {}, b"\x91\xdb\xff\xff\xff\xff"),
    HostileMailbox("bytes of 2**32 - 1", {}, b"\x91\xc6\xff\xff\xff\xff"),
    HostileMailbox("20,000 arguments", {}, b"\xdc\x4e\x20" + b"\xc0" * 20_000),
    HostileMailbox("no UTF-8", {}, b"\x91\xa2\xc3\x28"),
    HostileMailbox("extension", {}, b"\x91\xd4\x01\x00"),
    HostileMailbox("timestamp", {}, b"\x91\xd6\xff\x00\x00\x00\x00"),
    HostileMailbox("map with keys that are arrays", {}, b"\x91\x81\x90\x00"),
    HostileMailbox("map with keys that are numbers", {}, b"\x91\x81\x01\x00"),
)
"""Bodies that are no request of any operation that takes an argument, or none."""


def check_hostile(runtime: Runtime, make_host: Callable[[], HostModule]) -> None:
    """Every fixed case against a host module of either version. `AssertionError` names the case that got through."""
    host = make_host()
    if isinstance(host, MailboxModule):
        _check_mailboxes(runtime, host)
    elif isinstance(host, PageModule):
        _check_pages(runtime, host)
    else:
        raise TypeError(f"{host!r} is neither a MailboxModule nor a PageModule")


def _check_mailboxes(runtime: Runtime, host: MailboxModule) -> None:
    honest, hostile = MailboxGuest(runtime, host), MailboxGuest(runtime, host)
    for address in (MEMORY_BYTES - MAILBOX_BYTES + 1, MEMORY_BYTES, 0x8000_0000, 0xFFFF_FFFF):
        outside = MailboxGuest(runtime, host, address=address)
        _refused(host, outside, HostileMailbox(f"mailbox at 0x{address:x}", {}), 1)
    operation = next(iter(host.operations))
    for case in MAILBOXES:
        _refused(host, hostile, case, operation)
    for number in host.operations:
        for case in (case for case in BODIES if len(case.body) <= host.max_request_bytes):
            _refused(host, hostile, case, number)
    _still_serves(honest)
    _still_serves(hostile)


def _refused(host: MailboxModule, guest: MailboxGuest, case: HostileMailbox, operation: int) -> None:
    size = guest.memory.size
    guest.memory.write(BUFFER, bytes(CAPACITY))
    before = guest.memory.read(0, MAILBOX), guest.memory.read(BUFFER + CAPACITY, size - BUFFER - CAPACITY)
    try:
        answer = guest.send(operation, case.body, **case.fields)
    except AbiError as error:
        expect(error.module == host.name, f"{case.name}: the error names {error.module}")
        expect(error.operation, f"{case.name}: the error names no operation")
        expect(error.address is not None, f"{case.name}: the error names no address")
    else:
        raise AssertionError(f"{case.name}: {host.name} answered with status {answer.status}")
    after = guest.memory.read(0, MAILBOX), guest.memory.read(BUFFER + CAPACITY, size - BUFFER - CAPACITY)
    if case.fields.get("buffer", BUFFER) == BUFFER:
        expect(before == after, f"{case.name}: {host.name} wrote outside the guest's buffer")


def _still_serves(guest: MailboxGuest) -> None:
    answer = guest.send(_UNKNOWN, b"\x90")
    expect(answer.status == Status.UNSUPPORTED, f"{guest.host.name} no longer answers: status {answer.status}")


def _check_pages(runtime: Runtime, host: PageModule[object]) -> None:
    for page in (MEMORY_BYTES - 4 * host.entries + 1, MEMORY_BYTES, 0x8000_0000, 0xFFFF_FFFF):
        _page_refused(runtime, host, [256 + 64 * entry for entry in range(host.entries)], f"page at 0x{page:x}", page=page)
    for entry in range(host.entries):
        for address in (MEMORY_BYTES, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF):
            cells = [256 + 64 * other for other in range(host.entries)]
            cells[entry] = address
            _page_refused(runtime, host, cells, f"entry {entry} at 0x{address:x}", fill=True)
    _page_refused(runtime, host, [256] * host.entries, "all cells at one address") if host.entries > 1 else None


def _page_refused(
    runtime: Runtime, host: PageModule[object], cells: list[int], name: str, *, page: int = PAGE, fill: bool = False
) -> None:
    guest = PageGuest(runtime, host, cells, page=page)
    if fill:  # capacities that reach past the end of an entry at the edge
        for cell in cells:
            if cell < MEMORY_BYTES - 8:
                guest.memory.write_u32(cell, 1)
    refused = 0
    for imported in host.definitions:
        try:
            guest.call(imported)
        except AbiError as error:
            refused += 1
            expect(error.module == host.name, f"{name}: the error names {error.module}")
            expect(error.address is not None, f"{name}: the error names no address")
        except WasmError:
            pass  # the host module's own: valid use that cannot be served, such as an empty pipe
    expect(refused, f"{name}: {host.name} went on with all of {', '.join(host.definitions)}")


def fuzz(runtime: Runtime, make_host: Callable[[], HostModule], *, seed: int, rounds: int = 200) -> int:
    """Random mailboxes, bodies and pages; the same for the same seed. Anything but an answer or an `AbiError` comes out.
    Returns how many of the rounds the host refused."""
    host, source = make_host(), random.Random(seed)
    if isinstance(host, MailboxModule):
        return _fuzz_mailboxes(runtime, host, source, rounds)
    if isinstance(host, PageModule):
        return sum(_fuzz_page(runtime, host, source) for _ in range(rounds))
    raise TypeError(f"{host!r} is neither a MailboxModule nor a PageModule")


def _number(source: random.Random, usual: int) -> int:
    kind = source.random()
    if kind < 0.6:
        return usual
    return source.choice(EDGES) if kind < 0.85 else source.getrandbits(source.choice((4, 12, 16, 17, 32)))


def _fuzz_mailboxes(runtime: Runtime, host: MailboxModule, source: random.Random, rounds: int) -> int:
    guest, refused = MailboxGuest(runtime, host), 0
    numbers = [*host.operations, _UNKNOWN]
    for _ in range(rounds):
        body = _random_body(source)
        buffer, capacity = _number(source, BUFFER), _number(source, CAPACITY)
        try:
            guest.send(
                source.choice(numbers), body, buffer=buffer, capacity=capacity, length=_number(source, len(body)),
                flags=source.choice((0, 0, 0, 1, 2, 0xFFFF_FFFF)), handle=source.getrandbits(64),
            )  # fmt: skip
        except (AbiError, OperationError):
            refused += 1
    _still_serves(guest)
    return refused


def _random_body(source: random.Random) -> bytes:
    kind = source.random()
    if kind < 0.3:
        return source.randbytes(source.randrange(64))
    values: list[object] = [None, True, -1, 2**64 - 1, 1.5, "text", b"bytes", [], ["x", 1], {"k": []}]
    body = bytearray(encode(source.choices(values, k=source.randrange(5))))
    if kind > 0.6:
        body[source.randrange(len(body))] = source.randrange(256)
    return bytes(body)


def _fuzz_page(runtime: Runtime, host: PageModule[object], source: random.Random) -> bool:
    cells = [_number(source, 256 + 128 * entry) for entry in range(host.entries)]
    guest = PageGuest(runtime, host, cells, page=_number(source, PAGE))
    for cell in cells:
        if cell < MEMORY_BYTES - 8 and source.random() < 0.8:
            guest.memory.write(cell, _number(source, source.randrange(64)).to_bytes(8, "little"))
    try:
        for imported in host.definitions:
            guest.call(imported)
    except AbiError:
        return True
    except WasmError:
        pass  # the host module's own: valid use that cannot be served
    return False
