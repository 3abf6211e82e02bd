from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import name, unsigned
from purewasm.binary.reader import Reader, integer_at
from purewasm.errors import MalformedError, UnsupportedError
from purewasm.wasm.limits import MAX_STRING_BYTES


def _reader(content: bytes) -> Reader:
    return Reader(content, 0, len(content))


def test_position_and_remaining_follow_what_is_read() -> None:
    reader = Reader(b"????\x05\x80\x01rest", 4, 7)
    assert (4, 3) == (reader.position, reader.remaining)
    assert reader.byte() == 5
    assert reader.u32() == 128
    assert (7, 0) == (reader.position, reader.remaining)


def test_an_integer_across_the_end_shows_as_a_negative_remainder() -> None:
    reader = Reader(b"\x80\x80\x01", 0, 1)
    assert reader.u32() == 1 << 14
    assert reader.remaining == -2


def test_names_are_utf8() -> None:
    assert _reader(name("λ→😀")).name() == "λ→😀"


@pytest.mark.parametrize("text", ["80", "c0 80", "e0 80 80", "ed a0 80", "f4 90 80 80", "ff", "e2 82", "f8 88 80 80 80"])
def test_names_that_are_no_utf8(text: str) -> None:
    content = bytes.fromhex(text)
    with pytest.raises(MalformedError, match=r"^malformed UTF-8 encoding"):
        _reader(unsigned(len(content)) + content).name()


def test_a_name_longer_than_what_is_left() -> None:
    with pytest.raises(MalformedError, match=r"^length out of bounds: 5 bytes in a name where 2 bytes are left"):
        _reader(b"\x05ab").name()


def test_a_name_that_crosses_the_end() -> None:
    with pytest.raises(StopIteration):
        Reader(b"\x05abcdefgh", 0, 3).name()


def test_a_very_long_name_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="bytes in a name"):
        _reader(unsigned(MAX_STRING_BYTES + 1) + bytes(MAX_STRING_BYTES + 1)).name()


def test_a_vector_cannot_have_more_elements_than_bytes() -> None:
    with pytest.raises(MalformedError, match=r"^length out of bounds: 4294967295 imports where 1 bytes are left"):
        _reader(b"\xff\xff\xff\xff\x0f\0").length("imports")


def test_counts_have_limits() -> None:
    with pytest.raises(UnsupportedError, match=r"^too many things: 3, and the implementation limit is 2"):
        _reader(b"\x03\0\0\0").count(2, "things")


def test_integer_at_a_position() -> None:
    assert integer_at(b"?\x80\x01?", 1, 3) == (128, 3)
    with pytest.raises(StopIteration):
        integer_at(b"?\x80\x01?", 1, 2)
    with pytest.raises(MalformedError, match=r"^integer representation too long"):
        integer_at(b"\x80\x80\x80\x80\x80\0", 0, 1)
