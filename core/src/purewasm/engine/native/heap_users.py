"""Which modules have to do with structures and arrays."""

from __future__ import annotations

from purewasm.binary.body import decode_body
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.deftypes import names_objects
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purewasm.wasm.module import WasmModule

_CONVERSIONS: Final = frozenset((CODE["any.convert_extern"], CODE["extern.convert_any"]))
_PREFIX: Final = b"\xfb"
_SECOND: Final = (0x1A, 0x1B)
"""The byte behind the prefix, but for its highest bit: that is set where the number is longer than it has to be."""


def uses_heap(module: WasmModule) -> bool:
    """True for modules whose code may have references to structures and arrays.

    A body that names no such type can only get one by `any.convert_extern`, and give a 31-bit integer away by `extern.convert_any`.
    """
    if any(deftype.names_objects for deftype in module.types) or any(map(names_objects, _types(module))):
        return True
    source, codes = module.source, module.codes
    if not codes or not _may_convert(source, codes[0].start, codes[-1].end):
        return False
    return any(
        _may_convert(source, code.start, code.end) and not _CONVERSIONS.isdisjoint(decode_body(module, code).ops) for code in codes
    )


def _may_convert(source: bytes, start: int, end: int) -> bool:
    """True if these bytes can hold a conversion. A single byte is found much faster than two, and this one is rare in code."""
    at = source.find(_PREFIX, start, end)
    while at >= 0:
        if at + 1 < end and source[at + 1] & 0x7F in _SECOND:
            return True
        at = source.find(_PREFIX, at + 1, end)
    return False


def _types(module: WasmModule) -> Iterator[int]:
    for table in module.table_types:
        yield table.reftype
    for variable in module.global_types:
        yield variable.valtype
    for segment in module.elements:
        yield segment.reftype
