"""Who reads what: the operands of an instruction wherever they stand in the tuple. For everything but the compiler's inner loops."""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from purewasm.ir.function import Edge, Inst

_PAIRS = (ops.ADD128_HIGH, ops.SUB128_HIGH)


def operands(inst: Inst) -> list[int]:
    """Values and constants that the instruction itself reads, edges left out."""
    op, a, b, imm = inst
    read = [x for x in (a, b) if x not in (ops.NO, ops.MEM)]
    if ops.HAS_ARGS[op]:
        read += imm[0]
    elif op == ops.RETURN:
        read += imm
    elif op & ~3 == ops.SELECT:
        read += imm[2:4]
    elif op in _PAIRS:
        read += imm
    elif op == ops.BITSELECT or op in ops.COMPARE_EXCHANGES:
        read.append(imm)
    if ops.MEM in (a, b):
        read.append(imm[-3])
    return read


def edges(inst: Inst) -> list[tuple[Edge, int]]:
    """(edge, label) of each way that a branch can go."""
    op, _, _, imm = inst
    if op == ops.BR:
        return [imm]
    if op == ops.BR_IF:
        return [(imm[2], imm[3])]
    return list(imm) if op == ops.BR_TABLE else []
