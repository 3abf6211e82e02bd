"""Text of a module to its bytes (spec: text format, modules).

Three steps over one list of tokens: `declarations` binds identifiers, `types` reads the type definitions, `fields` everything else.
What comes out has the form of a module; whether it is valid is for validation to say.
"""

from __future__ import annotations

from purewasm.binary import primitive_encoder as enc
from purewasm.errors import InvalidError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.text.cursor import Cursor
from purewasm.text.custom import parse_custom
from purewasm.text.declarations import Declarations, enter_module
from purewasm.text.fields import FieldParser
from purewasm.text.lexer import BRANCH_HINT, END, tokenize
from purewasm.text.names import ModuleNames, annotated_name
from purewasm.text.types import TypeParser

if TYPE_CHECKING:
    from purewasm.binary.name_encoder import NameSection
    from purewasm.text.declarations import Field
    from purewasm.text.sections import Sections
    from purewasm.wasm.features import Features

_TYPE_FIELDS: Final = ("type", "rec")


def assemble(text: str | bytes, features: Features) -> bytes:
    """The bytes of the module that `text` holds, with or without `(module …)` around it; identifiers go into a name section.

    Raises MalformedError for text that is no module and UnsupportedError for what belongs to a proposal that is not in `features`,
    both with line and column.
    """
    cursor = Cursor(tokenize(text))
    names = ModuleNames(cursor)
    closing = enter_module(cursor, names)
    if closing != END:
        annotated = annotated_name(cursor, "module")
        names.module = names.module if annotated is None else annotated
    declarations = Declarations(cursor, names)
    declarations.read(closing)
    end = cursor.position
    types = TypeParser(cursor, names, features.bits)
    for field in declarations.fields:
        if field.keyword in _TYPE_FIELDS:
            cursor.position = field.start
            types.define()
    fields = FieldParser(cursor, names, types, features.bits)
    for field in declarations.fields:
        cursor.position = field.start
        _take_customs(cursor, fields.sections)
        if field.keyword not in _TYPE_FIELDS:
            fields.read(field)
    cursor.position = end
    _take_customs(cursor, fields.sections)
    _finish(cursor, closing)
    _refuse_annotations_left(cursor, declarations.fields)
    _add_types(types, fields.sections)
    return fields.sections.encode(_all_names(names, fields.inner_names))


def _take_customs(cursor: Cursor, sections: Sections) -> None:
    for annotation in cursor.take_annotations("custom"):
        sections.customs.append(parse_custom(cursor, annotation))


def _finish(cursor: Cursor, closing: str) -> None:
    """Nothing may follow the module."""
    if closing != END:
        cursor.expect(closing)
    if cursor.items[cursor.position] != END:
        raise cursor.unexpected("the end of the text")


def _refuse_annotations_left(cursor: Cursor, fields: list[Field]) -> None:
    """An annotation that nobody took is misplaced; a branch hint in a function stands before something that does not branch."""
    for index, annotation in cursor.annotations_left():
        if annotation.name != BRANCH_HINT:
            raise cursor.annotation_error(annotation, f"misplaced @{annotation.name} annotation")
        field = next((field for field in reversed(fields) if field.start <= index), None)
        if field is None or field.keyword != "func" or field.start == index or index >= field.end:
            raise cursor.annotation_error(annotation, f"@{BRANCH_HINT} annotation: not in a function")
        error = cursor.annotation_error(annotation, f"@{BRANCH_HINT} annotation: invalid target")
        raise InvalidError(error.message, line=error.line, column=error.column)


def _add_types(types: TypeParser, sections: Sections) -> None:
    first = 0
    for size in types.groups:
        sections.add(enc.TYPE, enc.rec_group([enc.sub_type(member) for member in types.definitions[first : first + size]]))
        first += size


def _all_names(names: ModuleNames, inner: NameSection) -> NameSection:
    """`inner`, which has the names inside of functions, with those of the module's index spaces."""
    inner.module = names.module
    inner.functions, inner.tables, inner.memories = names.funcs.names, names.tables.names, names.memories.names
    inner.globals, inner.tags, inner.types = names.globals.names, names.tags.names, names.types.names
    inner.elements, inner.data = names.elems.names, names.data.names
    inner.fields = {index: space.names for index, space in names.fields.items() if space.names}
    return inner
