"""Names and values as both sides see them: a name is UTF-8, a value is 64 bits.

A bool is 0 or 1 (the guest takes 1 for true and all else for false). A duration is signed nanoseconds, whose bits are the value.
"""

from __future__ import annotations

from datetime import timedelta
from operator import index
from typing import Final

MAX_NAME_BYTES: Final = 65_536
"""Longer names are refused on both sides, so that no guest makes the host copy and decode its whole memory."""

_U64: Final = 1 << 64
_I64_HALF: Final = 1 << 63
_NS_PER_US: Final = 1_000
_US_PER_S: Final = 1_000_000


def check_name(name: str) -> str:
    """Return `name`. `TypeError` for what is no str, `ValueError` for a name that no guest can ask for."""
    if not isinstance(name, str):
        raise TypeError(f"the name of a global is a str, not {type(name).__name__}")
    try:
        size_bytes = len(name.encode())
    except UnicodeEncodeError as error:
        raise ValueError(f"the name of a global has to be encodable as UTF-8: {name!r}") from error
    if size_bytes > MAX_NAME_BYTES:
        raise ValueError(f"the name of a global has at most {MAX_NAME_BYTES} bytes of UTF-8, this one {size_bytes}")
    return name


def u64(value: int) -> int:
    """Return `value` as an int. `TypeError` for what is no integer, `OverflowError` outside 0 to 2**64 - 1."""
    try:
        number = index(value)
    except TypeError:
        raise TypeError(f"the value of a global is an int, not {type(value).__name__}") from None
    if not 0 <= number < _U64:
        raise OverflowError(f"the value of a global is 64 bits, 0 to 2**64 - 1, not {number} (set_duration takes negative values)")
    return number


def duration_to_u64(duration: timedelta | int) -> int:
    """The bits of a duration given as timedelta or as int nanoseconds. `OverflowError` where it does not fit 64 signed bits."""
    if isinstance(duration, timedelta):
        seconds = duration.days * 86_400 + duration.seconds
        nanoseconds = (seconds * _US_PER_S + duration.microseconds) * _NS_PER_US
    else:
        try:
            nanoseconds = index(duration)
        except TypeError:
            raise TypeError(f"a duration is a timedelta, or int nanoseconds, not {type(duration).__name__}") from None
    if not -_I64_HALF <= nanoseconds < _I64_HALF:
        raise OverflowError(f"a duration has to fit 64 signed bits of nanoseconds (about 292 years), not {duration!r}")
    return nanoseconds % _U64


def u64_to_nanoseconds(value: int) -> int:
    """The signed nanoseconds whose bits are `value`."""
    return value - _U64 if value >= _I64_HALF else value
