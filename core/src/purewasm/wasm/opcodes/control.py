"""Control instructions: blocks, branches, return (spec: control instructions)."""

from __future__ import annotations

from purewasm.light_typing import Final
from purewasm.wasm.features import FUNCTION_REFERENCES, GC, MVP
from purewasm.wasm.opcodes.immediates import BLOCK, CAST_LABEL, LABEL, LABELS, NONE

ROWS: Final = (
    # structured control
    (0x00, "unreachable", NONE, "*", MVP, 0),
    (0x01, "nop", NONE, ">", MVP, 0),
    (0x02, "block", BLOCK, "*", MVP, 0),
    (0x03, "loop", BLOCK, "*", MVP, 0),
    (0x04, "if", BLOCK, "*", MVP, 0),
    (0x05, "else", NONE, "*", MVP, 0),
    (0x0B, "end", NONE, "*", MVP, 0),
    # branches
    (0x0C, "br", LABEL, "*", MVP, 0),
    (0x0D, "br_if", LABEL, "*", MVP, 0),
    (0x0E, "br_table", LABELS, "*", MVP, 0),
    (0x0F, "return", NONE, "*", MVP, 0),
    # branches on references
    (0xD5, "br_on_null", LABEL, "*", FUNCTION_REFERENCES, 0),
    (0xD6, "br_on_non_null", LABEL, "*", FUNCTION_REFERENCES, 0),
    (0xFB018, "br_on_cast", CAST_LABEL, "*", GC, 0),
    (0xFB019, "br_on_cast_fail", CAST_LABEL, "*", GC, 0),
)
