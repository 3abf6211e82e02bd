"""Locals and globals (spec: validation, variable instructions)."""

from __future__ import annotations

from purewasm.binary import leb
from purewasm.errors import InvalidError
from purewasm.light_typing import TYPE_CHECKING, Final, NoReturn
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from purewasm.validate.state import BodyState, HandlerTable


def local_type(state: BodyState, index: int) -> int:
    """Type of a local, negative while it must not be read."""
    if index < len(state.locals):
        return state.locals[index]
    try:
        if state.far_locals is not None:
            return state.far_locals[index]
    except IndexError:
        pass
    raise InvalidError(f"unknown local {index}")


def refuse_uninitialized(index: int) -> NoReturn:
    raise InvalidError(f"uninitialized local {index}: its type has no default value, so it must be written before it is read")


def set_local(state: BodyState, index: int) -> None:
    """local.set of a local whose type is not exactly what is on the stack, or that has no value yet."""
    valtype = local_type(state, index)
    state.pop(abs(valtype))
    if valtype < 0:
        _initialise(state, index)


def tee_local(state: BodyState, index: int) -> None:
    """As `set_local`, for local.tee."""
    set_local(state, index)
    state.push(abs(local_type(state, index)))


def _initialise(state: BodyState, index: int) -> None:
    state.initialised.append(index)
    if index < len(state.locals):
        state.locals[index] = -state.locals[index]
    elif state.far_locals is not None:
        state.far_locals.written.add(index)


def set_global(state: BodyState, index: int) -> None:
    """global.set where the stack does not have exactly the type of a global that can be written."""
    if index >= len(state.globals):
        raise InvalidError(f"unknown global {index}: the module has {len(state.globals)}")
    if not state.settable[index]:
        raise InvalidError(f"immutable global {index} is written")
    state.pop(state.globals[index])


def _local_get(state: BodyState, _op: int) -> None:
    index = leb.u32(state.code)
    valtype = local_type(state, index)
    if valtype < 0:
        refuse_uninitialized(index)
    state.push(valtype)


def _local_set(state: BodyState, _op: int) -> None:
    set_local(state, leb.u32(state.code))


def _local_tee(state: BodyState, _op: int) -> None:
    tee_local(state, leb.u32(state.code))


def _global_get(state: BodyState, _op: int) -> None:
    index = leb.u32(state.code)
    if index >= len(state.globals):
        raise InvalidError(f"unknown global {index}: the module has {len(state.globals)}")
    state.push(state.globals[index])


def _global_set(state: BodyState, _op: int) -> None:
    set_global(state, leb.u32(state.code))


HANDLERS: Final[HandlerTable] = {
    CODE["local.get"]: _local_get,
    CODE["local.set"]: _local_set,
    CODE["local.tee"]: _local_tee,
    CODE["global.get"]: _global_get,
    CODE["global.set"]: _global_set,
}
