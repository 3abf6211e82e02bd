"""References: null, functions, tests, casts, i31 (spec: validation, reference instructions)."""

from __future__ import annotations

from purewasm.binary import leb
from purewasm.errors import InvalidError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.validate.state import non_null
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import is_subtype, top_of
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from purewasm.validate.state import BodyState, HandlerTable

_I31_NON_NULL: Final = vt.ref_type(vt.I31, False)
_REF_CAST_NULL: Final = CODE["ref.cast null"]


def _ref_null(state: BodyState, _op: int) -> None:
    state.push(vt.ref_type(state.space.heap_type(state.code), True))


def _ref_is_null(state: BodyState, _op: int) -> None:
    state.pop_reference()
    state.push(vt.I32)


def _ref_func(state: BodyState, _op: int) -> None:
    index = leb.u32(state.code)
    if index >= len(state.calls):
        raise InvalidError(f"unknown function {index}: the module has {len(state.calls)}")
    if state.constant:
        state.declared.add(index)
    elif index not in state.declared:
        raise InvalidError(f"undeclared function reference {index}: no export, element segment or constant expression names the function")
    state.push(state.reference_to(index))


def _ref_eq(state: BodyState, _op: int) -> None:
    state.pop_types((vt.EQREF, vt.EQREF))
    state.push(vt.I32)


def _ref_as_non_null(state: BodyState, _op: int) -> None:
    state.push(non_null(state.pop_reference()))


def _pop_castable(state: BodyState, heap: int) -> None:
    """Take a reference of the hierarchy that a heap type belongs to."""
    state.pop(vt.ref_type(top_of(heap), True))


def _ref_test(state: BodyState, _op: int) -> None:
    _pop_castable(state, state.space.heap_type(state.code))
    state.push(vt.I32)


def _ref_cast(state: BodyState, op: int) -> None:
    heap = state.space.heap_type(state.code)
    _pop_castable(state, heap)
    state.push(vt.ref_type(heap, op == _REF_CAST_NULL))


def _convert(state: BodyState, source: int, target: int) -> None:
    """A conversion between the hierarchies of `extern` and `any`: null stays null, and what is not null stays so."""
    reference = state.pop_reference()
    if not is_subtype(reference, source):
        state.push(reference)
        state.mismatch((source,))
    state.push(target if vt.is_nullable(reference) else non_null(target))


def _any_convert_extern(state: BodyState, _op: int) -> None:
    _convert(state, vt.EXTERNREF, vt.ANYREF)


def _extern_convert_any(state: BodyState, _op: int) -> None:
    _convert(state, vt.ANYREF, vt.EXTERNREF)


def _ref_i31(state: BodyState, _op: int) -> None:
    state.pop(vt.I32)
    state.push(_I31_NON_NULL)


def _i31_get(state: BodyState, _op: int) -> None:
    state.pop(vt.I31REF)
    state.push(vt.I32)


HANDLERS: Final[HandlerTable] = {
    CODE["ref.null"]: _ref_null,
    CODE["ref.is_null"]: _ref_is_null,
    CODE["ref.func"]: _ref_func,
    CODE["ref.eq"]: _ref_eq,
    CODE["ref.as_non_null"]: _ref_as_non_null,
    CODE["ref.test"]: _ref_test,
    CODE["ref.test null"]: _ref_test,
    CODE["ref.cast"]: _ref_cast,
    CODE["ref.cast null"]: _ref_cast,
    CODE["any.convert_extern"]: _any_convert_extern,
    CODE["extern.convert_any"]: _extern_convert_any,
    CODE["ref.i31"]: _ref_i31,
    CODE["i31.get_s"]: _i31_get,
    CODE["i31.get_u"]: _i31_get,
}
