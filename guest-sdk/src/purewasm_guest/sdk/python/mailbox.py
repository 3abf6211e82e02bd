"""The guest's side of host modules of version 1: the mailbox, and msgpack for it. Modules that `purewasm gen` writes import it.

The buffer is the arena's: a request takes what it needs, and texts, bytes and lists of an answer are values of their own. An answer that
breaks the ABI traps; a status other than 0 is kept in the mailbox.
"""

from dataclasses import dataclass

from purewasm_guest.python import f64, i32, i64, u32, u64
from purewasm_guest.python.memory import (
    address,
    allocate,
    as_bytes,
    copy,
    f64_bits,
    f64_from_bits,
    load_u8,
    load_u32,
    store_u8,
    store_u32,
    store_u64,
)

OK = 0
NOT_FOUND = 1
EXISTS = 2
INVALID = 3
DENIED = 4
TOO_LARGE = 5
TIMEOUT = 6
UNAVAILABLE = 7
UNSUPPORTED = 8
INTERNAL = 9

FETCH: u32 = 1
KEPT: u32 = 2

_MAGIC: u32 = 0x31424D48
_FIRST_CAPACITY: u32 = 1024


@dataclass
class Buffer:
    """Bytes that are written to the end or read from the start."""

    at: u32
    capacity: u32
    size: u32
    """How much is written; of an answer, all of it."""
    place: u32
    """How much is read."""

    def room(self, count: u32) -> u32:
        """The address of `count` more bytes."""
        if self.capacity - self.size < count:
            wanted = max(self.size + count, self.capacity * 2)
            assert wanted > self.size
            moved = allocate(wanted)
            copy(moved, self.at, self.size)
            self.at = moved
            self.capacity = wanted
        start = self.at + self.size
        self.size += count
        return start

    def put(self, byte: u32) -> None:
        """One byte."""
        store_u8(self.room(1), byte)

    def number(self, tag: u32, bits: u64, count: u32) -> None:
        """A tag and a number, the high byte first."""
        at = self.room(count + 1)
        store_u8(at, tag)
        for index in range(count):
            store_u8(at + count - index, u32(bits))
            bits >>= 8

    def put_array(self, count: i64) -> None:
        """The head of an array."""
        self.number(0xDD, u64(count), 4)

    def put_bool(self, value: bool) -> None:
        """A bool."""
        self.put(0xC2 + u32(value))

    def put_int(self, value: i64) -> None:
        """A signed number."""
        self.number(0xD3, u64(value), 8)

    def put_uint(self, value: u64) -> None:
        """An unsigned number."""
        self.number(0xCF, value, 8)

    def put_float(self, value: f64) -> None:
        """A float."""
        self.number(0xCB, f64_bits(value), 8)

    def put_str(self, value: str) -> None:
        """A str."""
        self.block(0xDB, address(value))

    def put_bytes(self, value: bytes) -> None:
        """Bytes."""
        self.block(0xC6, address(value))

    def block(self, tag: u32, text: u32) -> None:
        """A str or bytes object."""
        size = load_u32(text)
        self.number(tag, u64(size), 4)
        copy(self.room(size), text + 8, size)

    def take(self, count: u32) -> u32:
        """The address of the next `count` bytes."""
        assert count <= self.size - self.place
        at = self.at + self.place
        self.place += count
        return at

    def byte(self) -> u32:
        """One byte."""
        return load_u8(self.take(1))

    def bits(self, count: u32) -> u64:
        """A number, the high byte first."""
        at = self.take(count)
        found: u64 = 0
        for index in range(count):
            found = (found << 8) | u64(load_u8(at + index))
        return found

    def array(self) -> u32:
        """The head of an array: how many items it has."""
        tag = self.byte()
        if 0x90 <= tag <= 0x9F:
            return tag & 15
        assert tag == 0xDC or tag == 0xDD
        return u32(self.bits((tag - 0xDB) * 2))

    def bool_(self) -> bool:
        """A bool."""
        tag = self.byte()
        assert tag == 0xC2 or tag == 0xC3
        return tag == 0xC3

    def int_(self) -> i64:
        """A signed number."""
        tag = self.byte()
        if tag < 0x80:
            return i64(tag)
        if tag >= 0xE0:
            return i64(tag) - 256
        if 0xCC <= tag <= 0xCF:
            found = self.bits(u32(1) << (tag - 0xCC))
            assert found <= 0x7FFFFFFFFFFFFFFF
            return i64(found)
        assert 0xD0 <= tag <= 0xD3
        width = u32(1) << (tag - 0xD0)
        shift = 64 - 8 * width
        return (i64(self.bits(width)) << shift) >> shift

    def uint(self) -> u64:
        """An unsigned number."""
        if load_u8(self.at + self.place) == 0xCF:
            self.take(1)
            return self.bits(8)
        found = self.int_()
        assert found >= 0
        return u64(found)

    def i32_(self) -> i32:
        """A signed number of 32 bits."""
        found = self.int_()
        assert -0x80000000 <= found <= 0x7FFFFFFF
        return i32(found)

    def u32_(self) -> u32:
        """An unsigned number of 32 bits."""
        found = self.int_()
        assert 0 <= found <= 0xFFFFFFFF
        return u32(found)

    def float_(self) -> f64:
        """A float."""
        tag = self.byte()
        assert tag == 0xCB
        return f64_from_bits(self.bits(8))

    def _block(self, tag: u32, small: u32) -> bytes:
        count: u32 = 0
        if tag == small:
            count = u32(self.bits(1))
        elif tag == small + 1:
            count = u32(self.bits(2))
        else:
            assert tag == small + 2
            count = u32(self.bits(4))
        return self.copied(count)

    def copied(self, count: u32) -> bytes:
        """The next bytes as an object of their own."""
        source = self.take(count)
        made = allocate(count + 8)
        store_u32(made, count)
        store_u32(made + 4, count)
        copy(made + 8, source, count)
        return as_bytes(made)

    def bytes_(self) -> bytes:
        """Bytes."""
        return self._block(self.byte(), 0xC4)

    def str_(self) -> str:
        """A str."""
        tag = self.byte()
        if 0xA0 <= tag <= 0xBF:
            return self.copied(tag & 31).decode()
        return self._block(tag, 0xD9).decode()


def prepare(box: u32, version: u32) -> u32:
    """Write what never changes into a mailbox; its address."""
    store_u32(box, _MAGIC)
    store_u32(box + 4, version)
    return box


def request() -> Buffer:
    """A buffer for a request, which holds most answers too."""
    return Buffer(allocate(_FIRST_CAPACITY), _FIRST_CAPACITY, 0, 0)


def post(box: u32, operation: u32, buffer: Buffer, flags: u32) -> None:
    """Fill in the mailbox: the host is called next."""
    store_u32(box + 8, operation)
    store_u32(box + 16, buffer.at)
    store_u32(box + 20, buffer.capacity)
    store_u32(box + 24, buffer.size)
    store_u32(box + 28, flags)
    store_u64(box + 32, 0)


def is_kept(box: u32, buffer: Buffer) -> bool:
    """Whether the answer did not fit; then the buffer is large enough for it now, and the host is called with FETCH."""
    if load_u32(box + 28) & KEPT == 0:
        return False
    buffer.size = 0
    buffer.room(load_u32(box + 24))
    buffer.size = 0
    return True


def answered(box: u32, buffer: Buffer) -> Buffer:
    """The answer, to be read; `status_of` says whether it is a result."""
    buffer.size = load_u32(box + 24)
    buffer.place = 0
    assert buffer.size <= buffer.capacity
    return buffer


def status_of(box: u32) -> i32:
    """The status of the last call."""
    return i32(load_u32(box + 12))


def message_of(box: u32) -> str:
    """The text of the last error, empty where there is none; only until the exported function returns."""
    size = load_u32(box + 24)
    if status_of(box) == 0 or size == 0:
        return ""
    answer = Buffer(load_u32(box + 16), size, size, 0)
    assert answer.array() == 3
    answer.int_()
    return answer.str_()
