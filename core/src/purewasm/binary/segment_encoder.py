"""Element and data segments as bytes, each in the shortest form that says it (spec: binary format, modules)."""

from __future__ import annotations

from purewasm.binary.primitive_encoder import sized, unsigned, value_type, vector
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import valtypes as vt
from purewasm.wasm.module import ACTIVE, DECLARATIVE, PASSIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purewasm.binary.primitive_encoder import TypeIndices

REF_FUNC: Final = vt.ref_type(vt.FUNC, False)
"""What the items of a segment are that lists function indices."""

# bits of an element segment's first byte
_NOT_ACTIVE: Final = 1
_EXPLICIT: Final = 2  # a table index (active) or declarative (not active)
_EXPRESSIONS: Final = 4


def element_segment(
    mode: int,
    table: int,
    offset: bytes | None,
    reftype: int,
    items: Sequence[int | bytes],
    indices: TypeIndices = None,
) -> bytes:
    """An element segment. `items` are function indices, or expressions with their `end`; so is `offset` of an active one."""
    as_indices = isinstance(items[0], int) if items else reftype == REF_FUNC
    short = table == 0 and (as_indices or reftype == vt.FUNCREF)
    flags = 0 if as_indices else _EXPRESSIONS
    if mode == ACTIVE:
        flags |= 0 if short else _EXPLICIT
    else:
        flags |= _NOT_ACTIVE | (_EXPLICIT if mode == DECLARATIVE else 0)
    encoded = unsigned(flags)
    if mode == ACTIVE:
        encoded += (b"" if short else unsigned(table)) + (offset or b"")
    if mode != ACTIVE or not short:
        encoded += b"\0" if as_indices else value_type(reftype, indices)
    return encoded + vector([unsigned(item) if isinstance(item, int) else item for item in items])


def data_segment(mode: int, memory: int, offset: bytes | None, content: bytes | bytearray) -> bytes:
    """A data segment; `offset` is the expression of an active one, with its `end`."""
    if mode == PASSIVE:
        return b"\1" + sized(content)
    return (b"\2" + unsigned(memory) if memory else b"\0") + (offset or b"") + sized(content)
