"""Views of a memory's bytes as numbers, by the names that generated code uses for them.

    mem            the bytes themselves
    i8             signed bytes
    u32            aligned numbers: u32[k] is at byte 4 * k
    vu32           a tuple of views that start at bytes 0, 1, 2, 3: vu32[a & 3][a >> 2] is at byte a

On a little-endian host these are `memoryview`s, elsewhere objects that go through `struct`; either way an index past the last number
that lies in the memory as a whole is an IndexError.
"""

from __future__ import annotations

import struct
import sys

from purewasm.light_typing import Final, final

_FORMATS: Final = {
    "u16": "H", "i16": "h", "u32": "I", "i32": "i", "u64": "Q", "i64": "q", "r32": "f", "r64": "d",
}  # fmt: skip
NAMES: Final = frozenset(("mem", "i8", *_FORMATS, *(f"v{name}" for name in _FORMATS)))
_NATIVE: Final = sys.byteorder == "little"

View = memoryview | bytearray | list[int] | tuple[object, ...] | object


@final
class StructView:
    """The numbers of a memory from byte `start` on, little endian on any host."""

    __slots__ = ("count", "data", "form", "start")

    def __init__(self, data: bytearray | memoryview, form: struct.Struct, start: int) -> None:
        self.data, self.form, self.start = data, form, start
        self.count = max(len(data) - start, 0) // form.size

    def __getitem__(self, index: int) -> int | float:
        if index >= self.count:
            raise IndexError
        value: int | float = self.form.unpack_from(self.data, self.start + index * self.form.size)[0]
        return value

    def __setitem__(self, index: int, value: float) -> None:
        if index >= self.count:
            raise IndexError
        self.form.pack_into(self.data, self.start + index * self.form.size, value)


def _shifted(data: bytearray | memoryview, code: str, start: int) -> View:
    form = struct.Struct(f"<{code}")
    if not _NATIVE:
        return StructView(data, form, start)
    count = (len(data) - start) // form.size
    if count <= 0:
        return []  # no view can be empty; an empty list raises the same error
    view: View = memoryview(data)[start : start + count * form.size].cast(code)  # type: ignore[call-overload]
    return view


def make_view(data: bytearray | memoryview, name: str) -> View:
    """What generated code knows as `name`, over the present bytes of a memory."""
    if name == "mem":
        return data
    if name == "i8":
        return memoryview(data).cast("b") if len(data) else []
    if name[0] == "v":
        code = _FORMATS[name[1:]]
        return tuple(_shifted(data, code, start) for start in range(struct.calcsize(f"<{code}")))
    return _shifted(data, _FORMATS[name], 0)
