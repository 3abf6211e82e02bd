"""Text to tokens (spec: text format, lexical format).

A token is the `str` that stands in the source; its first character tells what it is: `(` and `)`, `"` a string with its quotes
and escapes, `$` an identifier, anything else a keyword or a number. An identifier in quotes comes out as `$` and its contents.
One regular expression finds all tokens of ordinary text; what it does not match (annotations, nested comments, quoted identifiers,
errors) is looked at one by one in `_Lexer.irregular`.

Annotations that purewasm knows are kept beside the tokens, under the index of the token that follows them; others are dropped.
"""

from __future__ import annotations

import re
from array import array

from purewasm.errors import MalformedError
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final

if TYPE_CHECKING:
    from collections.abc import Iterator

BRANCH_HINT: Final = "metadata.code.branch_hint"
KNOWN_ANNOTATIONS: Final = frozenset(("custom", "name", BRANCH_HINT))

END: Final = ""
"""The token behind the last one."""
RESERVED: Final = "\0"
"""First character of a token that the text format keeps for later: nothing matches it."""

_ID_CHARS: Final = r"0-9A-Za-z!#$%&'*+\-./:<=>?@\\^_`|~"
_SPACE: Final = r"(?:[ \t\n\r]++|;;[^\n\r]*+|\(;[^;(]*+;\))*+"  # block comments with ; or ( inside are irregular
_ESCAPE: Final = r"""\\(?:[0-9a-fA-F]{2}|[tnr"'\\]|u\{[0-9a-fA-F]++(?:_[0-9a-fA-F]++)*+\})"""
_STRING: Final = rf'"[^"\\\x00-\x1f\x7f]*+(?:{_ESCAPE}[^"\\\x00-\x1f\x7f]*+)*+"'
_APART: Final = rf'(?!["\[\]{{}},{_ID_CHARS}]|;(?!;))'  # tokens that touch are one reserved token
_TOKEN: Final = re.compile(rf"{_SPACE}(?:(\((?![;@])|\)|[{_ID_CHARS}]++{_APART}|{_STRING}{_APART})|(?s:(.))|\Z)")
_RESERVED: Final = re.compile(rf"(?:[{_ID_CHARS}\[\]{{}},]|;(?!;)|{_STRING})++")
_QUOTED_IDENTIFIER: Final = re.compile(rf"\$({_STRING}){_APART}")
_STRING_TOKEN: Final = re.compile(_STRING)
_ANNOTATION_ID: Final = re.compile(rf"\(@([{_ID_CHARS}]++|{_STRING})?")
_PLAIN_IDENTIFIER: Final = re.compile(rf"[{_ID_CHARS}]++\Z")
_COMMENT_EDGE: Final = re.compile(r"\(;|;\)")
_ONE_ESCAPE: Final = re.compile(_ESCAPE)
_STRING_END: Final = re.compile(r'[^"\\\x00-\x1f\x7f]*+')

_SIMPLE_ESCAPES: Final = {"t": b"\t", "n": b"\n", "r": b"\r", '"': b'"', "'": b"'", "\\": b"\\"}


class Annotation(NamedTuple):
    """An annotation that purewasm knows: its name, its tokens, and where they and the annotation itself start in the source."""

    name: str
    tokens: tuple[str, ...]
    starts: tuple[int, ...]
    start: int


@final
class Tokens:
    """The tokens of a text, the last one `END`, and where each starts in `text`."""

    __slots__ = ("annotations", "items", "starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.items: list[str] = []
        self.starts: array[int] = array("q")
        self.annotations: dict[int, list[Annotation]] = {}

    def error(self, message: str, index: int) -> MalformedError:
        """An error at the token with this index."""
        return error_at(self.text, message, self.starts[index])


def place(text: str, offset: int) -> tuple[int, int]:
    """(line, column) of a character, both from 1."""
    line_start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - line_start + 1


def error_at(text: str, message: str, offset: int) -> MalformedError:
    """An error at a character of the source."""
    line, column = place(text, offset)
    return MalformedError(message, line=line, column=column)


def decode_source(source: str | bytes) -> str:
    """The source as characters. MalformedError where bytes are not UTF-8."""
    if isinstance(source, str):
        return source
    try:
        return source.decode()
    except UnicodeDecodeError as error:
        readable = source[: error.start].decode()
        message = f"malformed UTF-8 encoding: {error.reason} at byte {error.start}"
        raise error_at(readable, message, len(readable)) from None


def tokenize(source: str | bytes) -> Tokens:
    """All tokens of a source. MalformedError for what is no token at all."""
    return _Lexer(decode_source(source)).run()


def is_plain_identifier(name: str) -> bool:
    """True where an identifier with this name needs no quotes."""
    return _PLAIN_IDENTIFIER.match(name) is not None


def string_bytes(token: str) -> bytes:
    """What a string token stands for. ValueError for a surrogate or a number above U+10FFFF, in the testsuite's words."""
    content = token[1:-1]
    if "\\" not in content:
        return _utf8(content)
    pieces = content.split("\\")
    decoded = [_utf8(pieces[0])]
    position, number = 1, len(pieces)
    while position < number:
        piece = pieces[position]
        position += 1
        if not piece:  # an escaped backslash: what follows it is no escape
            decoded.append(b"\\")
            if position < number:
                decoded.append(_utf8(pieces[position]))
                position += 1
            continue
        simple = _SIMPLE_ESCAPES.get(piece[0])
        if simple is not None:
            decoded.append(simple + _utf8(piece[1:]))
        elif piece[0] == "u":
            digits, _, rest = piece[2:].partition("}")
            decoded.append(_code_point(digits) + _utf8(rest))
        else:
            decoded.append(bytes.fromhex(piece[:2]) + _utf8(piece[2:]))
    return b"".join(decoded)


def _code_point(digits: str) -> bytes:
    number = int(digits.replace("_", ""), 16)
    if number > 0x10FFFF or 0xD800 <= number < 0xE000:
        raise ValueError(f"malformed UTF-8 encoding: \\u{{{digits}}} is no character")
    return chr(number).encode()


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"malformed UTF-8 encoding: {error.reason}") from None


@final
class _Lexer:
    """One pass over a text."""

    __slots__ = ("output", "position", "text")

    def __init__(self, text: str) -> None:
        self.text, self.position = text, 0
        self.output = Tokens(text)

    def run(self) -> Tokens:
        items, starts = self.output.items, self.output.starts
        is_done = False
        while not is_done:
            for match in _TOKEN.finditer(self.text, self.position):
                if match.lastindex == 1:
                    items.append(match[1])
                    starts.append(match.start(1))
                    continue
                is_done = match.lastindex is None
                if not is_done:
                    self.irregular(match.start(2))
                break
        items.append(END)
        starts.append(len(self.text))
        return self.output

    def irregular(self, start: int) -> None:
        """Deal with what stands at `start`, and set `position` behind it."""
        text = self.text
        if text.startswith("(;", start):
            self.position = self._after_comment(start)
        elif text.startswith("(@", start):
            self._annotation(start)
        else:
            token, self.position = self._irregular_token(start)
            self.output.items.append(token)
            self.output.starts.append(start)

    def _after_comment(self, start: int) -> int:
        """The position after the block comment at `start`."""
        depth = 0
        for edge in _COMMENT_EDGE.finditer(self.text, start):
            depth += 1 if edge[0] == "(;" else -1
            if not depth:
                return edge.end()
        raise error_at(self.text, "unclosed comment", start)

    def _irregular_token(self, start: int) -> tuple[str, int]:
        """A quoted identifier or a reserved token, and the position after it."""
        quoted = _QUOTED_IDENTIFIER.match(self.text, start)
        if quoted:
            return "$" + self._quoted_name(quoted[1], start + 1, "identifier"), quoted.end()
        if self.text.startswith('$"', start) and not _STRING_TOKEN.match(self.text, start + 1):
            raise error_at(self.text, "empty identifier: what follows the $ is no string", start)
        reserved = _RESERVED.match(self.text, start)
        if reserved:
            token, end = reserved[0], reserved.end()
            if self.text[end : end + 1] != '"':
                return RESERVED + token, end
            start = end
        raise self._illegal(start)

    def _quoted_name(self, string: str, start: int, what: str) -> str:
        """Contents of a string that is a name: not empty, and UTF-8 after its escapes."""
        try:
            name = string_bytes(string).decode()
        except ValueError as error:  # UnicodeDecodeError is one, too
            message = str(error) if str(error).startswith("malformed") else f"malformed UTF-8 encoding in {what}"
            raise error_at(self.text, message, start) from None
        if not name:
            raise error_at(self.text, f"empty {what}", start)
        return name

    def _illegal(self, start: int) -> MalformedError:
        """The error for a character that begins no token, or for a string that does not end as it must."""
        character = self.text[start]
        if character != '"':
            return error_at(self.text, f"illegal character {character!r}", start)
        end = self._broken_string_end(start + 1)
        found = self.text[end : end + 1]
        if found in ("", "\n", "\r"):
            return error_at(self.text, "unclosed string", start)
        if found == "\\":
            return error_at(self.text, f"illegal escape {self.text[end : end + 2]!r} in a string", end)
        return error_at(self.text, f"illegal character {found!r} in a string", end)

    def _broken_string_end(self, position: int) -> int:
        """Where a string that is known to be malformed stops being one."""
        while True:
            plain = _STRING_END.match(self.text, position)
            position = plain.end() if plain else position
            good = _ONE_ESCAPE.match(self.text, position)
            if not good:
                return position
            position = good.end()

    # ---- annotations

    def _annotation(self, start: int) -> None:
        """Read the annotation at `start`; keep it if its name is known."""
        head = _ANNOTATION_ID.match(self.text, start)
        if head is None or head[1] is None:
            raise error_at(self.text, "empty annotation id", start)
        name = self._quoted_name(head[1], start + 2, "annotation id") if head[1][0] == '"' else head[1]
        self.position = head.end()
        pairs = list(self._annotation_tokens(start))
        if name in KNOWN_ANNOTATIONS:
            kept = Annotation(name, tuple([token for token, _ in pairs]), tuple([where for _, where in pairs]), start)
            self.output.annotations.setdefault(len(self.output.items), []).append(kept)

    def _annotation_tokens(self, start: int) -> Iterator[tuple[str, int]]:
        """(token, where it starts) up to the parenthesis that closes the annotation; `position` is then behind it."""
        depth = 1
        while True:
            match = _TOKEN.match(self.text, self.position)
            if match is None or match.lastindex is None:
                raise error_at(self.text, "unclosed annotation", start)
            if match.lastindex == 1:
                token, where, self.position = match[1], match.start(1), match.end()
            else:
                where = match.start(2)
                if self.text.startswith("(;", where):
                    self.position = self._after_comment(where)
                    continue
                if self.text[where] == "(":  # of an annotation inside this one
                    token, self.position = "(", where + 1
                else:
                    token, self.position = self._irregular_token(where)
            depth += (token == "(") - (token == ")")
            if not depth:
                return
            yield token, where
