"""A position in a list of tokens, with what every part of the parser asks of it: expecting, strings, numbers, errors.

Messages begin with the testsuite's words: `unexpected token` for a token that exists but does not fit here, `unknown operator`
for one that the text format does not know at all.
"""

from __future__ import annotations

from purewasm.errors import MalformedError, UnsupportedError
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.text import lexer
from purewasm.text.lexer import BRANCH_HINT, END, RESERVED, Annotation, Tokens, string_bytes
from purewasm.text.numbers import NotANumberError, is_number, parse_unsigned
from purewasm.wasm import opcodes
from purewasm.wasm import valtypes as vt
from purewasm.wasm.features import name_of
from purewasm.wasm.opcodes.immediates import CATCH_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

_STRUCTURE_WORDS: Final = frozenset(
    "module binary quote definition instance type rec sub final func struct array field mut ref null param result local import "
    "export memory table global tag elem data start offset item declare shared pagesize then do".split()
)
_SHAPES: Final = frozenset("i8x16 i16x8 i32x4 i64x2 f32x4 f64x2".split())
_PATTERNS: Final = ("nan:canonical", "nan:arithmetic")  # of scripts
KEYWORDS: Final = (
    _STRUCTURE_WORDS
    | _SHAPES
    | vt.VALTYPE_BY_NAME.keys()
    | vt.HEAP_BY_NAME.keys()
    | frozenset(vt.STORAGE_NAMES.values())
    | frozenset(CATCH_NAMES)
    | frozenset(name.partition(" ")[0] for name in opcodes.CODE)
)
"""Every keyword of the text format, apart from `offset=` and `align=`."""
_LONGEST_QUOTE: Final = 40


def _is_known(token: str) -> bool:
    """True for a token that can stand somewhere in the text format."""
    return token[0] in '()$"' or token in KEYWORDS or token in _PATTERNS or is_number(token) or token.startswith(("offset=", "align="))


@final
class Cursor:
    """Reads tokens one after the other. `items[position]` is the next one, `END` at the end."""

    __slots__ = ("_annotations", "items", "position", "tokens")

    def __init__(self, tokens: Tokens) -> None:
        self.tokens, self.items = tokens, tokens.items
        self.position = 0
        self._annotations = tokens.annotations

    # ---- errors

    def error(self, message: str, at: int | None = None) -> MalformedError:
        """An error at the token with index `at`, or at the next one."""
        return self.tokens.error(message, self.position if at is None else at)

    def unexpected(self, wanted: str = "", at: int | None = None) -> MalformedError:
        """The error for a token that cannot stand here; `wanted` says what could."""
        index = self.position if at is None else at
        token = self.items[index]
        instead = f", where {wanted} is expected" if wanted else ""
        if token == END:
            return self.error(f"unexpected token: the text ends{instead}", index)
        token = token.removeprefix(RESERVED)
        shown = token if len(token) <= _LONGEST_QUOTE else token[:_LONGEST_QUOTE] + "…"
        if token == "$":
            return self.error("empty identifier", index)
        words = "unexpected token" if _is_known(self.items[index]) else "unknown operator"
        return self.error(f"{words} {shown}{instead}", index)

    def require(self, enabled: int, feature: int, what: str, at: int | None = None) -> None:
        """UnsupportedError at a token unless a bit of `feature` is in `enabled`."""
        if not enabled & feature:
            name, error = name_of(feature), self.error("", at)
            message = f"{what} needs the feature {name!r}, which is off"
            raise UnsupportedError(message, line=error.line, column=error.column, feature=name)

    # ---- structure

    def take(self, token: str) -> bool:
        """Step over the next token if it is this one."""
        if self.items[self.position] == token:
            self.position += 1
            return True
        return False

    def expect(self, token: str) -> None:
        """Step over this token, which must be the next."""
        if self.items[self.position] != token:
            raise self.unexpected(token)
        self.position += 1

    def is_open(self, keyword: str) -> bool:
        """True where `(` and this keyword come next."""
        return self.items[self.position] == "(" and self.items[self.position + 1] == keyword

    def take_open(self, keyword: str) -> bool:
        """Step over `(` and this keyword if they come next."""
        if self.is_open(keyword):
            self.position += 2
            return True
        return False

    def expect_open(self, keyword: str) -> None:
        """Step over `(` and this keyword, which must come next."""
        self.expect("(")
        self.expect(keyword)

    def at_close(self) -> bool:
        return self.items[self.position] == ")"

    def skip_group(self) -> None:
        """Step over the parenthesis that is next, with everything in it."""
        items, position, depth = self.items, self.position + 1, 1
        while depth:
            token = items[position]
            if token == "(":
                depth += 1
            elif token == ")":
                depth -= 1
            elif token == END:
                self.position = position
                raise self.unexpected(")")
            position += 1
        self.position = position

    # ---- identifiers, strings, numbers

    def take_identifier(self) -> str | None:
        """The identifier that comes next, or None."""
        token = self.items[self.position]
        if token[:1] != "$":
            return None
        if token == "$":
            raise self.error("empty identifier")
        self.position += 1
        return token

    def string(self) -> bytes:
        """A string's bytes."""
        token = self.items[self.position]
        if token[:1] != '"':
            raise self.unexpected("a string")
        try:
            content = string_bytes(token)
        except ValueError as error:
            raise self.error(str(error)) from None
        self.position += 1
        return content

    def strings(self) -> bytes:
        """All strings that follow each other, as one."""
        pieces = []
        while self.items[self.position][:1] == '"':
            pieces.append(self.string())
        return b"".join(pieces)

    def name(self) -> str:
        """A string that is text in UTF-8."""
        at = self.position
        try:
            return self.string().decode()
        except UnicodeDecodeError as error:
            raise self.error(f"malformed UTF-8 encoding: {error.reason} at byte {error.start} of a name", at) from None

    def unsigned(self, bits: int) -> int:
        """An integer without a sign, below 2**bits."""
        token = self.items[self.position]
        try:
            value = parse_unsigned(token, bits)
        except NotANumberError:
            raise self.unexpected("a number") from None
        except ValueError as error:
            raise self.error(str(error)) from None
        self.position += 1
        return value

    def at_number(self) -> bool:
        """True where a number comes next."""
        return self.items[self.position][:1].isdigit()

    # ---- annotations

    def take_annotations(self, name: str) -> list[Annotation]:
        """The annotations of this name in front of the next token. They are taken out: what is left at the end is misplaced."""
        here = self._annotations.get(self.position) if self._annotations else None
        if not here:
            return []
        taken = [annotation for annotation in here if annotation.name == name]
        if taken:
            self._annotations[self.position] = [annotation for annotation in here if annotation.name != name]
        return taken

    def annotations_left(self) -> Iterator[tuple[int, Annotation]]:
        """Annotations that nobody took, with the index of the token behind each."""
        for index in sorted(self._annotations):
            for annotation in self._annotations[index]:
                yield index, annotation

    def has_branch_hints(self) -> bool:
        return any(annotation.name == BRANCH_HINT for here in self._annotations.values() for annotation in here)

    def annotation_error(self, annotation: Annotation, message: str) -> MalformedError:
        """An error at an annotation."""
        return lexer.error_at(self.tokens.text, message, annotation.start)
