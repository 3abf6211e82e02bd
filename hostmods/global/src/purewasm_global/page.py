"""The guest's side of the ABI: where its cells are, and every access to them.

The guest exports `__global() -> i32`, the address of a page of four little-endian u32, each the address of a cell:

    entry 0   value           u64      in: the guest's default; out: the override, if there is one
    entry 1   name capacity   u32
    entry 2   name length     u32      at most the capacity
    entry 3   name            bytes    UTF-8, not terminated

Nothing that the guest says is believed: each address is masked to 32 bits (an i32 result is signed in Python) and its whole
cell has to lie inside the memory as it is at that moment, before anything is read or written.
"""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING, Final, NamedTuple, final

from purewasm import Function, LinkError, WasmError
from purewasm_global.values import MAX_NAME_BYTES

if TYPE_CHECKING:
    from purewasm import Instance, Memory

MODULE: Final = "pantopic/wazero-global"
GET: Final = "__global_get"
PAGE_EXPORT: Final = "__global"
_PAGE_BYTES: Final = 16
_U32: Final = 0xFFFF_FFFF


class PageError(WasmError):
    """A guest broke the ABI: no usable `__global`, a cell outside its memory, or a bad name.

    It ends the guest's call and comes out of the embedder's. `module` is the host module, `function` the import or export at
    fault, `problem` what is wrong with it, `address` the guest address in question (None where there is none).
    """

    def __init__(self, function: str, problem: str, address: int | None = None) -> None:
        where = "" if address is None else f" (address 0x{address:08x})"
        super().__init__(f"{MODULE} {function}: {problem}{where}")
        self.module, self.function, self.problem, self.address = MODULE, function, problem, address

    def __reduce__(self) -> tuple[type[PageError], tuple[str, str, int | None]]:
        return (PageError, (self.function, self.problem, self.address))


class Page(NamedTuple):
    """The addresses of one instance's cells, inside its memory when they were read (and so for ever: memories only grow)."""

    value: int
    name_capacity: int
    name_length: int
    name: int


@final
class Cells:
    """The page of one instance, read when it is first needed: a guest may ask for values while it still initialises."""

    __slots__ = ("_page", "_reader")

    def __init__(self) -> None:
        self._page: Page | None = None
        self._reader: int | None = None

    def page(self, instance: Instance) -> Page:
        """Where the cells of `instance` are. The first call asks the guest; see `read_page` for the errors."""
        if self._page is None:
            thread = get_ident()
            if self._reader == thread:
                raise PageError(GET, f"called from inside the guest's own {PAGE_EXPORT}, before the host knows where the cells are")
            self._reader = thread
            try:
                self._page = read_page(instance)
            finally:
                self._reader = None
        return self._page


def guest_memory(instance: Instance) -> Memory:
    """The memory that the guest's addresses mean."""
    try:
        return instance.memory
    except LinkError:
        raise PageError(PAGE_EXPORT, "the guest has no memory, in which its cells could be") from None


def read_page(instance: Instance) -> Page:
    """Ask the guest for its page: this calls the guest. `PageError` where it has none, or one that leaves its memory."""
    memory = guest_memory(instance)
    export = instance.exports.get(PAGE_EXPORT)
    if not isinstance(export, Function):
        problem = "is not exported by the guest" if export is None else "is exported by the guest, but is no function"
        raise PageError(PAGE_EXPORT, f"{problem}: a guest that imports {MODULE} exports {PAGE_EXPORT}, a function () -> i32")
    result = export() if export.type[:2] == ((), ("i32",)) else None
    if not isinstance(result, int):
        raise PageError(PAGE_EXPORT, f"is a function {export.type} of the guest, where () -> i32 was expected")
    address = result & _U32
    _check(memory, PAGE_EXPORT, "the page", address, _PAGE_BYTES)
    page = Page(*(memory.read_u32(address + offset) for offset in range(0, _PAGE_BYTES, 4)))
    _check(memory, PAGE_EXPORT, "the value cell", page.value, 8)
    _check(memory, PAGE_EXPORT, "the cell of the name's capacity", page.name_capacity, 4)
    _check(memory, PAGE_EXPORT, "the cell of the name's length", page.name_length, 4)
    return page


def read_name(memory: Memory, page: Page) -> str:
    """The name that the guest asks for. `PageError` if it is longer than it may be, outside the memory, or not UTF-8."""
    capacity = memory.read_u32(page.name_capacity)
    length = memory.read_u32(page.name_length)
    if length > capacity:
        raise PageError(GET, f"the name's length {length} is over its capacity {capacity}", page.name_length)
    _check(memory, GET, "the name's buffer", page.name, capacity)
    if length > MAX_NAME_BYTES:
        raise PageError(GET, f"the name has {length} bytes, over the limit of {MAX_NAME_BYTES}", page.name_length)
    try:
        return memory.read(page.name, length).decode()
    except UnicodeDecodeError as error:
        raise PageError(GET, f"the name is not UTF-8: {error.reason} at byte {error.start}", page.name) from None


def _check(memory: Memory, function: str, what: str, address: int, size_bytes: int) -> None:
    if address + size_bytes > memory.size:
        raise PageError(function, f"{what}, {size_bytes} bytes, lies outside the guest's memory of {memory.size} bytes", address)
