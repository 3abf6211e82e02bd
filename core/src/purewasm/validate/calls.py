"""Calls and tail calls (spec: validation, control instructions)."""

from __future__ import annotations

from purewasm.binary import leb
from purewasm.errors import InvalidError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.validate.state import RESULTS
from purewasm.validate.table import address_type, table_type
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import is_subtype
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from purewasm.validate.state import BodyState, HandlerTable, Types
    from purewasm.wasm.deftypes import FuncType


def _callee(state: BodyState) -> tuple[list[int], Types]:
    """Parameters and results of the function that a call names."""
    index = leb.u32(state.code)
    if index >= len(state.calls):
        raise InvalidError(f"unknown function {index}: the module has {len(state.calls)}")
    _, params, results = state.calls[index]
    return params, results


def _callee_in_table(state: BodyState) -> FuncType:
    """The function type of call_indirect, whose index has been taken off the stack."""
    made = state.space.function_type(leb.u32(state.code))
    table = table_type(state, leb.u32(state.code))
    if not is_subtype(table.reftype, vt.FUNCREF):
        raise InvalidError(f"type mismatch: a call through a table of {state.format((table.reftype,))}, which holds no functions")
    state.pop(address_type(table))
    return made


def _callee_on_stack(state: BodyState) -> FuncType:
    """The function type of call_ref, whose reference has been taken off the stack."""
    index = leb.u32(state.code)
    made = state.space.function_type(index)
    state.pop(vt.ref_type(state.space.heap_of_index(index), True))
    return made


def _tail_call(state: BodyState, params: Types | list[int], results: Types) -> None:
    expected = state.frames[0][RESULTS]
    if len(results) != len(expected) or not all(map(is_subtype, results, expected)):
        raise InvalidError(f"type mismatch: a tail call gives {state.format(results)} where {state.format(expected)} is returned")
    state.pop_types(params)
    state.mark_unreachable()


def _call(state: BodyState, _op: int) -> None:
    params, results = _callee(state)
    state.pop_types(params)
    state.push_types(results)


def _call_indirect(state: BodyState, _op: int) -> None:
    made = _callee_in_table(state)
    state.pop_types(made.params)
    state.push_types(made.results)


def _call_ref(state: BodyState, _op: int) -> None:
    made = _callee_on_stack(state)
    state.pop_types(made.params)
    state.push_types(made.results)


def _return_call(state: BodyState, _op: int) -> None:
    _tail_call(state, *_callee(state))


def _return_call_indirect(state: BodyState, _op: int) -> None:
    made = _callee_in_table(state)
    _tail_call(state, made.params, made.results)


def _return_call_ref(state: BodyState, _op: int) -> None:
    made = _callee_on_stack(state)
    _tail_call(state, made.params, made.results)


HANDLERS: Final[HandlerTable] = {
    CODE["call"]: _call,
    CODE["call_indirect"]: _call_indirect,
    CODE["call_ref"]: _call_ref,
    CODE["return_call"]: _return_call,
    CODE["return_call_indirect"]: _return_call_indirect,
    CODE["return_call_ref"]: _return_call_ref,
}
