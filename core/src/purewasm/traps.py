"""Trap codes in the testsuite's words, and the frames of a guest's call stack."""

from __future__ import annotations

from purewasm.light_typing import Final, NamedTuple

UNREACHABLE: Final = "unreachable"
INTEGER_DIVIDE_BY_ZERO: Final = "integer divide by zero"
INTEGER_OVERFLOW: Final = "integer overflow"
INVALID_CONVERSION: Final = "invalid conversion to integer"
OUT_OF_BOUNDS_MEMORY: Final = "out of bounds memory access"
OUT_OF_BOUNDS_TABLE: Final = "out of bounds table access"
UNDEFINED_ELEMENT: Final = "undefined element"
UNINITIALIZED_ELEMENT: Final = "uninitialized element"
INDIRECT_CALL_TYPE: Final = "indirect call type mismatch"
CALL_STACK_EXHAUSTED: Final = "call stack exhausted"
NULL_REFERENCE: Final = "null reference"
NULL_FUNCTION: Final = "null function reference"
NULL_STRUCTURE: Final = "null structure reference"
NULL_ARRAY: Final = "null array reference"
NULL_I31: Final = "null i31 reference"
NULL_EXCEPTION: Final = "null exception reference"
OUT_OF_BOUNDS_ARRAY: Final = "out of bounds array access"
CAST_FAILURE: Final = "cast failure"
UNALIGNED_ATOMIC: Final = "unaligned atomic"
EXPECTED_SHARED: Final = "expected shared memory"
ALLOCATION_TOO_LARGE: Final = "allocation size too large"
OUT_OF_HEAP: Final = "out of heap memory"
FUEL_EXHAUSTED: Final = "all fuel consumed"

ALL_CODES: Final = frozenset(value for name, value in list(globals().items()) if name.isupper() and isinstance(value, str))


class Frame(NamedTuple):
    """One guest frame of a backtrace."""

    module: str | None
    """The module's name (name section) or the instance's name."""
    function_index: int
    function: str | None
    """The function's name: name section, else an export's name, else None."""
    offset: int
    """Offset of the instruction in the module's bytes."""

    def __str__(self) -> str:
        where = f"{self.module}!" if self.module else ""
        return f"{where}{self.function or f'func[{self.function_index}]'} at 0x{self.offset:x}"
