"""Tables and element segments (spec: table instructions)."""

from __future__ import annotations

from purewasm.light_typing import Final
from purewasm.wasm.features import BULK_MEMORY, REFERENCE_TYPES
from purewasm.wasm.opcodes.immediates import ELEM, ELEM_TABLE, TABLE, TABLE_TABLE

ROWS: Final = (
    # access
    (0x25, "table.get", TABLE, "*", REFERENCE_TYPES, 0),
    (0x26, "table.set", TABLE, "*", REFERENCE_TYPES, 0),
    (0xFC010, "table.size", TABLE, "*", REFERENCE_TYPES, 0),
    (0xFC00F, "table.grow", TABLE, "*", REFERENCE_TYPES, 0),
    # bulk
    (0xFC011, "table.fill", TABLE, "*", REFERENCE_TYPES, 0),
    (0xFC00E, "table.copy", TABLE_TABLE, "*", BULK_MEMORY, 0),
    (0xFC00C, "table.init", ELEM_TABLE, "*", BULK_MEMORY, 0),
    (0xFC00D, "elem.drop", ELEM, ">", BULK_MEMORY, 0),
)
