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
    name: str
    """A word for it that no other module has: what the names of its functions begin with."""
    names: dict[str, Definition] = field(default_factory=dict)
    built_against: bytes = b""
    """What goes into the custom section `hostmods` for it."""

    def symbol(self, name: str) -> str:
        """The identifier of a function or variable in the text format."""
        whole = f"{self.name}.{name}"
        if whole.isascii() and whole.replace(".", "").replace("_", "").isalnum():
            return f"${whole}"
        return f"${quoted(whole)}"

    def error(self, node: ast.AST | None, problem: str) -> CompileError:
        """An error at a place of this file."""
        return CompileError(self.path, node, problem)


Definition: TypeAlias = Type | Function | Constant | Variable | Marker | IntrinsicName | SourceModule


def quoted(content: str | bytes) -> str:
    """A string of the text format."""
    data = content.encode() if isinstance(content, str) else content
    return '"' + "".join(chr(byte) if 32 < byte < 127 and byte not in b'"\\' else f"\\{byte:02x}" for byte in data) + '"'
