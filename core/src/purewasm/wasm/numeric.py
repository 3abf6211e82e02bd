"""`NUMERIC`: the function of every row of the opcode table's numeric family.

Operands are raw values in the order of the instruction; a constant's operand is its immediate. The result is a raw value, a pair
of them (low half first) for wide arithmetic. Functions raise `Trap` and nothing else.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.conversions import CONVERSIONS
from purewasm.wasm.float_bits import f32_from_bytes, f64_from_bytes
from purewasm.wasm.floats import FLOATS
from purewasm.wasm.integers import INTEGERS
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from collections.abc import Callable

    RawNumbers = int | float | tuple[int, int]


def integer_const(immediate: int) -> int:
    return immediate


_CONSTANTS: Final[dict[str, Callable[..., RawNumbers]]] = {
    "i32.const": integer_const,
    "i64.const": integer_const,
    "f32.const": f32_from_bytes,
    "f64.const": f64_from_bytes,
}

NUMERIC: Final[dict[int, Callable[..., RawNumbers]]] = {
    CODE[name]: function for table in (_CONSTANTS, INTEGERS, FLOATS, CONVERSIONS) for name, function in table.items()
}
