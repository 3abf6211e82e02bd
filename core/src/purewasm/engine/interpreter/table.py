"""Tables and element segments (spec: table instructions).

`X0` is table 0 itself; its `elements` are a list, whose IndexError is the trap. What changes a table is a function of `tables`, since
the lists that `call_indirect` reads change with it.
"""

from __future__ import annotations

from purewasm.engine.interpreter.fragments import ATOM, MASK32, MASK64, PLAIN, Fragment
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.valtypes import I32, I64

if TYPE_CHECKING:
    from purewasm.engine.interpreter.lowering import Handlers, Lowering


def _index_type(low: Lowering, table: int) -> int:
    return I64 if low.module.table_types[table].is_64 else I32


def _operands(low: Lowering, stack: list[Fragment], *types: int) -> str:
    """Text of the topmost operands, which are popped; 0 stands for a reference."""
    low.flush_impure()
    operands = stack[-len(types) :]
    del stack[-len(types) :]
    return ", ".join([low.canonical(operand, valtype) for operand, valtype in zip(operands, types, strict=True)])


def lower_table_get(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    index = _operands(low, stack, _index_type(low, imm))
    low.push_statement(f"X{imm}.elements[{index}]", at)


def lower_table_set(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    low.emit(f"table_set(X{imm}, {_operands(low, stack, _index_type(low, imm), 0)})", at)


def lower_table_size(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    stack.append((f"len(X{imm}.elements)", ATOM, 0, MASK32, 0, at + 1, PLAIN, "", ""))


def lower_table_grow(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    valtype = _index_type(low, imm)
    mask = MASK64 if valtype == I64 else MASK32
    low.push_statement(f"table_grow(X{imm}, {_operands(low, stack, 0, valtype)}) & {mask}", at, 0, mask)
    low.poll(at)


def lower_table_fill(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    valtype = _index_type(low, imm)
    low.emit(f"table_fill(X{imm}, {_operands(low, stack, valtype, 0, valtype)})", at)
    low.poll(at)


def lower_table_copy(low: Lowering, stack: list[Fragment], imm: tuple[int, int], at: int) -> None:
    target, source = imm
    types = _index_type(low, target), _index_type(low, source)
    low.emit(f"table_copy(X{target}, X{source}, {_operands(low, stack, *types, I32 if I32 in types else I64)})", at)
    low.poll(at)


def lower_table_init(low: Lowering, stack: list[Fragment], imm: tuple[int, int], at: int) -> None:
    segment, table = imm
    low.emit(f"table_init(X{table}, S, {segment}, {_operands(low, stack, _index_type(low, table), I32, I32)})", at)
    low.poll(at)


def lower_elem_drop(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    low.flush_impure()
    low.emit(f"S[{imm}] = []", at)


HANDLERS: Final[Handlers] = {
    0x25: lower_table_get,
    0x26: lower_table_set,
    0xFC00C: lower_table_init,
    0xFC00D: lower_elem_drop,
    0xFC00E: lower_table_copy,
    0xFC00F: lower_table_grow,
    0xFC010: lower_table_size,
    0xFC011: lower_table_fill,
}
