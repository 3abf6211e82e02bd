"""IR as text, one instruction a line: `value: operation operands immediate`. `parser` reads it back.

    1: arg.i 0
    2: i32.add 1 c2
    3: br_if 2 c1 (eq, 0, [(5, 2)], 1)

A constant is `c` and its index; constants stand at the end, integers in decimal and bytes in hexadecimal.
"""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from purewasm.ir.function import Function


def format_operand(operand: int) -> str:
    if operand >= 0:
        return str(operand)
    return "_" if operand == ops.NO else "mem" if operand == ops.MEM else f"c{~operand}"


def format_immediate(imm: object) -> str:
    """Numbers, and tuples and lists of them, operands inside as plain numbers; bytes in hexadecimal."""
    if isinstance(imm, bytes):
        return f"x{imm.hex()}"
    if isinstance(imm, tuple):
        return f"({', '.join(map(format_immediate, imm))})"
    if isinstance(imm, list):
        return f"[{', '.join(map(format_immediate, imm))}]"
    return str(imm)


def format_instruction(value: int, op: int, a: int, b: int, imm: object) -> str:
    return f"{value}: {ops.NAMES[op]} {format_operand(a)} {format_operand(b)} {format_immediate(imm)}"


def format_function(function: Function, live: bytearray | None = None) -> str:
    """The whole function; with use counts, only what is needed."""
    lines = [f"function {function.index} results {format_immediate(function.results)} labels {function.labels}"]
    for value, inst in enumerate(function.insts):
        if live is None or live[value]:
            lines.append(f"  {format_instruction(value, *inst)}")
    lines += [f"  c{index} = {format_immediate(constant)}" for index, constant in enumerate(function.constants)]
    return "\n".join(lines) + "\n"
