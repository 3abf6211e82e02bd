"""Calls and tail calls."""

from __future__ import annotations

from purewasm.frontend.known_types import note_results
from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.frontend.context import Signature
    from purewasm.frontend.state import Builder

NO = ops.NO


def cover(b: Builder, call: int) -> None:
    """What this call throws goes to the innermost handler."""
    if b.handlers:
        b.handlers[-1].sites.append((call, b.locals[:]))


def emit_call(b: Builder, op: int, a: int, target: Any, signature: Signature) -> int:
    """Append a call of one of the kinds that come by class, its arguments on the stack, and push its results."""
    params, results = signature
    args = b.pop_many(len(params))
    call = b.effect((op + (results[0] if results else 0), a, NO, (args, target, signature)))
    if results:
        b.stack.append(call)
        for number in range(1, len(results)):
            b.stack.append(len(b.insts))
            b.insts.append((ops.RESULT + results[number], call, NO, number))
    return call


def call(b: Builder, op: int, imm: Any) -> bool:
    module = b.context.module
    kind = ops.CALL_IMPORT if imm < module.imported_functions else ops.CALL
    deftype = module.func_types[imm]
    cover(b, emit_call(b, kind, NO, imm, b.context.signature(deftype)))
    if b.local_types is not None:
        note_results(b, deftype.func.results)
    return False


def call_indirect(b: Builder, op: int, imm: Any) -> bool:
    deftype = b.context.module.types[imm[0]]
    cover(b, emit_call(b, ops.CALL_INDIRECT, b.stack.pop(), imm, b.context.signature(deftype)))
    if b.local_types is not None:
        note_results(b, deftype.func.results)
    return False


def call_ref(b: Builder, op: int, imm: Any) -> bool:
    deftype = b.context.module.types[imm]
    cover(b, emit_call(b, ops.CALL_REF, b.stack.pop(), imm, b.context.signature(deftype)))
    if b.local_types is not None:
        note_results(b, deftype.func.results)
    return False


def _tail(b: Builder, op: int, a: int, target: Any, signature: Signature) -> bool:
    args = b.pop_many(len(signature[0]))
    if len(signature[1]) > 1:
        args += (b.result_area,)
        signature = ((*signature[0], ops.INT), signature[1])
    b.effect((op, a, NO, (args, target, signature)))
    return True


def return_call(b: Builder, op: int, imm: Any) -> bool:
    module = b.context.module
    kind = ops.TAIL_CALL_IMPORT if imm < module.imported_functions else ops.TAIL_CALL
    return _tail(b, kind, NO, imm, b.context.signature(module.func_types[imm]))


def return_call_indirect(b: Builder, op: int, imm: Any) -> bool:
    return _tail(b, ops.TAIL_CALL_INDIRECT, b.stack.pop(), imm, b.context.signature(b.context.module.types[imm[0]]))


def return_call_ref(b: Builder, op: int, imm: Any) -> bool:
    return _tail(b, ops.TAIL_CALL_REF, b.stack.pop(), imm, b.context.signature(b.context.module.types[imm]))


HANDLERS: dict[int, Callable[[Builder, int, Any], bool]] = {
    0x10: call, 0x11: call_indirect, 0x12: return_call, 0x13: return_call_indirect, 0x14: call_ref, 0x15: return_call_ref,
}  # fmt: skip
