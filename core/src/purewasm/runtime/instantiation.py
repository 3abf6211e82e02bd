"""Making an instance, step by step as the spec has it (execution, instantiation)."""

from __future__ import annotations

from purewasm import traps
from purewasm.errors import Trap
from purewasm.light_typing import TYPE_CHECKING, cast
from purewasm.runtime.allocation import new_memory, new_table, share_growth
from purewasm.store.constexpr import evaluate
from purewasm.wasm import module as wm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purewasm.engine.protocol import Engine
    from purewasm.store.instance import Instance


def allocate(instance: Instance, engine: Engine, memory_limit_pages: int | None) -> None:
    """The module's own tags, globals, tables, memories and segments: what the engine has not made yet."""
    wasm = instance.wasm
    if wasm.tags:
        from purewasm.store.tag import Tag  # few modules throw exceptions

        instance.tags.extend(Tag(wasm.types[index]) for index in wasm.tags)
    for definition in wasm.globals[len(instance.globals) - wasm.imported_globals :]:
        instance.globals.append(engine.new_global(definition.type, evaluate(instance, definition.init), instance))
    for table in wasm.tables[len(instance.tables) - wasm.imported_tables :]:
        init = None if table.init is None else evaluate(instance, table.init)
        instance.tables.append(new_table(engine, table.type, init, instance))
    if len(wasm.tables) > 1:
        share_growth(instance.tables[wasm.imported_tables :])
    for type_ in wasm.memories:
        instance.memories.append(new_memory(engine, type_, memory_limit_pages))
    instance.elements = [_references(instance, engine, segment) for segment in wasm.elements]
    source = memoryview(wasm.source)
    instance.data = [source[segment.start : segment.end] if segment.offset is None else b"" for segment in wasm.data]


def _references(instance: Instance, engine: Engine, segment: wm.ElementSegment) -> Sequence[object]:
    if segment.mode == wm.DECLARATIVE or (segment.mode == wm.ACTIVE and instance.elements_in_place):
        return []
    if segment.items and isinstance(segment.items[0], int):
        return engine.references(instance, segment.items)
    return [evaluate(instance, item) for item in cast("tuple[wm.ConstExpr, ...]", segment.items)]


def initialise(instance: Instance) -> None:
    """Copy the active segments into tables and memories, then drop them. What an earlier segment wrote stays if a later one traps."""
    wasm = instance.wasm
    for index, segment in enumerate(wasm.elements):
        if segment.offset is not None and not instance.elements_in_place:
            _copy_elements(instance, index, segment.table, _offset(instance, segment.offset))
    if not instance.data_in_place:
        for index, data in enumerate(wasm.data):
            if data.offset is not None:
                _copy_data(instance, index, data, _offset(instance, data.offset))


def _offset(instance: Instance, expression: wm.ConstExpr) -> int:
    return cast("int", evaluate(instance, expression))


def _copy_elements(instance: Instance, index: int, table_index: int, offset: int) -> None:
    table, references = instance.tables[table_index], instance.elements[index]
    if offset + len(references) > table.size:
        raise Trap(
            f"{traps.OUT_OF_BOUNDS_TABLE}: element segment {index} puts {len(references)} elements at {offset} of a table of {table.size}",
            code=traps.OUT_OF_BOUNDS_TABLE,
        )
    if references:
        table.elements[offset : offset + len(references)] = references
        table.changed(offset, len(references))
    instance.elements[index] = []


def _copy_data(instance: Instance, index: int, segment: wm.DataSegment, offset: int) -> None:
    memory, data = instance.memories[segment.memory], memoryview(instance.wasm.source)[segment.start : segment.end]
    if offset + len(data) > memory.size:
        raise Trap(
            f"{traps.OUT_OF_BOUNDS_MEMORY}: data segment {index} puts {len(data)} bytes at {offset} of a memory of {memory.size} bytes",
            code=traps.OUT_OF_BOUNDS_MEMORY,
        )
    if data:
        memory.data[offset : offset + len(data)] = data
