"""The mailbox of version 1: one struct of 40 bytes in a guest's memory, and the buffer that it points to.

    offset  0   u32  magic, the bytes "HMB1"      offset 20   u32  capacity of the buffer
            4   u16  major version                       24   u32  length of the body in it
            6   u16  minor version                       28   u32  flags
            8   u32  operation                           32   u64  handle
           12   i32  status
           16   u32  address of the buffer

`docs/abi.md` is the specification.
"""

from __future__ import annotations

import struct

from purewasm.hostmod.status import AbiError, OperationError, Status
from purewasm.hostmod.views import check_range, exported_address, guest_memory
from purewasm.light_typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from purewasm.store.instance import Instance
    from purewasm.store.memory import Memory

MAGIC: Final = int.from_bytes(b"HMB1", "little")
MAILBOX_BYTES: Final = 40
FETCH: Final = 1
"""Flag of a guest: no new operation, but the answer to the last one that did not fit."""
KEPT: Final = 2
"""Flag of the host: the answer did not fit and is kept; the length is the capacity that it needs."""

_HEADER: Final = struct.Struct("<IHHIiIIIIQ")
_STATUS: Final = struct.Struct("<i")
_ANSWER: Final = struct.Struct("<IIQ")
_STATUS_OFFSET: Final = 12
_LENGTH_OFFSET: Final = 24


@final
class Mailbox:
    """The mailbox of one instance. `take` copies a request out of it, `put` writes the answer."""

    __slots__ = ("_module", "_names", "_version", "address", "buffer", "capacity", "flags", "handle", "memory", "minor", "operation")

    def __init__(
        self, memory: Memory, address: int, module: str, export: str, version: tuple[int, int], names: Mapping[int, str]
    ) -> None:
        check_range(memory, module, export, "the mailbox", address, MAILBOX_BYTES)
        self._names = names
        self.memory, self.address, self._module, self._version = memory, address, module, version
        self.operation = self.buffer = self.capacity = self.flags = self.handle = self.minor = 0

    @classmethod
    def of(cls, instance: Instance, module: str, export: str, version: tuple[int, int], names: Mapping[int, str]) -> Mailbox:
        """The mailbox whose address the guest's function `export` returns. This calls the guest. `names` are the operations'."""
        memory = guest_memory(instance, module, export)
        return cls(memory, exported_address(instance, module, export), module, export, version, names)

    def take(self, limit_bytes: int) -> bytes:
        """The body of a request, copied; its other fields are attributes until the next `take`.

        `AbiError` for a mailbox that is none, one of another major version, and a buffer that is not all in the memory, overlaps the
        mailbox, or is shorter than its body; `OperationError` for a body over `limit_bytes`.
        """
        memory, address = self.memory, self.address
        try:
            fields = _HEADER.unpack_from(memory.data, address)
        except struct.error:
            check_range(memory, self._module, self.operation_name, "the mailbox", address, MAILBOX_BYTES)
            raise
        magic, major, self.minor, operation, _, buffer, capacity, length, flags, handle = fields
        self.operation, self.buffer, self.capacity, self.flags, self.handle = operation, buffer, capacity, flags, handle
        if magic != MAGIC:
            raise self._error(f"the magic is 0x{magic:08x}, where 0x{MAGIC:08x} ('HMB1') was expected", 0)
        if major != self._version[0]:
            own = "{}.{}".format(*self._version)
            raise self._error(f"the guest asks for version {major}.{self.minor}, and the host has {own}: the major versions differ", 4)
        if buffer + capacity > len(memory.data):
            check_range(memory, self._module, self.operation_name, "the mailbox's buffer", buffer, capacity)
        if capacity and buffer < address + MAILBOX_BYTES and address < buffer + capacity:
            raise self._error("the buffer overlaps the mailbox", 16)
        if length > capacity:
            raise self._error(f"the length {length} of the body is over the buffer's capacity {capacity}", 24)
        if length > limit_bytes:
            raise OperationError(Status.TOO_LARGE, f"the request has {length} bytes, over the limit of {limit_bytes}", limit_bytes)
        return memory.read(buffer, length)

    @property
    def operation_name(self) -> str:
        """The operation, for messages."""
        return self._names.get(self.operation, f"operation {self.operation}")

    def _error(self, problem: str, offset: int) -> AbiError:
        return AbiError(self._module, self.operation_name, problem, self.address + offset)

    def put(self, status: int, body: bytes, buffer: int, capacity: int, handle: int, *, keep: bool) -> bool:
        """Answer: true if the body fitted. One that does not is never written in part: with `keep` the guest learns the size that it
        needs, without it the answer is the status alone."""
        data, address, size = self.memory.data, self.address, len(body)
        fits = size <= capacity
        if fits:
            data[buffer : buffer + size] = body
        _STATUS.pack_into(data, address + _STATUS_OFFSET, status)
        kept = keep and not fits
        _ANSWER.pack_into(data, address + _LENGTH_OFFSET, size if fits or kept else 0, KEPT if kept else 0, handle)
        return fits
