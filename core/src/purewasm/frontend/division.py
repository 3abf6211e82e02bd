"""Division and remainder by constants, without dividing.

A quotient is the upper part of a product with a scaled reciprocal that is a little too large; how much too large it may be follows from
the largest dividend (Warren, "Hacker's Delight", chapter 10). 32-bit dividends have their products in 64-bit registers.

    i32.div_u 0 c2 (10)    ->    1: i64.mul 0 c3 (0xCCCCCCCD)
                                 2: i64.shr_u 1 c4 (35)
"""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from purewasm.frontend.state import Builder

# opcode: bits, signed, remainder
_SHAPES: Final = {
    0x6D: (32, True, False), 0x6E: (32, False, False), 0x6F: (32, True, True), 0x70: (32, False, True),
    0x7F: (64, True, False), 0x80: (64, False, False), 0x81: (64, True, True), 0x82: (64, False, True),
}  # fmt: skip
# i32 operations; those of i64 are this much further on.
_ADD: Final = 0x6A
_SUB: Final = 0x6B
_MUL: Final = 0x6C
_AND: Final = 0x71
_SHL: Final = 0x74
_SHR_S: Final = 0x75
_SHR_U: Final = 0x76
_TO_64: Final = 0x12
_EXTEND: Final = 0xAC


def divide_by_constant(b: Builder, op: int, x: int, divisor: int) -> int | None:
    """The value of a division or remainder, or None where it can trap (by 0, or by -1) and so has to be done."""
    bits, is_signed, remainder = _SHAPES[op]
    if is_signed and divisor >> bits - 1:
        divisor -= 1 << bits
    if divisor in (0, -1):
        return None
    if x < 0:
        return _fold(b, x, divisor, bits, is_signed, remainder)
    arithmetic = _Arithmetic(b, bits)
    size = abs(divisor)
    if not size & (size - 1):
        return arithmetic.by_power(x, divisor, is_signed, remainder)
    quotient = arithmetic.signed_quotient(x, divisor) if is_signed else arithmetic.unsigned_quotient(x, divisor)
    if not remainder:
        return quotient
    return arithmetic.pure(_SUB, x, arithmetic.with_constant(_MUL, quotient, divisor))


def _fold(b: Builder, x: int, divisor: int, bits: int, is_signed: bool, remainder: bool) -> int:
    dividend = int(b.constants[~x])
    if is_signed and dividend >> bits - 1:
        dividend -= 1 << bits
    quotient = abs(dividend) // abs(divisor)
    if (dividend < 0) != (divisor < 0):
        quotient = -quotient
    return b.constant((dividend - quotient * divisor if remainder else quotient) & (1 << bits) - 1)


class _Arithmetic:
    """Operations of one width, appended to a function."""

    __slots__ = ("b", "bits", "mask", "offset")

    def __init__(self, b: Builder, bits: int) -> None:
        self.b, self.bits, self.mask = b, bits, (1 << bits) - 1
        self.offset = _TO_64 if bits == 64 else 0

    def pure(self, op: int, x: int, y: int) -> int:
        return self.b.pure((op + self.offset, x, y, 0))

    def with_constant(self, op: int, x: int, constant: int) -> int:
        return self.pure(op, x, self.b.constant(constant & self.mask))

    def shifted(self, op: int, x: int, count: int) -> int:
        return self.with_constant(op, x, count) if count else x

    def by_power(self, x: int, divisor: int, is_signed: bool, remainder: bool) -> int:
        shift = abs(divisor).bit_length() - 1
        if not is_signed:
            return self.with_constant(_AND, x, divisor - 1) if remainder else self.shifted(_SHR_U, x, shift)
        if not shift:
            return self.b.constant(0) if remainder else x
        # A negative dividend is rounded towards zero by what is added to it.
        sign = self.shifted(_SHR_S, x, self.bits - 1)
        raised = self.pure(_ADD, x, self.shifted(_SHR_U, sign, self.bits - shift))
        if remainder:
            return self.pure(_SUB, x, self.with_constant(_AND, raised, -(1 << shift)))
        quotient = self.with_constant(_SHR_S, raised, shift)
        return quotient if divisor > 0 else self.pure(_SUB, self.b.constant(0), quotient)

    def unsigned_quotient(self, x: int, divisor: int) -> int:
        b = self.b
        if self.bits == 32:
            known = _reciprocal(divisor, 32, 32)
            if known is None:
                return b.pure((ops.MUL_HIGH_U, x, b.constant(-(-(1 << 64) // divisor)), 0))
            multiplier, shift = known
            product = b.pure((_MUL + _TO_64, x, b.constant(multiplier), 0))
            return b.pure((_SHR_U + _TO_64, product, b.constant(32 + shift), 0))
        even = (divisor & -divisor).bit_length() - 1
        known = _reciprocal(divisor, 64, 64)
        if known is None and even:
            x = self.with_constant(_SHR_U, x, even)
            known = _reciprocal(divisor >> even, 64, 64 - even)
        if known is not None:
            multiplier, shift = known
            return self.shifted(_SHR_U, b.pure((ops.MUL_HIGH_U, x, b.constant(multiplier), 0)), shift)
        # The multiplier has 65 bits: its top bit is the dividend itself, halved so that the sum fits.
        shift = divisor.bit_length()
        multiplier = -(-(1 << 64 + shift) // divisor) - (1 << 64)
        high = b.pure((ops.MUL_HIGH_U, x, b.constant(multiplier), 0))
        half = self.with_constant(_SHR_U, self.pure(_SUB, x, high), 1)
        return self.shifted(_SHR_U, self.pure(_ADD, half, high), shift - 1)

    def signed_quotient(self, x: int, divisor: int) -> int:
        b, size = self.b, abs(divisor)
        multiplier, shift = _signed_reciprocal(size, self.bits)
        if self.bits == 32:
            product = b.pure((_MUL + _TO_64, b.pure((_EXTEND, x, ops.NO, 0)), b.constant(multiplier), 0))
            # The upper half goes into a 32-bit subtraction, which ignores what stands above it.
            high = b.pure((_SHR_S + _TO_64, product, b.constant(shift), 0))
        else:
            high = b.pure((ops.MUL_HIGH_S, x, b.constant(multiplier), 0))
            if multiplier >> 63:
                high = self.pure(_ADD, high, x)
            high = self.shifted(_SHR_S, high, shift - 64)
        sign = self.with_constant(_SHR_S, x, self.bits - 1)
        return self.pure(_SUB, high, sign) if divisor > 0 else self.pure(_SUB, sign, high)


def _reciprocal(divisor: int, bits: int, dividend_bits: int) -> tuple[int, int] | None:
    """(multiplier, shift): x // divisor is x * multiplier >> bits + shift for all x of so many bits; None: the multiplier is too large."""
    for shift in range(divisor.bit_length() + 1):
        multiplier = -(-(1 << bits + shift) // divisor)
        if multiplier >> bits:
            return None
        if multiplier * divisor - (1 << bits + shift) << dividend_bits <= 1 << bits + shift:
            return multiplier, shift
    return None


def _signed_reciprocal(divisor: int, bits: int) -> tuple[int, int]:
    """(multiplier, shift) for dividends of either sign: the product shifted is one too small where the dividend is negative."""
    shift = bits
    while True:
        multiplier = (1 << shift) // divisor + 1
        if multiplier * divisor - (1 << shift) <= 1 << shift - bits + 1:
            return multiplier, shift
        shift += 1
