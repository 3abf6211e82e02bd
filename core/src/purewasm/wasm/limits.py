"""Implementation limits: what a module may ask for before it is refused with an `UnsupportedError`.

They are the limits that browsers share (WebAssembly JavaScript interface, implementation-defined limits), so that a module
that runs there runs here. All are checked before anything is allocated in proportion to the number.
"""

from __future__ import annotations

from purewasm.light_typing import Final

MAX_MODULE_BYTES: Final = 1 << 30
MAX_TYPES: Final = 1_000_000
MAX_REC_GROUP_TYPES: Final = 1_000_000
MAX_FUNCTIONS: Final = 1_000_000
MAX_IMPORTS: Final = 1_000_000
MAX_EXPORTS: Final = 1_000_000
MAX_GLOBALS: Final = 1_000_000
MAX_TAGS: Final = 1_000_000
MAX_TABLES: Final = 100_000
MAX_MEMORIES: Final = 100
MAX_DATA_SEGMENTS: Final = 100_000
MAX_ELEMENT_SEGMENTS: Final = 10_000_000
MAX_SEGMENT_ITEMS: Final = 10_000_000
MAX_FUNCTION_BYTES: Final = 7_654_321
MAX_LOCALS: Final = 50_000
MAX_PARAMS: Final = 1_000
MAX_RESULTS: Final = 1_000
MAX_STRUCT_FIELDS: Final = 10_000
MAX_ARRAY_NEW_FIXED: Final = 10_000
MAX_SUBTYPE_DEPTH: Final = 63
MAX_BR_TABLE_LABELS: Final = 1_000_000
MAX_BLOCK_NESTING: Final = 10_000
MAX_STRING_BYTES: Final = 100_000
MAX_OPERANDS: Final = 1_000_000
"""Values on the operand stack of a block at one time, where instructions that push many at once could pile them up."""

MAX_TABLE_ELEMENTS: Final = 10_000_000
"""Elements that a table can ever have; a declared maximum above it is accepted, growing past it fails."""
MAX_MEMORY32_BYTES: Final = 1 << 32
MAX_MEMORY64_BYTES: Final = 1 << 34
"""Bytes that a memory can ever have (16 GiB for a 64-bit one); growing past it fails."""
MAX_ARRAY_BYTES: Final = 1 << 30
"""Bytes of the largest GC array; above it `array.new` traps."""
