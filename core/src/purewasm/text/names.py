"""Identifiers of a module's text: one scope for each index space (spec: text format, indices).

An identifier is kept with its `$`. The name that goes into the name section is the identifier without it, or what a
`(@name "…")` annotation behind it says.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.text.cursor import Cursor
from purewasm.text.lexer import string_bytes
from purewasm.text.numbers import NotANumberError, parse_unsigned

if TYPE_CHECKING:
    from purewasm.text.lexer import Annotation

LONG_WORDS: Final = {"func": "function", "elem": "elem segment", "data": "data segment"}


@final
class IndexSpace:
    """The indices of one kind of thing: how many there are, which identifiers they have, which names."""

    __slots__ = ("count", "cursor", "identifiers", "names", "word")

    def __init__(self, word: str, cursor: Cursor) -> None:
        self.word, self.cursor = word, cursor
        self.count = 0
        self.identifiers: dict[str, int] = {}
        self.names: dict[int, str] = {}

    def bind(self, identifier: str | None, at: int) -> int:
        """Give the next index out, to an identifier if there is one; `at` is the token to blame."""
        index = self.count
        self.count = index + 1
        if identifier is not None:
            if identifier in self.identifiers:
                raise self.cursor.error(f"duplicate {self.word} {identifier}", at)
            self.identifiers[identifier] = index
            self.names[index] = identifier[1:]
        return index

    def declare(self) -> int:
        """Step over an optional identifier and its name annotation, and give the next index out."""
        at = self.cursor.position
        index = self.bind(self.cursor.take_identifier(), at)
        annotated = annotated_name(self.cursor, self.word)
        if annotated is not None:
            self.names[index] = annotated
        return index

    def resolve(self) -> int:
        """Step over an index: a number or an identifier that is bound."""
        cursor = self.cursor
        token = cursor.items[cursor.position]
        index = self.identifiers.get(token)
        if index is None:
            index = self._numeric(token)
        cursor.position += 1
        return index

    def _numeric(self, token: str) -> int:
        if token[:1] == "$" and token != "$":
            raise self.cursor.error(f"unknown {LONG_WORDS.get(self.word, self.word)} {token}")
        try:
            return parse_unsigned(token, 32)
        except NotANumberError:
            raise self.cursor.unexpected(f"a {LONG_WORDS.get(self.word, self.word)} index") from None
        except ValueError as error:
            raise self.cursor.error(str(error)) from None

    def at_index(self) -> bool:
        """True where an index comes next."""
        first = self.cursor.items[self.cursor.position][:1]
        return first == "$" or first.isdigit()


@final
class ModuleNames:
    """The index spaces of a module."""

    __slots__ = ("data", "elems", "fields", "funcs", "globals", "memories", "module", "tables", "tags", "types")

    def __init__(self, cursor: Cursor) -> None:
        self.module: str | None = None
        self.types = IndexSpace("type", cursor)
        self.funcs = IndexSpace("func", cursor)
        self.tables = IndexSpace("table", cursor)
        self.memories = IndexSpace("memory", cursor)
        self.globals = IndexSpace("global", cursor)
        self.tags = IndexSpace("tag", cursor)
        self.elems = IndexSpace("elem", cursor)
        self.data = IndexSpace("data", cursor)
        self.fields: dict[int, IndexSpace] = {}
        """Fields of each structure type, by type index."""


def annotated_name(cursor: Cursor, what: str) -> str | None:
    """The name that a `(@name "…")` annotation in front of the next token gives, or None."""
    found = cursor.take_annotations("name")
    if not found:
        return None
    if len(found) > 1:
        raise cursor.annotation_error(found[1], f"@name annotation: multiple {what} names")
    return _annotation_string(cursor, found[0])


def _annotation_string(cursor: Cursor, annotation: Annotation) -> str:
    if len(annotation.tokens) != 1 or annotation.tokens[0][:1] != '"':
        raise cursor.annotation_error(annotation, "@name annotation: unexpected token")
    try:
        return string_bytes(annotation.tokens[0]).decode()
    except ValueError:
        raise cursor.annotation_error(annotation, "@name annotation: malformed UTF-8 encoding") from None
