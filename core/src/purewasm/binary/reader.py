"""A reader over one stretch of a module's bytes: integers, vectors' lengths, names (spec: binary format, conventions)."""

from __future__ import annotations

from itertools import islice

from purewasm.binary import leb
from purewasm.binary.gate import refuse_above
from purewasm.binary.leb import MAX_BYTES
from purewasm.errors import MalformedError
from purewasm.light_library import length_hint
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.wasm.limits import MAX_STRING_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

UNEXPECTED_END: Final = "unexpected end of section or function"
LENGTH_OUT_OF_BOUNDS: Final = "length out of bounds"


@final
class Reader:
    """Reads `source[start:end]` from front to back.

    `code` is the iterator behind it, for functions that read integers themselves; it raises StopIteration at the end. It goes a
    few bytes further than `end`, so that an integer that crosses it can be told from one that is malformed: who has read
    everything must look at `remaining`, which is negative then.
    """

    __slots__ = ("_limit", "code", "end", "start")

    def __init__(self, source: bytes, start: int, end: int) -> None:
        self.start, self.end = start, end
        self._limit = min(end + MAX_BYTES, len(source))
        self.code: Iterator[int] = iter(source[start : self._limit])

    @property
    def position(self) -> int:
        """Offset in the source of the next byte."""
        return self._limit - length_hint(self.code)

    @property
    def remaining(self) -> int:
        """How many bytes are left up to `end`."""
        return self.end - self.position

    def byte(self) -> int:
        return next(self.code)

    def u32(self) -> int:
        return leb.u32(self.code)

    def length(self, what: str) -> int:
        """The length of a vector whose elements take a byte at least, so that it cannot be larger than what is left."""
        return vector_length(self.code, what)

    def count(self, limit: int, what: str) -> int:
        """As `length`, and at most `limit`."""
        number = vector_length(self.code, what)
        refuse_above(limit, number, what)
        return number

    def name(self) -> str:
        """A vector of bytes that is text in UTF-8."""
        number = vector_length(self.code, "bytes in a name")
        if number > self.remaining:
            raise StopIteration
        refuse_above(MAX_STRING_BYTES, number, "bytes in a name")
        try:
            return bytes(islice(self.code, number)).decode()
        except UnicodeDecodeError as error:
            raise MalformedError(f"malformed UTF-8 encoding: {error.reason} at byte {error.start} of a name") from None


def vector_length(code: Iterator[int], what: str) -> int:
    """The length of a vector; MalformedError where so many elements cannot follow in the bytes that are left."""
    left = length_hint(code)  # the length's own bytes included, as the reference interpreter has it
    number = leb.u32(code)
    if number > left:
        raise MalformedError(f"{LENGTH_OUT_OF_BOUNDS}: {number} {what} where {length_hint(code)} bytes are left")
    return number


def integer_at(source: bytes, position: int, end: int) -> tuple[int, int]:
    """The unsigned 32-bit integer at a position, and the position after it; StopIteration where that is behind `end`."""
    window = source[position : position + MAX_BYTES]
    code = iter(window)
    value = leb.u32(code)
    after = position + len(window) - length_hint(code)
    if after > end:
        raise StopIteration
    return value, after
