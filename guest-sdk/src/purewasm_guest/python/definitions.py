"""What the names of a guest's modules stand for."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias

from purewasm_guest.python.errors import CompileError
from purewasm_guest.python.types import Type


class Value(NamedTuple):
    """A compiled expression: its type, the instructions that leave it on the stack, and what it is where that is known."""

    type: Type
    code: list[str]
    constant: object = None


class Parameter(NamedTuple):
    """A parameter of a function or a field of a dataclass."""

    name: str
    type: Type
    default: ast.expr | None


@dataclass(eq=False)
class Function:
    """A function, method or import."""

    symbol: str
    module: SourceModule
    node: ast.FunctionDef
    parameters: list[Parameter]
    result: Type
    imported: tuple[str, str] | None = None
    exported: str | None = None


@dataclass(eq=False)
class Constant:
    """A name of a module that is given a value once."""

    module: SourceModule
    node: ast.expr
    declared: Type | None
    value: Value | None = None
    is_being_evaluated: bool = False


@dataclass(eq=False)
class Variable:
    """A number or bool of a module that functions change, with `global`."""

    symbol: str
    type: Type
    initial: str


class Marker(NamedTuple):
    """A name with a meaning of its own: a decorator, `Final`, `reserve`."""

    name: str


class IntrinsicName(NamedTuple):
    """A function of `purewasm_guest.python.memory`."""

    name: str


@dataclass(eq=False)
class SourceModule:
    """A source file of the guest."""

    path: Path
    names: dict[str, Definition] = field(default_factory=dict)
    built_against: bytes = b""
    """What goes into the custom section `hostmods` for it."""

    def error(self, node: ast.AST | None, problem: str) -> CompileError:
        """An error at a place of this file."""
        return CompileError(self.path, node, problem)


Definition: TypeAlias = Type | Function | Constant | Variable | Marker | IntrinsicName | SourceModule
