"""Guests whose every byte a test decides: one for each version of the ABI, in the text format, for any host module.

    guest = MailboxGuest(runtime, Greeter())
    assert guest.call("greet", "you") == "hello, you"
    guest.send(1, b"\\xc1")            # any bytes as the body, any field of the mailbox

Nothing here believes the host either: an answer that breaks the ABI is an `AssertionError`.
"""

from __future__ import annotations

import struct

from purewasm.hostmod import MailboxModule, OperationError, PageModule
from purewasm.hostmod.codec import decode, encode
from purewasm.hostmod.mailbox import FETCH, KEPT, MAGIC, MAILBOX_BYTES
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final
from purewasm.testing.expectation import expect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purewasm.runtime.hostmodule import HostModule
    from purewasm.runtime.runtime import Runtime

MAILBOX: Final = 64
"""Where a `MailboxGuest` has its mailbox."""
BUFFER: Final = 1024
CAPACITY: Final = 60_000
PAGE: Final = 16
"""Where a `PageGuest` has its page."""
_HEADER: Final = struct.Struct("<IHHIiIIIIQ")


class Answer(NamedTuple):
    """What the host wrote: the mailbox's fields and the body."""

    status: int
    body: bytes
    flags: int
    length: int
    handle: int

    @property
    def value(self) -> object:
        """The body as a value."""
        return decode(self.body)


@final
class MailboxGuest:
    """A guest of version 1 of a host module, driven from Python."""

    def __init__(
        self, runtime: Runtime, host: MailboxModule, *, address: int = MAILBOX, pages: int = 1, section: bytes | None = None
    ) -> None:
        custom = "" if section is None else f'(@custom "hostmods" "{_escaped(section)}")'
        self.host, self.address = host, address
        self.instance = runtime.instantiate(
            f"""(module
              (import "{host.name}" "{host.call_import}" (func $call))
              (memory (export "memory") {pages})
              (func (export "{host.page_export}") (result i32) (i32.const {signed(address)}))
              (func (export "call") (call $call)) {custom})""",
            imports=host,
        )
        self.memory = self.instance.memory

    def send(
        self,
        operation: int,
        body: bytes,
        *,
        magic: int = MAGIC,
        major: int | None = None,
        minor: int | None = None,
        buffer: int = BUFFER,
        capacity: int = CAPACITY,
        length: int | None = None,
        flags: int = 0,
        handle: int = 0,
    ) -> Answer:
        """One call with these fields. A buffer that lies outside the memory is named and not written."""
        memory, abi = self.memory, self.host.abi
        if buffer + len(body) <= memory.size:
            memory.write(buffer, body)
        fields = (
            magic, abi[0] if major is None else major, abi[1] if minor is None else minor, operation, -1,
            buffer, capacity, len(body) if length is None else length, flags, handle,
        )  # fmt: skip
        if self.address + MAILBOX_BYTES <= memory.size:
            memory.write(self.address, _HEADER.pack(*fields))
        self.instance.exports.call()
        return self._answer(buffer, capacity)

    def _answer(self, buffer: int, capacity: int) -> Answer:
        status, at, room, length, flags, handle = _HEADER.unpack(self.memory.read(self.address, MAILBOX_BYTES))[4:]
        expect((at, room) == (buffer, capacity), "the host changed the address or the capacity of the buffer")
        expect(flags in (0, KEPT), f"the host set unknown flags: 0x{flags:x}")
        expect(flags == KEPT or length <= capacity, f"the host wrote {length} bytes into a buffer of {capacity}")
        body = b"" if flags == KEPT else self.memory.read(buffer, length)
        return Answer(status, body, flags, length, handle)

    def call(self, operation: str | int, *arguments: object) -> object:
        """The result of an operation, by name or number; a status other than OK is raised as `OperationError`."""
        number = operation if isinstance(operation, int) else self.number(operation)
        body = encode(list(arguments))
        if len(body) <= CAPACITY:
            answer = self.send(number, body)
        else:
            start, pages = self.memory.size, -(-len(body) // 65_536)
            self.memory.grow(pages)
            answer = self.send(number, body, buffer=start, capacity=pages << 16)
        if answer.flags & KEPT:
            answer = self.fetch(number, answer.length)
        if answer.status == 0:
            return answer.value
        error = answer.value if answer.body else None
        if not isinstance(error, list) or len(error) != 3:
            raise AssertionError(f"an error is an array [status, message, data], not {error!r}")
        expect(error[0] == answer.status, f"the error says status {error[0]}, the mailbox {answer.status}")
        raise OperationError(answer.status, str(error[1]), error[2])

    def fetch(self, operation: int, capacity: int) -> Answer:
        """Get an answer that did not fit, with a buffer of that capacity; the memory grows for it."""
        start = self.memory.size
        self.memory.grow(-(-capacity // 65_536))
        return self.send(operation, b"", buffer=start, capacity=capacity, flags=FETCH)

    def number(self, name: str) -> int:
        """The number of an operation."""
        found = {operation.name: number for number, operation in self.host.operations.items()}
        return found[name]


@final
class PageGuest:
    """A guest of version 0 of a host module: a page at `PAGE` with the addresses given, each import as an export of the same name."""

    def __init__(
        self, runtime: Runtime, host: HostModule, cells: Sequence[int], *, page: int = PAGE, pages: int = 1, page_export: str | None = None
    ) -> None:
        export = page_export if page_export is not None else host.page_export if isinstance(host, PageModule) else ""
        names = [name for name in host.definitions if name != export]
        imports = "".join(f'(import "{host.name}" "{name}" (func ${index}))' for index, name in enumerate(names))
        exports = "".join(f'(func (export "{name}") (call ${index}))' for index, name in enumerate(names))
        data = _escaped(struct.pack(f"<{len(cells)}I", *cells))
        self.cells = tuple(cells)
        self.instance = runtime.instantiate(
            f"""(module {imports}
              (memory (export "memory") {pages})
              (data (i32.const {PAGE}) "{data}")
              (func (export "{export}") (result i32) (i32.const {signed(page)}))
              {exports})""",
            imports=host,
        )
        self.memory = self.instance.memory

    def call(self, name: str) -> None:
        """Call an import, with the cells as they are."""
        self.instance.exports[name]()  # type: ignore[operator]  # every export of that name is a function


def signed(address: int) -> int:
    """An unsigned 32-bit address as the text format has it."""
    return address - (address >> 31 << 32)


def _escaped(data: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in data)
