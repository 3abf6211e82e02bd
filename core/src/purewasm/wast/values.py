"""Values of a script as the public API has them, and whether a result is what a script expects."""

from __future__ import annotations

from struct import pack, unpack

from purewasm.errors import GuestException
from purewasm.light_typing import Final, final
from purewasm.store.function import Function
from purewasm.store.gc import I31, ArrayObject, StructObject
from purewasm.text.immediates import LANES
from purewasm.text.script import Either, Expected, LanesPattern, NanPattern, Value

_REFERENCE_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "ref.func": (Function,),
    "ref.i31": (I31,),
    "ref.struct": (StructObject,),
    "ref.array": (ArrayObject,),
    "ref.eq": (I31, StructObject, ArrayObject),
    "ref.exn": (GuestException,),
    "ref.any": (object,),
    "ref.extern": (object,),
    "ref.host": (object,),
}
_NUMBERS: Final = ("i32", "i64", "f32", "f64", "v128")
_BITS: Final = {"i32": 32, "i64": 64, "f32": 32, "f64": 64}
_QUIET_F32: Final = 1 << 22
_QUIET_F64: Final = 1 << 51


@final
class HostObject:
    """What `(ref.extern n)` and `(ref.host n)` are in Python: one object for each number."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"<HostObject {self.number}>"


@final
class HostObjects:
    """The host objects of a script, by number."""

    __slots__ = ("_objects",)

    def __init__(self) -> None:
        self._objects: dict[int, HostObject] = {}

    def __getitem__(self, number: int) -> HostObject:
        return self._objects.setdefault(number, HostObject(number))


def float_from_f32_bits(bits: int) -> float:
    """The float with this value, or the NaN that carries this f32 NaN's payload."""
    if bits >> 23 & 0xFF == 0xFF:
        wide = (bits >> 31) << 63 | 0x7FF << 52 | (bits & 0x7F_FFFF) << 29
        return float_from_f64_bits(wide)
    value: float = unpack("<f", pack("<I", bits))[0]
    return value


def f32_bits(value: float) -> int:
    """The inverse of `float_from_f32_bits`; OverflowError for a float that is no f32."""
    if value != value:
        wide = f64_bits(value)
        return (wide >> 63) << 31 | 0xFF << 23 | (wide >> 29) & 0x7F_FFFF
    bits: int = unpack("<I", pack("<f", value))[0]
    return bits


def float_from_f64_bits(bits: int) -> float:
    value: float = unpack("<d", pack("<Q", bits))[0]
    return value


def f64_bits(value: float) -> int:
    bits: int = unpack("<Q", pack("<d", value))[0]
    return bits


def to_python(value: Value, objects: HostObjects) -> object:
    """A script's value as an argument for an exported function."""
    content = value.content
    if value.type == "ref.null":
        return None
    if value.type in ("ref.extern", "ref.host") and isinstance(content, int):
        return objects[content]
    if value.type == "f32" and isinstance(content, int):
        return float_from_f32_bits(content)
    if value.type == "f64" and isinstance(content, int):
        return float_from_f64_bits(content)
    if value.type in ("i32", "i64", "v128") and content is not None:
        return content
    raise ValueError(f"no argument: {value}")


def matches(result: object, expected: Expected, objects: HostObjects) -> bool:
    """Whether a result of an exported function is what the script expects."""
    if isinstance(expected, Either):
        return any(matches(result, choice, objects) for choice in expected.choices)
    if isinstance(expected, NanPattern):
        bits = scalar_bits(result, expected.type)
        return bits is not None and is_nan(bits, expected)
    if isinstance(expected, LanesPattern):
        return isinstance(result, bytes) and _match_lanes(result, expected)
    if expected.type == "ref.null":
        return result is None
    if expected.type in _REFERENCE_KINDS:
        if isinstance(expected.content, int):
            return result is objects[expected.content]
        return result is not None and isinstance(result, _REFERENCE_KINDS[expected.type])
    if expected.type == "v128":
        return isinstance(result, bytes) and result == expected.content
    return scalar_bits(result, expected.type) == expected.content


def is_of_type(type: str, expected: Expected) -> bool:
    """Whether a result of this type can be what the script expects, which Python's values do not tell alone."""
    if isinstance(expected, Either):
        return all(is_of_type(type, choice) for choice in expected.choices)
    if isinstance(expected, LanesPattern):
        return type == "v128"
    return type == expected.type or (expected.type.startswith("ref.") and type not in _NUMBERS)


def format_expected(expected: Expected) -> str:
    """What a script expects, much as it writes it."""
    if isinstance(expected, Either):
        return " or ".join(map(format_expected, expected.choices))
    if isinstance(expected, LanesPattern):
        return f"(v128.const {expected.shape} {' '.join(map(_format_number, expected.lanes))})"
    if isinstance(expected, Value) and expected.type not in _NUMBERS:
        return f"({expected.type})" if expected.content is None else f"({expected.type} {expected.content!r})"
    return f"({expected.type}.const {_format_number(expected)})"


def _format_number(expected: Value | NanPattern) -> str:
    if isinstance(expected, NanPattern):
        return "nan:canonical" if expected.canonical else "nan:arithmetic"
    content = expected.content
    if not isinstance(content, int):
        return content.hex() if isinstance(content, bytes) else "?"
    if expected.type in ("f32", "f64"):
        value = float_from_f32_bits(content) if expected.type == "f32" else float_from_f64_bits(content)
        return repr(value) if value == value else f"{content:#x}"
    half = 1 << _BITS.get(expected.type, 64) - 1
    return str((content & 2 * half - 1 ^ half) - half)


def scalar_bits(result: object, type: str) -> int | None:
    """The bits of a number that came out of a guest; None where it is no number of this type."""
    if type in ("i32", "i64"):
        bits = _BITS[type]
        if not isinstance(result, int) or not -(1 << bits - 1) <= result < 1 << bits - 1:
            return None
        return result & (1 << bits) - 1
    if not isinstance(result, float):
        return None
    if type == "f64":
        return f64_bits(result)
    try:
        bits = f32_bits(result)
    except OverflowError:
        return None
    return bits if f64_bits(float_from_f32_bits(bits)) == f64_bits(result) else None


def is_nan(bits: int, pattern: NanPattern) -> bool:
    """A NaN whose payload is just the quiet bit (canonical), or has it (arithmetic)."""
    exponent, quiet, sign = (0xFF << 23, _QUIET_F32, 1 << 31) if pattern.type == "f32" else (0x7FF << 52, _QUIET_F64, 1 << 63)
    magnitude = bits & ~sign
    return magnitude == exponent | quiet if pattern.canonical else magnitude & (exponent | quiet) == exponent | quiet


def _match_lanes(result: bytes, expected: LanesPattern) -> bool:
    size = LANES[expected.shape][0] // 8
    lanes = [int.from_bytes(result[start : start + size], "little") for start in range(0, len(result), size)]
    return all(
        is_nan(lane, wanted) if isinstance(wanted, NanPattern) else lane == wanted.content
        for lane, wanted in zip(lanes, expected.lanes, strict=True)
    )
