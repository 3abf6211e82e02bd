"""The numbers of fixed width as CPython runs them: results wrap as they do in a guest."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, ClassVar, Self


class _Fixed(int):
    """An int that keeps to its width: every result has the type of the left operand."""

    BITS: ClassVar[int]
    IS_SIGNED: ClassVar[bool]

    def __new__(cls, value: float = 0) -> Self:
        bits = int(value) & ((1 << cls.BITS) - 1)
        return int.__new__(cls, bits - (1 << cls.BITS) if cls.IS_SIGNED and bits >> (cls.BITS - 1) else bits)


def _wrapped(name: str) -> Callable[..., Any]:
    plain = getattr(int, name)

    def method(self: _Fixed, *others: int) -> Any:
        found = plain(self, *others)
        if isinstance(found, float):
            raise ValueError("a whole number to a negative power is no whole number")
        return found if found is NotImplemented else type(self)(found)

    return method


_ARITHMETIC = (
    "add sub mul floordiv mod pow and or xor lshift rshift "
    "radd rsub rmul rfloordiv rmod rpow rand ror rxor rlshift rrshift neg pos abs invert"
)
for _name in _ARITHMETIC.split():
    setattr(_Fixed, f"__{_name}__", _wrapped(f"__{_name}__"))


class i32(_Fixed):  # noqa: N801 - the names of WebAssembly
    """A signed number of 32 bits."""

    BITS, IS_SIGNED = 32, True


class i64(_Fixed):  # noqa: N801
    """A signed number of 64 bits."""

    BITS, IS_SIGNED = 64, True


class u32(_Fixed):  # noqa: N801
    """An unsigned number of 32 bits."""

    BITS, IS_SIGNED = 32, False


class u64(_Fixed):  # noqa: N801
    """An unsigned number of 64 bits."""

    BITS, IS_SIGNED = 64, False


class f64(float):  # noqa: N801
    """A float of 64 bits: Python's own."""


class f32(float):  # noqa: N801
    """A float of 32 bits: every result is rounded."""

    def __new__(cls, value: float = 0.0) -> Self:
        try:
            rounded: float = struct.unpack("f", struct.pack("f", value))[0]
        except OverflowError:
            rounded = float("inf") if value > 0 else float("-inf")
        return float.__new__(cls, rounded)


def _rounded(name: str) -> Callable[..., Any]:
    plain = getattr(float, name)

    def method(self: f32, *others: float) -> Any:
        found = plain(self, *others)
        return found if found is NotImplemented else f32(found)

    return method


for _name in "add sub mul truediv floordiv mod radd rsub rmul rtruediv rfloordiv rmod neg pos abs".split():
    setattr(f32, f"__{_name}__", _rounded(f"__{_name}__"))

