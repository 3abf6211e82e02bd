"""Linear memories (spec: runtime structure, memory instances)."""

from __future__ import annotations

import struct

from purewasm.errors import MemoryAccessError
from purewasm.light_library import ref
from purewasm.light_typing import TYPE_CHECKING, Final, Protocol
from purewasm.wasm.limits import MAX_MEMORY32_BYTES, MAX_MEMORY64_BYTES
from purewasm.wasm.locks import process_lock

if TYPE_CHECKING:
    from purewasm.wasm.module import MemoryType

_U16: Final = struct.Struct("<H")
_U32: Final = struct.Struct("<I")
_U64: Final = struct.Struct("<Q")
_I32: Final = struct.Struct("<i")
_I64: Final = struct.Struct("<q")
_F32: Final = struct.Struct("<f")
_F64: Final = struct.Struct("<d")
WASM_PAGE_BYTES: Final = 65536
_CHANGING: Final = process_lock()
"""Held while a memory grows or gets an observer: threads may do so to a shared memory at the same time."""


if TYPE_CHECKING:

    class MemoryObserver(Protocol):
        """Whoever keeps `memory.data` in a place of its own."""

        def memory_moved(self, memory: Memory) -> None:
            """`memory.data` is another object now."""


class Memory:
    """A linear memory of bytes. Offsets and sizes are in bytes unless it says pages; every access is checked.

    A page is 65,536 bytes (less only with the custom-page-sizes proposal). All numbers are little endian.
    Accesses that leave the memory raise `MemoryAccessError`; so do negative offsets, which never count from the end.
    """

    __slots__ = ("__weakref__", "_observers", "_view", "data", "limit_pages", "type", "waiters")

    data: bytearray | memoryview
    """The bytes. Growing may replace the object: take a fresh one from here after any guest call."""

    def __init__(self, type: MemoryType, limit_pages: int | None = None) -> None:
        self.type = type
        self.limit_pages = max_pages(type, limit_pages)
        """Pages that it can grow to: the smallest of the declared maximum, the runtime's limit and what addresses reach."""
        self._observers: list[ref[MemoryObserver]] = []
        self._view: memoryview | None = None
        self.waiters: object = None
        """Who waits at its addresses (`waiting`)."""
        self.data = self._allocate(type.limits.min << type.page_size_log2)

    # ---- storage, which engines may replace

    def _allocate(self, size: int) -> bytearray | memoryview:
        return allocate_bytes(size)

    def _resize(self, size: int) -> bool:
        """Make `data` hold `size` bytes, the new ones zero. False where there is no room for them."""
        try:
            grown = allocate_bytes(size)
        except (MemoryError, OverflowError, OSError):
            return False
        grown[: len(self.data)] = self.data
        self.data = grown
        return True

    def compare_exchange(self, address: int, size: int, expected: int, new: int) -> int:
        """Put `new` into `size` bytes that lie inside and are `expected`; what was there. Callers hold the lock of a shared memory.

        Engines whose code takes no lock make this one step for that code too.
        """
        old = int.from_bytes(self.data[address : address + size], "little")
        if old == expected:
            self.data[address : address + size] = new.to_bytes(size, "little")
        return old

    # ---- size

    @property
    def size(self) -> int:
        """Size in bytes."""
        return len(self.data)

    @property
    def pages(self) -> int:
        """Size in pages."""
        return len(self.data) >> self.type.page_size_log2

    def __len__(self) -> int:
        return len(self.data)

    def grow(self, delta: int) -> int:
        """Grow by `delta` pages and return the size in pages that it had. `MemoryAccessError` if it cannot grow that far."""
        if delta < 0:
            raise ValueError(f"a memory cannot shrink: {delta}")
        old = self.grow_pages(delta)
        if old < 0:
            raise MemoryAccessError(f"cannot grow memory from {self.pages} by {delta} pages: the limit is {self.limit_pages}")
        return old

    def grow_pages(self, delta: int) -> int:
        """`memory.grow`: the old size in pages, or -1 where it cannot grow."""
        if delta == 0:
            return self.pages
        with _CHANGING:
            old = self.pages
            if old + delta > self.limit_pages or not self._resize((old + delta) << self.type.page_size_log2):
                return -1
            self._view = None
            for observing in self._observers:
                observer = observing()
                if observer is not None:
                    observer.memory_moved(self)
            return old

    def add_observer(self, observer: MemoryObserver) -> None:
        """Tell `observer` (held weakly) now and each time `data` becomes another object."""
        with _CHANGING:
            self._observers = [observing for observing in self._observers if observing() is not None]
            self._observers.append(ref(observer))
            observer.memory_moved(self)

    # ---- bytes

    def _check(self, offset: int, size: int) -> None:
        if offset < 0 or size < 0 or offset + size > len(self.data):
            raise MemoryAccessError(f"out of bounds memory access: {size} bytes at offset {offset} of a memory of {len(self.data)} bytes")

    def read(self, offset: int, n: int) -> bytes:
        """`n` bytes from `offset`, copied."""
        if offset < 0 or n < 0 or offset + n > len(self.data):
            self._check(offset, n)
        return (self._view or self._readable())[offset : offset + n].tobytes()

    def _readable(self) -> memoryview:
        view = self._view
        if view is None:
            view = memoryview(self.data)
            if not self.type.shared:  # else it may have grown in the meantime, and nobody would notice that the view is of before
                self._view = view
        return view

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Copy bytes to `offset`. Nothing is written if they do not all fit."""
        source = _as_bytes(data)
        self._check(offset, len(source))
        self.data[offset : offset + len(source)] = source

    def view(self) -> memoryview:
        """A writable memoryview of the whole memory, without a copy. After growth it shows the old memory: take a new one."""
        return memoryview(self.data)

    def read_u8(self, offset: int) -> int:
        self._check(offset, 1)
        return self.data[offset]

    def read_u16(self, offset: int) -> int:
        self._check(offset, 2)
        return int(_U16.unpack_from(self.data, offset)[0])

    def read_u32(self, offset: int) -> int:
        self._check(offset, 4)
        return int(_U32.unpack_from(self.data, offset)[0])

    def read_u64(self, offset: int) -> int:
        self._check(offset, 8)
        return int(_U64.unpack_from(self.data, offset)[0])

    def read_i32(self, offset: int) -> int:
        self._check(offset, 4)
        return int(_I32.unpack_from(self.data, offset)[0])

    def read_i64(self, offset: int) -> int:
        self._check(offset, 8)
        return int(_I64.unpack_from(self.data, offset)[0])

    def read_f32(self, offset: int) -> float:
        self._check(offset, 4)
        return float(_F32.unpack_from(self.data, offset)[0])

    def read_f64(self, offset: int) -> float:
        self._check(offset, 8)
        return float(_F64.unpack_from(self.data, offset)[0])

    def _write_number(self, form: struct.Struct, offset: int, value: float) -> None:
        self._check(offset, form.size)
        try:
            form.pack_into(self.data, offset, value)
        except struct.error as error:
            if isinstance(value, int):
                raise OverflowError(f"{value} does not fit {form.size * 8} bits") from error
            raise TypeError(f"expected an int, got {type(value).__name__}: {value!r}") from error

    def write_u8(self, offset: int, value: int) -> None:
        self._check(offset, 1)
        if not 0 <= value <= 255:
            raise OverflowError(f"{value} does not fit 8 bits")
        self.data[offset] = value

    def write_u16(self, offset: int, value: int) -> None:
        self._write_number(_U16, offset, value)

    def write_u32(self, offset: int, value: int) -> None:
        self._write_number(_U32, offset, value)

    def write_u64(self, offset: int, value: int) -> None:
        self._write_number(_U64, offset, value)

    def write_i32(self, offset: int, value: int) -> None:
        self._write_number(_I32, offset, value)

    def write_i64(self, offset: int, value: int) -> None:
        self._write_number(_I64, offset, value)

    def write_f32(self, offset: int, value: float) -> None:
        self._write_number(_F32, offset, value)

    def write_f64(self, offset: int, value: float) -> None:
        self._write_number(_F64, offset, value)

    def read_str(self, offset: int, n: int | None = None, *, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Text of `n` bytes; without `n` up to the next zero byte (`MemoryAccessError` where there is none)."""
        if n is None:
            self._check(offset, 1)
            n = self._find_zero(offset) - offset
        return str(self.read(offset, n), encoding, errors)

    def _find_zero(self, start: int) -> int:
        for at in range(start, len(self.data), 4096):
            found = bytes(self._readable()[at : at + 4096]).find(0)
            if found >= 0:
                return at + found
        raise MemoryAccessError(f"out of bounds memory access: no zero byte ends the text at offset {start}")

    def write_str(self, offset: int, text: str, *, encoding: str = "utf-8") -> int:
        """Write text without a final zero byte; returns the number of bytes."""
        data = text.encode(encoding)
        self.write(offset, data)
        return len(data)

    # ---- as a sequence of bytes

    def _range(self, index: slice) -> tuple[int, int]:
        start = 0 if index.start is None else index.start
        stop = len(self.data) if index.stop is None else index.stop
        if index.step not in (None, 1):
            raise ValueError("a slice of a memory has no step")
        self._check(start, max(stop - start, 0))
        if stop < 0:
            raise MemoryAccessError(f"out of bounds memory access: offset {stop} is negative")
        return start, max(stop, start)

    def __getitem__(self, index: int | slice) -> int | bytes:
        """One byte as an int, or the bytes of a slice, copied."""
        if isinstance(index, slice):
            start, stop = self._range(index)
            return self.read(start, stop - start)
        return self.read_u8(index)

    def __setitem__(self, index: int | slice, value: int | bytes | bytearray | memoryview) -> None:
        if isinstance(index, slice):
            if isinstance(value, int):
                raise TypeError("a slice of a memory takes bytes")
            start, stop = self._range(index)
            data = _as_bytes(value)
            if len(data) != stop - start:
                raise ValueError(f"a memory cannot change its size: {len(data)} bytes for a slice of {stop - start}")
            self.write(start, data)
        elif isinstance(value, int):
            self.write_u8(index, value)
        else:
            raise TypeError(f"one byte is an int, got {type(value).__name__}")

    def __repr__(self) -> str:
        most = self.type.limits.max
        return f"<Memory of {self.pages} pages{'' if most is None else f', at most {most}'}>"


def _as_bytes(data: bytes | bytearray | memoryview) -> bytes | bytearray | memoryview:
    """Any bytes-like object (an array of numbers too) with one item a byte. `TypeError` for anything else."""
    if isinstance(data, (bytes, bytearray)):
        return data
    view = memoryview(data)
    return view.cast("B") if view.nbytes else b""  # an empty view of other items cannot be cast


_LAZY_BYTES: Final = 1 << 20


def allocate_bytes(size: int) -> bytearray | memoryview:
    """Zeroed bytes. Large blocks come from the system page by page as they are touched."""
    if size < _LAZY_BYTES:
        return bytearray(size)
    import mmap

    return memoryview(mmap.mmap(-1, size))


def max_pages(type: MemoryType, limit_pages: int | None) -> int:
    """Pages that a memory of this type can ever have; `limit_pages` is the runtime's limit in pages of 64 KiB."""
    reach = (MAX_MEMORY64_BYTES if type.is_64 else MAX_MEMORY32_BYTES) >> type.page_size_log2
    if limit_pages is not None:
        reach = min(reach, limit_pages * WASM_PAGE_BYTES >> type.page_size_log2)
    return reach if type.limits.max is None else min(reach, type.limits.max)
