"""Where an operation keeps operands besides `a` and `b`: one byte for each operation, for the sweeps."""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.light_typing import Final

PLAIN: Final = 0
PARAMETER: Final = 1  # imm: arguments of the edges; they are read by the branches, not here
ARGUMENTS: Final = 2  # imm[0]
SELECTION: Final = 3  # imm[2], imm[3]
PAIR: Final = 4  # imm: all of it
ONE: Final = 5  # imm itself
LIST: Final = 6  # imm[0] of what is no call

KIND: Final = bytearray(ops.OPS)
for _op in range(ops.OPS):
    if ops.HAS_ARGS[_op]:
        KIND[_op] = ARGUMENTS
for _class in range(4):
    KIND[ops.PARAM + _class] = PARAMETER
    KIND[ops.SELECT + _class] = SELECTION
for _op in (ops.ADD128_HIGH, ops.SUB128_HIGH, ops.RETURN):
    KIND[_op] = PAIR
for _op in (ops.OBJECT_SET, ops.ARRAY_FILL):
    KIND[_op] = LIST
for _op in (ops.BITSELECT, *ops.COMPARE_EXCHANGES):
    KIND[_op] = ONE
