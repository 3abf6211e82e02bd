"""Classes of values: which file of registers a value lives in."""

from __future__ import annotations

from purewasm.light_typing import Final
from purewasm.wasm import valtypes as vt

VOID: Final = 0
"""No value."""
INT: Final = 1
"""General purpose register: integers and references."""
FLT: Final = 2
"""Scalar float."""
VEC: Final = 3
"""128-bit vector."""
CLASS_OF_TYPE: Final = {vt.F32: FLT, vt.F64: FLT, vt.V128: VEC}
"""By value type; every other one is an INT."""
