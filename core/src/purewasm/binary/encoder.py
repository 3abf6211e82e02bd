"""A decoded module as bytes again (spec: binary format, modules): the inverse of the decoder.

Sections come out in the spec's order and in their shortest form; bodies, constant expressions and data are copied from the
module's source, so `decode(encode(decode(b)))` says what `decode(b)` says. Custom sections go back to where they were.
"""

from __future__ import annotations

from purewasm.binary import primitive_encoder as enc
from purewasm.binary.instruction_encoder import TypeNumbering, encode_instruction
from purewasm.binary.segment_encoder import data_segment, element_segment
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import module as wasm
from purewasm.wasm.deftypes import DefType, SubType
from purewasm.wasm.module import GlobalType, MemoryType, TableType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from purewasm.wasm.module import Code, ConstExpr, DataSegment, ElementSegment, Import, WasmModule

__all__ = ["TypeNumbering", "encode_instruction", "encode_module"]


def encode_module(module: WasmModule) -> bytes:
    """The module's bytes."""
    indices = TypeNumbering(module.types).indices or {}
    parts = [enc.MAGIC_AND_VERSION, *_customs_after(module, 0)]
    for id in enc.SECTION_ORDER:
        content = _SECTIONS[id](module, indices)
        customs = _customs_after(module, id)
        if content is None and customs:
            content = _EMPTY_VECTOR  # the custom section says that there was one
        if content is not None:
            parts.append(enc.section(id, content))
        parts.extend(customs)
    return b"".join(parts)


_EMPTY_VECTOR: Final = b"\0"


def _customs_after(module: WasmModule, id: int) -> list[bytes]:
    return [enc.custom_section(custom.name, custom.data) for custom in module.customs if custom.after == id]


def _vector(items: list[bytes]) -> bytes | None:
    return enc.vector(items) if items else None


def _types(module: WasmModule, indices: Mapping[int, int]) -> bytes | None:
    groups = []
    for first, count in module.rec_groups:
        types = module.types[first : first + count]
        # a group that occurs twice names itself, not its first occurrence
        own = {**indices, **{deftype.id: first + i for i, deftype in enumerate(types)}}
        groups.append(enc.rec_group([enc.sub_type(_member(deftype), own) for deftype in types]))
    return _vector(groups)


def _member(deftype: DefType) -> SubType:
    return SubType(deftype.final, tuple(above.id for above in deftype.supers), deftype.composite)


def _imports(module: WasmModule, indices: Mapping[int, int]) -> bytes | None:
    return _vector([_import(item, indices) for item in module.imports])


def _import(item: Import, indices: Mapping[int, int]) -> bytes:
    return enc.name(item.module) + enc.name(item.name) + bytes((item.kind,)) + _extern_type(item, indices)


def _extern_type(item: Import, indices: Mapping[int, int]) -> bytes:
    type = item.type
    if isinstance(type, DefType):
        index = indices[type.id]
        return enc.tag_type(index) if item.kind == wasm.TAG else enc.unsigned(index)
    if isinstance(type, TableType):
        return enc.table_type(type, indices)
    if isinstance(type, MemoryType):
        return enc.memory_type(type)
    if isinstance(type, GlobalType):
        return enc.global_type(type, indices)
    raise TypeError(f"no type of an import: {type!r}")


def _functions(module: WasmModule, indices: Mapping[int, int]) -> bytes | None:
    return _vector([enc.unsigned(index) for index in module.functions])


def _tables(module: WasmModule, indices: Mapping[int, int]) -> bytes | None:
    return _vector([enc.table_definition(table.type, _expression(module, table.init), indices) for table in module.tables])


def _memories(module: WasmModule, indices: Mapping[int, int]) -> bytes | None:
    return _vector([enc.memory_type(memory) for memory in module.memories])


def _tags(module: WasmModule, indices: Mapping[int, int]) -> bytes | None:
    return _vector([enc.tag_type(index) for index in module.tags])


def _globals(module: WasmModule, indices: Mapping[int, int]) -> bytes | None:
    return _vector([enc.global_type(item.type, indices) + _slice(module, item.init) for item in module.globals])


def _exports(module: WasmModule, indices: Mapping[int, int]) -> bytes | None:
    return _vector([enc.name(item.name) + bytes((item.kind,)) + enc.unsigned(item.index) for item in module.exports])


def _start(module: WasmModule, indices: Mapping[int, int]) -> bytes | None:
    return None if module.start is None else enc.unsigned(module.start)


def _elements(module: WasmModule, indices: Mapping[int, int]) -> bytes | None:
    return _vector([_element(module, segment, indices) for segment in module.elements])


def _element(module: WasmModule, segment: ElementSegment, indices: Mapping[int, int]) -> bytes:
    items = [item if isinstance(item, int) else _slice(module, item) for item in segment.items]
    offset = _expression(module, segment.offset)
    return element_segment(segment.mode, segment.table, offset, segment.reftype, items, indices)


def _data_count(module: WasmModule, indices: Mapping[int, int]) -> bytes | None:
    return None if module.data_count is None else enc.unsigned(module.data_count)


def _codes(module: WasmModule, indices: Mapping[int, int]) -> bytes | None:
    return _vector([_body(module, code, indices) for code in module.codes])


def _body(module: WasmModule, code: Code, indices: Mapping[int, int]) -> bytes:
    runs = [enc.unsigned(count) + enc.value_type(valtype, indices) for count, valtype in code.locals]
    return enc.sized(enc.vector(runs) + module.source[code.start : code.end])


def _data(module: WasmModule, indices: Mapping[int, int]) -> bytes | None:
    return _vector([_datum(module, segment) for segment in module.data])


def _datum(module: WasmModule, segment: DataSegment) -> bytes:
    content = module.source[segment.start : segment.end]
    return data_segment(segment.mode, segment.memory, _expression(module, segment.offset), content)


def _slice(module: WasmModule, expression: ConstExpr) -> bytes:
    return module.source[expression.start : expression.end]


def _expression(module: WasmModule, expression: ConstExpr | None) -> bytes | None:
    return None if expression is None else _slice(module, expression)


_SECTIONS: Final[dict[int, Callable[[WasmModule, Mapping[int, int]], bytes | None]]] = {
    enc.TYPE: _types, enc.IMPORT: _imports, enc.FUNCTION: _functions, enc.TABLE: _tables, enc.MEMORY: _memories, enc.TAG: _tags,
    enc.GLOBAL: _globals, enc.EXPORT: _exports, enc.START: _start, enc.ELEMENT: _elements, enc.DATA_COUNT: _data_count,
    enc.CODE: _codes, enc.DATA: _data,
}  # fmt: skip
