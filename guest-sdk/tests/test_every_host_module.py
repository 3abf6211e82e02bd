"""Guests that break the ABI, of every kind, against every host module of this project, on both engines.

After each of them the same instance, another one, and one of another runtime that shares the host module go on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgpack  # type: ignore[import-untyped]
import pytest

from purewasm import LinkError, Runtime, Trap
from purewasm.hostmod import AbiError, MailboxModule, PageModule, Status
from purewasm.testing import MailboxGuest, PageGuest, check_hostile, fuzz
from purewasm_atomic import Atomics
from purewasm_global import Globals
from purewasm_http import Http
from purewasm_kv import Kv, SqliteStore
from purewasm_log import Log
from purewasm_pipe import Pipes

MEMORY_BYTES = 65_536
OUTSIDE = (MEMORY_BYTES, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFF0, 0xFFFF_FFFF)


class Large(NamedTuple):
    """A call whose answer is longer than its request."""

    operation: int
    arguments: list[object]
    size: int
    """Of the answer."""


def _kv() -> Kv:
    store = SqliteStore()
    store.set(b"k", bytes(1_000), 0)
    return Kv(store)


def _globals() -> MailboxModule:
    batch = Globals({f"name-{number:03}": number for number in range(100)}).batch_module
    assert isinstance(batch, MailboxModule)
    return batch


def _pages() -> PageModule[Any]:
    pages = Globals().host_module
    assert isinstance(pages, PageModule)
    return pages


MAILBOXES: dict[str, tuple[Callable[[], MailboxModule], Large | None]] = {
    "globals": (_globals, Large(2, [""], 903)),
    "kv": (_kv, Large(1, ["k"], 1_003)),
    "log": (Log, None),  # its answers are one byte
    "http": (Http, None),  # see its own tests: an answer needs a server
}
PAGES: dict[str, Callable[[], PageModule[Any]]] = {
    "global": _pages,
    "atomic": Atomics,
    "atomic, old layout": lambda: Atomics(layout=2),
    "pipe": lambda: Pipes(timeout=0),
}


@pytest.fixture(params=MAILBOXES)
def mailbox(request: pytest.FixtureRequest) -> MailboxModule:
    return MAILBOXES[str(request.param)][0]()


@pytest.fixture(params=[name for name, (_, large) in MAILBOXES.items() if large is not None])
def large(request: pytest.FixtureRequest) -> tuple[MailboxModule, Large]:
    make, found = MAILBOXES[str(request.param)]
    assert found is not None
    return make(), found


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> Callable[[], PageModule[Any]]:
    return PAGES[str(request.param)]


def _serves(guest: MailboxGuest) -> None:
    assert guest.send(77_777, b"\x90").status == Status.UNSUPPORTED


def test_every_kind_that_the_kit_knows(runtime: Runtime, mailbox: MailboxModule) -> None:
    check_hostile(runtime, lambda: mailbox)
    assert fuzz(runtime, lambda: mailbox, seed=11, rounds=100) > 0


def test_others_go_on(new_runtime: Callable[..., Runtime], mailbox: MailboxModule) -> None:
    first = new_runtime()
    hostile, neighbour, far = MailboxGuest(first, mailbox), MailboxGuest(first, mailbox), MailboxGuest(new_runtime(), mailbox)
    wrong: list[dict[str, int]] = [{"magic": 1}, {"major": 2}, {"major": 0}, {"length": 60_001}]
    wrong += [{"buffer": at, "capacity": 64, "length": 0} for at in OUTSIDE] + [{"buffer": 60, "capacity": 64, "length": 1}]
    for fields in wrong:
        before = hostile.memory.read(1_024, MEMORY_BYTES - 1_024)
        with pytest.raises(AbiError) as caught:
            hostile.send(next(iter(mailbox.operations)), b"", **fields)
        error = caught.value
        assert (error.module, error.operation) == (mailbox.name, next(iter(mailbox.operation_names.values())))
        assert error.address is not None
        assert hostile.memory.read(1_024, MEMORY_BYTES - 1_024) == before
        for guest in (hostile, neighbour, far):
            _serves(guest)


BOMBS = {
    "deep": b"\x91" * 50_000 + b"\xc0",
    "deep maps": b"\x81\xa1a" * 19_000 + b"\xc0",
    "wide": b"\xdc\xff\xff" + b"\xc0" * 59_000,
    "array of 4 G": b"\xdd\xff\xff\xff\xff",
    "arrays of 4 G in each other": b"\xdd\xff\xff\xff\xff" * 10_000,
    "map of 4 G": b"\x91\xdf\xff\xff\xff\xff",
    "text of 4 G": b"\x91\xdb\xff\xff\xff\xff",
    "bytes of 4 G": b"\x91\xc6\xff\xff\xff\xff",
    "extension of 4 G": b"\x91\xc9\xff\xff\xff\xff\x01",
    "wrong types": msgpack.packb([{"a": [1.5, None]}, [[[]]], True, {}, b"", ""]),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_msgpack_bombs(runtime: Runtime, mailbox: MailboxModule, bomb: str) -> None:
    guest = MailboxGuest(runtime, mailbox)
    for number, operation in mailbox.operations.items():
        if len(BOMBS[bomb]) > mailbox.max_request_bytes:
            assert guest.send(number, BOMBS[bomb]).status == Status.TOO_LARGE
            continue
        with pytest.raises(AbiError) as caught:
            guest.send(number, BOMBS[bomb])
        assert (caught.value.module, caught.value.operation, caught.value.address) == (mailbox.name, operation.name, 1_024)
    _serves(guest)


def test_an_error_that_does_not_fit_is_a_status_alone(runtime: Runtime, mailbox: MailboxModule) -> None:
    guest = MailboxGuest(runtime, mailbox)
    answer = guest.send(77_777, b"\x90", capacity=1)
    assert (answer.status, answer.length, answer.flags) == (Status.UNSUPPORTED, 0, 0)
    assert guest.memory.read(1_024, 64) == b"\x90" + bytes(63)


def test_an_answer_that_does_not_fit_is_kept_or_over_the_limit(runtime: Runtime, large: tuple[MailboxModule, Large]) -> None:
    host, call = large
    guest, request = MailboxGuest(runtime, host), msgpack.packb(call.arguments)
    kept = guest.send(call.operation, request, capacity=call.size - 1)
    assert (kept.status, kept.length, kept.flags) == (Status.OK, call.size, 2)
    assert guest.memory.read(1_024, call.size) == request + bytes(call.size - len(request))
    assert guest.send(call.operation, b"", capacity=call.size, flags=1).length == call.size
    assert guest.send(call.operation, b"", flags=1).status == Status.NOT_FOUND
    host.max_reply_bytes = call.size - 1
    over = guest.send(call.operation, request, capacity=call.size - 1)
    assert (over.status, over.flags) == (Status.TOO_LARGE, 0)
    assert over.value == [Status.TOO_LARGE, "the answer is over the host's limit", call.size]
    assert guest.send(call.operation, request, capacity=call.size).length == call.size


def test_a_request_over_the_limit(runtime: Runtime, mailbox: MailboxModule) -> None:
    mailbox.max_request_bytes = 100
    answer = MailboxGuest(runtime, mailbox).send(next(iter(mailbox.operations)), bytes(101))
    assert answer.status == Status.TOO_LARGE
    assert isinstance(answer.value, list)
    assert answer.value[2] == 100


def test_other_versions_are_refused_when_they_are_linked(runtime: Runtime, mailbox: MailboxModule) -> None:
    base, call = mailbox.name.removesuffix("@1"), mailbox.call_import
    mailbox.register(runtime)
    with pytest.raises(LinkError, match=rf"{base}@2.*{base}@1"):
        runtime.instantiate(f'(module (import "{base}@2" "{call}" (func)))')
    sections = {(2, 0): False, (0, 9): False, (1, 0): True, (1, 99): True}
    for version, served in sections.items():
        section = msgpack.packb({base: list(version), "sdk": "by hand"})
        if served:
            _serves(MailboxGuest(runtime, mailbox, section=section))
            continue
        with pytest.raises(LinkError, match=rf"version {version[0]}\.{version[1]}.*1\.0"):
            MailboxGuest(runtime, mailbox, section=section)
    for broken in (b"\xc1", b"\x90", b"\x81", msgpack.packb({base: [1]}), msgpack.packb({base: "1.0"}), b"\x91" * 70_000, bytes(70_000)):
        with pytest.raises(LinkError):
            MailboxGuest(runtime, mailbox, section=broken)
    _serves(MailboxGuest(runtime, mailbox))


def test_mailboxes_that_are_none(runtime: Runtime, mailbox: MailboxModule) -> None:
    head = f'(import "{mailbox.name}" "{mailbox.call_import}" (func $call)) (func (export "call") (call $call))'
    memory, export = '(memory (export "memory") 1)', f'(export "{mailbox.page_export}")'
    wrong = {
        f"{head}": "no memory",
        f"{head} {memory}": "is not exported",
        f"{head} {memory} (global {export} i32 (i32.const 64))": "is no function",
        f"{head} {memory} (func {export} (result i64) (i64.const 64))": r"where \(\) -> i32 was expected",
        f"{head} {memory} (func {export} (param i32) (result i32) (i32.const 64))": r"where \(\) -> i32 was expected",
        f"{head} {memory} (func {export} (result i32) (call $call) (i32.const 64))": "called from inside the guest's own",
    }
    wrong |= {f"{head} {memory} (func {export} (result i32) (i32.const {at - (at >> 31 << 32)}))": "lies outside" for at in OUTSIDE}
    for text, problem in wrong.items():
        exports: Any = runtime.instantiate(f"(module {text})", imports=mailbox).exports
        with pytest.raises(AbiError, match=problem):
            exports.call()
    exports = runtime.instantiate(f"(module {head} {memory} (func {export} (result i32) (unreachable)))", imports=mailbox).exports
    with pytest.raises(Trap, match="unreachable"):
        exports.call()
    _serves(MailboxGuest(runtime, mailbox))


def test_pages(runtime: Runtime, page: Callable[[], PageModule[Any]]) -> None:
    check_hostile(runtime, page)
    assert fuzz(runtime, page, seed=12, rounds=60) > 0


def test_pages_that_are_none(new_runtime: Callable[..., Runtime], page: Callable[[], PageModule[Any]]) -> None:
    host, runtime = page(), new_runtime()
    cells = [256 + 64 * entry for entry in range(host.entries)]
    honest = [PageGuest(runtime, host, cells), PageGuest(new_runtime(), host, cells)]
    name = list(host.definitions)[-1]
    head = f'(import "{host.name}" "{name}" (func $call)) (func (export "call") (call $call))'
    memory, export = '(memory (export "memory") 1)', f'(export "{host.page_export}")'
    wrong = [
        head,
        f"{head} {memory}",
        f"{head} {memory} (global {export} i32 (i32.const 16))",
        f"{head} {memory} (func {export} (result i64) (i64.const 16))",
        f"{head} {memory} (func {export} (result i32) (call $call) (i32.const 16))",
        *(f"{head} {memory} (func {export} (result i32) (i32.const {at - (at >> 31 << 32)}))" for at in OUTSIDE),
        f"{head} {memory} (func {export} (result i32) (i32.const 16))",  # all cells at 0: they overlap
    ]
    for text in wrong:
        exports: Any = runtime.instantiate(f"(module {text})", imports=host).exports
        with pytest.raises(AbiError) as caught:
            exports.call()
        assert caught.value.module == host.name
    for guest in honest:
        for cell in cells:
            guest.memory.write_u32(cell, 0)
        for imported in host.definitions:
            if imported != "__pipe_recv" or host.name != "pantopic/wazero-pipe":
                guest.call(imported)
