"""Values as the text format writes them: strings, identifiers, floats (spec: text format, values). The inverse of `lexer` and `numbers`."""

from __future__ import annotations

from struct import unpack

from purewasm.light_typing import Final
from purewasm.text.lexer import is_plain_identifier
from purewasm.text.numbers import F32, F64, FloatFormat, parse_float

_BYTE: Final = tuple(
    {0x22: '\\"', 0x5C: "\\\\", 0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:02x}")
    for byte in range(256)
)


def format_bytes(content: bytes) -> str:
    """A string of these bytes; everything but printable ASCII is escaped."""
    return '"' + "".join(map(_BYTE.__getitem__, content)) + '"'


def format_name(name: str) -> str:
    """A string that is a name; characters that can be seen stay as they are."""
    return '"' + "".join(map(_format_character, name)) + '"'


def _format_character(character: str) -> str:
    if character.isascii():
        return _BYTE[ord(character)]
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"


def format_identifier(name: str) -> str:
    """The identifier with this name, in quotes where it has to be. `name` must not be empty."""
    return "$" + (name if is_plain_identifier(name) else format_name(name))


def format_f32(encoded: bytes) -> str:
    """The shortest decimal number that is exactly these four bytes; a NaN with its payload."""
    bits = int.from_bytes(encoded, "little")
    special = _format_special(bits, F32)
    if special is not None:
        return special
    value = unpack("<f", encoded)[0]
    short = (f"{value:.{digits}g}" for digits in (6, 7, 8))
    return next((text for text in short if parse_float(text, F32) == bits), f"{value:.9g}")


def format_f64(encoded: bytes) -> str:
    """The shortest decimal number that is exactly these eight bytes; a NaN with its payload."""
    special = _format_special(int.from_bytes(encoded, "little"), F64)
    return special if special is not None else f"{unpack('<d', encoded)[0]!r}".removesuffix(".0")


def _format_special(bits: int, form: FloatFormat) -> str | None:
    """Infinities and NaNs; None for a number."""
    exponent_ones = (1 << form.bits - 1 - form.fraction_bits) - 1
    if bits >> form.fraction_bits & exponent_ones != exponent_ones:
        return None
    sign = "-" if bits >> form.bits - 1 else ""
    fraction = bits & (1 << form.fraction_bits) - 1
    if not fraction:
        return sign + "inf"
    return sign + ("nan" if fraction == 1 << form.fraction_bits - 1 else f"nan:0x{fraction:x}")


def format_v128(encoded: bytes) -> str:
    """A shape and four lanes."""
    lanes = (int.from_bytes(encoded[i : i + 4], "little") for i in range(0, 16, 4))
    return "i32x4 " + " ".join(f"0x{lane:08x}" for lane in lanes)
