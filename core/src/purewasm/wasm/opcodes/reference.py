"""References: null, functions, tests, casts, i31 (spec: reference instructions)."""

from __future__ import annotations

from purewasm.light_typing import Final
from purewasm.wasm.features import FUNCTION_REFERENCES, GC, REFERENCE_TYPES
from purewasm.wasm.opcodes.immediates import FUNC, HEAP, NONE

ROWS: Final = (
    # references
    (0xD0, "ref.null", HEAP, "*", REFERENCE_TYPES, 0),
    (0xD1, "ref.is_null", NONE, "*", REFERENCE_TYPES, 0),
    (0xD2, "ref.func", FUNC, "*", REFERENCE_TYPES, 0),
    (0xD3, "ref.eq", NONE, "*", GC, 0),
    (0xD4, "ref.as_non_null", NONE, "*", FUNCTION_REFERENCES, 0),
    # tests and casts
    (0xFB014, "ref.test", HEAP, "*", GC, 0),
    (0xFB015, "ref.test null", HEAP, "*", GC, 0),
    (0xFB016, "ref.cast", HEAP, "*", GC, 0),
    (0xFB017, "ref.cast null", HEAP, "*", GC, 0),
    # conversions and i31
    (0xFB01A, "any.convert_extern", NONE, "*", GC, 0),
    (0xFB01B, "extern.convert_any", NONE, "*", GC, 0),
    (0xFB01C, "ref.i31", NONE, "*", GC, 0),
    (0xFB01D, "i31.get_s", NONE, "*", GC, 0),
    (0xFB01E, "i31.get_u", NONE, "*", GC, 0),
)
