"""Linear memories that compiled code uses: address space reserved once, pages committed as the memory grows, never moved."""

from __future__ import annotations

import sys
from mmap import mmap

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.control import STUBS
from purewasm.engine.native.endings import at_end_of
from purewasm.engine.native.libc import system
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.control import RET
from purewasm.isa.x64.registers import RAX, RDI, RDX, RSI
from purewasm.light_library import cache, partial
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.store.layout import MEMORY_GUARD_BYTES, RESERVED_BYTES
from purewasm.store.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.wasm.module import MemoryType

PAGE_BYTES: Final = 4096
_DATA: Final = 16
"""Where an `mmap` object has the address of its pages: the first field behind those that every object has."""


@final
class Mapping:
    """Reserved pages, unmapped when nobody holds this object any more.

    But on Windows, an `mmap` object owns them: it lets them go without running Python code.
    """

    __slots__ = ("__weakref__", "_pages", "address", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        flags = system.MAP_PRIVATE | system.MAP_ANONYMOUS | system.MAP_NORESERVE
        if sys.platform == "win32":
            self.address = system.map_pages(size, system.PROT_NONE, flags)
            at_end_of(self, partial(_unmap, [self.address], size))
        else:
            self._pages = mmap(-1, size, flags, system.PROT_NONE)
            self.address = libc.read_word(id(self._pages) + _DATA)

    def commit(self, start: int, end: int) -> None:
        """Make bytes `start` … `end - 1` readable and writable; they are zero. Whole pages are committed."""
        start &= -PAGE_BYTES
        end = end + PAGE_BYTES - 1 & -PAGE_BYTES
        system.protect_pages(self.address + start, end - start, system.PROT_READ | system.PROT_WRITE)


def _unmap(addresses: list[int], size: int) -> None:
    """Give pages back once, however often this is called: something else may be at their address then."""
    while addresses:
        system.unmap_pages(addresses.pop(), size)


@cache
def _compare_exchange(size: int) -> Callable[[int, int, int], int]:
    """A function of an address, what must be there and what to put there; gives what was there."""
    from purewasm.isa.x64 import atomic  # only where interpreted code uses a memory that compiled code may use too

    rows = {1: atomic.LOCK_CMPXCHG_M8_R8, 2: atomic.LOCK_CMPXCHG_M16_R16, 4: atomic.LOCK_CMPXCHG_M32_R32, 8: atomic.LOCK_CMPXCHG_M64_R64}
    a = Assembler()
    a.move(RAX, RSI)
    a.put(rows[size](Mem(RDI), RDX), RET())
    return libc.word_function(STUBS.add(a.finish()))


def _committed(reserved: int, size: int) -> Mapping:
    """A mapping whose first bytes are in use."""
    made = Mapping(reserved)
    made.commit(0, size)
    return made


@final
class NativeMemory(Memory):
    """A memory at a fixed address. `guarded`: accesses past its end fault, so that code need not check them.

    The pages live as long as any view of them: a view keeps the object that it shows, and that keeps the mapping.
    """

    __slots__ = ("_mapping", "_reserved", "address", "guarded")

    def __init__(self, type: MemoryType, limit_pages: int | None = None, *, explicit_checks: bool = False) -> None:
        self.guarded = not (explicit_checks or type.is_64 or type.page_size_log2 != 16)
        super().__init__(type, limit_pages)

    def _allocate(self, size: int) -> bytearray | memoryview:
        most = self.limit_pages << self.type.page_size_log2
        if self.guarded:
            try:
                self._mapping = _committed(RESERVED_BYTES + MEMORY_GUARD_BYTES + PAGE_BYTES, size)  # an access may begin at the last byte
                self._reserved = RESERVED_BYTES
            except OSError:
                # address space or the number of mappings is at its end: what it can grow to is reserved, and code checks addresses
                self.guarded = False
        if not self.guarded:
            self._reserve(max(most, size, PAGE_BYTES), size)
        self.address = self._mapping.address
        return libc.owned_view(self.address, size, self._mapping)

    def _reserve(self, most: int, size: int) -> None:
        """As much of what it may grow to as there is room for."""
        while True:
            try:
                self._mapping, self._reserved = _committed(most + PAGE_BYTES - 1 & -PAGE_BYTES, size), most
            except (OSError, OverflowError):
                if most == max(size, PAGE_BYTES):
                    raise
                most = max(most >> 2, size, PAGE_BYTES)
            else:
                return

    def _resize(self, size: int) -> bool:
        if size > self._reserved:
            return False
        try:
            self._mapping.commit(len(self.data), size)
        except OSError:
            return False
        self.data = libc.owned_view(self.address, size, self._mapping)
        return True

    def compare_exchange(self, address: int, size: int, expected: int, new: int) -> int:
        return _compare_exchange(size)(self.address + address, expected, new) & (1 << 8 * size) - 1
