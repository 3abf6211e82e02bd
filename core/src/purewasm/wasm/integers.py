"""Integer arithmetic on raw values (spec: integer operations).

An operand and a result is an unsigned int below `2**bits`; comparisons and tests give the int 0 or 1. Division and remainder
raise `Trap`. `integer_functions(bits)` makes the operations of one width; `INTEGERS` has all of them, and the conversions between
the two widths and the arithmetic on pairs of i64, under the names of the instructions.
"""

from __future__ import annotations

from collections.abc import Callable

from purewasm import traps
from purewasm.errors import Trap
from purewasm.light_typing import Final

Pair = tuple[int, int]

_M32: Final = 0xFFFF_FFFF
_M64: Final = 0xFFFF_FFFF_FFFF_FFFF
_M128: Final = (1 << 128) - 1
_S32: Final = 1 << 31
_S64: Final = 1 << 63


def _comparisons(bits: int) -> dict[str, Callable[..., int]]:
    """Tests and comparisons. Flipping the sign bit of both sides turns a signed comparison into an unsigned one."""
    sign = 1 << bits - 1

    def eqz(a: int) -> int:
        return 0 if a else 1

    def eq(a: int, b: int) -> int:
        return 1 if a == b else 0

    def ne(a: int, b: int) -> int:
        return 1 if a != b else 0

    def lt_s(a: int, b: int) -> int:
        return 1 if a ^ sign < b ^ sign else 0

    def lt_u(a: int, b: int) -> int:
        return 1 if a < b else 0

    def gt_s(a: int, b: int) -> int:
        return 1 if a ^ sign > b ^ sign else 0

    def gt_u(a: int, b: int) -> int:
        return 1 if a > b else 0

    def le_s(a: int, b: int) -> int:
        return 1 if a ^ sign <= b ^ sign else 0

    def le_u(a: int, b: int) -> int:
        return 1 if a <= b else 0

    def ge_s(a: int, b: int) -> int:
        return 1 if a ^ sign >= b ^ sign else 0

    def ge_u(a: int, b: int) -> int:
        return 1 if a >= b else 0

    return {
        "eqz": eqz,
        "eq": eq,
        "ne": ne,
        "lt_s": lt_s,
        "lt_u": lt_u,
        "gt_s": gt_s,
        "gt_u": gt_u,
        "le_s": le_s,
        "le_u": le_u,
        "ge_s": ge_s,
        "ge_u": ge_u,
    }


def _arithmetic(bits: int) -> dict[str, Callable[..., int]]:
    """Counting bits, the ring operations, division."""
    mask = (1 << bits) - 1
    sign = 1 << bits - 1

    def clz(a: int) -> int:
        return bits - a.bit_length()

    def ctz(a: int) -> int:
        return (a & -a).bit_length() - 1 if a else bits

    def popcnt(a: int) -> int:
        return a.bit_count()

    def add(a: int, b: int) -> int:
        return a + b & mask

    def sub(a: int, b: int) -> int:
        return a - b & mask

    def mul(a: int, b: int) -> int:
        return a * b & mask

    def div_s(a: int, b: int) -> int:
        if not b:
            raise Trap(traps.INTEGER_DIVIDE_BY_ZERO)
        if b == mask:  # -1
            if a == sign:
                raise Trap(traps.INTEGER_OVERFLOW)
            return -a & mask
        x, y = (a ^ sign) - sign, (b ^ sign) - sign
        if (x < 0) is (y < 0):
            return x // y  # Python rounds down, which is towards zero here only
        return -(-x // y) & mask

    def div_u(a: int, b: int) -> int:
        if not b:
            raise Trap(traps.INTEGER_DIVIDE_BY_ZERO)
        return a // b

    def rem_s(a: int, b: int) -> int:
        if not b:
            raise Trap(traps.INTEGER_DIVIDE_BY_ZERO)
        y = b if b < sign else mask + 1 - b
        return a % y if a < sign else -((mask + 1 - a) % y) & mask  # the sign of the dividend

    def rem_u(a: int, b: int) -> int:
        if not b:
            raise Trap(traps.INTEGER_DIVIDE_BY_ZERO)
        return a % b

    return {
        "clz": clz,
        "ctz": ctz,
        "popcnt": popcnt,
        "add": add,
        "sub": sub,
        "mul": mul,
        "div_s": div_s,
        "div_u": div_u,
        "rem_s": rem_s,
        "rem_u": rem_u,
    }


def _bitwise(bits: int) -> dict[str, Callable[..., int]]:
    """Logic, shifts and rotations (the count is taken modulo the width), and sign extension within the width."""
    mask = (1 << bits) - 1
    sign = 1 << bits - 1
    count = bits - 1

    def and_(a: int, b: int) -> int:
        return a & b

    def or_(a: int, b: int) -> int:
        return a | b

    def xor(a: int, b: int) -> int:
        return a ^ b

    def shl(a: int, b: int) -> int:
        return a << (b & count) & mask

    def shr_s(a: int, b: int) -> int:
        return (a ^ sign) - sign >> (b & count) & mask

    def shr_u(a: int, b: int) -> int:
        return a >> (b & count)

    def rotl(a: int, b: int) -> int:
        b &= count
        return (a << b | a >> bits - b) & mask

    def rotr(a: int, b: int) -> int:
        b &= count
        return (a >> b | a << bits - b) & mask

    def extend8_s(a: int) -> int:
        return (a & 0xFF ^ 0x80) - 0x80 & mask

    def extend16_s(a: int) -> int:
        return (a & 0xFFFF ^ 0x8000) - 0x8000 & mask

    return {
        "and": and_,
        "or": or_,
        "xor": xor,
        "shl": shl,
        "shr_s": shr_s,
        "shr_u": shr_u,
        "rotl": rotl,
        "rotr": rotr,
        "extend8_s": extend8_s,
        "extend16_s": extend16_s,
    }


def integer_functions(bits: int) -> dict[str, Callable[..., int]]:
    """The operations of an integer type of this width, by the part of their names behind the point."""
    return _comparisons(bits) | _arithmetic(bits) | _bitwise(bits)


def i32_wrap_i64(a: int) -> int:
    return a & _M32


def i64_extend_i32_s(a: int) -> int:
    return (a ^ _S32) - _S32 & _M64


def i64_extend_i32_u(a: int) -> int:
    return a


def i64_extend32_s(a: int) -> int:
    return (a & _M32 ^ _S32) - _S32 & _M64


def i64_add128(low_a: int, high_a: int, low_b: int, high_b: int) -> Pair:
    total = (high_a + high_b << 64) + low_a + low_b
    return total & _M64, total >> 64 & _M64


def i64_sub128(low_a: int, high_a: int, low_b: int, high_b: int) -> Pair:
    difference = (high_a - high_b << 64) + low_a - low_b
    return difference & _M64, difference >> 64 & _M64


def i64_mul_wide_s(a: int, b: int) -> Pair:
    product = ((a ^ _S64) - _S64) * ((b ^ _S64) - _S64) & _M128
    return product & _M64, product >> 64


def i64_mul_wide_u(a: int, b: int) -> Pair:
    product = a * b
    return product & _M64, product >> 64


INTEGERS: Final[dict[str, Callable[..., int | Pair]]] = {
    **{f"i32.{name}": function for name, function in integer_functions(32).items()},
    **{f"i64.{name}": function for name, function in integer_functions(64).items()},
    "i32.wrap_i64": i32_wrap_i64,
    "i64.extend_i32_s": i64_extend_i32_s,
    "i64.extend_i32_u": i64_extend_i32_u,
    "i64.extend32_s": i64_extend32_s,
    "i64.add128": i64_add128,
    "i64.sub128": i64_sub128,
    "i64.mul_wide_s": i64_mul_wide_s,
    "i64.mul_wide_u": i64_mul_wide_u,
}
"""Function of each integer instruction, by its name."""
