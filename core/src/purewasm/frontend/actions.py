"""What the loops over instructions do with numeric ones, as tables."""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.light_typing import Final

# What the loop does with an opcode byte.
OTHER: Final = 0  # ask the family's handler
BINARY: Final = 1  # pure, two operands
COMPARE: Final = 2  # of integers
LOAD: Final = 3
STORE: Final = 4
UNARY: Final = 5  # pure, one operand
EQZ: Final = 6
FLOAT_COMPARE: Final = 7
TRAPPING: Final = 8  # two operands, may trap
CONVERTING: Final = 9  # one operand, may trap
ACTION: Final = bytearray(256)


def _fill(action: int, *spans: range) -> None:
    for span in spans:
        for op in span:
            ACTION[op] = action


_fill(BINARY, range(0x6A, 0x6D), range(0x71, 0x79), range(0x7C, 0x7F), range(0x83, 0x8B), range(0x92, 0x99), range(0xA0, 0xA7))
_fill(COMPARE, range(0x46, 0x50), range(0x51, 0x5B))
_fill(LOAD, range(0x28, 0x36))
_fill(STORE, range(0x36, 0x3F))
_fill(UNARY, range(0x67, 0x6A), range(0x79, 0x7C), range(0x8B, 0x92), range(0x99, 0xA0), range(0xA7, 0xC5))
_fill(EQZ, range(0x45, 0x46), range(0x50, 0x51))
_fill(FLOAT_COMPARE, range(0x5B, 0x67))
_fill(TRAPPING, range(0x6D, 0x71), range(0x7F, 0x83))
_fill(CONVERTING, range(0xA8, 0xAC), range(0xAE, 0xB2))

_INTEGER_CONDITIONS = (
    ops.CC_E, ops.CC_NE, ops.CC_L, ops.CC_B, ops.CC_G, ops.CC_A, ops.CC_LE, ops.CC_BE, ops.CC_GE, ops.CC_AE,
)  # fmt: skip
# (compare, condition) of the integer compares
COMPARES: Final = {
    **{0x46 + i: (ops.CMP32, cc) for i, cc in enumerate(_INTEGER_CONDITIONS)},
    **{0x51 + i: (ops.CMP64, cc) for i, cc in enumerate(_INTEGER_CONDITIONS)},
}
# eq ne lt gt le ge of floats: (condition, whether the operands change places)
_FLOAT_CONDITIONS = ((ops.CC_FEQ, 0), (ops.CC_FNE, 0), (ops.CC_A, 1), (ops.CC_A, 0), (ops.CC_AE, 1), (ops.CC_AE, 0))
FLOAT_COMPARES: Final = {
    **{0x5B + i: (ops.FCMP32, *row) for i, row in enumerate(_FLOAT_CONDITIONS)},
    **{0x61 + i: (ops.FCMP64, *row) for i, row in enumerate(_FLOAT_CONDITIONS)},
}
