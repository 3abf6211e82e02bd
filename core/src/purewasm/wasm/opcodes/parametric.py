"""Parametric instructions (spec: parametric instructions)."""

from __future__ import annotations

from purewasm.light_typing import Final
from purewasm.wasm.features import MVP, REFERENCE_TYPES
from purewasm.wasm.opcodes.immediates import NONE, TYPES

ROWS: Final = (
    # drop and select
    (0x1A, "drop", NONE, "*", MVP, 0),
    (0x1B, "select", NONE, "*", MVP, 0),
    (0x1C, "select t", TYPES, "*", REFERENCE_TYPES, 0),
)
