"""Arguments of a guest's function as words of a command line, and its results as lines.

| type | argument | result |
|---|---|---|
| i32, i64 | `42`, `-1`, `0xff`, `0b1`, `1_000`; signed or unsigned | signed, decimal |
| f32, f64 | `1.5`, `-1e9`, `0x1.8p3`, `inf`, `nan`, `nan:0x200000` | the shortest decimal that reads as the same number |
| v128 | 32 hexadecimal digits, two a byte, lane 0 first | the same |
| externref | any word as a `str`, or `null` | its `repr` |
| other references | `null` | its `repr` |
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.store.values import to_raw
from purewasm.text import numbers
from purewasm.wasm import float_bits
from purewasm.wasm import valtypes as vt

if TYPE_CHECKING:
    from collections.abc import Callable

NULL: Final = "null"
_F32_DIGITS: Final = 9  # enough for every f32


def parse_argument(word: str, valtype: int) -> object:
    """The public value that a word stands for. ValueError or OverflowError says what is wrong with it."""
    value = _PARSERS.get(valtype, _parse_reference)(word, valtype)
    to_raw(valtype)(value)
    return value


def _parse_integer(word: str, valtype: int) -> int:
    for base in (0, 10):  # 10: also with zeros in front
        try:
            return int(word, base)
        except ValueError:
            continue
    raise ValueError(f"expected an integer for {vt.format_type(valtype)}, got {word!r}")


def _parse_float(word: str, valtype: int) -> float:
    form, from_bits = (numbers.F32, float_bits.f32_from_bits) if valtype == vt.F32 else (numbers.F64, float_bits.f64_from_bits)
    try:
        return from_bits(numbers.parse_float(word or ".", form))
    except numbers.NotANumberError:
        pass  # not as the text format writes it, but perhaps as Python does: `.5`
    except ValueError as error:
        raise OverflowError(str(error)) from None
    try:
        return float(word)
    except ValueError:
        raise ValueError(f"expected a number for {vt.format_type(valtype)}, got {word!r}") from None


def _parse_vector(word: str, valtype: int) -> bytes:
    digits = word.removeprefix("0x").replace("_", "")
    try:
        data = bytes.fromhex(digits)
    except ValueError:
        data = b""
    if len(data) != 16:
        raise ValueError(f"expected 32 hexadecimal digits for v128, got {word!r}")
    return data


def _parse_reference(word: str, valtype: int) -> str | None:
    if word == NULL:
        return None
    if valtype == vt.EXTERNREF:
        return word
    raise ValueError(f"expected null for {vt.format_type(valtype)}, the only reference that can be written, got {word!r}")


_PARSERS: Final[dict[int, Callable[[str, int], object]]] = {
    vt.I32: _parse_integer,
    vt.I64: _parse_integer,
    vt.F32: _parse_float,
    vt.F64: _parse_float,
    vt.V128: _parse_vector,
}


def format_result(value: object, valtype: int) -> str:
    """One result as a line."""
    if value is None:
        return NULL
    if isinstance(value, float):
        return _format_float(value, valtype)
    return value.hex() if isinstance(value, bytes) and valtype == vt.V128 else repr(value)


def _format_float(value: float, valtype: int) -> str:
    if value != value:
        bits, fraction = (float_bits.f32_to_bits(value), 23) if valtype == vt.F32 else (float_bits.f64_to_bits(value), 52)
        payload = bits & ((1 << fraction) - 1)
        sign = "-" if bits >> (31 if valtype == vt.F32 else 63) else ""
        return f"{sign}nan" if payload == 1 << fraction - 1 else f"{sign}nan:0x{payload:x}"
    if valtype == vt.F64:
        return repr(value)
    for digits in range(1, _F32_DIGITS):
        text = f"{value:.{digits}g}"
        if float_bits.round_f32(float(text)) == value:
            return repr(float(text))
    return repr(float(f"{value:.{_F32_DIGITS}g}"))
