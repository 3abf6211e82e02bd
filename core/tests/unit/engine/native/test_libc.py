"""Memory at fixed addresses, made of Python objects."""

from __future__ import annotations

import ctypes
import gc

import pytest


def _address_of(view: memoryview) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(view))


@pytest.mark.parametrize("size", [0, 1, 8, 16, 17, 500, 4096, 65536, 65537, 1 << 20])
def test_a_block_is_where_it_says(size: int) -> None:
    from purewasm.engine.native.libc import Block, read_word, write_word

    block = Block(size)
    assert block.address % 16 == 0
    assert len(block.bytes) >= size
    assert not any(block.words)
    assert _address_of(block.bytes) == block.address
    for at in range(len(block.words)):
        write_word(block.address + 8 * at, at * 0x0101_0101_0101_0101 & (1 << 64) - 1)
    assert list(block.words) == [at * 0x0101_0101_0101_0101 & (1 << 64) - 1 for at in range(len(block.words))]
    block.words[0] = 77
    assert read_word(block.address) == 77


def test_a_block_of_bytes_takes_them_over_where_they_are() -> None:
    from purewasm.engine.native.libc import Block

    content = bytearray(range(160))
    block = Block.of_bytes(content)
    assert block.bytes == bytes(range(160))
    assert block.address == _address_of(memoryview(content))
    with pytest.raises(BufferError):
        content.append(1)


def test_bytes_that_do_not_begin_at_a_multiple_of_16_are_copied() -> None:
    from purewasm.engine.native.libc import Block

    content = bytearray(range(168))
    del content[:8]
    expected = bytes(content)
    block = Block.of_bytes(content)
    assert block.address % 16 == 0
    assert _address_of(block.bytes) == block.address
    assert block.bytes[:160] == expected


def test_a_view_of_a_block_keeps_its_memory() -> None:
    from purewasm.engine.native.libc import Block, write_word

    words = [Block(64).words for _ in range(200)]
    addresses = [_address_of(view.cast("B")) for view in words]
    gc.collect()
    filled = [bytearray(b"\xff" * 80) for _ in range(400)]
    for number, address in enumerate(addresses):
        write_word(address, number)
    assert [view[0] for view in words] == list(range(200))
    assert not any(any(view[1:]) for view in words)
    assert all(content == b"\xff" * 80 for content in filled)


def test_words() -> None:
    from purewasm.engine.native.libc import repeated, words_of

    most = (1 << 64) - 1
    assert list(words_of(range(0, 64, 8))) == list(range(0, 64, 8))
    assert list(words_of((most, 0, 1))) == [most, 0, 1]
    assert list(words_of(())) == list(repeated(5, 0)) == []
    assert list(repeated(most - 1, 5)) == [most - 1] * 5
    target = words_of([0] * 5)
    target[1:4] = repeated(most, 3)
    assert list(target) == [0, most, most, most, 0]
