"""Views of memories: what is read and written where, on hosts of either byte order."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from purewasm.engine.interpreter import memory_views
from purewasm.engine.interpreter.memory_views import make_view

KINDS = {"u16": "<H", "i16": "<h", "u32": "<I", "i32": "<i", "u64": "<Q", "i64": "<q", "r32": "<f", "r64": "<d"}


@pytest.fixture(params=[True, False])
def native(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """With and without the views that only a little-endian host can use."""
    if not request.param:
        monkeypatch.setattr(memory_views, "_NATIVE", False)
    return bool(request.param)


@pytest.mark.parametrize(("name", "form"), KINDS.items())
@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 16, 31])
def test_every_address(native: bool, name: str, form: str, size: int) -> None:
    data = bytearray((i * 37 + 11) % 120 for i in range(size))
    width = struct.calcsize(form)
    views: Any = make_view(data, f"v{name}")
    for address in range(size + 3):
        view, index = views[address % width], address // width
        if address + width > size:
            with pytest.raises(IndexError):
                view[index]
            with pytest.raises(IndexError):
                view[index] = 0
        else:
            assert struct.unpack_from(form, data, address)[0] == view[index]
            view[index] = 1
            assert struct.pack(form, 1) == data[address : address + width]


def test_bytes(native: bool) -> None:
    data = bytearray(b"\xff\x01")
    assert make_view(data, "mem") is data
    signed: Any = make_view(data, "i8")
    assert [signed[0], signed[1]] == [-1, 1]
    empty: Any = make_view(bytearray(), "i8")
    with pytest.raises(IndexError):
        empty[0]


def test_aligned_view(native: bool) -> None:
    view: Any = make_view(bytearray(struct.pack("<3I", 1, 2, 3) + b"ab"), "u32")
    assert [view[i] for i in range(3)] == [1, 2, 3]
    with pytest.raises(IndexError):
        view[3]
