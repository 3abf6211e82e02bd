"""The memory API: every access checked, nothing written by half."""

from __future__ import annotations

import gc
import math
from array import array

import pytest

from purewasm.errors import MemoryAccessError, WasmError
from purewasm.store.memory import Memory, max_pages
from purewasm.wasm.module import Limits, MemoryType

PAGE = 65536


def make(pages: int = 1, most: int | None = None, *, is_64: bool = False, page_size_log2: int = 16) -> Memory:
    return Memory(MemoryType(Limits(pages, most), is_64, page_size_log2=page_size_log2))


@pytest.fixture
def memory() -> Memory:
    return make(1, 4)


def test_sizes(memory: Memory) -> None:
    assert (memory.size, memory.pages, len(memory)) == (PAGE, 1, PAGE)
    assert repr(memory) == "<Memory of 1 pages, at most 4>"
    assert repr(make()) == "<Memory of 1 pages>"


def test_a_new_memory_is_zero(memory: Memory) -> None:
    assert memory.read(0, PAGE) == bytes(PAGE)
    assert make(40).read(39 * PAGE, PAGE) == bytes(PAGE)


def test_growing(memory: Memory) -> None:
    memory.write(PAGE - 3, b"end")
    assert memory.grow(2) == 1
    assert memory.pages == 3
    assert memory.read(PAGE - 3, 6) == b"end\0\0\0"
    assert memory.grow(0) == 3
    assert memory.grow_pages(2) == -1
    assert memory.pages == 3


def test_growing_too_far_says_how_far_it_goes(memory: Memory) -> None:
    with pytest.raises(MemoryAccessError, match="cannot grow memory from 1 by 4 pages: the limit is 4"):
        memory.grow(4)
    with pytest.raises(ValueError, match="cannot shrink"):
        memory.grow(-1)


def test_growing_from_small_to_large_keeps_the_contents() -> None:
    memory = make(1)
    memory.write(100, b"kept")
    memory.grow(63)
    assert (memory.pages, memory.read(100, 4)) == (64, b"kept")
    memory.write(64 * PAGE - 4, b"last")
    memory.grow(1)
    assert memory.read(64 * PAGE - 4, 8) == b"last\0\0\0\0"


def test_the_limit_is_the_smallest_of_all() -> None:
    assert make(0, 7).limit_pages == 7
    assert make().limit_pages == 65536
    assert make(0, None, is_64=True).limit_pages == 1 << 18
    assert max_pages(MemoryType(Limits(0, 100)), 10) == 10
    assert max_pages(MemoryType(Limits(0, 5)), 10) == 5
    assert max_pages(MemoryType(Limits(0, None), page_size_log2=0), 1) == PAGE


def test_pages_may_be_bytes() -> None:
    memory = make(10, 20, page_size_log2=0)
    assert (memory.size, memory.pages) == (10, 10)
    memory.grow(5)
    assert (memory.size, memory.pages) == (15, 15)


class Watcher:
    def __init__(self) -> None:
        self.moved: list[Memory] = []

    def memory_moved(self, memory: Memory) -> None:
        self.moved.append(memory)


def test_observers_learn_that_it_moved(memory: Memory) -> None:
    watcher, forgotten = Watcher(), Watcher()
    memory.add_observer(watcher)
    memory.add_observer(forgotten)
    assert watcher.moved == [memory]  # where it is now
    del forgotten
    gc.collect()
    memory.grow(1)
    memory.grow(0)
    memory.grow_pages(100)
    assert watcher.moved == [memory] * 2


# ---- bytes


def test_reading_and_writing_bytes(memory: Memory) -> None:
    memory.write(10, b"hello")
    assert memory.read(10, 5) == b"hello"
    assert memory.read(8, 0) == b""
    assert memory.read(PAGE, 0) == b""
    assert type(memory.read(0, 4)) is bytes
    memory.write(PAGE, b"")


@pytest.mark.parametrize("data", [b"abcd", bytearray(b"abcd"), memoryview(b"abcd"), array("B", b"abcd"), array("H", [0x6261, 0x6463])])
def test_any_bytes_like_object_can_be_written(memory: Memory, data: bytes) -> None:
    memory.write(4, data)
    assert memory.read(4, 4) == b"abcd"
    memory[100:104] = data
    assert memory[100:104] == b"abcd"


def test_an_empty_array_can_be_written(memory: Memory) -> None:
    memory.write(0, array("I"))  # type: ignore[arg-type]
    memory[5:5] = array("I")  # type: ignore[assignment]


@pytest.mark.parametrize("data", ["text", 5, None, [1, 2]])
def test_what_is_not_bytes_cannot_be_written(memory: Memory, data: bytes) -> None:
    with pytest.raises(TypeError):
        memory.write(0, data)
    assert memory.read(0, 8) == bytes(8)


@pytest.mark.parametrize(
    ("offset", "n"), [(0, PAGE + 1), (PAGE, 1), (PAGE - 1, 2), (-1, 1), (-1, 0), (0, -1), (5, -5), (2**40, 1), (2**70, 0)]
)
def test_reading_outside_is_an_error(memory: Memory, offset: int, n: int) -> None:
    with pytest.raises(MemoryAccessError, match="out of bounds memory access") as caught:
        memory.read(offset, n)
    assert isinstance(caught.value, IndexError)
    assert isinstance(caught.value, WasmError)
    assert str(offset) in str(caught.value)


@pytest.mark.parametrize(("offset", "data"), [(PAGE, b"x"), (PAGE - 2, b"xyz"), (-1, b"x"), (-1, b""), (2**70, b"")])
def test_writing_outside_writes_nothing(memory: Memory, offset: int, data: bytes) -> None:
    with pytest.raises(MemoryAccessError, match="out of bounds memory access"):
        memory.write(offset, data)
    assert memory.read(PAGE - 4, 4) == bytes(4)


def test_a_float_is_no_offset(memory: Memory) -> None:
    with pytest.raises(TypeError):
        memory.read(1.0, 1)  # type: ignore[arg-type]


def test_a_write_may_come_from_the_memory_itself(memory: Memory) -> None:
    memory.write(0, b"abcdef")
    memory.write(2, memory.view()[0:4])
    assert memory.read(0, 6) == b"ababcd"


# ---- numbers

NUMBERS = [
    ("u8", 1, 255, b"\xff"),
    ("u16", 2, 0x1234, b"\x34\x12"),
    ("u32", 4, 0xFFFF_FFFE, b"\xfe\xff\xff\xff"),
    ("u64", 8, 2**64 - 2, b"\xfe" + b"\xff" * 7),
    ("i32", 4, -2, b"\xfe\xff\xff\xff"),
    ("i64", 8, -(2**63), bytes(7) + b"\x80"),
    ("f32", 4, 1.5, b"\0\0\xc0\x3f"),
    ("f64", 8, -math.inf, bytes(6) + b"\xf0\xff"),
]


@pytest.mark.parametrize(("kind", "size", "value", "data"), NUMBERS)
def test_numbers_are_little_endian(memory: Memory, kind: str, size: int, value: float, data: bytes) -> None:
    getattr(memory, f"write_{kind}")(3, value)
    assert memory.read(2, size + 2) == b"\0" + data + b"\0"
    read = getattr(memory, f"read_{kind}")(3)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(("kind", "size", "value", "data"), NUMBERS)
def test_numbers_fit_up_to_the_end(memory: Memory, kind: str, size: int, value: float, data: bytes) -> None:
    getattr(memory, f"write_{kind}")(PAGE - size, value)
    assert getattr(memory, f"read_{kind}")(PAGE - size) == value
    for offset in (PAGE - size + 1, PAGE, -1, -size, 2**70):
        with pytest.raises(MemoryAccessError):
            getattr(memory, f"read_{kind}")(offset)
        with pytest.raises(MemoryAccessError):
            getattr(memory, f"write_{kind}")(offset, value)
    assert memory.read(PAGE - size, size) == data


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("u8", 256), ("u8", -1), ("u16", 65536), ("u16", -1), ("u32", 2**32), ("u32", -1), ("u64", 2**64), ("i32", 2**31),
        ("i64", -(2**63) - 1),
    ],
)
def test_a_number_that_does_not_fit_is_an_overflow_error(memory: Memory, kind: str, value: int) -> None:
    with pytest.raises(OverflowError, match=f"{value} does not fit {kind[1:]} bits"):
        getattr(memory, f"write_{kind}")(0, value)
    assert memory.read(0, 8) == bytes(8)


@pytest.mark.parametrize("kind", ["u8", "u16", "u32", "u64", "i32", "i64"])
@pytest.mark.parametrize("value", [1.5, "1", None])
def test_what_is_no_integer_is_a_type_error(memory: Memory, kind: str, value: object) -> None:
    with pytest.raises(TypeError):
        getattr(memory, f"write_{kind}")(0, value)


@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_what_is_no_number_is_a_type_error(memory: Memory, kind: str) -> None:
    with pytest.raises(TypeError):
        getattr(memory, f"write_{kind}")(0, "1.0")


def test_ints_can_be_written_as_floats(memory: Memory) -> None:
    memory.write_f64(0, 3)
    assert memory.read_f64(0) == 3.0


# ---- text


def test_text_of_a_length(memory: Memory) -> None:
    assert memory.write_str(5, "Grüße") == 7
    assert memory.read_str(5, 7) == "Grüße"
    assert memory.read_str(5, 0) == ""


def test_text_up_to_a_zero_byte(memory: Memory) -> None:
    memory.write(0, b"a" * 10_000 + b"\0b")
    assert memory.read_str(0) == "a" * 10_000
    assert memory.read_str(10_000) == ""
    assert memory.read_str(10_001) == "b"


def test_text_without_an_end_is_an_error(memory: Memory) -> None:
    memory.write(PAGE - 5, b"abcde")
    with pytest.raises(MemoryAccessError, match="no zero byte"):
        memory.read_str(PAGE - 5)
    for offset in (PAGE, -1):
        with pytest.raises(MemoryAccessError):
            memory.read_str(offset)


def test_other_encodings_and_broken_text(memory: Memory) -> None:
    memory.write_str(0, "é", encoding="utf-16-le")
    assert memory.read_str(0, 2, encoding="utf-16-le") == "é"
    memory.write(0, b"\xff")
    with pytest.raises(UnicodeDecodeError):
        memory.read_str(0, 1)
    assert memory.read_str(0, 1, errors="replace") == "�"


def test_text_that_does_not_fit_is_not_written(memory: Memory) -> None:
    with pytest.raises(MemoryAccessError):
        memory.write_str(PAGE - 2, "abc")
    assert memory.read(PAGE - 2, 2) == b"\0\0"


# ---- as a sequence


def test_indexing_gives_bytes(memory: Memory) -> None:
    memory[5] = 7
    assert (memory[5], memory[6]) == (7, 0)
    memory[10:13] = b"abc"
    assert memory[10:13] == b"abc"
    assert memory[:2] == b"\0\0"
    assert memory[PAGE - 2 :] == b"\0\0"
    assert memory[7:3] == b""
    assert len(memory[:]) == PAGE  # type: ignore[arg-type]


@pytest.mark.parametrize("index", [-1, PAGE])
def test_no_byte_is_outside(memory: Memory, index: int) -> None:
    with pytest.raises(MemoryAccessError):
        memory[index]
    with pytest.raises(MemoryAccessError):
        memory[index] = 1


@pytest.mark.parametrize("index", [slice(-1, 5), slice(-3, -1), slice(0, PAGE + 1), slice(PAGE + 1, None), slice(3, -1)])
def test_no_slice_counts_from_the_end(memory: Memory, index: slice) -> None:
    with pytest.raises(MemoryAccessError):
        memory[index]
    with pytest.raises(MemoryAccessError):
        memory[index] = b""


def test_a_slice_keeps_its_size(memory: Memory) -> None:
    with pytest.raises(ValueError, match="cannot change its size: 3 bytes for a slice of 2"):
        memory[0:2] = b"abc"
    with pytest.raises(ValueError, match="no step"):
        memory[0:4:2]
    with pytest.raises(TypeError):
        memory[0:1] = 5
    with pytest.raises(TypeError):
        memory[0] = b"a"


def test_a_memory_can_be_iterated_over() -> None:
    memory = make(4, page_size_log2=0)
    memory.write(0, b"abcd")
    assert list(memory) == list(b"abcd")  # type: ignore[call-overload]


# ---- views


def test_a_view_shares_the_bytes(memory: Memory) -> None:
    view = memory.view()
    view[0:3] = b"abc"
    assert memory.read(0, 3) == b"abc"
    memory.write(0, b"xyz")
    assert bytes(view[0:3]) == b"xyz"
    assert (view.format, view.nbytes, view.readonly) == ("B", PAGE, False)


def test_a_view_does_not_stop_growth_and_shows_the_old_memory_afterwards(memory: Memory) -> None:
    view = memory.view()
    memory.grow(1)
    memory.write(0, b"new")
    assert len(view) == PAGE
    assert bytes(memory.view()[0:3]) == b"new"


def test_a_view_can_be_cast_to_numbers(memory: Memory) -> None:
    memory.write_u32(8, 77)
    assert memory.view().cast("I")[2] == 77


def test_a_large_memory_takes_no_space_before_it_is_touched() -> None:
    memory = make(16384)  # 1 GiB
    memory.write(2**30 - 1, b"x")
    assert memory.read(2**30 - 2, 2) == b"\0x"
