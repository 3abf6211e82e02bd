"""The sections that declare: imports, functions, tables, memories, tags, globals, exports, start (spec: binary format, modules).

Each function reads one section from its first byte to its last and fills `module`; index spaces hold the imports first.
"""

from __future__ import annotations

from purewasm.binary import leb
from purewasm.binary.expressions import skip_expression
from purewasm.binary.gate import need, refuse_above
from purewasm.binary.types import mutability
from purewasm.errors import MalformedError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import limits
from purewasm.wasm.deftypes import DefType
from purewasm.wasm.features import (
    CUSTOM_PAGE_SIZES,
    EXCEPTIONS,
    FUNCTION_REFERENCES,
    GC,
    LEGACY_EXCEPTIONS,
    MEMORY64,
    MULTI_MEMORY,
    MUTABLE_GLOBALS,
    REFERENCE_TYPES,
    THREADS,
)
from purewasm.wasm.module import (
    FUNC,
    GLOBAL,
    KIND_NAMES,
    MEMORY,
    TABLE,
    TAG,
    ConstExpr,
    Export,
    Global,
    GlobalType,
    Import,
    Limits,
    MemoryType,
    Table,
    TableType,
    WasmModule,
)

if TYPE_CHECKING:
    from purewasm.binary.reader import Reader
    from purewasm.binary.types import TypeSpace

_HAS_MAX: Final = 0x01
_SHARED: Final = 0x02
_IS_64: Final = 0x04
_HAS_PAGE_SIZE: Final = 0x08
_TABLE_WITH_INIT: Final = 0x40
_PAGE_SIZE_LOG2_MAX: Final = 63


# ---- types of what is declared


def _limits(reader: Reader, flags: int) -> Limits:
    minimum = leb.u64(reader.code)
    return Limits(minimum, leb.u64(reader.code) if flags & _HAS_MAX else None)


def _memory_type(reader: Reader, space: TypeSpace) -> MemoryType:
    flags = reader.byte()
    if flags & ~(_HAS_MAX | _SHARED | _IS_64 | _HAS_PAGE_SIZE):
        raise MalformedError(f"malformed limits flags 0x{flags:02x} of a memory")
    if flags & _SHARED:
        need(space.enabled, THREADS, "a shared memory")
    if flags & _IS_64:
        need(space.enabled, MEMORY64, "a 64-bit memory")
    try:
        made, page_size_log2 = _limits(reader, flags), reader.u32() if flags & _HAS_PAGE_SIZE else 16
    except StopIteration:
        if flags & _HAS_PAGE_SIZE and not space.enabled & CUSTOM_PAGE_SIZES:
            raise MalformedError(f"malformed limits flags 0x{flags:02x} of a memory") from None
        raise
    if flags & _HAS_PAGE_SIZE:
        need(space.enabled, CUSTOM_PAGE_SIZES, "a memory with a page size")
        if page_size_log2 > _PAGE_SIZE_LOG2_MAX:
            raise MalformedError(f"invalid custom page size: 2**{page_size_log2} bytes")
    return MemoryType(made, bool(flags & _IS_64), bool(flags & _SHARED), page_size_log2)


def _table_type(reader: Reader, space: TypeSpace, first: int) -> TableType:
    reftype = space.reference_type_from(first, reader.code)
    flags = reader.byte()
    if flags & ~(_HAS_MAX | _IS_64):
        raise MalformedError(f"malformed limits flags 0x{flags:02x} of a table")
    if flags & _IS_64:
        need(space.enabled, MEMORY64, "a 64-bit table")
    return TableType(reftype, _limits(reader, flags), bool(flags & _IS_64))


def _global_type(reader: Reader, space: TypeSpace) -> GlobalType:
    return GlobalType(space.value_type(reader.code), mutability(reader.code))


def _tag_type(reader: Reader, space: TypeSpace) -> int:
    need(space.enabled, EXCEPTIONS | LEGACY_EXCEPTIONS, "a tag")
    attribute = reader.byte()
    if attribute:
        raise MalformedError(f"malformed tag attribute 0x{attribute:02x}")
    return reader.u32()


def _expression(reader: Reader, space: TypeSpace) -> ConstExpr:
    start = reader.position
    skip_expression(reader.code, space)
    return ConstExpr(start, reader.position)


# ---- index spaces


def _add_table(module: WasmModule, made: TableType, space: TypeSpace) -> None:
    if module.table_types:
        need(space.enabled, REFERENCE_TYPES, "multiple tables: a second one")
    module.table_types.append(made)
    refuse_above(limits.MAX_TABLES, len(module.table_types), "tables")


def _add_memory(module: WasmModule, made: MemoryType, space: TypeSpace) -> None:
    if module.memory_types:
        need(space.enabled, MULTI_MEMORY, "multiple memories: a second one")
    module.memory_types.append(made)
    refuse_above(limits.MAX_MEMORIES, len(module.memory_types), "memories")


# ---- sections


def decode_import_section(reader: Reader, module: WasmModule, space: TypeSpace) -> None:
    interned: dict[str, str] = {}  # module names repeat
    for _ in range(reader.count(limits.MAX_IMPORTS, "imports")):
        module_name = reader.name()
        module_name = interned.setdefault(module_name, module_name)
        name, kind = reader.name(), reader.byte()
        made: DefType | TableType | MemoryType | GlobalType
        if kind == FUNC:
            made = space.deftype(reader.u32())
            module.func_types.append(made)
        elif kind == TABLE:
            made = _table_type(reader, space, reader.byte())
            _add_table(module, made, space)
        elif kind == MEMORY:
            made = _memory_type(reader, space)
            _add_memory(module, made, space)
        elif kind == GLOBAL:
            made = _global_type(reader, space)
            if made.mutable:
                need(space.enabled, MUTABLE_GLOBALS, "the import of a mutable global")
            module.global_types.append(made)
        elif kind == TAG:
            made = space.deftype(_tag_type(reader, space))
            module.tag_types.append(made)
        else:
            raise MalformedError(f"malformed import kind 0x{kind:02x} of {module_name!r} {name!r}")
        module.imports.append(Import(module_name, name, kind, made))
    module.imported_functions = len(module.func_types)
    module.imported_tables = len(module.table_types)
    module.imported_memories = len(module.memory_types)
    module.imported_globals = len(module.global_types)
    module.imported_tags = len(module.tag_types)


def decode_function_section(reader: Reader, module: WasmModule, space: TypeSpace) -> None:
    number = reader.count(limits.MAX_FUNCTIONS, "functions")
    refuse_above(limits.MAX_FUNCTIONS, len(module.func_types) + number, "functions")
    code = reader.code
    module.functions = [byte if (byte := next(code)) < 0x80 else leb.u32_tail(code, byte) for _ in range(number)]
    if max(module.functions, default=-1) < len(space.types):
        module.func_types += map(space.types.__getitem__, module.functions)
    else:  # says which is unknown
        module.func_types += map(space.deftype, module.functions)


def decode_table_section(reader: Reader, module: WasmModule, space: TypeSpace) -> None:
    for _ in range(reader.count(limits.MAX_TABLES, "tables")):
        first, init = reader.byte(), None
        with_init = first == _TABLE_WITH_INIT
        if with_init:
            need(space.enabled, FUNCTION_REFERENCES | GC, "a table with an initial value")
            second = reader.byte()
            if second:
                raise MalformedError(f"malformed table: 0x{second:02x} where a zero byte is expected")
            first = reader.byte()
        made = _table_type(reader, space, first)
        if with_init:
            init = _expression(reader, space)
        module.tables.append(Table(made, init))
        _add_table(module, made, space)


def decode_memory_section(reader: Reader, module: WasmModule, space: TypeSpace) -> None:
    for _ in range(reader.count(limits.MAX_MEMORIES, "memories")):
        made = _memory_type(reader, space)
        module.memories.append(made)
        _add_memory(module, made, space)


def decode_tag_section(reader: Reader, module: WasmModule, space: TypeSpace) -> None:
    for _ in range(reader.count(limits.MAX_TAGS, "tags")):
        index = _tag_type(reader, space)
        module.tags.append(index)
        module.tag_types.append(space.deftype(index))


def decode_global_section(reader: Reader, module: WasmModule, space: TypeSpace) -> None:
    for _ in range(reader.count(limits.MAX_GLOBALS, "globals")):
        made = _global_type(reader, space)
        module.globals.append(Global(made, _expression(reader, space)))
        module.global_types.append(made)


def decode_export_section(reader: Reader, module: WasmModule, _space: TypeSpace) -> None:
    for _ in range(reader.count(limits.MAX_EXPORTS, "exports")):
        name, kind = reader.name(), reader.byte()
        if kind >= len(KIND_NAMES):
            raise MalformedError(f"malformed export kind 0x{kind:02x} of {name!r}")
        module.exports.append(Export(name, kind, reader.u32()))


def decode_start_section(reader: Reader, module: WasmModule, _space: TypeSpace) -> None:
    module.start = reader.u32()


def decode_data_count_section(reader: Reader, module: WasmModule, _space: TypeSpace) -> None:
    module.data_count = reader.u32()
    refuse_above(limits.MAX_DATA_SEGMENTS, module.data_count, "data segments")
