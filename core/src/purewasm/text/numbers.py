"""Numbers of the text format as exact values (spec: text format, values).

Integers become unsigned Python ints of their width, floats the bits of their IEEE 754 encoding, rounded once and correctly.
Every function raises ValueError, with the testsuite's words, for a token that is no such number; `NotANumberError` says that
the token is something else, so that the parser can say what.
"""

from __future__ import annotations

import re
from decimal import Decimal
from math import inf, nextafter
from struct import pack, unpack

from purewasm.light_typing import Final, NamedTuple

_DEC: Final = r"[0-9]++(?:_[0-9]++)*+"
_HEX: Final = r"[0-9a-fA-F]++(?:_[0-9a-fA-F]++)*+"
_INTEGER: Final = re.compile(rf"([+-]?)(?:0x({_HEX})|({_DEC}))\Z")
_HEX_FLOAT: Final = re.compile(rf"0x({_HEX})(?:\.({_HEX})?)?(?:[pP]([+-]?{_DEC}))?\Z")
_DEC_FLOAT: Final = re.compile(rf"{_DEC}(?:\.(?:{_DEC})?)?(?:[eE][+-]?{_DEC})?\Z")
_NUMBER: Final = re.compile(
    rf"[+-]?(?:0x{_HEX}(?:\.(?:{_HEX})?)?(?:[pP][+-]?{_DEC})?|{_DEC}(?:\.(?:{_DEC})?)?(?:[eE][+-]?{_DEC})?|inf|nan(?::0x{_HEX})?)\Z"
)
_MAX_SHOWN: Final = 60
_MAX_DIGITS: Final = 1000  # far more than any integer in range has; Python refuses to convert thousands


class FloatFormat(NamedTuple):
    """An interchange format of IEEE 754: its widths in bits, and what `struct` calls it."""

    name: str
    bits: int
    fraction_bits: int
    code: str


F32: Final = FloatFormat("f32", 32, 23, "f")
F64: Final = FloatFormat("f64", 64, 52, "d")


class NotANumberError(ValueError):
    """The token is not a number of this kind."""


def is_number(token: str) -> bool:
    """True for every integer or float of the text format."""
    return _NUMBER.match(token) is not None


def parse_unsigned(token: str, bits: int) -> int:
    """An integer without a sign, below 2**bits."""
    value, signed = _parse_integer(token)
    if signed:
        raise NotANumberError(token)
    if value >> bits:
        raise ValueError(f"i{bits} constant out of range: {_short(token)}")
    return value


def parse_integer(token: str, bits: int) -> int:
    """An integer in the signed or unsigned range of its width, as an unsigned one."""
    value, _ = _parse_integer(token)
    if not -(1 << bits - 1) <= value < 1 << bits:
        raise _out_of_range(token)
    return value & (1 << bits) - 1


def _out_of_range(token: str) -> ValueError:
    return ValueError(f"constant out of range: {_short(token)}")


def _short(token: str) -> str:
    return token if len(token) <= _MAX_SHOWN else token[:_MAX_SHOWN] + "…"


def _parse_integer(token: str) -> tuple[int, bool]:
    """(value, whether it has a sign); a value that no type holds may come out as another such value."""
    match = _INTEGER.match(token)
    if match is None:
        raise NotANumberError(token)
    sign, hexadecimal, decimal = match.groups()
    digits = (hexadecimal or decimal).replace("_", "").lstrip("0") or "0"
    value = int(digits, 16 if hexadecimal else 10) if len(digits) <= _MAX_DIGITS else 1 << _MAX_DIGITS
    return -value if sign == "-" else value, bool(sign)


def parse_float(token: str, form: FloatFormat) -> int:
    """A float's bits."""
    sign, magnitude = (token[0] == "-", token[1:]) if token[0] in "+-" else (False, token)
    return (sign << form.bits - 1) | _magnitude(magnitude, form, token)


def _magnitude(text: str, form: FloatFormat, token: str) -> int:
    infinity = ((1 << form.bits - 1 - form.fraction_bits) - 1) << form.fraction_bits
    if text[:1].isdigit():
        bits = _hex_magnitude(text, form) if text.startswith("0x") else _decimal_magnitude(text, form)
        if bits >= infinity:
            raise _out_of_range(token)
        return bits
    if text == "inf":
        return infinity
    if text == "nan":
        return infinity | 1 << form.fraction_bits - 1
    if text.startswith("nan:0x"):
        payload, _ = _parse_integer(text[4:])
        if not 0 < payload < 1 << form.fraction_bits:
            raise _out_of_range(token)
        return infinity | payload
    raise NotANumberError(token)


def _decimal_magnitude(text: str, form: FloatFormat) -> int:
    if not _DEC_FLOAT.match(text):
        raise NotANumberError(text)
    digits = text.replace("_", "")
    value = float(digits)
    if form is F32 and not _is_exact_f32(value):
        value = _clear_of_halfway(value, digits)
    try:
        encoded = pack("<" + form.code, value)
    except OverflowError:
        encoded = pack("<" + form.code, inf)
    return int.from_bytes(encoded, "little")


def _is_exact_f32(value: float) -> bool:
    try:
        return value == inf or unpack("<f", pack("<f", value))[0] == value
    except OverflowError:
        return False


def _clear_of_halfway(value: float, digits: str) -> float:
    """`value`, or where rounding it to f32 would round a second time in the wrong direction, its neighbour nearer to `digits`.

    That can only be where `value` lies halfway between two f32s, and then its low 28 bits are zero.
    """
    if int.from_bytes(pack("<d", value), "little") & 0xFFF_FFFF:
        return value
    exact, rounded = Decimal(digits), Decimal(value)
    if exact == rounded:
        return value
    return nextafter(value, inf if exact > rounded else -inf)


def _hex_magnitude(text: str, form: FloatFormat) -> int:
    match = _HEX_FLOAT.match(text)
    if match is None:
        raise NotANumberError(text)
    whole, fraction, exponent = (group.replace("_", "") if group else "" for group in match.groups())
    mantissa = int(whole + fraction, 16)
    if not mantissa:
        return 0
    return _round(mantissa, _exponent(exponent, len(text)) - 4 * len(fraction), form)


def _exponent(text: str, digits: int) -> int:
    """An exponent, cut off where it decides alone: beyond what the digits before it could make up for."""
    limit = 4 * digits + 10_000
    magnitude = text.lstrip("+-").lstrip("0") or "0"
    value = min(int(magnitude), limit) if len(magnitude) < 20 else limit
    return -value if text.startswith("-") else value


def _round(mantissa: int, exponent: int, form: FloatFormat) -> int:
    """Bits of `mantissa * 2**exponent`, to nearest, ties to even; at least infinity's bits where it is too large."""
    bias = (1 << form.bits - form.fraction_bits - 2) - 1
    least = 1 - bias - form.fraction_bits  # exponent of the last bit of a subnormal number
    last = max(exponent + mantissa.bit_length() - 1 - form.fraction_bits, least)
    shift = last - exponent
    if shift > 0:
        half, rest = 1 << shift - 1, mantissa & (1 << shift) - 1
        mantissa >>= shift
        mantissa += rest > half or (rest == half and mantissa & 1)
    else:
        mantissa <<= -shift
    if last - least > 2 * bias:
        return ((1 << form.bits - 1 - form.fraction_bits) - 1) << form.fraction_bits
    # a normal number's leading one adds 1 to the exponent field, and so does a carry out of the rounding
    return ((last - least) << form.fraction_bits) + mantissa
