"""Atomic accesses: functions over the memory itself, which take its lock where it is shared (threads proposal)."""

from __future__ import annotations

from purewasm.engine.interpreter.memory import address
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import opcodes
from purewasm.wasm.opcodes import signature

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.interpreter.fragments import Fragment
    from purewasm.engine.interpreter.lowering import Handlers, Lowering

    MemoryArgument = tuple[int, int, int]

_FENCE: Final = opcodes.CODE["atomic.fence"]


def lower_fence(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    """Every access is in order already."""


def _atomic(code: int) -> Callable[[Lowering, list[Fragment], MemoryArgument, int], None]:
    types = signature(code)
    assert types is not None
    params, results = types
    name = opcodes.NAME[code].replace(".", "_")

    def lower_atomic(low: Lowering, stack: list[Fragment], imm: MemoryArgument, at: int) -> None:
        low.flush_impure()
        operands = stack[-len(params) + 1 :] if len(params) > 1 else []
        if operands:
            del stack[-len(operands) :]
        where = address(low, stack.pop(), imm[0], imm[1])
        texts = [f"M{imm[1]}", where[0]]
        texts += [low.canonical(operand, valtype) for operand, valtype in zip(operands, params[1:], strict=True)]
        text = f"{name}({', '.join(texts)})"
        if results:
            low.push_statement(text, at, 0, low.mask(results[0]))
        else:
            low.emit(text, at)

    return lower_atomic


HANDLERS: Final[Handlers] = {
    **{row[0]: _atomic(row[0]) for row in opcodes.FAMILIES["atomic"] if row[0] != _FENCE},
    _FENCE: lower_fence,
}
