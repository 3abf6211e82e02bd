"""Checked views of a guest's memory: a page of addresses, the cells that they lead to, and buffers with capacity and length.

Nothing that a guest says is believed. Addresses are unsigned, sums are Python integers that cannot wrap, and each access is checked
against the memory as it is at that moment. What fails is an `AbiError` with the host module, the import or export and the address.
Cells of one page never overlap each other or a buffer, so what the host writes changes nothing but what it means to change.

A view keeps the memory, not the instance, so that state made of views does not keep instances alive.
"""

from __future__ import annotations

import struct

from purewasm.errors import LinkError
from purewasm.hostmod.status import AbiError
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.store.function import Function

if TYPE_CHECKING:
    from purewasm.store.instance import Instance
    from purewasm.store.memory import Memory

_U32: Final = 0xFFFF_FFFF
_FORMS: Final = {
    "u8": struct.Struct("<B"), "u16": struct.Struct("<H"), "u32": struct.Struct("<I"), "u64": struct.Struct("<Q"),
    "i8": struct.Struct("<b"), "i16": struct.Struct("<h"), "i32": struct.Struct("<i"), "i64": struct.Struct("<q"),
}  # fmt: skip


def guest_memory(instance: Instance, module: str, export: str) -> Memory:
    """The memory that a guest's addresses mean. `AbiError` if it has none."""
    try:
        memory = instance.memory
    except LinkError:
        raise AbiError(module, export, "the guest has no memory, in which its cells could be") from None
    if memory.type.is_64:
        raise AbiError(module, export, "the guest has a memory of 64-bit addresses, and the ABI is for 32-bit ones")
    return memory


def exported_address(instance: Instance, module: str, export: str) -> int:
    """What the guest's own function `export`, of type `() -> i32`, returns, as an unsigned address. This calls the guest."""
    found = instance.exports.get(export)
    if not isinstance(found, Function):
        problem = "is not exported by the guest" if found is None else "is exported by the guest, but is no function"
        raise AbiError(module, export, f"{problem}: a guest that imports {module} exports {export}, a function () -> i32")
    result = found() if found.type[:2] == ((), ("i32",)) else None
    if not isinstance(result, int):
        raise AbiError(module, export, f"is a function {found.type} of the guest, where () -> i32 was expected")
    return result & _U32


def check_range(memory: Memory, module: str, operation: str, what: str, address: int, size_bytes: int) -> None:
    """`AbiError` if the bytes from `address` on do not all lie in the memory."""
    if address + size_bytes > memory.size:
        problem = f"{what}, {size_bytes} bytes, lies outside the guest's memory of {memory.size} bytes"
        raise AbiError(module, operation, problem, address)


@final
class Cell:
    """One integer in a guest's memory, that both sides read and write."""

    __slots__ = ("_form", "_memory", "_module", "_operation", "_unpack", "address", "what")

    def __init__(self, memory: Memory, address: int, kind: str, what: str, module: str, operation: str) -> None:
        self._memory, self._form = memory, _FORMS[kind]
        self._unpack = self._form.unpack_from
        self.address, self.what, self._module, self._operation = address, what, module, operation
        check_range(memory, module, operation, what, address, self._form.size)

    @property
    def size_bytes(self) -> int:
        """How many bytes of the memory it is."""
        return self._form.size

    def get(self) -> int:
        """What the guest wrote."""
        try:
            value: int = self._unpack(self._memory.data, self.address)[0]
        except struct.error:
            raise self._outside() from None
        return value

    def set(self, value: int) -> None:
        """Write for the guest. `OverflowError` for a value that does not fit the cell."""
        try:
            self._form.pack_into(self._memory.data, self.address, value)
        except struct.error:
            if self.address + self._form.size > self._memory.size:
                raise self._outside() from None
            raise OverflowError(f"{self._module}: {value} does not fit {self.what} of {8 * self._form.size} bits") from None

    def _outside(self) -> AbiError:
        problem = f"{self.what}, {self._form.size} bytes, lies outside the guest's memory of {self._memory.size} bytes"
        return AbiError(self._module, self._operation, problem, self.address)

    def __repr__(self) -> str:
        return f"<Cell {self.what} at 0x{self.address:08x}>"


@final
class Buffer:
    """Bytes in a guest's memory, with their capacity and length in two cells. Both may change from call to call."""

    __slots__ = ("_capacity", "_checked", "_length", "_memory", "_page", "address", "limit_bytes", "what")

    def __init__(self, page: Page, address: int, capacity: Cell, length: Cell, what: str, limit_bytes: int) -> None:
        self._page, self._memory, self.address = page, page.memory, address
        self._capacity, self._length, self.what, self.limit_bytes = capacity, length, what, limit_bytes
        self._checked = -1

    def _checked_capacity(self, operation: str) -> int:
        """The capacity; checked anew where it is another one than last time. (Memories only grow, so a good one stays good.)"""
        capacity = self._capacity.get()
        if capacity != self._checked:
            page = self._page
            check_range(self._memory, page.module, operation, self.what, self.address, capacity)
            page.check_apart(operation, self.what, self.address, capacity)
            self._checked = capacity
        return capacity

    def read(self, operation: str) -> bytes:
        """What the guest put there. `AbiError` if its length is over its capacity or the limit, or it leaves the memory."""
        length, page = self._length.get(), self._page
        capacity = self._capacity.get()
        if length > capacity:
            problem = f"{self.what}: the length {length} is over the capacity {capacity}"
            raise AbiError(page.module, operation, problem, self._length.address)
        self._checked_capacity(operation)
        if length > self.limit_bytes:
            problem = f"{self.what} has {length} bytes, over the limit of {self.limit_bytes}"
            raise AbiError(page.module, operation, problem, self._length.address)
        return self._memory.read(self.address, length)

    def read_str(self, operation: str) -> str:
        """The same as text. `AbiError` if it is not UTF-8."""
        try:
            return self.read(operation).decode()
        except UnicodeDecodeError as error:
            problem = f"{self.what} is not UTF-8: {error.reason} at byte {error.start}"
            raise AbiError(self._page.module, operation, problem, self.address) from None

    def write(self, operation: str, data: bytes) -> None:
        """Give the guest these bytes and their length. Nothing is written if they do not fit: `AbiError` with the size needed."""
        capacity = self._checked_capacity(operation)
        if len(data) > capacity:
            problem = f"{self.what} holds {capacity} bytes, and {len(data)} are needed"
            raise AbiError(self._page.module, operation, problem, self._capacity.address)
        self._memory.write(self.address, data)
        self._length.set(len(data))


@final
class Page:
    """A list of addresses that a guest shows the host. Read it once, make cells and buffers of its entries, and keep those."""

    __slots__ = ("_claimed", "addresses", "export", "memory", "module")

    def __init__(self, memory: Memory, address: int, entries: int, module: str, export: str) -> None:
        check_range(memory, module, export, "the page", address, 4 * entries)
        self.memory, self.module, self.export = memory, module, export
        self.addresses: Final = struct.unpack(f"<{entries}I", memory.read(address, 4 * entries))
        """The entries: an address each."""
        self._claimed: list[tuple[int, int, str]] = []

    @classmethod
    def of(cls, instance: Instance, entries: int, module: str, export: str) -> Page:
        """The page that the guest's function `export` returns the address of. This calls the guest."""
        memory = guest_memory(instance, module, export)
        return cls(memory, exported_address(instance, module, export), entries, module, export)

    def cell(self, entry: int, kind: str, what: str) -> Cell:
        """The cell of an entry: `kind` is `u8` … `u64`, `i8` … `i64`; `what` it is, for messages ("the value cell")."""
        cell = Cell(self.memory, self.addresses[entry], kind, what, self.module, self.export)
        self.check_apart(self.export, what, cell.address, cell.size_bytes)
        self._claimed.append((cell.address, cell.address + cell.size_bytes, what))
        return cell

    def buffer(self, entry: int, capacity: Cell, length: Cell, what: str, limit_bytes: int) -> Buffer:
        """The buffer of an entry, whose capacity and length are in those cells. The host reads at most `limit_bytes` of it."""
        return Buffer(self, self.addresses[entry], capacity, length, what, limit_bytes)

    def check_apart(self, operation: str, what: str, address: int, size_bytes: int) -> None:
        """`AbiError` if these bytes overlap a cell."""
        for start, end, other in self._claimed:
            if address < end and start < address + size_bytes:
                raise AbiError(self.module, operation, f"{what} overlaps {other}", address)
