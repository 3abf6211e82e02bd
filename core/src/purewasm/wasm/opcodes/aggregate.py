"""Structures and arrays (spec: aggregate instructions)."""

from __future__ import annotations

from purewasm.light_typing import Final
from purewasm.wasm.features import GC
from purewasm.wasm.opcodes.immediates import NONE, TYPE, TYPE_COUNT, TYPE_DATA, TYPE_ELEM, TYPE_FIELD, TYPE_TYPE

ROWS: Final = (
    # structures
    (0xFB000, "struct.new", TYPE, "*", GC, 0),
    (0xFB001, "struct.new_default", TYPE, "*", GC, 0),
    (0xFB002, "struct.get", TYPE_FIELD, "*", GC, 0),
    (0xFB003, "struct.get_s", TYPE_FIELD, "*", GC, 0),
    (0xFB004, "struct.get_u", TYPE_FIELD, "*", GC, 0),
    (0xFB005, "struct.set", TYPE_FIELD, "*", GC, 0),
    # arrays
    (0xFB006, "array.new", TYPE, "*", GC, 0),
    (0xFB007, "array.new_default", TYPE, "*", GC, 0),
    (0xFB008, "array.new_fixed", TYPE_COUNT, "*", GC, 0),
    (0xFB009, "array.new_data", TYPE_DATA, "*", GC, 0),
    (0xFB00A, "array.new_elem", TYPE_ELEM, "*", GC, 0),
    (0xFB00B, "array.get", TYPE, "*", GC, 0),
    (0xFB00C, "array.get_s", TYPE, "*", GC, 0),
    (0xFB00D, "array.get_u", TYPE, "*", GC, 0),
    (0xFB00E, "array.set", TYPE, "*", GC, 0),
    (0xFB00F, "array.len", NONE, "*", GC, 0),
    (0xFB010, "array.fill", TYPE, "*", GC, 0),
    (0xFB011, "array.copy", TYPE_TYPE, "*", GC, 0),
    (0xFB012, "array.init_data", TYPE_DATA, "*", GC, 0),
    (0xFB013, "array.init_elem", TYPE_ELEM, "*", GC, 0),
)
