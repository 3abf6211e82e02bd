"""The fields of a module's text, one after the other, to entries of sections (spec: text format, modules).

All identifiers are bound and all type definitions known before the first field is read here.
"""

from __future__ import annotations

from itertools import groupby

from purewasm.binary import primitive_encoder as enc
from purewasm.binary.name_encoder import NameSection
from purewasm.binary.segment_encoder import REF_FUNC, data_segment, element_segment
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.text.cursor import Cursor
from purewasm.text.declarations import Field
from purewasm.text.instructions import BodyParser
from purewasm.text.names import IndexSpace, ModuleNames
from purewasm.text.sections import Sections
from purewasm.text.types import TypeParser
from purewasm.wasm import features
from purewasm.wasm.module import ACTIVE, DECLARATIVE, FUNC, GLOBAL, KIND_NAMES, MEMORY, PASSIVE, TABLE, TAG, Limits, MemoryType, TableType
from purewasm.wasm.opcodes import CODE
from purewasm.wasm.valtypes import FUNCREF

if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS: Final = {name: kind for kind, name in enumerate(KIND_NAMES)}
_END: Final = bytes((CODE["end"],))
_ZERO_I32: Final = bytes((CODE["i32.const"], 0)) + _END
_ZERO_I64: Final = bytes((CODE["i64.const"], 0)) + _END

_REF_FUNC: Final = bytes((CODE["ref.func"],))

_Items = list[int] | list[bytes]


@final
class FieldParser:
    """Reads fields into `sections`, and the names of what is inside of functions into `inner_names`."""

    __slots__ = ("body", "cursor", "enabled", "inner_names", "names", "sections", "spaces", "types")

    def __init__(self, cursor: Cursor, names: ModuleNames, types: TypeParser, enabled: int) -> None:
        self.cursor, self.names, self.types, self.enabled = cursor, names, types, enabled
        self.body = BodyParser(cursor, names, types, enabled)
        self.sections = Sections()
        self.inner_names = NameSection()
        self.spaces = (names.funcs, names.tables, names.memories, names.globals, names.tags)

    def read(self, field: Field) -> None:
        """One field, up to and including its closing parenthesis."""
        self.cursor.position = field.body
        _READERS[field.keyword](self, field)
        self.cursor.expect(")")

    # ---- imports and exports

    def _inline_exports(self, kind: int, index: int) -> None:
        """`(export "name")*`."""
        while self.cursor.take_open("export"):
            self.sections.add_export(self.cursor.name(), kind, index)
            self.cursor.expect(")")

    def _inline_import(self, kind: int, index: int) -> bool:
        """`(import "module" "name")` and the type behind it, if it is there."""
        cursor = self.cursor
        if not cursor.take_open("import"):
            return False
        module, name = cursor.name(), cursor.name()
        cursor.expect(")")
        self.sections.add_import(module, name, kind, self._extern_type(kind, index))
        return True

    def _extern_type(self, kind: int, index: int) -> bytes:
        """The type of an import of this kind, which has this index."""
        types = self.types
        if kind == FUNC:
            params = IndexSpace("local", self.cursor)
            use = types.type_use(params.declare)
            if params.names:
                self.inner_names.locals[index] = params.names
            return enc.unsigned(use.type_index)
        if kind == TABLE:
            return enc.table_type(types.table_type())
        if kind == MEMORY:
            memory = types.memory_type()
            return enc.memory_type(memory.type, explicit_page_size=memory.explicit_page_size)
        if kind == GLOBAL:
            return enc.global_type(types.global_type())
        return self._tag_type()

    def _tag_type(self) -> bytes:
        self.cursor.require(self.enabled, features.EXCEPTIONS | features.LEGACY_EXCEPTIONS, "a tag")
        return enc.tag_type(self.types.type_use().type_index)

    def _import(self, field: Field) -> None:
        cursor = self.cursor
        cursor.position = field.start + 2
        module, name = cursor.name(), cursor.name()
        cursor.expect("(")
        kind = _KINDS[cursor.items[cursor.position]]
        cursor.position = field.body
        self.sections.add_import(module, name, kind, self._extern_type(kind, field.own_index))
        cursor.expect(")")

    def _export(self, field: Field) -> None:
        cursor = self.cursor
        name = cursor.name()
        cursor.expect("(")
        kind = _KINDS.get(cursor.items[cursor.position])
        if kind is None:
            raise cursor.unexpected("func, table, memory, global or tag")
        cursor.position += 1
        self.sections.add_export(name, kind, self.spaces[kind].resolve())
        cursor.expect(")")

    def _start(self, field: Field) -> None:
        if self.sections.start is not None:
            raise self.cursor.error("multiple start sections", field.start)
        self.sections.start = self.names.funcs.resolve()

    # ---- functions and what has a type

    def _function(self, field: Field) -> None:
        self._inline_exports(FUNC, field.own_index)
        if self._inline_import(FUNC, field.own_index):
            return
        cursor, body = self.cursor, self.body
        locals_ = IndexSpace("local", cursor)
        use = self.types.type_use(locals_.declare)
        if use.signature is not None and not locals_.count:
            locals_.count = len(use.signature.params)
        code = bytearray(self._locals(locals_))
        body.begin(locals_, code)
        body.sequence()
        code += _END
        self.sections.add(enc.FUNCTION, enc.unsigned(use.type_index))
        self.sections.add(enc.CODE, enc.sized(code))
        self.sections.uses_data = self.sections.uses_data or body.uses_data
        if body.hints:
            self.sections.hints.append((field.own_index, body.hints))
        if locals_.names:
            self.inner_names.locals[field.own_index] = locals_.names
        if body.label_names:
            self.inner_names.labels[field.own_index] = body.label_names

    def _locals(self, space: IndexSpace) -> bytes:
        """`(local …)*` as runs of equal types."""
        cursor = self.cursor
        types: list[int] = []
        while cursor.take_open("local"):
            if cursor.items[cursor.position][:1] == "$":
                space.declare()
                types.append(self.types.value_type())
                cursor.expect(")")
                continue
            while not cursor.take(")"):
                space.declare()
                types.append(self.types.value_type())
        return enc.vector([enc.unsigned(len(list(run))) + enc.value_type(valtype) for valtype, run in groupby(types)])

    def _global(self, field: Field) -> None:
        self._inline_exports(GLOBAL, field.own_index)
        if not self._inline_import(GLOBAL, field.own_index):
            type = self.types.global_type()
            self.sections.add(enc.GLOBAL, enc.global_type(type) + self.body.constant_sequence())

    def _tag(self, field: Field) -> None:
        self._inline_exports(TAG, field.own_index)
        if not self._inline_import(TAG, field.own_index):
            self.sections.add(enc.TAG, self._tag_type())

    def _table(self, field: Field) -> None:
        self._inline_exports(TABLE, field.own_index)
        if self._inline_import(TABLE, field.own_index):
            return
        cursor, types = self.cursor, self.types
        is_64 = types.address_type()
        if types.at_reference_type():
            self._table_of_elements(field.own_index, is_64)
            return
        limits = types.limits()
        table = TableType(types.reference_type(), limits, is_64)
        init = None if cursor.at_close() else self.body.constant_sequence()
        self.sections.add(enc.TABLE, enc.table_definition(table, init))

    def _table_of_elements(self, index: int, is_64: bool) -> None:
        """`reftype (elem …)`: a table that is as large as its contents."""
        reftype = self.types.reference_type()
        self.cursor.expect_open("elem")
        items: _Items = self._expressions() if self.cursor.items[self.cursor.position] == "(" else self._function_indices()
        self.cursor.expect(")")
        self.sections.add(enc.TABLE, enc.table_definition(TableType(reftype, Limits(len(items), len(items)), is_64), None))
        if reftype in (FUNCREF, REF_FUNC) and all(isinstance(item, int) for item in items):
            reftype = REF_FUNC
        else:
            items = [_REF_FUNC + enc.unsigned(item) + _END if isinstance(item, int) else item for item in items]
        self.sections.add(enc.ELEMENT, element_segment(ACTIVE, index, _ZERO_I64 if is_64 else _ZERO_I32, reftype, items))

    def _memory(self, field: Field) -> None:
        self._inline_exports(MEMORY, field.own_index)
        if self._inline_import(MEMORY, field.own_index):
            return
        types = self.types
        is_64 = types.address_type()
        if not self.cursor.is_open("data") and not self.cursor.is_open("pagesize"):
            memory, explicit = types.sized_memory_type(is_64)
            self.sections.add(enc.MEMORY, enc.memory_type(memory, explicit_page_size=explicit))
            return
        page_size_log2, explicit = types.page_size()
        self.cursor.expect_open("data")
        content = self.cursor.strings()
        self.cursor.expect(")")
        pages = -(-len(content) >> page_size_log2)
        memory = MemoryType(Limits(pages, pages), is_64, False, page_size_log2)
        self.sections.add(enc.MEMORY, enc.memory_type(memory, explicit_page_size=explicit))
        self.sections.add(enc.DATA, data_segment(ACTIVE, field.own_index, _ZERO_I64 if is_64 else _ZERO_I32, content))

    # ---- segments

    def _elem(self, field: Field) -> None:
        cursor = self.cursor
        mode, table, offset = PASSIVE, 0, None
        if cursor.take("declare"):
            mode = DECLARATIVE
        elif cursor.is_open("table") or cursor.at_number():
            mode, table = ACTIVE, self._use("table", self.names.tables)
            offset = self.body.constant("offset")
        elif cursor.items[cursor.position] == "(" and not cursor.is_open("ref"):
            mode, offset = ACTIVE, self.body.constant("offset")
        if cursor.take("func") or (mode == ACTIVE and (cursor.at_close() or self.names.funcs.at_index())):
            self._add_elements(mode, table, offset, REF_FUNC, self._function_indices())
        else:
            self._add_elements(mode, table, offset, self.types.reference_type(), self._expressions())

    def _add_elements(self, mode: int, table: int, offset: bytes | None, reftype: int, items: _Items) -> None:
        self.sections.add(enc.ELEMENT, element_segment(mode, table, offset, reftype, items))

    def _use(self, keyword: str, space: IndexSpace) -> int:
        """`(keyword index)`, or just the index as text of the first version has it."""
        if self.cursor.at_number():
            return space.resolve()
        self.cursor.expect_open(keyword)
        index = space.resolve()
        self.cursor.expect(")")
        return index

    def _function_indices(self) -> list[int]:
        indices = []
        while not self.cursor.at_close():
            indices.append(self.names.funcs.resolve())
        return indices

    def _expressions(self) -> list[bytes]:
        expressions = []
        while not self.cursor.at_close():
            expressions.append(self.body.constant("item"))
        return expressions

    def _data(self, field: Field) -> None:
        cursor = self.cursor
        mode, memory, offset = PASSIVE, 0, None
        if cursor.items[cursor.position] == "(" or cursor.at_number():
            mode = ACTIVE
            if cursor.is_open("memory") or cursor.at_number():
                memory = self._use("memory", self.names.memories)
            offset = self.body.constant("offset")
        self.sections.add(enc.DATA, data_segment(mode, memory, offset, cursor.strings()))


_READERS: Final[dict[str, Callable[[FieldParser, Field], None]]] = {
    "import": FieldParser._import, "export": FieldParser._export, "start": FieldParser._start, "func": FieldParser._function,
    "global": FieldParser._global, "tag": FieldParser._tag, "table": FieldParser._table, "memory": FieldParser._memory,
    "elem": FieldParser._elem, "data": FieldParser._data,
}  # fmt: skip
