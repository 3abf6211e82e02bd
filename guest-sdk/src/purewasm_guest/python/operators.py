"""Arithmetic and comparisons."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any, Final

from purewasm_guest.python.definitions import Value
from purewasm_guest.python.scope import Scope
from purewasm_guest.python.types import (
    BOOL,
    F32,
    F64,
    FRACTION,
    I64,
    WHOLE,
    Float,
    Integer,
    Sequence,
    Struct,
    Type,
    is_number,
    is_text,
)

_SIGNS: Final[dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]]] = {
    ast.Add: ("+", operator.add), ast.Sub: ("-", operator.sub), ast.Mult: ("*", operator.mul), ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv), ast.Mod: ("%", operator.mod), ast.Pow: ("**", operator.pow),
    ast.LShift: ("<<", operator.lshift), ast.RShift: (">>", operator.rshift),
    ast.BitAnd: ("&", operator.and_), ast.BitOr: ("|", operator.or_), ast.BitXor: ("^", operator.xor),
}  # fmt: skip
_DIRECT: Final = {"+": "add", "-": "sub", "*": "mul", "&": "and", "|": "or", "^": "xor"}
_COMPARE: Final[dict[type[ast.cmpop], str]] = {ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge"}
_LITERAL_BITS: Final = 4096
"""No literal grows beyond this: 2 ** 2 ** 64 is refused, not computed."""


def binary(scope: Scope, sign: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
    """`left sign right`."""
    if type(sign) not in _SIGNS:
        raise scope.error(node, "there are no matrices in guests")
    name, compute = _SIGNS[type(sign)]
    if left.type in (WHOLE, FRACTION) and right.type in (WHOLE, FRACTION):
        return literal(_fold(scope, name, compute, left.constant, right.constant, node))
    if not is_number(left.type) or not is_number(right.type):
        return _of_others(scope, name, left, right, node)
    if name in ("<<", ">>") and left.type == WHOLE:
        left = scope.fit(left, right.type, node)
    if name in ("<<", ">>") and isinstance(left.type, Integer):
        return _shift(scope, name, compute, left.type, left, scope.settle(right, node), node)
    left, right = unify(scope, left, right, node)
    kind = left.type
    if isinstance(kind, Integer):
        if left.constant is not None and right.constant is not None and name != "/":
            number = kind.wrap(int(_fold(scope, name, compute, left.constant, right.constant, node)))
            return Value(kind, [f"{kind.wasm}.const {number}"], number)
        return _of_integers(scope, name, kind, left, right)
    return _of_floats(scope, name, kind, left, right, node)


def literal(number: float) -> Value:
    """A number of the source."""
    return Value(WHOLE if isinstance(number, int) else FRACTION, [], number)


def unify(scope: Scope, left: Value, right: Value, node: ast.AST) -> tuple[Value, Value]:
    """Two values of one type: a literal takes the other's."""
    if left.type in (WHOLE, FRACTION) and right.type in (WHOLE, FRACTION):
        kind: Type = I64 if left.type == right.type == WHOLE else F64
        return scope.fit(left, kind, node), scope.fit(right, kind, node)
    if left.type in (WHOLE, FRACTION):
        return scope.fit(left, right.type, node), right
    if right.type in (WHOLE, FRACTION):
        return left, scope.fit(right, left.type, node)
    if left.type != right.type:
        raise scope.error(node, f"{left.type} and {right.type} do not go together: convert one of them")
    return left, right


def _fold(scope: Scope, name: str, compute: Callable[[Any, Any], Any], left: Any, right: Any, node: ast.AST) -> Any:
    is_growing = (name == "<<" and left != 0) or (name == "**" and abs(left) > 1)
    if is_growing and isinstance(right, int) and (right > _LITERAL_BITS or abs(left) >= 1 << _LITERAL_BITS // max(right, 1)):
        raise scope.error(node, "the number is too large")
    try:
        found = compute(left, right)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise scope.error(node, f"the constant has no value: {error}") from None
    if isinstance(found, complex) or (isinstance(found, int) and found.bit_length() > _LITERAL_BITS):
        raise scope.error(node, "the number is too large")
    return found


def _shift(
    scope: Scope, name: str, compute: Callable[[Any, Any], Any], kind: Integer, left: Value, count: Value, node: ast.AST
) -> Value:
    """Shifts, by a number of any width: of all bits out of the number it leaves 0 or the sign, by less than 0 it traps."""
    if not isinstance(count.type, Integer):
        raise scope.error(node, f"a shift is by a whole number, not {count.type}")
    if isinstance(count.constant, int) and 0 <= count.constant < kind.bits:
        if isinstance(left.constant, int):
            number = kind.wrap(int(_fold(scope, name, compute, left.constant, count.constant, node)))
            return Value(kind, [f"{kind.wasm}.const {number}"], number)
        by = f"{kind.wasm}.const {count.constant}"
        return Value(kind, [*left.code, by, f"{kind.wasm}.{'shl' if name == '<<' else 'shr' + kind.sign}"])
    call = scope.program.runtime("shift_left" if name == "<<" else f"shift_right{kind.sign}")
    if kind.wasm == "i64":
        return Value(kind, [*left.code, *scope.as_i64(count), call])
    return Value(kind, [*left.code, f"i64.extend_i32{kind.sign}", *scope.as_i64(count), call, "i32.wrap_i64"])


def _of_integers(scope: Scope, name: str, kind: Integer, left: Value, right: Value) -> Value:
    both = [*left.code, *right.code]
    if name in _DIRECT:
        return Value(kind, [*both, f"{kind.wasm}.{_DIRECT[name]}"])
    if name == "/":
        return _divide(scope, F64, convert(scope, left, F64), convert(scope, right, F64))
    if name in ("//", "%") and not kind.is_signed:
        return Value(kind, [*both, f"{kind.wasm}.{'div' if name == '//' else 'rem'}_u"])
    called = {"//": "floor_division", "%": "modulo", "**": "power"}[name]
    if kind.bits == 32:
        wide = [*left.code, f"i64.extend_i32{kind.sign}", *right.code, f"i64.extend_i32{kind.sign}"]
        return Value(kind, [*wide, scope.program.runtime(called), "i32.wrap_i64"])
    return Value(kind, [*both, scope.program.runtime(called)])


def _of_floats(scope: Scope, name: str, kind: Type, left: Value, right: Value, node: ast.AST) -> Value:
    if name in ("+", "-", "*"):
        return Value(kind, [*left.code, *right.code, f"{kind.wasm}.{_DIRECT[name]}"])
    if name == "/":
        return _divide(scope, kind, left.code, right.code)
    if name in ("//", "%"):
        call = scope.program.runtime("float_floor_division" if name == "//" else "float_modulo")
        if kind == F32:
            return Value(F32, [*left.code, "f64.promote_f32", *right.code, "f64.promote_f32", call, "f32.demote_f64"])
        return Value(F64, [*left.code, *right.code, call])
    raise scope.error(node, f"guests have no {name} for floats")


def _divide(scope: Scope, kind: Type, left: list[str], right: list[str]) -> Value:
    divisor = scope.temporary(kind.wasm)
    test = [f"local.tee {divisor}", f"{kind.wasm}.const 0", f"{kind.wasm}.eq", "if", "unreachable", "end"]
    return Value(kind, [*left, *right, *test, f"local.get {divisor}", f"{kind.wasm}.div"])


def _of_others(scope: Scope, name: str, left: Value, right: Value, node: ast.AST) -> Value:
    if left.type == right.type == BOOL and name in "&|^":
        return Value(BOOL, [*left.code, *right.code, f"i32.{_DIRECT[name]}"])
    if BOOL in (left.type, right.type):
        raise scope.error(node, f"a bool is no number: write int(…) {name} …")
    if left.type == right.type and name == "+":
        if is_text(left.type):
            return Value(left.type, [*left.code, *right.code, scope.program.runtime("text_concat")])
        if isinstance(left.type, Sequence) and not left.type.is_fixed:
            size = f"i32.const {left.type.item.size}"
            return Value(left.type, [*left.code, *right.code, size, scope.program.runtime("list_concat")])
    count = scope.settle(right, node)
    if name == "*" and isinstance(count.type, Integer):
        if is_text(left.type):
            return Value(left.type, [*left.code, *scope.as_i64(count), scope.program.runtime("text_repeat")])
        if isinstance(left.type, Sequence) and not left.type.is_fixed:
            size = f"i32.const {left.type.item.size}"
            return Value(left.type, [*left.code, *scope.as_i64(count), size, scope.program.runtime("list_repeat")])
    raise scope.error(node, f"guests have no {left.type} {name} {right.type}")


def unary(scope: Scope, node: ast.UnaryOp) -> Value:
    """`-x`, `+x`, `~x` and `not x`."""
    if isinstance(node.op, ast.Not):
        return Value(BOOL, [*scope.truth(node.operand), "i32.eqz"])
    value = scope.value(node.operand)
    kind, number = value.type, value.constant
    if kind in (WHOLE, FRACTION) and isinstance(number, int | float):
        if isinstance(node.op, ast.Invert):
            if isinstance(number, int):
                return literal(~number)
            raise scope.error(node, "~ is for whole numbers")
        return literal(-number if isinstance(node.op, ast.USub) else number)
    if not isinstance(kind, Integer | Float) or (isinstance(node.op, ast.Invert) and isinstance(kind, Float)):
        raise scope.error(node, f"guests have no such operator for {kind}")
    if isinstance(node.op, ast.UAdd):
        return value
    if isinstance(node.op, ast.Invert):
        return Value(kind, [*value.code, f"{kind.wasm}.const -1", f"{kind.wasm}.xor"])
    if isinstance(kind, Float):
        return Value(kind, [*value.code, f"{kind.wasm}.neg"])
    return Value(kind, [f"{kind.wasm}.const 0", *value.code, f"{kind.wasm}.sub"])


def compare(scope: Scope, node: ast.Compare) -> Value:
    """`a < b`, and chains of it, where each part is evaluated once and only as far as needed."""
    left = scope.value(node.left)
    if len(node.ops) == 1:
        return _compare_one(scope, node.ops[0], left, scope.value(node.comparators[0], left.type), node)
    done, code = scope.label("compared"), [] if left.type in (WHOLE, FRACTION) else [*left.code]
    left = _kept(scope, left, code)
    code = [f"block {done} (result i32)", *code]
    for index, (sign, part) in enumerate(zip(node.ops, node.comparators, strict=True)):
        right = scope.value(part, left.type)
        if right.type not in (WHOLE, FRACTION):
            code += right.code
            right = _kept(scope, right, code)
        code += _compare_one(scope, sign, left, right, node).code
        if index < len(node.ops) - 1:
            code += ["if", "else", "i32.const 0", f"br {done}", "end"]
        left = right
    return Value(BOOL, [*code, "end"])


def _kept(scope: Scope, value: Value, code: list[str]) -> Value:
    """A value that is on the stack, moved to a local; literals stay what they are."""
    if value.type in (WHOLE, FRACTION):
        return value
    local = scope.temporary(value.type.wasm)
    code.append(f"local.set {local}")
    return Value(value.type, [f"local.get {local}"])


def _compare_one(scope: Scope, sign: ast.cmpop, left: Value, right: Value, node: ast.AST) -> Value:
    if isinstance(sign, ast.In | ast.NotIn):
        found = contains(scope, left, right, node)
        return Value(BOOL, [*found, "i32.eqz"] if isinstance(sign, ast.NotIn) else found)
    if type(sign) not in _COMPARE:
        raise scope.error(node, "guests have no `is`: compare with ==")
    name = _COMPARE[type(sign)]
    left, right = unify(scope, left, right, node)
    kind, both = left.type, [*left.code, *right.code]
    if isinstance(kind, Integer):
        return Value(BOOL, [*both, f"{kind.wasm}.{name}{'' if name in ('eq', 'ne') else kind.sign}"])
    if isinstance(kind, Float):
        return Value(BOOL, [*both, f"{kind.wasm}.{name}"])
    if is_text(kind) and name not in ("eq", "ne"):
        return Value(BOOL, [*both, scope.program.runtime("text_compare"), "i32.const 0", f"i32.{name}_s"])
    if name not in ("eq", "ne"):
        raise scope.error(node, f"values of {kind} have no order")
    return Value(BOOL, [*equal(scope, kind, both, node), *(["i32.eqz"] if name == "ne" else [])])


def equal(scope: Scope, kind: Type, both: list[str], node: ast.AST) -> list[str]:
    """Whether the two values of a type that are on the stack are equal."""
    if isinstance(kind, Integer | Float) or kind == BOOL:
        return [*both, f"{kind.wasm}.eq"]
    if is_text(kind):
        return [*both, scope.program.runtime("text_equal")]
    if isinstance(kind, Struct):
        raise scope.error(node, f"guests do not compare a whole {kind}: compare its fields")
    if isinstance(kind, Sequence):
        return [*both, scope.program.runtime(f"list_equal_{_flavour(scope, kind.item, node)}")]
    raise scope.error(node, f"values of {kind} are not compared")


def _flavour(scope: Scope, item: Type, node: ast.AST) -> str:
    """Which of the prelude's functions goes through items of a type."""
    if is_text(item):
        return "text"
    if isinstance(item, Float):
        return item.name
    if isinstance(item, Integer) or item == BOOL:
        return {1: "u8", 4: "u32", 8: "u64"}[item.size]
    raise scope.error(node, f"guests do not compare lists of {item}: compare the items")


def contains(scope: Scope, item: Value, within: Value, node: ast.AST) -> list[str]:
    """`item in within`."""
    kind = within.type
    if isinstance(kind, Sequence):
        wanted = scope.fit(item, kind.item, node)
        return [*wanted.code, *within.code, scope.program.runtime(f"list_contains_{_flavour(scope, kind.item, node)}")]
    if is_text(kind) and item.type == kind:
        find = scope.program.runtime("text_contains")
        return [*item.code, *within.code, find]
    raise scope.error(node, f"guests have no `{scope.settle(item, node).type} in {kind}`")


def convert(scope: Scope, value: Value, kind: Type) -> list[str]:
    """The instructions for a number or bool as a number of another type: whole numbers wrap, floats that do not fit trap."""
    source = value.type
    code, start = value.code, source.wasm
    sign = source.sign if isinstance(source, Integer) else "_u"
    if start == kind.wasm:
        return code
    if isinstance(kind, Float):
        if isinstance(source, Float):
            return [*code, "f64.promote_f32" if kind == F64 else "f32.demote_f64"]
        return [*code, f"{kind.wasm}.convert_{start}{sign}"]
    if isinstance(source, Float) and isinstance(kind, Integer):
        return [*code, f"{kind.wasm}.trunc_{start}{kind.sign}"]
    return [*code, f"i64.extend_i32{sign}" if kind.wasm == "i64" else "i32.wrap_i64"]
