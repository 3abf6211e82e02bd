"""First look at a module's text: where its fields are, and an index for everything that has one (spec: text format, modules).

Fields may refer to each other in any order, so identifiers are bound before anything is read. Nothing else is read here but what
decides about indices: a table or a memory with contents in its own field has a segment, too.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final
from purewasm.text.cursor import Cursor
from purewasm.text.lexer import END
from purewasm.text.names import LONG_WORDS, IndexSpace, ModuleNames

if TYPE_CHECKING:
    from collections.abc import Mapping


class Field(NamedTuple):
    """A field: its keyword, its first token and the one behind its last, its index (-1 without one), and the token behind its name."""

    keyword: str
    start: int
    own_index: int
    body: int
    end: int


_EXTERN_KINDS: Final = ("func", "table", "memory", "global", "tag")
_INLINE_SEGMENT: Final = {"table": "elem", "memory": "data"}


@final
class Declarations:
    """Binds the identifiers of all fields of a module and lists the fields in the order of the text."""

    __slots__ = ("_defined", "_spaces", "cursor", "fields", "names")

    def __init__(self, cursor: Cursor, names: ModuleNames) -> None:
        self.cursor, self.names = cursor, names
        self.fields: list[Field] = []
        self._defined = ""
        self._spaces: Mapping[str, IndexSpace] = {
            "func": names.funcs, "table": names.tables, "memory": names.memories, "global": names.globals, "tag": names.tags,
            "elem": names.elems, "data": names.data, "type": names.types,
        }  # fmt: skip

    def read(self, closing: str) -> None:
        """All fields up to `closing`, which is not stepped over."""
        cursor, items = self.cursor, self.cursor.items
        while items[cursor.position] != closing:
            if items[cursor.position] != "(":
                raise cursor.unexpected("a field of a module")
            self._field(items[cursor.position + 1], cursor.position)

    def _field(self, keyword: str, start: int) -> None:
        cursor = self.cursor
        if keyword not in self._spaces and keyword not in ("rec", "import", "export", "start"):
            raise cursor.unexpected("a field of a module", start + 1)
        cursor.position = start + 2
        index = -1
        if keyword == "rec":
            while cursor.is_open("type"):
                self._type()
        elif keyword == "import":
            index = self._import(start)
        elif keyword in self._spaces:
            index = self._spaces[keyword].declare()
            if keyword in _EXTERN_KINDS:
                self._definition(keyword, start)
        body = cursor.position
        cursor.position = start
        cursor.skip_group()
        self.fields.append(Field(keyword, start, index, body, cursor.position))
        inline = _INLINE_SEGMENT.get(keyword)
        if inline is not None and self._has_group(inline, body, cursor.position):
            self._spaces[inline].bind(None, body)

    def _type(self) -> None:
        """A type inside a recursion group."""
        start = self.cursor.position
        self.cursor.position += 2
        self.names.types.declare()
        self.cursor.position = start
        self.cursor.skip_group()

    def _import(self, start: int) -> int:
        cursor = self.cursor
        self._after_definition(start)
        cursor.name()
        cursor.name()
        cursor.expect("(")
        keyword = cursor.items[cursor.position]
        if keyword not in _EXTERN_KINDS:
            raise cursor.unexpected("func, table, memory, global or tag")
        cursor.position += 1
        return self._spaces[keyword].declare()

    def _definition(self, keyword: str, start: int) -> None:
        """Behind the name of a field that may be an import; anything else may not come before an import."""
        cursor = self.cursor
        behind_name = cursor.position
        while cursor.is_open("export"):
            cursor.skip_group()
        if cursor.is_open("import"):
            self._after_definition(start)
        elif not self._defined:
            self._defined = keyword
        cursor.position = behind_name

    def _after_definition(self, start: int) -> None:
        if self._defined:
            raise self.cursor.error(f"import after {LONG_WORDS.get(self._defined, self._defined)}", start)

    def _has_group(self, keyword: str, start: int, end: int) -> bool:
        items = self.cursor.items
        return any(items[at] == keyword and items[at - 1] == "(" for at in range(start + 1, end))


def enter_module(cursor: Cursor, names: ModuleNames) -> str:
    """Step over `(module $id?`, if it is there. Returns what closes the module: a parenthesis, or the end of the text."""
    if not cursor.take_open("module"):
        return END
    from_identifier = cursor.take_identifier()
    names.module = from_identifier[1:] if from_identifier else None
    return ")"
