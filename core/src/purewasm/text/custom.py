"""Custom sections in a module's text: `(@custom "name" (after func) "bytes")` (spec: appendix, custom sections and annotations)."""

from __future__ import annotations

from purewasm.binary import primitive_encoder as enc
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple
from purewasm.text.lexer import string_bytes

if TYPE_CHECKING:
    from purewasm.errors import MalformedError
    from purewasm.text.cursor import Cursor
    from purewasm.text.lexer import Annotation

SECTION_WORDS: Final = {
    "type": enc.TYPE, "import": enc.IMPORT, "func": enc.FUNCTION, "table": enc.TABLE, "memory": enc.MEMORY, "tag": enc.TAG,
    "global": enc.GLOBAL, "export": enc.EXPORT, "start": enc.START, "elem": enc.ELEMENT, "datacount": enc.DATA_COUNT,
    "code": enc.CODE, "data": enc.DATA,
}  # fmt: skip
FIRST: Final = 0
"""Place of what comes before all sections."""
LAST: Final = -1
"""Place of what comes after all sections, and after the name section."""


class CustomText(NamedTuple):
    """A custom section, and where it belongs: before (True) or after (False) a section id, `FIRST` or `LAST`."""

    name: str
    data: bytes
    before: bool
    place: int


def parse_custom(cursor: Cursor, annotation: Annotation) -> CustomText:
    """What the annotation says."""
    tokens = list(annotation.tokens)
    if not tokens or tokens[0][:1] != '"':
        raise _error(cursor, annotation, "missing section name")
    name = _name(cursor, annotation, tokens.pop(0))
    before, place = False, LAST
    if tokens[:1] == ["("]:
        before, place = _placement(cursor, annotation, tokens[1:4])
        tokens = tokens[4:]
    if any(token[:1] != '"' for token in tokens):
        raise _error(cursor, annotation, "unexpected token")
    try:
        data = b"".join([string_bytes(token) for token in tokens])
    except ValueError as error:
        raise _error(cursor, annotation, str(error)) from None
    return CustomText(name, data, before, place)


def _name(cursor: Cursor, annotation: Annotation, token: str) -> str:
    try:
        return string_bytes(token).decode()
    except ValueError:
        raise _error(cursor, annotation, "malformed UTF-8 encoding") from None


def _placement(cursor: Cursor, annotation: Annotation, tokens: list[str]) -> tuple[bool, int]:
    """`before first`, `after last`, or `before` or `after` a section, and the parenthesis behind it."""
    direction, word, close = [*tokens, "", "", ""][:3]
    if direction not in ("before", "after"):
        raise _error(cursor, annotation, "malformed placement")
    if (direction, word) == ("before", "first"):
        place = FIRST
    elif (direction, word) == ("after", "last"):
        place = LAST
    elif word in SECTION_WORDS:
        place = SECTION_WORDS[word]
    else:
        raise _error(cursor, annotation, "malformed section kind")
    if close != ")":
        raise _error(cursor, annotation, "malformed placement")
    return direction == "before", place


def _error(cursor: Cursor, annotation: Annotation, message: str) -> MalformedError:
    return cursor.annotation_error(annotation, f"@custom annotation: {message}")
