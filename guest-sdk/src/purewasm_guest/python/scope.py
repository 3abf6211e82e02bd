"""What the parts of the compiler share while one function is compiled: its locals, and how values are made to fit."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from typing import Protocol

from purewasm_guest.python.definitions import Constant, Function, SourceModule, Value
from purewasm_guest.python.errors import CompileError
from purewasm_guest.python.fixed_width import f32
from purewasm_guest.python.types import BOOL, F32, F64, FRACTION, I64, WHOLE, Float, Integer, Sequence, Type, is_text


class Program(Protocol):
    """The guest as a whole, as a function's compilation needs it."""

    def use(self, function: Function) -> str:
        """The symbol of a function, which gets compiled."""

    def runtime(self, name: str) -> str:
        """The instruction that calls a function of `prelude.py`."""

    def text(self, content: bytes, characters: int) -> int:
        """The address of a constant str or bytes."""

    def fixed(self, kind: Sequence, items: tuple[object, ...]) -> int:
        """The address of a constant tuple."""

    def reserve(self, size: int) -> int:
        """The address of zeroed bytes."""

    def constant(self, constant: Constant) -> Value:
        """The value of a module's constant."""

    def default(self, module: SourceModule, node: ast.expr, kind: Type) -> Value:
        """The value of a parameter's default."""


class Scope(ABC):
    """The function that is being compiled."""

    def __init__(self, program: Program, module: SourceModule, result: Type | None) -> None:
        self.program, self.module, self.result = program, module, result
        self.names: dict[str, tuple[int, Type]] = {}
        """Locals that the source names: number and type."""
        self.own: set[str] = set()
        """The names that the function assigns to somewhere, and which therefore are locals in all of it."""
        self.locals: list[str] = []
        """WebAssembly's types of all locals, parameters first."""
        self.assigned: set[str] | None = set()
        """The names that have a value wherever this point is reached; None where it is not."""
        self._labels = 0

    @abstractmethod
    def value(self, node: ast.expr, hint: Type | None = None) -> Value:
        """An expression's value; `hint` is the type that its place would like."""

    def error(self, node: ast.AST | None, problem: str) -> CompileError:
        """An error at a place of the function."""
        return self.module.error(node, problem)

    def temporary(self, kind: str) -> int:
        """A local of its own."""
        self.locals.append(kind)
        return len(self.locals) - 1

    def label(self, word: str) -> str:
        """A name for a block."""
        self._labels += 1
        return f"${word}{self._labels}"

    def typed(self, node: ast.expr, kind: Type) -> Value:
        """An expression's value as one of a type."""
        return self.fit(self.value(node, kind), kind, node)

    def concrete(self, node: ast.expr) -> Value:
        """An expression's value; literals are int and float."""
        return self.settle(self.value(node), node)

    def settle(self, value: Value, node: ast.AST) -> Value:
        """A literal without a type becomes an int or float."""
        if value.type == WHOLE:
            return self.fit(value, I64, node)
        return self.fit(value, F64, node) if value.type == FRACTION else value

    def fit(self, value: Value, kind: Type, node: ast.AST) -> Value:
        """`value` as one of `kind`: literals adapt, everything else has to be of it."""
        if value.type == kind:
            return value
        constant = value.constant
        if value.type == WHOLE and isinstance(kind, Integer) and isinstance(constant, int):
            if not kind.lowest <= constant <= kind.highest:
                raise self.error(node, f"{constant} does not fit {kind}: it holds {kind.lowest} to {kind.highest}")
            return Value(kind, [f"{kind.wasm}.const {constant}"], constant)
        if value.type in (WHOLE, FRACTION) and isinstance(kind, Float) and isinstance(constant, int | float):
            number = self._as_float(constant, kind, node)
            return Value(kind, [f"{kind.wasm}.const {float_text(number)}"], number)
        if value.type in (WHOLE, FRACTION):
            raise self.error(node, f"{constant} is a number where {kind} is needed")
        advice = f": convert it, {kind}(…)" if isinstance(kind, Integer | Float) and isinstance(value.type, Integer | Float) else ""
        raise self.error(node, f"this is {value.type} where {kind} is needed{advice}")

    def _as_float(self, constant: float, kind: Float, node: ast.AST) -> float:
        try:
            return float(f32(constant)) if kind == F32 else float(constant)
        except OverflowError:
            raise self.error(node, "the number is too large for a float") from None

    def truth(self, node: ast.expr) -> list[str]:
        """The instructions for whether an expression counts as true: 0 or 1."""
        return self.truth_of(self.concrete(node), node)

    def truth_of(self, value: Value, node: ast.AST) -> list[str]:
        """The same of a value."""
        kind = value.type
        if kind == BOOL:
            return value.code
        if isinstance(kind, Integer | Float):
            return [*value.code, f"{kind.wasm}.const 0", f"{kind.wasm}.ne"]
        if is_text(kind) or isinstance(kind, Sequence):
            return [*value.code, "i32.load", "i32.const 0", "i32.ne"]
        raise self.error(node, f"{kind} is neither true nor false: compare it")

    def as_index(self, node: ast.expr) -> list[str]:
        """A whole number of any width, as an i64."""
        value = self.concrete(node)
        if not isinstance(value.type, Integer):
            raise self.error(node, f"an index or count is a whole number, not {value.type}")
        return self.as_i64(value)

    def as_i64(self, value: Value) -> list[str]:
        """A whole number as an i64; a u64 beyond that traps."""
        if not isinstance(value.type, Integer) or value.type == I64:
            return value.code
        if value.type.wasm == "i64":
            return [*value.code, self.program.runtime("within_i64")]
        return [*value.code, f"i64.extend_i32{value.type.sign}"]


def float_text(number: float) -> str:
    """A float as the text format has it."""
    if number != number:
        return "nan"
    return number.hex() if abs(number) != float("inf") else f"{'-' if number < 0 else ''}inf"
