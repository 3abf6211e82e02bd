from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from core.tests.unit.binary.module_bytes import signed, unsigned
from purewasm.binary import leb
from purewasm.errors import MalformedError

Reader = Callable[[Iterator[int]], int]


@pytest.mark.parametrize("bits", [32, 64])
def test_unsigned_integers_of_every_length(bits: int) -> None:
    read = leb.u32 if bits == 32 else leb.u64
    for shift in range(bits):
        for value in ((1 << shift) - 1, 1 << shift, (1 << bits) - 1 - (1 << shift)):
            code = iter(unsigned(value) + b"\x2a")
            assert value == read(code)
            assert next(code) == 0x2A


@pytest.mark.parametrize(("bits", "read"), [(32, leb.s32), (33, leb.s33), (64, leb.s64)])
def test_signed_integers_of_every_length(bits: int, read: Reader) -> None:
    for shift in range(bits):
        for value in ((1 << shift) - 1, -(1 << shift), -(1 << shift) + 1):
            if -(1 << bits - 1) <= value < 1 << bits - 1:
                code = iter(signed(value) + b"\x2a")
                assert value == read(code)
                assert next(code) == 0x2A


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (leb.u32, "80 80 80 80 00", 0),
        (leb.u32, "ff ff ff ff 0f", 0xFFFF_FFFF),
        (leb.u64, "82 80 80 80 80 80 80 80 80 00", 2),
        (leb.s32, "ff ff ff ff 7f", -1),
        (leb.s32, "80 80 80 80 78", -(1 << 31)),
        (leb.s33, "80 80 80 80 70", -(1 << 32)),
        (leb.s64, "ff ff ff ff ff ff ff ff ff 7f", -1),
    ],
)
def test_longer_than_needed_is_allowed(read: Reader, text: str, value: int) -> None:
    assert value == read(iter(bytes.fromhex(text)))


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (leb.u32, "80 80 80 80 80 00"),
        (leb.u64, "80 80 80 80 80 80 80 80 80 80 00"),
        (leb.s32, "80 80 80 80 80 00"),
        (leb.s32, "ff ff ff ff ff 7f"),
        (leb.s33, "80 80 80 80 80 00"),
        (leb.s64, "80 80 80 80 80 80 80 80 80 80 00"),
    ],
)
def test_too_long(read: Reader, text: str) -> None:
    with pytest.raises(MalformedError, match=r"^integer representation too long"):
        read(iter(bytes.fromhex(text)))


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (leb.u32, "80 80 80 80 10"),
        (leb.u32, "ff ff ff ff 1f"),
        (leb.u64, "80 80 80 80 80 80 80 80 80 02"),
        (leb.s32, "80 80 80 80 08"),
        (leb.s32, "ff ff ff ff 4f"),
        (leb.s33, "80 80 80 80 10"),
        (leb.s64, "80 80 80 80 80 80 80 80 80 01"),
        (leb.s64, "ff ff ff ff ff ff ff ff ff 7e"),
    ],
)
def test_too_large(read: Reader, text: str) -> None:
    with pytest.raises(MalformedError, match=r"^integer too large"):
        read(iter(bytes.fromhex(text)))


@pytest.mark.parametrize("read", [leb.u32, leb.u64, leb.s32, leb.s33, leb.s64])
@pytest.mark.parametrize("text", ["", "80", "80 80"])
def test_the_end_of_the_bytes_is_a_stop_iteration(read: Reader, text: str) -> None:
    with pytest.raises(StopIteration):
        read(iter(bytes.fromhex(text)))


@pytest.mark.parametrize(
    ("whole", "tail", "value"), [(leb.u32, leb.u32_tail, 300_000), (leb.u64, leb.u64_tail, 1 << 40), (leb.s32, leb.s32_tail, -300_000)]
)
def test_a_tail_goes_on_after_the_first_byte(whole: Reader, tail: Callable[[Iterator[int], int], int], value: int) -> None:
    content = unsigned(value) if value >= 0 else signed(value)
    code = iter(content)
    assert whole(iter(content)) == tail(code, next(code)) == value
