"""Arithmetic that is more than an instruction."""

from purewasm_guest.python import f64, i64, u64
from purewasm_guest.python.memory import (
    f64_bits,
    f64_from_bits,
    floor,
    quotient,
    remainder,
    shift_bits_left,
    shift_bits_right,
    shift_bits_right_signed,
)

INFINITY = 1e999
NOT_A_NUMBER = 1e999 - 1e999


def within_i64(number: u64) -> i64:
    """The number, where it is no more than an i64 holds."""
    assert number <= 0x7FFFFFFFFFFFFFFF
    return i64(number)



def floor_division(left: i64, right: i64) -> i64:
    """Python's `//`."""
    if right == -1:
        return 0 - left
    found = quotient(left, right)
    if (left ^ right) < 0 and found * right != left:
        found -= 1
    return found



def modulo(left: i64, right: i64) -> i64:
    """Python's `%`."""
    found = remainder(left, right)
    if found != 0 and (found ^ right) < 0:
        found += right
    return found



def power(base: i64, exponent: i64) -> i64:
    """`**`, for exponents from 0."""
    assert exponent >= 0
    found = 1
    while exponent != 0:
        if (exponent & 1) != 0:
            found *= base
        base *= base
        exponent >>= 1
    return found



def shift_left(number: i64, count: i64) -> i64:
    """`<<`, by any count from 0."""
    assert count >= 0
    if count > 63:
        return 0
    return shift_bits_left(number, count)



def shift_right_s(number: i64, count: i64) -> i64:
    """`>>` of a signed number."""
    assert count >= 0
    if count > 63:
        count = 63
    return shift_bits_right_signed(number, count)



def shift_right_u(number: u64, count: i64) -> u64:
    """`>>` of an unsigned number."""
    assert count >= 0
    if count > 63:
        return 0
    return shift_bits_right(number, count)



def range_turns_s(start: i64, stop: i64, step: i64) -> u64:
    """How many numbers a range has."""
    assert step != 0
    if step > 0:
        if start >= stop:
            return 0
        return (u64(stop) - u64(start) - 1) // u64(step) + 1
    if start <= stop:
        return 0
    return (u64(start) - u64(stop) - 1) // (0 - u64(step)) + 1



def range_turns_u(start: u64, stop: u64, step: u64) -> u64:
    """The same of unsigned numbers."""
    assert step != 0
    if start >= stop:
        return 0
    return (stop - start - 1) // step + 1



def _remainder(left: f64, right: f64) -> f64:
    """C's fmod of numbers from 0: exact, by subtracting the divisor times powers of two."""
    if left < right:
        return left
    exponent_a = _exponent(left)
    exponent_b = _exponent(right)
    a = _mantissa(left)
    b = _mantissa(right)
    while exponent_a > exponent_b:
        if a >= b:
            a -= b
        a <<= 1
        exponent_a -= 1
    if a >= b:
        a -= b
    if a == 0:
        return 0.0
    while a < 0x10000000000000 and exponent_b > 1:
        a <<= 1
        exponent_b -= 1
    if exponent_b < 1:
        return f64_from_bits(a >> (1 - exponent_b))
    if a < 0x10000000000000:
        return f64_from_bits(a)
    return f64_from_bits((a & 0xFFFFFFFFFFFFF) | (u64(exponent_b) << 52))


def _exponent(number: f64) -> i64:
    """The exponent, as if numbers too small for a leading one had one."""
    bits = f64_bits(number)
    if bits >> 52 != 0:
        return i64(bits >> 52)
    exponent = 1
    while bits < 0x10000000000000:
        bits <<= 1
        exponent -= 1
    return exponent


def _mantissa(number: f64) -> u64:
    """The mantissa, with its leading one."""
    bits = f64_bits(number)
    if bits >> 52 != 0:
        return (bits & 0xFFFFFFFFFFFFF) | 0x10000000000000
    while bits < 0x10000000000000:
        bits <<= 1
    return bits


def float_modulo(left: f64, right: f64) -> f64:
    """Python's `%`: the sign is the divisor's."""
    assert right != 0.0
    if left != left or right != right or abs(left) == INFINITY:
        return left * 0.0 + NOT_A_NUMBER
    found = abs(left)
    if abs(right) != INFINITY:
        found = _remainder(abs(left), abs(right))
    if found == 0.0:
        return _with_sign(0.0, right)
    if left < 0.0:
        found = -found
    if (right < 0.0) != (found < 0.0):
        found += right
    return found



def float_floor_division(left: f64, right: f64) -> f64:
    """Python's `//`."""
    rest = float_modulo(left, right)
    found = _remainder_of_division(left, right, rest)
    if found == 0.0:
        return _with_sign(0.0, left / right)
    return found



def _remainder_of_division(left: f64, right: f64, rest: f64) -> f64:
    if rest != rest:
        return rest
    plain = rest
    if rest != 0.0 and (left < 0.0) != (right < 0.0):
        plain = rest - right
        if plain == 0.0 or abs(right) == INFINITY:
            plain = left
    quotient_found = (left - plain) / right
    if rest != 0.0 and (left < 0.0) != (right < 0.0):
        quotient_found -= 1.0
    whole = floor(quotient_found)
    if quotient_found - whole > 0.5:
        whole += 1.0
    return whole



def _with_sign(number: f64, sign: f64) -> f64:
    return f64_from_bits(f64_bits(abs(number)) | (f64_bits(sign) & 0x8000000000000000))
