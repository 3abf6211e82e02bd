"""Validation of a whole module (spec: validation, modules)."""

from __future__ import annotations

from purewasm.binary.gate import need
from purewasm.errors import InvalidError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.validate.body import check_body
from purewasm.validate.constants import check_constant, constant_handlers
from purewasm.validate.dispatch import handlers_for
from purewasm.validate.memory import memory_address_type
from purewasm.validate.plan import plan_for
from purewasm.validate.state import SLOW_CALL, BodyState
from purewasm.validate.table import address_type, table_type
from purewasm.validate.types import check_types
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import DefType, FuncType, is_subtype
from purewasm.wasm.features import GC, MUTABLE_GLOBALS
from purewasm.wasm.module import ACTIVE, FUNC, GLOBAL, MEMORY, TABLE, TAG, Limits, MemoryType, TableType

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.validate.state import CallType
    from purewasm.wasm.features import Features
    from purewasm.wasm.module import DataSegment, ElementSegment, WasmModule

    BodiesFollow = Callable[[Callable[[int], None]], Callable[[], int] | None]
    """Is called when all but bodies is valid, with what checks one function's. What it returns says from which function on that is done."""

_PAGE_SIZES_LOG2: Final = (0, 16)
_NOUNS: Final = {FUNC: "function", TABLE: "table", MEMORY: "memory", GLOBAL: "global", TAG: "tag"}
_TOLD_EVERY: Final = 8


def validate_module(module: WasmModule, features: Features, bodies_follow: BodiesFollow | None = None) -> None:
    """Check a decoded module, bodies included.

    Raises InvalidError for a broken rule, MalformedError for what is malformed inside a body, UnsupportedError for proposals that
    are not in `features` and for implementation limits. All carry the offset of what they are about where it has one.
    """
    check_types(module)
    _check_declarations(module)
    state = BodyState(module, features.bits)
    state.calls = _call_types(module)
    _check_constants(state)
    _check_exports(module, state)
    _check_start(module)
    state.constant = False
    state.handlers, state.prefixed = handlers_for(features.bits)
    table = plan_for(state)
    first, checked_from = module.imported_functions, None
    if bodies_follow is not None:
        checked_from = bodies_follow(lambda index: check_body(state, table, index, module.codes[index - first]))
    for index, code in enumerate(module.codes, first):
        if checked_from is not None and index % _TOLD_EVERY == 0 and index >= checked_from():
            return
        check_body(state, table, index, code)


# ---- declarations


def _check_declarations(module: WasmModule) -> None:
    for index, deftype in enumerate(module.func_types):
        if not isinstance(deftype.composite, FuncType):
            raise InvalidError(f"unknown type: the type of function {index} is no function type")
    for index, deftype in enumerate(module.tag_types):
        _check_tag(index, deftype)
    for index, table in enumerate(module.table_types):
        _check_table(index, table)
    for index, memory in enumerate(module.memory_types):
        _check_memory(index, memory)


def _check_tag(index: int, deftype: DefType) -> None:
    if not isinstance(deftype.composite, FuncType):
        raise InvalidError(f"unknown type: the type of tag {index} is no function type")
    if deftype.composite.results:
        raise InvalidError(f"non-empty tag result type: tag {index} has {vt.format_types(deftype.composite.results)}")


def _check_table(index: int, table: TableType) -> None:
    largest = (1 << (64 if table.is_64 else 32)) - 1
    if max(table.limits.min, table.limits.max or 0) > largest:
        raise InvalidError(f"table size must be at most {largest}: table {index} asks for more")
    _check_order(table.limits, f"table {index}")


def _check_memory(index: int, memory: MemoryType) -> None:
    if memory.page_size_log2 not in _PAGE_SIZES_LOG2:
        raise InvalidError(f"invalid custom page size: 2**{memory.page_size_log2} bytes in memory {index}, only 1 and 65536 are allowed")
    bits = 64 if memory.is_64 else 32
    pages = (1 << bits - memory.page_size_log2) - (memory.page_size_log2 == 0)
    if max(memory.limits.min, memory.limits.max or 0) > pages:
        size = " (4GiB)" if bits == 32 else ""
        raise InvalidError(f"memory size must be at most {pages} pages{size}: memory {index} asks for more")
    _check_order(memory.limits, f"memory {index}")
    if memory.shared and memory.limits.max is None:
        raise InvalidError(f"shared memory must have maximum: memory {index} has none")


def _check_order(limits: Limits, what: str) -> None:
    if limits.max is not None and limits.min > limits.max:
        raise InvalidError(f"size minimum must not be greater than maximum: {limits.min} and {limits.max} in {what}")


def _call_types(module: WasmModule) -> list[CallType]:
    """What a call needs to know of each function; functions of one type share one object."""
    by_type: dict[int, CallType] = {}
    for deftype in {made.id: made for made in module.func_types}.values():
        params, results = deftype.func
        by_type[deftype.id] = (len(params) if len(results) < 2 else SLOW_CALL, list(params), results)
    return [by_type[deftype.id] for deftype in module.func_types]


# ---- constant expressions and segments


def _check_constants(state: BodyState) -> None:
    """Everything with constant expressions. Afterwards `state.declared` holds the functions that bodies may refer to."""
    module = state.module
    state.constant = True
    state.handlers, state.prefixed = constant_handlers(state.enabled)
    state.visible_globals = module.imported_globals
    for index, table in enumerate(module.tables, module.imported_tables):
        if table.init is not None:
            check_constant(state, table.init, table.type.reftype, f"the initial value of table {index}")
        elif not vt.is_nullable(table.type.reftype):
            raise InvalidError(f"type mismatch: table {index} of {state.format((table.type.reftype,))} needs an initial value")
    for index, made in enumerate(module.globals, module.imported_globals):
        if state.enabled & GC:
            state.visible_globals = index  # only imported globals could be read before garbage collection
        check_constant(state, made.init, made.type.valtype, f"the initial value of global {index}")
    if state.enabled & GC:
        state.visible_globals = len(module.global_types)
    for index, element in enumerate(module.elements):
        _check_element(state, index, element)
    for index, data in enumerate(module.data):
        _check_data(state, index, data)


def _check_element(state: BodyState, index: int, segment: ElementSegment) -> None:
    if segment.mode == ACTIVE:
        table = table_type(state, segment.table)
        if not is_subtype(segment.reftype, table.reftype):
            given, wanted = state.format((segment.reftype,)), state.format((table.reftype,))
            raise InvalidError(f"type mismatch: element segment {index} of {given} for a table of {wanted}")
        if segment.offset is not None:
            check_constant(state, segment.offset, address_type(table), f"the offset of element segment {index}")
    for item in segment.items:
        if isinstance(item, int):
            if item >= len(state.calls):
                raise InvalidError(f"unknown function {item} in element segment {index}: the module has {len(state.calls)}")
            state.declared.add(item)
        else:
            check_constant(state, item, segment.reftype, f"an item of element segment {index}")


def _check_data(state: BodyState, index: int, segment: DataSegment) -> None:
    if segment.mode == ACTIVE:
        address = memory_address_type(state, segment.memory)
        if segment.offset is not None:
            check_constant(state, segment.offset, address, f"the offset of data segment {index}")


# ---- exports and start


def _check_exports(module: WasmModule, state: BodyState) -> None:
    sizes = {
        FUNC: len(module.func_types), TABLE: len(module.table_types), MEMORY: len(module.memory_types),
        GLOBAL: len(module.global_types), TAG: len(module.tag_types),
    }  # fmt: skip
    seen: set[str] = set()
    for export in module.exports:
        if export.index >= sizes[export.kind]:
            raise InvalidError(f"unknown {_NOUNS[export.kind]} {export.index} is exported as {export.name!r}")
        if export.name in seen:
            raise InvalidError(f"duplicate export name {export.name!r}")
        seen.add(export.name)
        if export.kind == FUNC:
            state.declared.add(export.index)
        elif export.kind == GLOBAL and state.settable[export.index]:
            need(state.enabled, MUTABLE_GLOBALS, "the export of a mutable global")


def _check_start(module: WasmModule) -> None:
    if module.start is None:
        return
    if module.start >= len(module.func_types):
        raise InvalidError(f"unknown function {module.start} is the start function")
    made = module.func_types[module.start].func
    if made.params or made.results:
        raise InvalidError(f"start function must have the type [] -> [], but it has {made}")
