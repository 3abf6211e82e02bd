"""Numeric instructions: constants, wide arithmetic, and the tables of `integers` and `floats` (spec: numeric instructions)."""

from __future__ import annotations

from purewasm.engine.interpreter import floats, integers
from purewasm.engine.interpreter.fragments import ATOM, CONST, MASK64, NAME, PLAIN, Fragment
from purewasm.engine.interpreter.normalise import unsigned
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.interpreter.lowering import Handlers, Lowering


def lower_integer_constant(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    stack.append((str(imm), ATOM, imm, imm, 0, 0, CONST, "", ""))


def _wide(name: str, count: int) -> Callable[[Lowering, list[Fragment], None, int], None]:
    function = name.replace(".", "_")

    def lower_wide(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        low.settle_operands(count)
        operands = stack[-count:]
        del stack[-count:]
        text = ", ".join(unsigned(operand, MASK64)[0] for operand in operands)
        first = low.temp()
        stack.append((first, NAME, 0, MASK64, 0, 0, PLAIN, "", ""))
        second = low.temp()
        stack.append((second, NAME, 0, MASK64, 0, 0, PLAIN, "", ""))
        low.body.append((f"{first}, {second} = {function}({text})", at))

    return lower_wide


HANDLERS: Final[Handlers] = {
    0x41: lower_integer_constant,
    0x42: lower_integer_constant,
    **floats.CONSTANTS,
    **integers.HANDLERS,
    **floats.HANDLERS,
    **{CODE[name]: _wide(name, 4) for name in ("i64.add128", "i64.sub128")},
    **{CODE[name]: _wide(name, 2) for name in ("i64.mul_wide_s", "i64.mul_wide_u")},
}
