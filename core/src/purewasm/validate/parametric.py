"""drop and select (spec: validation, parametric instructions)."""

from __future__ import annotations

from purewasm.binary.reader import vector_length
from purewasm.errors import InvalidError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import valtypes as vt
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from purewasm.validate.state import BodyState, HandlerTable


def _drop(state: BodyState, _op: int) -> None:
    state.pop_any()


def select(state: BodyState, _op: int) -> None:
    """select without a type: both values are numbers or vectors of one type."""
    state.pop(vt.I32)
    second, first = state.pop_any(), state.pop_any()
    if first >= vt.REF_BASE or second >= vt.REF_BASE or (first != second and vt.BOTTOM not in (first, second)):
        raise InvalidError(
            "type mismatch: select without a type requires two numbers or vectors of one type "
            f"but stack has {state.format((first, second))}"
        )
    state.push(first or second)


def _select_typed(state: BodyState, _op: int) -> None:
    number = vector_length(state.code, "types")
    if number != 1:
        raise InvalidError(f"invalid result arity: select has one type, not {number}")
    valtype = state.space.value_type(state.code)
    state.pop_types((valtype, valtype, vt.I32))
    state.push(valtype)


HANDLERS: Final[HandlerTable] = {
    CODE["drop"]: _drop,
    CODE["select"]: select,
    CODE["select t"]: _select_typed,
}
