"""Numbers and sizes as words of a command line: `1000`, `64K`, `64KiB`, `2M`, `1GiB`. Units are powers of 1024."""

from __future__ import annotations

from purewasm.cli.arguments import ArgumentError
from purewasm.light_typing import Final

_UNITS: Final = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def parse_bytes(word: str) -> int:
    """How many bytes a word stands for."""
    number = word.upper().removesuffix("B").removesuffix("I")
    unit = _UNITS.get(number[-1:])
    digits = number[:-1] if unit else word
    if not digits.isdecimal():
        raise ArgumentError(f"expected a number of bytes or a size such as 64MiB, got {word!r}")
    return int(digits) * (unit or 1)


def parse_count(word: str) -> int:
    """How many a word stands for; `_` may separate digits."""
    if not word.replace("_", "").isdecimal():
        raise ArgumentError(f"expected a number from 0, got {word!r}")
    return int(word)
