"""Calls and tail calls (spec: control instructions)."""

from __future__ import annotations

from purewasm.light_typing import Final
from purewasm.wasm.features import FUNCTION_REFERENCES, MVP, TAIL_CALL
from purewasm.wasm.opcodes.immediates import FUNC, TYPE, TYPE_TABLE

ROWS: Final = (
    # calls
    (0x10, "call", FUNC, "*", MVP, 0),
    (0x11, "call_indirect", TYPE_TABLE, "*", MVP, 0),
    (0x14, "call_ref", TYPE, "*", FUNCTION_REFERENCES, 0),
    # tail calls
    (0x12, "return_call", FUNC, "*", TAIL_CALL, 0),
    (0x13, "return_call_indirect", TYPE_TABLE, "*", TAIL_CALL, 0),
    (0x15, "return_call_ref", TYPE, "*", TAIL_CALL, 0),
)
