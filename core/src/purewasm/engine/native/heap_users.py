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
_BYTES: Final = (b"\xfb\x1a", b"\xfb\x1b", b"\xfb\x9a", b"\xfb\x9b")
"""How they begin, also where their numbers are longer than they have to be."""


def uses_heap(module: WasmModule) -> bool:
    """True for modules whose code may have references to structures and arrays.

    A body that names no such type can only get one by `any.convert_extern`, and give a 31-bit integer away by `extern.convert_any`.
    """
    if any(deftype.names_objects for deftype in module.types) or any(map(names_objects, _types(module))):
        return True
    source = module.source
    if all(source.find(pattern) < 0 for pattern in _BYTES):
        return False
    return any(
        any(source.find(pattern, code.start, code.end) >= 0 for pattern in _BYTES)
        and not _CONVERSIONS.isdisjoint(decode_body(module, code).ops)
        for code in module.codes
    )


def _types(module: WasmModule) -> Iterator[int]:
    for table in module.table_types:
        yield table.reftype
    for variable in module.global_types:
        yield variable.valtype
    for segment in module.elements:
        yield segment.reftype
