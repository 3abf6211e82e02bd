"""Locals and globals (spec: variable instructions)."""

from __future__ import annotations

from purewasm.light_typing import Final
from purewasm.wasm.features import MVP
from purewasm.wasm.opcodes.immediates import GLOBAL, LOCAL

ROWS: Final = (
    # locals
    (0x20, "local.get", LOCAL, "*", MVP, 0),
    (0x21, "local.set", LOCAL, "*", MVP, 0),
    (0x22, "local.tee", LOCAL, "*", MVP, 0),
    # globals
    (0x23, "global.get", GLOBAL, "*", MVP, 0),
    (0x24, "global.set", GLOBAL, "*", MVP, 0),
)
