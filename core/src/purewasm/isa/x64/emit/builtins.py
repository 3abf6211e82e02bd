"""Calls of builtins, by the engine's table."""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.isa.x64 import control
from purewasm.isa.x64.emit.moves import move_values
from purewasm.isa.x64.emit.state import LOAD64, MOV, at
from purewasm.isa.x64.guest_arguments import GUEST_ARGUMENTS, INT_RESULT, VECTOR_RESULT
from purewasm.isa.x64.registers import RAX, RDI
from purewasm.isa.x64.roles import CONTEXT
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store import layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter

CALL_MEMORY: Final = control.CALL_RM64.based


def builtin(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    args, number, _ = imm
    places = GUEST_ARGUMENTS.int_arguments[1 : 1 + len(args)]
    move_values(e, list(zip(places, args, strict=True)))
    e.code += MOV[RDI][CONTEXT] + at(LOAD64[RAX][CONTEXT], layout.BUILTINS) + at(CALL_MEMORY[RAX], 8 * number)
    e.call_site(value)
    store_result(e, value)


def store_result(e: Emitter, value: int) -> None:
    """Put the first result of a call in its place."""
    value_class = e.insts[value][0] & 3
    if not value_class or e.end[value] <= value:
        return
    if value_class == ops.INT:
        e.store_integer(value, INT_RESULT)
    elif value_class == ops.VEC:
        e.store_vector(value, VECTOR_RESULT - 16)
    else:
        e.store_float(value, VECTOR_RESULT - 16)


def by_class(emit: Callable[[Emitter, int, int, int, Any], None], first: int) -> dict[int, Callable[[Emitter, int, int, int, Any], None]]:
    """One emitter for an operation with whatever class of results."""
    return {first + value_class: emit for value_class in range(4)}


EMITTERS: Final[dict[int, Callable[[Emitter, int, int, int, Any], None]]] = by_class(builtin, ops.BUILTIN)
