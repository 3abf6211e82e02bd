"""Expressions: each becomes a type and the instructions that leave its value on the stack."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final

from purewasm_guest.python.calls import call
from purewasm_guest.python.definitions import Constant, SourceModule, Value, Variable
from purewasm_guest.python.operators import binary, compare, literal, unary, unify
from purewasm_guest.python.scope import Scope
from purewasm_guest.python.sequences import sequence_literal, subscript, to_text
from purewasm_guest.python.types import BOOL, BYTES, FRACTION, NONE, STR, WHOLE, Struct, Type


class ExpressionScope(Scope):
    """A scope that knows every kind of expression."""

    def value(self, node: ast.expr, hint: Type | None = None) -> Value:
        if isinstance(node, ast.List | ast.Tuple):
            return sequence_literal(self, node, hint)
        if isinstance(node, ast.IfExp):
            return _conditional(self, node, hint)
        compiler = _COMPILERS.get(type(node))
        if compiler is None:
            raise self.error(node, f"guests have no {_WORDS.get(type(node), type(node).__name__)}")
        try:
            return compiler(self, node)
        except RecursionError:
            raise self.error(node, "the expression is nested too deeply: give parts of it names") from None


_WORDS: Final[dict[type[ast.AST], str]] = {
    ast.Dict: "dict: use two lists, or a host module", ast.Set: "set: use a list", ast.Lambda: "lambda: write a function",
    ast.ListComp: "comprehensions: write a loop", ast.GeneratorExp: "generators: write a loop", ast.NamedExpr: ":=: assign before",
    ast.Await: "await", ast.Yield: "yield: return a list", ast.DictComp: "dict", ast.SetComp: "set",
}  # fmt: skip


def _constant(scope: Scope, node: ast.Constant) -> Value:
    value = node.value
    if isinstance(value, bool):
        return Value(BOOL, [f"i32.const {int(value)}"], value)
    if isinstance(value, int | float):
        return literal(value)
    if isinstance(value, str):
        return text(scope, value, node)
    if isinstance(value, bytes):
        return Value(BYTES, [f"i32.const {scope.program.text(value, len(value))}"], value)
    if value is None:
        raise scope.error(node, "guests have no None as a value: use a bool, or an empty str, bytes or list")
    raise scope.error(node, f"guests have no {value!r}")


def text(scope: Scope, value: str, node: ast.AST) -> Value:
    """A str of the source."""
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        raise scope.error(node, "the text has surrogates, which UTF-8 does not have") from None
    return Value(STR, [f"i32.const {scope.program.text(encoded, len(value))}"], value)


def _name(scope: Scope, node: ast.Name) -> Value:
    if node.id in scope.names:
        number, kind = scope.names[node.id]
        if scope.assigned is not None and node.id not in scope.assigned:
            raise scope.error(node, f"{node.id} may have no value here: give it one on every way to this line")
        return Value(kind, [f"local.get {number}"])
    if node.id in scope.own:
        raise scope.error(node, f"{node.id} is a local, which has no value yet: `global {node.id}` makes it the module's")
    return _of_module(scope, scope.module.names.get(node.id), node.id, node)


def _of_module(scope: Scope, found: object, name: str, node: ast.AST) -> Value:
    if isinstance(found, Constant):
        return scope.program.constant(found)
    if isinstance(found, Variable):
        return Value(found.type, [f"global.get {found.symbol}"])
    if found is None:
        raise scope.error(node, f"there is no {name} here: assign it before, or at the module's top")
    raise scope.error(node, f"{name} is no value: guests only call functions and classes")


def _attribute(scope: Scope, node: ast.Attribute) -> Value:
    owner = node.value
    if isinstance(owner, ast.Name) and owner.id not in scope.names:
        module = scope.module.names.get(owner.id)
        if isinstance(module, SourceModule):
            return _of_module(scope, module.names.get(node.attr), f"{owner.id}.{node.attr}", node)
    base = scope.concrete(owner)
    part = base.type.fields.get(node.attr) if isinstance(base.type, Struct) else None
    if part is None:
        raise scope.error(node, f"{base.type} has no field {node.attr}")
    return Value(part.type, [*base.code, f"{part.type.load} offset={part.offset}"])


def _logic(scope: Scope, node: ast.BoolOp) -> Value:
    value = scope.concrete(node.values[0])
    for part in node.values[1:]:
        assigned = scope.assigned
        other = scope.fit(scope.value(part, value.type), value.type, part)
        scope.assigned = assigned
        value = _logic_of_two(scope, isinstance(node.op, ast.And), value, other, node)
    return value


def _logic_of_two(scope: Scope, is_and: bool, left: Value, right: Value, node: ast.AST) -> Value:
    kind = left.type
    if kind == BOOL:
        if is_and:
            return Value(BOOL, [*left.code, "if (result i32)", *right.code, "else", "i32.const 0", "end"])
        return Value(BOOL, [*left.code, "if (result i32)", "i32.const 1", "else", *right.code, "end"])
    kept = scope.temporary(kind.wasm)
    test = scope.truth_of(Value(kind, [f"local.get {kept}"]), node)
    yes, no = (right.code, [f"local.get {kept}"]) if is_and else ([f"local.get {kept}"], right.code)
    return Value(kind, [*left.code, f"local.set {kept}", *test, f"if (result {kind.wasm})", *yes, "else", *no, "end"])


def _conditional(scope: Scope, node: ast.IfExp, hint: Type | None) -> Value:
    test = scope.truth(node.test)
    yes, no = scope.value(node.body, hint), scope.value(node.orelse, hint)
    if yes.type in (WHOLE, FRACTION) and no.type in (WHOLE, FRACTION) and hint is not None and hint not in (WHOLE, FRACTION, NONE):
        yes, no = scope.fit(yes, hint, node.body), scope.fit(no, hint, node.orelse)
    yes, no = unify(scope, yes, no, node)
    if yes.type == NONE:
        raise scope.error(node, "the call has no value")
    return Value(yes.type, [*test, f"if (result {yes.type.wasm})", *yes.code, "else", *no.code, "end"])


def _binary(scope: Scope, node: ast.BinOp) -> Value:
    return binary(scope, node.op, scope.value(node.left), scope.value(node.right), node)


def _format(scope: Scope, node: ast.JoinedStr) -> Value:
    parts: list[Value] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(text(scope, str(part.value), part))
        elif isinstance(part, ast.FormattedValue) and part.conversion == -1 and part.format_spec is None:
            parts.append(to_text(scope, scope.concrete(part.value), part))
        else:
            raise scope.error(node, "guests have no formats in f-strings: {value} alone")
    if not parts:
        return text(scope, "", node)
    joined = parts[0]
    for value in parts[1:]:
        joined = Value(STR, [*joined.code, *value.code, scope.program.runtime("text_concat")])
    return joined


_COMPILERS: Final[dict[type[ast.expr], Callable[..., Value]]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.BoolOp: _logic,
    ast.BinOp: _binary,
    ast.UnaryOp: unary,
    ast.Compare: compare,
    ast.Call: call,
    ast.Subscript: subscript,
    ast.JoinedStr: _format,
}
