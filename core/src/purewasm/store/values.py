"""Public and raw forms of values, and the conversion between them.

| type | public | raw |
|---|---|---|
| i32, i64 | signed `int`; arguments may be unsigned | unsigned `int` |
| f32, f64 | `float`; arguments may be `int` | `float`; an f32 is exactly representable, a NaN holds the f32's payload |
| v128 | `bytes` of 16 | the same |
| funcref, `(ref $f)` | `Function` or None | the same |
| externref | any object, None is null | the same |
| anyref and below | `I31` (arguments: also a small int), `StructObject`, `ArrayObject`, a host's object, None | the same |
| exnref | `GuestException` or None | the same |

Wrong kinds of values raise `TypeError`, numbers that do not fit `OverflowError`.
"""

from __future__ import annotations

from purewasm.errors import GuestException
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.store.function import Function
from purewasm.store.gc import I31, ArrayObject, StructObject, is_instance
from purewasm.wasm import float_bits
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import is_heap_subtype, top_of

if TYPE_CHECKING:
    from collections.abc import Callable

MASK32: Final = 0xFFFF_FFFF
MASK64: Final = 0xFFFF_FFFF_FFFF_FFFF


def _raw_int(value: object, bits: int, name: str) -> int:
    if type(value) is not int:
        index = getattr(type(value), "__index__", None)
        if index is None:
            raise TypeError(f"expected an int for {name}, got {type(value).__name__}: {value!r}")
        value = index(value)
        assert isinstance(value, int)
    if not -(1 << bits - 1) <= value < 1 << bits:
        raise OverflowError(f"{value} does not fit {name}: from {-(1 << bits - 1)} to {(1 << bits) - 1}")
    return value & ((1 << bits) - 1)


def raw_i32(value: object) -> int:
    """An i32 argument as an unsigned int."""
    return _raw_int(value, 32, "i32")


def raw_i64(value: object) -> int:
    """An i64 argument as an unsigned int."""
    return _raw_int(value, 64, "i64")


def raw_f64(value: object) -> float:
    """An f64 argument as a float. An int that no f64 can reach is an `OverflowError`."""
    if type(value) is float:
        return value
    if isinstance(value, (float, int)) or hasattr(type(value), "__float__"):
        return float(value)  # type: ignore[arg-type]
    raise TypeError(f"expected a float for a floating-point parameter, got {type(value).__name__}: {value!r}")


def raw_f32(value: object) -> float:
    """An f32 argument, rounded to the nearest f32; a NaN keeps the payload bits that an f32 can hold."""
    number = raw_f64(value)
    if number != number:
        exact = float_bits.f32_from_bits(float_bits.f32_to_bits(number))
        if float_bits.f64_to_bits(exact) == float_bits.f64_to_bits(number):
            return exact  # also a signalling NaN stays what it is
    return float_bits.round_f32(number)


def raw_v128(value: object) -> bytes:
    """A v128 argument: 16 bytes, lane 0 first."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"expected 16 bytes for v128, got {type(value).__name__}: {value!r}")
    made = bytes(value)
    if len(made) != 16:
        raise OverflowError(f"v128 is 16 bytes, got {len(made)}")
    return made


def signed_32(value: int) -> int:
    return value - ((value & 0x8000_0000) << 1)


def signed_64(value: int) -> int:
    return value - ((value & 0x8000_0000_0000_0000) << 1)


def matches(value: object, reftype: int) -> bool:
    """True where a raw reference (null included) is of the reference type."""
    if value is None:
        return vt.is_nullable(reftype)
    heap = vt.heap_of(reftype)
    top = top_of(heap)
    if top == vt.EXTERN:
        return heap == vt.EXTERN
    if top == vt.EXN:
        return heap == vt.EXN and isinstance(value, GuestException)
    if top == vt.FUNC:
        return isinstance(value, Function) and (heap == vt.FUNC or is_heap_subtype(value.deftype.id, heap))
    return is_instance(value, heap)


def reference_converter(reftype: int) -> Callable[[object], object]:
    """A function that checks a public reference against a type and returns its raw form."""
    heap = vt.heap_of(reftype)
    wraps_ints = heap in (vt.ANY, vt.EQ, vt.I31)
    if heap == vt.EXTERN and vt.is_nullable(reftype):
        return _same

    def convert(value: object) -> object:
        if wraps_ints and type(value) is int:
            if not -(1 << 30) <= value < 1 << 31:
                raise OverflowError(f"{value} does not fit an i31 reference")
            value = I31(value)
        if not matches(value, reftype):
            raise TypeError(f"expected {vt.format_type(reftype)}, got {_describe(value)}")
        return value

    return convert


def _describe(value: object) -> str:
    if value is None:
        return "None (null)"
    if isinstance(value, (StructObject, ArrayObject)):
        return f"{value!r} of another type"
    return f"{type(value).__name__}: {value!r}"


def _same(value: object) -> object:
    return value


_TO_RAW: Final[dict[int, Callable[[object], object]]] = {
    vt.I32: raw_i32,
    vt.I64: raw_i64,
    vt.F32: raw_f32,
    vt.F64: raw_f64,
    vt.V128: raw_v128,
}
_FROM_RAW: Final[dict[int, Callable[[int], int]]] = {vt.I32: signed_32, vt.I64: signed_64}


def to_raw(valtype: int) -> Callable[[object], object]:
    """The function that checks a public value of a type and returns the raw one."""
    return _TO_RAW.get(valtype) or reference_converter(valtype)


def to_public(value: object, valtype: int) -> object:
    """The public form of a raw value."""
    convert = _FROM_RAW.get(valtype)
    return convert(value) if convert is not None else value  # type: ignore[arg-type]
