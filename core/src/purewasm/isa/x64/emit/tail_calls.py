"""Tail calls: the frame is given up before the call. What is called in another instance returns to an address of its own
(`_leave_instance`), which puts the context and the memory base of our caller back."""

from __future__ import annotations

from purewasm.backend.placement import place_arguments
from purewasm.ir import ops
from purewasm.ir.builtins import RETURN_CONTEXT
from purewasm.isa.x64 import control, memory
from purewasm.isa.x64.conditions import CC_E, CC_NE
from purewasm.isa.x64.emit.calls import record_from_reference, record_from_table
from purewasm.isa.x64.emit.moves import move_values
from purewasm.isa.x64.emit.state import LOAD64, STORE64, at
from purewasm.isa.x64.emit.table import CMP_MEMORY
from purewasm.isa.x64.guest_arguments import GUEST_ARGUMENTS
from purewasm.isa.x64.registers import RAX, RSP
from purewasm.isa.x64.roles import CONTEXT, MEMORY, SECOND_REGISTER, TARGET_REGISTER
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store import layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.frontend.context import Signature
    from purewasm.isa.x64.emit.state import Emitter

_JMP: Final = control.JMP_RM64.regs
_LEA: Final = memory.LEA_R64_M.based


def tail_call(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    args, function, signature = imm
    stack_bytes = _tail_arguments(e, args, signature)
    e.code += at(LOAD64[RAX][CONTEXT], layout.SLOTS) + at(LOAD64[RAX][RAX], 8 * function)
    _leave(e, stack_bytes)
    e.code += _JMP[RAX]


def tail_call_import(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    args, function, signature = imm
    stack_bytes = _tail_arguments(e, args, signature)
    e.code += at(LOAD64[RAX][CONTEXT], layout.RECORDS) + at(LOAD64[RAX][RAX], 8 * function)
    _tail_enter(e, stack_bytes)


def tail_call_ref(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    args, _, signature = imm
    stack_bytes = _tail_arguments(e, args, signature, ((TARGET_REGISTER, a),))
    record_from_reference(e, value)
    _tail_enter(e, stack_bytes)


def tail_call_indirect(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    args, target, signature = imm
    stack_bytes = _tail_arguments(e, args, signature, ((TARGET_REGISTER, a),))
    record_from_table(e, value, target)
    _tail_enter(e, stack_bytes)


def _tail_arguments(e: Emitter, args: tuple[int, ...], signature: Signature, also: tuple[tuple[int, int], ...] = ()) -> int:
    """The pointer to further results is among the arguments already: our own caller's area serves."""
    places, stack_bytes = place_arguments(GUEST_ARGUMENTS, signature[0])
    move_values(e, [*zip(places, args, strict=True), *also])
    return stack_bytes


def _leave(e: Emitter, stack_bytes: int) -> None:
    """Give up the frame: saved registers back, stack arguments in place of ours, the stack pointer at the return address.

    Arguments lie at the bottom of the frame by now and move up, the highest first, so that none is overwritten before it is read.
    """
    code = e.code
    if not stack_bytes and not e.argument_bytes:
        code += e.teardown
        return
    shift = e.frame + e.argument_bytes - stack_bytes
    _restore_saved(e, e.frame)
    code += at(LOAD64[SECOND_REGISTER][RSP], e.frame)
    _move_stack_arguments(e, stack_bytes, 0, shift + 8)
    code += at(STORE64[SECOND_REGISTER][RSP], shift)
    code += at(_LEA[RSP][RSP], shift)


def _restore_saved(e: Emitter, frame: int) -> None:
    """Saved registers from the frame, whose return address is at the stack pointer + `frame`."""
    for position, register in enumerate(reversed(e.saved)):
        e.code += at(LOAD64[register][RSP], frame - 8 * len(e.saved) + 8 * position)


def _move_stack_arguments(e: Emitter, stack_bytes: int, source: int, target: int) -> None:
    """Up from one offset to another, the highest first."""
    for offset in range(stack_bytes - 8, -8, -8):
        e.code += at(LOAD64[TARGET_REGISTER][RSP], source + offset) + at(STORE64[TARGET_REGISTER][RSP], target + offset)


def _tail_enter(e: Emitter, stack_bytes: int) -> None:
    """Tail call the record in rax."""
    code = e.code
    code += at(CMP_MEMORY[CONTEXT][RAX], layout.RECORD_CONTEXT)
    other = e.new_label()
    e.jump_if(CC_NE, other)
    code += at(LOAD64[RAX][RAX], layout.RECORD_CODE)
    _leave(e, stack_bytes)
    code += _JMP[RAX]
    e.cold.append(lambda: _leave_instance(e, stack_bytes, other))


def _leave_instance(e: Emitter, stack_bytes: int, other: int) -> None:
    """Tail call the record in rax, in another instance. Our caller counts on its context, so the function called returns to the
    builtin `return_context`, which finds that context and the caller's return address above the stack arguments:

        stack arguments of this function               our caller's return address
        our caller's return address            ->      our caller's context
        frame                                          stack arguments of the function called
                                                       address of `return_context`

    Where this function returns there itself, what it would find serves on: any number of such calls needs no more stack than one.
    """
    e.bind(other)
    code = e.code
    served = e.new_label()
    code += at(LOAD64[SECOND_REGISTER][CONTEXT], layout.BUILTINS) + at(LOAD64[SECOND_REGISTER][SECOND_REGISTER], 8 * RETURN_CONTEXT)
    code += at(CMP_MEMORY[SECOND_REGISTER][RSP], e.frame)
    e.jump_if(CC_E, served)
    frame = e.frame + 16
    top = frame + e.argument_bytes
    bottom = top - 16 - stack_bytes
    code += at(_LEA[RSP][RSP], -16)
    if e.argument_bytes:
        code += at(LOAD64[TARGET_REGISTER][RSP], frame) + at(STORE64[TARGET_REGISTER][RSP], top)
    _restore_saved(e, frame)
    code += at(STORE64[CONTEXT][RSP], top - 8)
    _move_stack_arguments(e, stack_bytes, 16, bottom + 8)
    code += at(STORE64[SECOND_REGISTER][RSP], bottom)
    code += at(_LEA[RSP][RSP], bottom)
    _jump_to_record(e)
    e.bind(served)
    _leave(e, stack_bytes)
    _jump_to_record(e)


def _jump_to_record(e: Emitter) -> None:
    e.code += at(LOAD64[CONTEXT][RAX], layout.RECORD_CONTEXT) + at(LOAD64[MEMORY][CONTEXT], layout.MEMORY0_BASE)
    e.code += at(LOAD64[RAX][RAX], layout.RECORD_CODE) + _JMP[RAX]


EMITTERS: Final[dict[int, Callable[[Emitter, int, int, int, Any], None]]] = {
    ops.TAIL_CALL: tail_call,
    ops.TAIL_CALL_IMPORT: tail_call_import,
    ops.TAIL_CALL_REF: tail_call_ref,
    ops.TAIL_CALL_INDIRECT: tail_call_indirect,
}
