"""Floating-point instructions and conversions as expressions (spec: numeric instructions, floating-point operations).

A raw f64 is a Python float, a raw f32 one that f32 can represent. What Python's own operators compute exactly as the guest asks
is written with them, the rest are functions of the numeric table. Results of f32 arithmetic are rounded by a trip through a cell
of memory that holds an f32, which takes a statement.
"""

from __future__ import annotations

from math import isinf

from purewasm.engine.interpreter.fragments import (
    ATOM,
    MASK32,
    MASK64,
    MAX_TEXT,
    NAME,
    OR,
    PLAIN,
    PRODUCT,
    SUM,
    UNARY,
    Fragment,
    condition,
    inside,
)
from purewasm.engine.interpreter.normalise import signed, unsigned
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.conversions import CONVERSIONS
from purewasm.wasm.float_bits import CELL_IS_SAFE, f32_from_bytes, f64_from_bytes, f64_to_bits
from purewasm.wasm.floats import FLOATS
from purewasm.wasm.opcodes import CODE, signature
from purewasm.wasm.valtypes import I32, I64

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.interpreter.lowering import Lowering

    Handler = Callable[[Lowering, list[Fragment], None, int], None]

TRAPPING: Final = frozenset(name for name in CONVERSIONS if ".trunc_f" in name)


def literal(value: float) -> str:
    """Text of a float constant, by its bits: a NaN is a name that `binding` knows."""
    if value != value:
        return f"nan_{f64_to_bits(value):x}"
    if isinf(value):
        return "inf" if value > 0 else "-inf"
    return repr(value)


def _constant(decode: Callable[[bytes], float]) -> Callable[[Lowering, list[Fragment], bytes, int], None]:
    def lower_constant(low: Lowering, stack: list[Fragment], imm: bytes, at: int) -> None:
        value = decode(imm)
        text = literal(value)
        stack.append((text, UNARY if text[0] == "-" else ATOM, 0, 0, 0, 0, PLAIN, "", ""))

    return lower_constant


def _join(low: Lowering, stack: list[Fragment], text: str, prec: int, a: Fragment, b: Fragment) -> None:
    stack[-1] = (text, prec, 0, 0, a[4] | b[4], a[5] or b[5], PLAIN, "", "")
    if len(text) > MAX_TEXT:
        low.shorten()


def _operator(operator: str, prec: int) -> Handler:
    def lower_operator(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        b, a = stack.pop(), stack[-1]
        _join(low, stack, f"{inside(a, prec)} {operator} {inside(b, prec + 1)}", prec, a, b)

    return lower_operator


def _f64_div(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    b, a = stack.pop(), stack[-1]
    if b[1] == ATOM and b[0][0].isdigit() and float(b[0]) != 0.0:
        _join(low, stack, f"{inside(a, PRODUCT)} / {b[0]}", PRODUCT, a, b)
    else:  # Python raises where the guest wants an infinity or a NaN
        _join(low, stack, f"f64_div({a[0]}, {b[0]})", ATOM, a, b)


def _rounded(text: Callable[[Fragment, Fragment], str]) -> Handler:
    """A binary operation of f32: computed as f64, then rounded."""

    def lower_rounded(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        if stack[-1][5] or stack[-2][5]:
            low.flush_impure()
        b, a = stack.pop(), stack.pop()
        _round(low, stack, text(a, b), at)

    return lower_rounded


def _round(low: Lowering, stack: list[Fragment], text: str, at: int) -> None:
    """Round the number that `text` computes to f32, in two statements between which no other thread can run."""
    name = low.temp()
    if CELL_IS_SAFE:
        low.body.append((f"cell[0] = {text}", at))
        low.body.append((f"{name} = cell[0]", at))
    else:
        low.body.append((f"{name} = round_f32({text})", at))
    stack.append((name, NAME, 0, 0, 0, 0, PLAIN, "", ""))


def _demote(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    if stack[-1][5]:
        low.flush_impure()
    _round(low, stack, stack.pop()[0], at)


def _promote(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    a = stack[-1]
    stack[-1] = (f"{inside(a, PRODUCT)} * 1.0", PRODUCT, 0, 0, a[4], a[5], PLAIN, "", "")  # makes a signalling NaN quiet
    if len(stack[-1][0]) > MAX_TEXT:
        low.shorten()


def _compare(operator: str, negated: str) -> Handler:
    def lower_compare(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        b, a = stack.pop(), stack[-1]
        text = f"{inside(a, OR)} {operator} {inside(b, OR)}"
        no = f"{inside(a, OR)} {negated} {inside(b, OR)}" if negated else f"not {text}"  # with a NaN, `not <` is not `>=`
        stack[-1] = condition(text, no, a[4] | b[4], a[5] or b[5])
        if len(text) > MAX_TEXT >> 1:
            low.shorten()

    return lower_compare


def _neg(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    a = stack[-1]
    stack[-1] = (f"-{inside(a, UNARY)}", UNARY, 0, 0, a[4], a[5], PLAIN, "", "")
    if len(stack[-1][0]) > MAX_TEXT:
        low.shorten()


def _call(name: str, arguments: tuple[int, ...], result: int) -> Handler:
    """A function of the numeric table."""
    function = name.replace(".", "_")
    count = len(arguments)
    masks = tuple({I32: MASK32, I64: MASK64}.get(valtype, 0) for valtype in arguments)
    high = {I32: MASK32, I64: MASK64}.get(result, 0)
    traps = name in TRAPPING

    def lower_call(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        operands = stack[-count:]
        del stack[-count:]
        texts, reads, impure = [], 0, 0
        for operand, mask in zip(operands, masks, strict=True):
            texts.append(unsigned(operand, mask)[0] if mask else operand[0])
            reads |= operand[4]
            impure = impure or operand[5]
        if traps:
            impure = impure or at + 1
        low.push((f"{function}({', '.join(texts)})", ATOM, 0, high, reads, impure, PLAIN, "", ""))

    return lower_call


def _convert(mask: int, is_signed: bool) -> Handler:
    """An integer to f64: Python rounds to nearest, ties to even."""

    def lower_convert(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        a = stack.pop()
        text = signed(a, mask)[0] if is_signed else unsigned(a, mask)[0]
        low.push((f"float({text})", ATOM, 0, 0, a[4], a[5], PLAIN, "", ""))

    return lower_convert


def _sum32(operator: str, prec: int) -> Handler:
    return _rounded(lambda a, b: f"{inside(a, prec)} {operator} {inside(b, prec + 1)}")


_OWN: Final[dict[str, Handler]] = {
    "f64.add": _operator("+", SUM),
    "f64.sub": _operator("-", SUM),
    "f64.mul": _operator("*", PRODUCT),
    "f64.div": _f64_div,
    "f32.add": _sum32("+", SUM),
    "f32.sub": _sum32("-", SUM),
    "f32.mul": _sum32("*", PRODUCT),
    "f32.div": _rounded(lambda a, b: f"f64_div({a[0]}, {b[0]})"),
    "f32.demote_f64": _demote,
    "f64.promote_f32": _promote,
    "f64.convert_i32_s": _convert(MASK32, is_signed=True),
    "f64.convert_i32_u": _convert(MASK32, is_signed=False),
    "f64.convert_i64_s": _convert(MASK64, is_signed=True),
    "f64.convert_i64_u": _convert(MASK64, is_signed=False),
}
for _type in ("f32", "f64"):
    _OWN.update(
        {
            f"{_type}.neg": _neg,
            f"{_type}.eq": _compare("==", "!="),
            f"{_type}.ne": _compare("!=", "=="),
            f"{_type}.lt": _compare("<", ""),
            f"{_type}.gt": _compare(">", ""),
            f"{_type}.le": _compare("<=", ""),
            f"{_type}.ge": _compare(">=", ""),
        }
    )


def _handlers() -> dict[int, Handler]:
    made: dict[int, Handler] = {}
    for name in (*FLOATS, *CONVERSIONS):
        code = CODE[name]
        types = signature(code)
        if name in ("i32.wrap_i64", "i64.extend_i32_s", "i64.extend_i32_u") or types is None:
            continue
        made[code] = _OWN.get(name) or _call(name, types[0], types[1][0])
    return made


HANDLERS: Final = _handlers()
CONSTANTS: Final = {0x43: _constant(f32_from_bytes), 0x44: _constant(f64_from_bytes)}
