"""A module's active data segments as pages of a file in memory: an instance maps them, and copies only pages that it writes.

So an instance costs the same whatever its data are, and pages that it never touches cost nothing. The file is made for the second
instance of a module: the first one may be the only one, and copying is cheaper then.
"""

from __future__ import annotations

import os

from purewasm.engine.native.endings import at_end_of
from purewasm.engine.native.libc import system
from purewasm.light_library import partial
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.store.constexpr import integer_constant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purewasm.engine.native.memory import NativeMemory
    from purewasm.wasm.module import WasmModule

PAGE_BYTES: Final = 4096
_WASM_PAGE_LOG2: Final = 16
LEAST_BYTES: Final = 4 * PAGE_BYTES
"""Less data than this is copied."""
_MOST_SPARSE: Final = 4
"""Data that are spread over more than so many times their size are copied."""
_WHOLE_BYTES: Final = 1 << 20
"""A memory that starts with at most so much is mapped as a whole: the system counts mappings, and it has two instead of four."""


@final
class DataImage:
    """The file, and where its bytes belong in memory 0."""

    __slots__ = ("__weakref__", "_fd", "size", "start")

    def __init__(self, pieces: list[tuple[int, memoryview]], start: int, size: int) -> None:
        self.start, self.size = start, size
        self._fd = system.anonymous_file(size)
        at_end_of(self, partial(_close, [self._fd]))
        for offset, data in pieces:
            at = offset - start
            while data:
                written = os.pwrite(self._fd, data, at)
                data, at = data[written:], at + written

    def map(self, memory: NativeMemory) -> bool:
        """Put the data into a memory that holds zeros; False, and zeros, where the system has no mapping left.

        MemoryError where it took pages away and has no others.
        """
        flags = system.MAP_PRIVATE | system.MAP_FIXED | system.MAP_NORESERVE
        at, protection = memory.address + self.start, system.PROT_READ | system.PROT_WRITE
        try:
            system.map_pages(self.size, protection, flags, self._fd, at)
        except OSError:
            self._restore_zeros(at, protection, flags)
            return False
        return True

    def _restore_zeros(self, at: int, protection: int, flags: int) -> None:
        """The call that failed may have left a hole."""
        try:
            system.map_pages(self.size, protection, flags | system.MAP_ANONYMOUS, at=at)
        except OSError:
            try:
                system.protect_pages(at, self.size, protection)  # as it is: this fails where there is a hole
            except OSError as error:
                raise MemoryError(f"no room for data of {self.size} bytes: {error}") from error


def _close(fds: list[int]) -> None:
    while fds:
        os.close(fds.pop())


def make_image(module: WasmModule) -> DataImage | None:
    """The image of a module's data, None where they are copied: small, spread far, not known before there is an instance, or out of bounds.

    A module that imports tables has none: where an element segment traps, others may see a memory without data (spec: instantiation).
    """
    if module.imported_memories or module.imported_tables or len(module.memory_types) != 1:
        return None
    type_ = module.memory_types[0]
    pieces = list(_pieces(module))
    if type_.page_size_log2 != _WASM_PAGE_LOG2 or type_.shared or any(offset < 0 for offset, _ in pieces):
        return None
    total = sum(len(data) for _, data in pieces)
    if total < LEAST_BYTES:
        return None
    start = min(offset for offset, _ in pieces) & -PAGE_BYTES
    last = max(offset + len(data) for offset, data in pieces)
    size = (last + PAGE_BYTES - 1 & -PAGE_BYTES) - start
    if last > type_.limits.min << _WASM_PAGE_LOG2 or size > _MOST_SPARSE * total + LEAST_BYTES:
        return None
    whole = type_.limits.min << _WASM_PAGE_LOG2
    if whole <= _WHOLE_BYTES:
        start, size = 0, whole
    try:
        return DataImage(pieces, start, size)
    except OSError:
        return None  # no descriptor or no memory left


def _pieces(module: WasmModule) -> Iterator[tuple[int, memoryview]]:
    """(offset, bytes) of each active segment in order; an offset that is not a plain constant is -1."""
    source = memoryview(module.source)
    for segment in module.data:
        if segment.offset is not None:
            offset = integer_constant(module, segment.offset)
            yield -1 if offset is None else offset, source[segment.start : segment.end]
