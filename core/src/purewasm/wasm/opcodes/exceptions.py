"""Exceptions (spec: control instructions), and the older form of the proposal behind its own feature."""

from __future__ import annotations

from purewasm.light_typing import Final
from purewasm.wasm.features import EXCEPTIONS, LEGACY_EXCEPTIONS
from purewasm.wasm.opcodes.immediates import BLOCK, LABEL, NONE, TAG, TRY_TABLE

ROWS: Final = (
    # exceptions
    (0x08, "throw", TAG, "*", EXCEPTIONS | LEGACY_EXCEPTIONS, 0),
    (0x0A, "throw_ref", NONE, "*", EXCEPTIONS, 0),
    (0x1F, "try_table", TRY_TABLE, "*", EXCEPTIONS, 0),
    # legacy exceptions
    (0x06, "try", BLOCK, "*", LEGACY_EXCEPTIONS, 0),
    (0x07, "catch", TAG, "*", LEGACY_EXCEPTIONS, 0),
    (0x09, "rethrow", LABEL, "*", LEGACY_EXCEPTIONS, 0),
    (0x18, "delegate", LABEL, "*", LEGACY_EXCEPTIONS, 0),
    (0x19, "catch_all", NONE, "*", LEGACY_EXCEPTIONS, 0),
)
