"""Integer instructions as expressions (spec: numeric instructions, integer operations).

Each handler is made once for each width. Results may be dirty (see `fragments`): only comparison, division, shift to the right
and counting ask for canonical operands; the low bits that `and`, `or`, `xor`, `add`, `sub`, `mul` and `shl` compute are right
whatever lies above them.
"""

from __future__ import annotations

from purewasm.engine.interpreter.fragments import (
    AND,
    ATOM,
    CONDITION,
    CONST,
    MASK32,
    MASK64,
    MAX_TEXT,
    NAME,
    OFFSET,
    OR,
    PLAIN,
    PRODUCT,
    SHIFT,
    SUM,
    SUMMED,
    TERNARY,
    TWIN,
    UNARY,
    XOR,
    Fragment,
    condition,
    constant,
    grouped,
    inside,
)
from purewasm.engine.interpreter.normalise import DIRTY_MAX, bounded, signed, signed_constant, truth, unsigned
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.interpreter.lowering import Lowering

    Handler = Callable[[Lowering, list[Fragment], None, int], None]

_MAX_SHARED_TEXT: Final = 60
"""Longer operands are not tested in two comparisons."""


def _join(
    low: Lowering, stack: list[Fragment], text: str, prec: int, lo: int, hi: int, a: Fragment, b: Fragment, form: int = PLAIN
) -> None:
    """Push the combination of two operands; `a` is still on the stack."""
    stack[-1] = (text, prec, lo, hi, a[4] | b[4], a[5] or b[5], form, "", "")
    if len(text) > MAX_TEXT:
        low.shorten()


def _replace(low: Lowering, stack: list[Fragment], made: Fragment) -> None:
    """The result of an operation in the place of its only operand."""
    stack[-1] = made
    if len(made[0]) > MAX_TEXT:
        low.shorten()


def _add(mask: int) -> Handler:
    limit = DIRTY_MAX[mask]

    def lower_add(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        b = stack.pop()
        a = stack[-1]
        if a[6] == CONST:
            a, b = b, a
        lo, hi = a[2], a[3]
        if hi >= limit or lo <= -limit:
            a = bounded(a, mask)
            lo, hi = a[2], a[3]
        left = a[0] if a[1] >= SUM else f"({a[0]})"
        if b[6] == CONST:
            value = b[2]
            if value > mask >> 1:
                value -= mask + 1
                stack[-1] = (f"{left} - {-value}", SUM, lo + value, hi + value, a[4], a[5], SUMMED, "", "")
            elif a[1] == NAME and lo == 0 and hi <= mask:
                stack[-1] = (f"{left} + {value}", SUM, value, hi + value, a[4], a[5], OFFSET, a[0], "")
            else:
                stack[-1] = (f"{left} + {value}", SUM, lo + value, hi + value, a[4], a[5], SUMMED, "", "")
            return
        if b[3] >= limit or b[2] <= -limit:
            b = bounded(b, mask)
        right = b[0] if b[1] > SUM else f"({b[0]})"
        text = f"{left} + {right}"
        stack[-1] = (text, SUM, lo + b[2], hi + b[3], a[4] | b[4], a[5] or b[5], SUMMED, "", "")
        if len(text) > MAX_TEXT:
            low.shorten()

    return lower_add


def _sub(mask: int) -> Handler:
    def lower_sub(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        b = bounded(stack.pop(), mask)
        a = bounded(stack[-1], mask)
        if b[6] == CONST:
            value = signed_constant(b, mask)
            sign, value = ("-", value) if value >= 0 else ("+", -value)
            shift = -value if sign == "-" else value
            _join(low, stack, f"{inside(a, SUM)} {sign} {value}", SUM, a[2] + shift, a[3] + shift, a, b, SUMMED)
        elif a[6] == CONST and a[2] == 0:
            _join(low, stack, f"-{inside(b, UNARY)}", UNARY, -b[3], -b[2], a, b)
        else:
            _join(low, stack, f"{inside(a, SUM)} - {inside(b, PRODUCT)}", SUM, a[2] - b[3], a[3] - b[2], a, b, SUMMED)

    return lower_sub


def _factor(fragment: Fragment, mask: int) -> Fragment:
    """An operand of a product: at most a little longer than canonical, a constant as near to zero as it can be."""
    if fragment[6] == CONST and fragment[2] > mask >> 1:
        value = fragment[2] - mask - 1
        return (str(value), UNARY, value, value, 0, 0, PLAIN, "", "")
    if fragment[2] >= -mask - 1 and fragment[3] <= mask << 1:
        return fragment
    text, prec = unsigned(fragment, mask)
    return (text, prec, 0, mask, fragment[4], fragment[5], PLAIN, "", "")


def _mul(mask: int) -> Handler:
    def lower_mul(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        b = _factor(stack.pop(), mask)
        a = _factor(stack[-1], mask)
        products = (a[2] * b[2], a[2] * b[3], a[3] * b[2], a[3] * b[3])
        _join(low, stack, f"{inside(a, PRODUCT)} * {inside(b, UNARY)}", PRODUCT, min(products), max(products), a, b)

    return lower_mul


def _divide_unsigned(mask: int, operator: str, name: str) -> Handler:
    def lower_divide_unsigned(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        b, a = stack.pop(), stack[-1]
        left, right = grouped(*unsigned(a, mask), PRODUCT), grouped(*unsigned(b, mask), UNARY)
        high = mask if operator == "//" or b[6] != CONST else b[2]
        impure = a[5] or b[5]
        if b[6] != CONST or not b[2]:
            impure = impure or at + 1  # ZeroDivisionError is the trap
        _replace(low, stack, (f"{left} {operator} {right}", PRODUCT, 0, high, a[4] | b[4], impure, PLAIN, "", ""))

    return lower_divide_unsigned


def _call(name: str, mask: int, count: int, result: int, traps: bool) -> Handler:
    """An operation that is a function of the numeric table: canonical operands in, a canonical result out."""

    def lower_call(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        operands = stack[-count:]
        del stack[-count:]
        texts, reads, impure = [], 0, 0
        for operand in operands:
            texts.append(unsigned(operand, mask)[0])
            reads |= operand[4]
            impure = impure or operand[5]
        if traps:
            impure = impure or at + 1
        low.push((f"{name}({', '.join(texts)})", ATOM, 0, result, reads, impure, PLAIN, "", ""))

    return lower_call


def _divide_signed(name: str, mask: int) -> Handler:
    """Division truncates and may trap in two ways. By a constant other than 0 and -1 it does not trap and needs no function."""
    remainder = name.endswith("rem_s")
    fallback = _call(name, mask, 2, mask, traps=True)
    half = (mask + 1) >> 1

    def lower_divide_signed(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        divisor = stack[-1]
        value = signed_constant(divisor, mask) if divisor[6] == CONST else 0
        if value <= 0 or len(stack[-2][0]) > _MAX_SHARED_TEXT:
            fallback(low, stack, imm, at)
            return
        stack.pop()
        a = stack[-1]
        text = signed(a, mask)[0]
        if remainder:
            made = f"t % {value} if (t := {text}) >= 0 else -(-t % {value})"
            lo, hi = -value + 1, value - 1
        else:
            made = f"t // {value} if (t := {text}) >= 0 else -(-t // {value})"
            lo, hi = -half // value, (half - 1) // value
        _replace(low, stack, (made, TERNARY, lo, hi, a[4], a[5], PLAIN, "", ""))

    return lower_divide_signed


def _and(mask: int) -> Handler:
    def lower_and(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        b, a = stack.pop(), stack[-1]
        if a[6] == CONST:
            a, b = b, a
        left = a[0] if a[1] >= AND else f"({a[0]})"
        if b[6] == CONST:
            value = b[2]
            if a[2] >= 0:
                lo, hi = 0, min(value, a[3])
                if a[3] <= mask and value > mask >> 1:  # a short negative number does for a long positive one
                    value -= mask + 1
                    hi = a[3]
            else:
                lo, hi = 0, value
            right = str(value) if value >= 0 else f"{value}"
        else:
            right = b[0] if b[1] > AND else f"({b[0]})"
            lo, hi = _and_range(a, b)
        text = f"{left} & {right}"
        stack[-1] = (text, AND, lo, hi, a[4] | b[4], a[5] or b[5], PLAIN, "", "")
        if len(text) > MAX_TEXT:
            low.shorten()

    return lower_and


def _and_range(a: Fragment, b: Fragment) -> tuple[int, int]:
    if a[2] >= 0:
        return 0, min(a[3], b[3]) if b[2] >= 0 else a[3]
    if b[2] >= 0:
        return 0, b[3]
    bits = max(a[3].bit_length(), b[3].bit_length(), (-a[2]).bit_length(), (-b[2]).bit_length())
    return -(1 << bits), (1 << bits) - 1


def _or_xor(mask: int, operator: str, prec: int) -> Handler:
    def lower_or_xor(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        b, a = stack.pop(), stack[-1]
        if operator == "^" and b[6] == CONST and b[2] == mask:
            _join(low, stack, f"~{inside(a, UNARY)}", UNARY, ~a[3], ~a[2], a, b)
            return
        bits = max(a[3].bit_length(), b[3].bit_length(), (-a[2]).bit_length(), (-b[2]).bit_length())
        lo = 0 if a[2] >= 0 and b[2] >= 0 else -(1 << bits)
        _join(low, stack, f"{inside(a, prec)} {operator} {inside(b, prec + 1)}", prec, lo, (1 << bits) - 1, a, b)

    return lower_or_xor


def _count(b: Fragment, bits: int) -> str:
    """Text of a shift count that is no constant: taken modulo the width."""
    if b[2] >= 0 and b[3] < bits:
        return inside(b, SUM)
    return f"({inside(b, AND)} & {bits - 1})"


def _shl(mask: int) -> Handler:
    bits = mask.bit_length()
    roof = DIRTY_MAX[mask].bit_length() - 2

    def lower_shl(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        b, a = stack.pop(), stack[-1]
        if b[6] == CONST:
            count = b[2] & bits - 1
            left, lo, hi = inside(a, SHIFT), a[2] << count, a[3] << count
            if max(a[3].bit_length(), (-a[2]).bit_length()) + count > roof:
                left, lo, hi = f"({inside(a, AND)} & {mask >> count})", 0, mask >> count << count
            _join(low, stack, f"{left} << {count}", SHIFT, lo, hi, a, b)
            return
        left = grouped(*unsigned(a, mask), SHIFT)
        if (a[2] == a[3] == 1) or bits == 32:
            _join(low, stack, f"{left} << {_count(b, bits)}", SHIFT, 0, (a[3] if a[6] == CONST else mask) << bits - 1, a, b)
        else:
            _join(low, stack, f"{left} << {_count(b, bits)} & {mask}", AND, 0, mask, a, b)

    return lower_shl


def _shr(mask: int, is_signed: bool) -> Handler:
    bits = mask.bit_length()
    half = (mask + 1) >> 1

    def lower_shr(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        b, a = stack.pop(), stack[-1]
        if is_signed:
            lo, hi = (a[2], a[3]) if a[2] >= -half and a[3] < half else (-half, half - 1)
            text, prec = signed(a, mask)
        else:
            lo, hi = (a[2], a[3]) if a[2] >= 0 and a[3] <= mask else (0, mask)
            text, prec = unsigned(a, mask)
        left = grouped(text, prec, SHIFT)
        if b[6] == CONST:
            count = b[2] & bits - 1
            _join(low, stack, f"{left} >> {count}", SHIFT, lo >> count, hi >> count, a, b)
        else:
            _join(low, stack, f"{left} >> {_count(b, bits)}", SHIFT, min(lo, 0), max(hi, 0), a, b)

    return lower_shr


def _rotate(name: str, mask: int, to_left: bool) -> Handler:
    bits = mask.bit_length()
    fallback = _call(name, mask, 2, mask, traps=False)

    def lower_rotate(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        if stack[-1][6] != CONST:
            fallback(low, stack, imm, at)
            return
        count = stack.pop()[2] % bits
        if not to_left:
            count = (bits - count) % bits
        a = stack[-1]
        text, prec = unsigned(a, mask)
        if prec == NAME:
            made = f"{text} << {count} | {text} >> {bits - count}"
        else:
            made = f"(t := {text}) << {count} | t >> {bits - count}"
        _replace(low, stack, (made, OR, 0, (mask + 1 << count) - 1, a[4], a[5], PLAIN, "", ""))

    return lower_rotate


def _clz(mask: int) -> Handler:
    bits = mask.bit_length()

    def lower_clz(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        a = stack[-1]
        text, prec = unsigned(a, mask)
        if a[6] == CONST:
            text, prec = f"({text})", ATOM
        _replace(low, stack, (f"{bits} - {grouped(text, prec, ATOM)}.bit_length()", SUM, 0, bits, a[4], a[5], PLAIN, "", ""))

    return lower_clz


def _ctz(mask: int) -> Handler:
    bits = mask.bit_length()

    def lower_ctz(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        a = stack[-1]
        text, prec = unsigned(a, mask)
        name, test = (text, text) if prec == NAME else ("t", f"(t := {text})")
        made = f"({name} & -{name}).bit_length() - 1 if {test} else {bits}"
        _replace(low, stack, (made, TERNARY, 0, bits, a[4], a[5], PLAIN, "", ""))

    return lower_ctz


def _popcnt(mask: int) -> Handler:
    def lower_popcnt(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        a = stack[-1]
        text, prec = unsigned(a, mask)
        if a[6] == CONST:
            text, prec = f"({text})", ATOM  # a point behind digits would be a fraction's
        _replace(low, stack, (f"{grouped(text, prec, ATOM)}.bit_count()", ATOM, 0, mask.bit_length(), a[4], a[5], PLAIN, "", ""))

    return lower_popcnt


def _extend(mask: int, width: int) -> Handler:
    half, full = 1 << width - 1, 1 << width

    def lower_extend(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        a = stack[-1]
        if a[2] >= -half and a[3] < half:
            return
        text = a[0] if a[2] >= 0 and a[3] < full else f"{inside(a, AND)} & {full - 1}"
        made = f"t if (t := {text}) < {half} else t - {full}"
        _replace(low, stack, (made, TERNARY, -half, half - 1, a[4], a[5], PLAIN, "", ""))

    return lower_extend


# ---- comparisons


def _eqz(mask: int) -> Handler:
    def lower_eqz(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        a = stack[-1]
        yes, no = truth(a, mask)
        stack[-1] = condition(no, yes, a[4], a[5])

    return lower_eqz


def _equal(mask: int, operator: str, negated: str) -> Handler:
    half = (mask + 1) >> 1

    def same_form(a: Fragment, b: Fragment) -> tuple[tuple[str, int], tuple[str, int]]:
        """Texts of two operands in one and the same canonical form, whichever costs nothing."""
        a_signed, b_signed = a[2] >= -half and a[3] < half, b[2] >= -half and b[3] < half
        if a_signed and b_signed:
            return (a[0], a[1]), (b[0], b[1])
        if a_signed and a[2] < 0 and b[6] in (TWIN, CONST):
            return (a[0], a[1]), signed(b, mask)
        if b_signed and b[2] < 0 and a[6] in (TWIN, CONST):
            return signed(a, mask), (b[0], b[1])
        return unsigned(a, mask), unsigned(b, mask)

    def lower_equal(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        b, a = stack.pop(), stack[-1]
        first, second = same_form(a, b)
        left, right = grouped(*first, OR), grouped(*second, OR)
        stack[-1] = condition(f"{left} {operator} {right}", f"{left} {negated} {right}", a[4] | b[4], a[5] or b[5])
        if len(left) + len(right) > MAX_TEXT >> 1:
            low.shorten()

    return lower_equal


def _unsigned_order(mask: int, operator: str, negated: str) -> Handler:
    def lower_unsigned_order(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        b, a = stack.pop(), stack[-1]
        left, right = grouped(*unsigned(a, mask), OR), grouped(*unsigned(b, mask), OR)
        stack[-1] = condition(f"{left} {operator} {right}", f"{left} {negated} {right}", a[4] | b[4], a[5] or b[5])
        if len(left) + len(right) > MAX_TEXT >> 1:
            low.shorten()

    return lower_unsigned_order


def _signed_order(mask: int, operator: str, negated: str) -> Handler:
    half = (mask + 1) >> 1

    def lower_signed_order(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
        b, a = stack.pop(), stack[-1]
        if b[6] == CONST and a[6] != TWIN and a[2] >= 0 and half <= a[3] <= mask and len(a[0]) < _MAX_SHARED_TEXT:
            yes, no = _against_constant(inside(a, OR), operator, signed_constant(b, mask), half)
        else:
            left, right = grouped(*signed(a, mask), OR), grouped(*signed(b, mask), OR)
            yes, no = f"{left} {operator} {right}", f"{left} {negated} {right}"
        stack[-1] = condition(yes, no, a[4] | b[4], a[5] or b[5])
        if len(yes) > MAX_TEXT >> 1:
            low.shorten()

    return lower_signed_order


def _against_constant(text: str, operator: str, value: int, half: int) -> tuple[str, str]:
    """A canonical unsigned operand against a signed constant, without converting it: the negative numbers are the upper half."""
    if (value == 0 and operator in ("<", ">=")) or (value == -1 and operator in ("<=", ">")):
        negative, other = f"{text} > {half - 1}", f"{text} <= {half - 1}"
        return (negative, other) if operator in ("<", "<=") else (other, negative)
    upward = operator in (">", ">=")
    if value >= 0:
        strict = "<" if operator in (">", "<=") else "<="
        between = f"{value} {strict} {text} <= {half - 1}"
        return (between, f"not {between}") if upward else (f"not {between}", between)
    strict = "<" if operator in ("<", ">=") else "<="
    between = f"{half - 1} < {text} {strict} {value + (half << 1)}"
    return (f"not {between}", between) if upward else (between, f"not {between}")


# ---- between the widths


def lower_wrap(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    a = stack[-1]
    if a[6] == CONST:
        stack[-1] = constant(a[2] & MASK32)
    elif a[3] >= DIRTY_MAX[MASK32] or a[2] <= -DIRTY_MAX[MASK32]:
        stack[-1] = (f"{inside(a, AND)} & {MASK32}", AND, 0, MASK32, a[4], a[5], PLAIN, "", "")
    elif a[6] != PLAIN and a[6] != CONDITION:
        stack[-1] = (a[0], a[1], a[2], a[3], a[4], a[5], PLAIN, "", "")  # its other form was of 64 bits


def lower_extend_signed(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    a = stack[-1]
    if a[6] == CONST:
        stack[-1] = constant(signed_constant(a, MASK32) & MASK64)
        return
    text, prec = signed(a, MASK32)
    inside_already = text is a[0]
    lo, hi = (a[2], a[3]) if inside_already else (-1 << 31, (1 << 31) - 1)
    _replace(low, stack, (text, prec, lo, hi, a[4], a[5], a[6] if a[6] == CONDITION else PLAIN, a[7], a[8]))


def lower_extend_unsigned(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    a = stack[-1]
    if a[6] in (CONST, CONDITION):
        return
    text, prec = unsigned(a, MASK32)
    lo, hi = (a[2], a[3]) if a[2] >= 0 and a[3] <= MASK32 else (0, MASK32)
    _replace(low, stack, (text, prec, lo, hi, a[4], a[5], PLAIN, "", ""))


def _of_width(prefix: str, mask: int, first: int, compare: int) -> dict[int, Handler]:
    """Handlers of one width: `first` is the code of `clz`, `compare` that of `eqz`."""
    rows: list[Handler] = [
        _eqz(mask),
        _equal(mask, "==", "!="),
        _equal(mask, "!=", "=="),
        _signed_order(mask, "<", ">="),
        _unsigned_order(mask, "<", ">="),
        _signed_order(mask, ">", "<="),
        _unsigned_order(mask, ">", "<="),
        _signed_order(mask, "<=", ">"),
        _unsigned_order(mask, "<=", ">"),
        _signed_order(mask, ">=", "<"),
        _unsigned_order(mask, ">=", "<"),
    ]
    table = {compare + i: row for i, row in enumerate(rows)}
    rows = [
        _clz(mask),
        _ctz(mask),
        _popcnt(mask),
        _add(mask),
        _sub(mask),
        _mul(mask),
        _divide_signed(f"{prefix}_div_s", mask),
        _divide_unsigned(mask, "//", f"{prefix}_div_u"),
        _divide_signed(f"{prefix}_rem_s", mask),
        _divide_unsigned(mask, "%", f"{prefix}_rem_u"),
        _and(mask),
        _or_xor(mask, "|", OR),
        _or_xor(mask, "^", XOR),
        _shl(mask),
        _shr(mask, is_signed=True),
        _shr(mask, is_signed=False),
        _rotate(f"{prefix}_rotl", mask, to_left=True),
        _rotate(f"{prefix}_rotr", mask, to_left=False),
    ]
    table.update((first + i, row) for i, row in enumerate(rows))
    return table


HANDLERS: Final[dict[int, Handler]] = {
    **_of_width("i32", MASK32, 0x67, 0x45),
    **_of_width("i64", MASK64, 0x79, 0x50),
    0xA7: lower_wrap,
    0xAC: lower_extend_signed,
    0xAD: lower_extend_unsigned,
    0xC0: _extend(MASK32, 8),
    0xC1: _extend(MASK32, 16),
    0xC2: _extend(MASK64, 8),
    0xC3: _extend(MASK64, 16),
    0xC4: _extend(MASK64, 32),
}
