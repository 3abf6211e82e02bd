"""Tables and element segments (spec: validation, table instructions)."""

from __future__ import annotations

from purewasm.binary import leb
from purewasm.errors import InvalidError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import is_subtype
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from purewasm.validate.state import BodyState, HandlerTable
    from purewasm.wasm.module import ElementSegment, TableType


def table_type(state: BodyState, index: int) -> TableType:
    """The table with this index."""
    tables = state.module.table_types
    if index >= len(tables):
        raise InvalidError(f"unknown table {index}: the module has {len(tables)}")
    return tables[index]


def address_type(table: TableType) -> int:
    """Type of the table's indices."""
    return vt.I64 if table.is_64 else vt.I32


def element_segment(state: BodyState, index: int) -> ElementSegment:
    """The element segment with this index."""
    segments = state.module.elements
    if index >= len(segments):
        raise InvalidError(f"unknown elem segment {index}: the module has {len(segments)}")
    return segments[index]


def _named_table(state: BodyState) -> TableType:
    return table_type(state, leb.u32(state.code))


def _table_get(state: BodyState, _op: int) -> None:
    table = _named_table(state)
    state.pop(address_type(table))
    state.push(table.reftype)


def _table_set(state: BodyState, _op: int) -> None:
    table = _named_table(state)
    state.pop_types((address_type(table), table.reftype))


def _table_size(state: BodyState, _op: int) -> None:
    state.push(address_type(_named_table(state)))


def _table_grow(state: BodyState, _op: int) -> None:
    table = _named_table(state)
    state.pop_types((table.reftype, address_type(table)))
    state.push(address_type(table))


def _table_fill(state: BodyState, _op: int) -> None:
    table = _named_table(state)
    state.pop_types((address_type(table), table.reftype, address_type(table)))


def _table_copy(state: BodyState, _op: int) -> None:
    destination, source = _named_table(state), _named_table(state)
    if not is_subtype(source.reftype, destination.reftype):
        raise InvalidError(
            f"type mismatch: table.copy from a table of {state.format((source.reftype,))} to one of {state.format((destination.reftype,))}"
        )
    number = vt.I64 if source.is_64 and destination.is_64 else vt.I32
    state.pop_types((address_type(destination), address_type(source), number))


def _table_init(state: BodyState, _op: int) -> None:
    segment_index = leb.u32(state.code)
    table, segment = _named_table(state), element_segment(state, segment_index)
    if not is_subtype(segment.reftype, table.reftype):
        raise InvalidError(
            f"type mismatch: table.init from a segment of {state.format((segment.reftype,))} to a table of {state.format((table.reftype,))}"
        )
    state.pop_types((address_type(table), vt.I32, vt.I32))


def _elem_drop(state: BodyState, _op: int) -> None:
    element_segment(state, leb.u32(state.code))


HANDLERS: Final[HandlerTable] = {
    CODE["table.get"]: _table_get,
    CODE["table.set"]: _table_set,
    CODE["table.size"]: _table_size,
    CODE["table.grow"]: _table_grow,
    CODE["table.fill"]: _table_fill,
    CODE["table.copy"]: _table_copy,
    CODE["table.init"]: _table_init,
    CODE["elem.drop"]: _elem_drop,
}
