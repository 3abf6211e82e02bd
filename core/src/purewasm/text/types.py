"""Types of the text format (spec: text format, types).

Inside the parser a value type is an int as in `wasm.valtypes` whose concrete heap types are indices of the module's types; the
encoder writes them as they are.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final
from purewasm.text.cursor import Cursor
from purewasm.text.names import IndexSpace, ModuleNames
from purewasm.wasm import features
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import ArrayType, CompositeType, FieldType, FuncType, StructType, SubType
from purewasm.wasm.module import GlobalType, Limits, MemoryType, TableType

if TYPE_CHECKING:
    from collections.abc import Callable

_STORAGE_BY_NAME: Final = {name: storage for storage, name in vt.STORAGE_NAMES.items()}
_VALTYPE_BY_NAME: Final = vt.VALTYPE_BY_NAME
_NO_VALUES: Final = FuncType((), ())


class TypeUse(NamedTuple):
    """A type use: the type's index, the signature (None if it is not known here), and whether `(type …)` was written."""

    type_index: int
    signature: FuncType | None
    explicit: bool


class MemoryText(NamedTuple):
    """A memory type and whether its page size was written."""

    type: MemoryType
    explicit_page_size: bool


@final
class TypeParser:
    """Reads types, and keeps the module's type definitions: those that are written, then those that type uses add."""

    __slots__ = ("_by_signature", "cursor", "definitions", "enabled", "groups", "names")

    def __init__(self, cursor: Cursor, names: ModuleNames, enabled: int) -> None:
        self.cursor, self.names, self.enabled = cursor, names, enabled
        self.definitions: list[SubType] = []
        self.groups: list[int] = []
        """Size of each recursion group, in order."""
        self._by_signature: dict[FuncType, int] = {}

    # ---- value types

    def value_type(self) -> int:
        """A number, vector or reference type."""
        cursor = self.cursor
        known = _VALTYPE_BY_NAME.get(cursor.items[cursor.position])
        if known is not None:
            cursor.position += 1
            return known
        if cursor.is_open("ref"):
            return self.reference_type()
        raise cursor.unexpected("a value type")

    def at_reference_type(self) -> bool:
        token = self.cursor.items[self.cursor.position]
        return _VALTYPE_BY_NAME.get(token, 0) >= vt.REF_BASE or self.cursor.is_open("ref")

    def reference_type(self) -> int:
        """`(ref null? heap)`, or the short form of a nullable abstract one."""
        cursor = self.cursor
        if cursor.take_open("ref"):
            nullable = cursor.take("null")
            made = vt.ref_type(self.heap_type(), nullable)
            cursor.expect(")")
            return made
        known = _VALTYPE_BY_NAME.get(cursor.items[cursor.position], 0)
        if known < vt.REF_BASE:
            raise cursor.unexpected("a reference type")
        cursor.position += 1
        return known

    def heap_type(self) -> int:
        """An abstract heap type or a type index."""
        known = vt.HEAP_BY_NAME.get(self.cursor.items[self.cursor.position])
        if known is not None:
            self.cursor.position += 1
            return known
        return self.names.types.resolve()

    def _value_types(self) -> list[int]:
        """Value types up to a closing parenthesis, which is stepped over."""
        found = []
        while not self.cursor.take(")"):
            found.append(self.value_type())
        return found

    # ---- function types

    def signature(self, name_param: Callable[[], object] | None, *, names_allowed: bool = True) -> FuncType:
        """`(param …)* (result …)*`. `name_param` is called where a parameter is declared, to step over its identifier, if any."""
        params: list[int] = []
        results: list[int] = []
        while self.cursor.take_open("param"):
            self._params(params, name_param, names_allowed)
        while self.cursor.take_open("result"):
            results += self._value_types()
        if results and (self.cursor.is_open("param") or self.cursor.is_open("type")):
            raise self.cursor.unexpected(at=self.cursor.position + 1)
        return FuncType(tuple(params), tuple(results)) if params or results else _NO_VALUES

    def _params(self, params: list[int], name_param: Callable[[], object] | None, names_allowed: bool) -> None:
        cursor = self.cursor
        if cursor.items[cursor.position][:1] == "$":
            if not names_allowed:
                raise cursor.unexpected("a value type")
            if name_param is not None:
                name_param()
            else:
                cursor.take_identifier()
            params.append(self.value_type())
            cursor.expect(")")
            return
        while not cursor.take(")"):
            if name_param is not None:
                name_param()
            params.append(self.value_type())

    def type_use(self, name_param: Callable[[], object] | None = None, *, names_allowed: bool = True) -> TypeUse:
        """`(type x)? (param …)* (result …)*`, which must agree; without `(type x)` the first fitting type, or a new one."""
        cursor = self.cursor
        if not cursor.take_open("type"):
            signature = self.signature(name_param, names_allowed=names_allowed)
            return TypeUse(self.index_of(signature), signature, explicit=False)
        index = self.names.types.resolve()
        cursor.expect(")")
        at = cursor.position
        inline = self.signature(name_param, names_allowed=names_allowed)
        known = self.signature_of(index)
        if inline != _NO_VALUES and inline != known:
            raise cursor.error(f"unknown type {index}" if index >= len(self.definitions) else "inline function type", at)
        return TypeUse(index, known, explicit=True)

    def signature_of(self, index: int) -> FuncType | None:
        """The function type with this index, or None where there is none."""
        composite = self.definitions[index].composite if index < len(self.definitions) else None
        return composite if isinstance(composite, FuncType) else None

    def index_of(self, signature: FuncType) -> int:
        """The first type that is just this function type; it is added at the end if there is none."""
        index = self._by_signature.get(signature)
        if index is None:
            index = len(self.definitions)
            self._add_group([SubType(True, (), signature)])
        return index

    # ---- definitions

    def define(self) -> None:
        """A `(type …)` or `(rec …)` field, whose identifiers are bound already."""
        cursor = self.cursor
        if cursor.take_open("type"):
            self._add_group([self._definition(len(self.definitions))])
            return
        cursor.require(self.enabled, features.GC, "a recursion group")
        cursor.expect_open("rec")
        members: list[SubType] = []
        while cursor.take_open("type"):
            members.append(self._definition(len(self.definitions) + len(members)))
        cursor.expect(")")
        self._add_group(members)

    def _add_group(self, members: list[SubType]) -> None:
        if len(members) == 1:
            only = members[0]
            if only.final and not only.supers and isinstance(only.composite, FuncType):
                self._by_signature.setdefault(only.composite, len(self.definitions))
        self.definitions += members
        self.groups.append(len(members))

    def _definition(self, index: int) -> SubType:
        """What stands behind `(type` up to and including its closing parenthesis."""
        cursor = self.cursor
        cursor.take_identifier()
        if cursor.take_open("sub"):
            cursor.require(self.enabled, features.GC, "a sub type", cursor.position - 1)
            final = cursor.take("final")
            supers = []
            while self.names.types.at_index():
                supers.append(self.names.types.resolve())
            made = SubType(final, tuple(supers), self._composite(index))
            cursor.expect(")")
        else:
            made = SubType(True, (), self._composite(index))
        cursor.expect(")")
        return made

    def _composite(self, index: int) -> CompositeType:
        cursor = self.cursor
        if cursor.take_open("func"):
            signature = self.signature(None)
            cursor.expect(")")
            return signature
        if cursor.take_open("struct"):
            cursor.require(self.enabled, features.GC, "a structure type", cursor.position - 1)
            return self._structure(index)
        cursor.expect_open("array")
        cursor.require(self.enabled, features.GC, "an array type", cursor.position - 1)
        field = self._field_type()
        cursor.expect(")")
        return ArrayType(field)

    def _structure(self, index: int) -> StructType:
        cursor = self.cursor
        space = self.names.fields[index] = IndexSpace("field", cursor)
        fields: list[FieldType] = []
        while cursor.take_open("field"):
            if cursor.items[cursor.position][:1] == "$":
                space.declare()
                fields.append(self._field_type())
                cursor.expect(")")
                continue
            while not cursor.take(")"):
                space.declare()
                fields.append(self._field_type())
        cursor.expect(")")
        return StructType(tuple(fields))

    def _field_type(self) -> FieldType:
        if self.cursor.take_open("mut"):
            storage = self._storage_type()
            self.cursor.expect(")")
            return FieldType(storage, True)
        return FieldType(self._storage_type(), False)

    def _storage_type(self) -> int:
        packed = _STORAGE_BY_NAME.get(self.cursor.items[self.cursor.position])
        if packed is None:
            return self.value_type()
        self.cursor.position += 1
        return packed

    # ---- types of tables, memories, globals

    def address_type(self) -> bool:
        """An optional `i32` or `i64`: True for 64-bit indices."""
        cursor = self.cursor
        if cursor.items[cursor.position] == "i64":
            cursor.require(self.enabled, features.MEMORY64, "an index of type i64")
        is_64 = cursor.take("i64")
        if not is_64:
            cursor.take("i32")
        return is_64

    def limits(self) -> Limits:
        """`min max?`. Before memory64 these were numbers of 32 bits."""
        bits = 64 if self.enabled & features.MEMORY64 else 32
        least = self.cursor.unsigned(bits)
        return Limits(least, self.cursor.unsigned(bits) if self.cursor.at_number() else None)

    def table_type(self) -> TableType:
        """`i64? min max? reftype`."""
        is_64 = self.address_type()
        limits = self.limits()
        return TableType(self.reference_type(), limits, is_64)

    def memory_type(self) -> MemoryText:
        """`i64? min max? shared? (pagesize n)?`."""
        is_64 = self.address_type()
        return self.sized_memory_type(is_64)

    def sized_memory_type(self, is_64: bool) -> MemoryText:
        """What stands behind the address type of a memory type."""
        cursor = self.cursor
        limits = self.limits()
        if cursor.items[cursor.position] == "shared":
            cursor.require(self.enabled, features.THREADS, "a shared memory")
        shared = cursor.take("shared")
        page_size_log2, explicit = self.page_size()
        return MemoryText(MemoryType(limits, is_64, shared, page_size_log2), explicit)

    def page_size(self) -> tuple[int, bool]:
        """log2 of an optional `(pagesize n)`, and whether it is there."""
        cursor = self.cursor
        at = cursor.position
        if not cursor.take_open("pagesize"):
            return 16, False
        cursor.require(self.enabled, features.CUSTOM_PAGE_SIZES, "a page size", at)
        size = cursor.unsigned(64)
        if size.bit_count() != 1:
            raise cursor.error(f"invalid custom page size {size}: not a power of two", at + 2)
        cursor.expect(")")
        return size.bit_length() - 1, True

    def global_type(self) -> GlobalType:
        """`t` or `(mut t)`."""
        if self.cursor.take_open("mut"):
            valtype = self.value_type()
            self.cursor.expect(")")
            return GlobalType(valtype, True)
        return GlobalType(self.value_type(), False)
