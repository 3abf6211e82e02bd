"""The stack frame of compiled code: its layout, prologue and epilogue.

incoming stack arguments     removed by this function (`ret n`)
return address
saved registers
padding, to a multiple of 16
context of this instance     where calls may enter another one, or land here
slots                        8 bytes each
results of calls             16 bytes each, from the second on
outgoing stack arguments     at the stack pointer
"""

from __future__ import annotations

from purewasm.backend.placement import RESULT_BYTES, place_arguments
from purewasm.backend.target import STACK_ARGUMENT
from purewasm.ir import ops
from purewasm.isa.x64 import control, integer, memory
from purewasm.isa.x64.conditions import CC_B
from purewasm.isa.x64.emit.moves import move_places
from purewasm.isa.x64.emit.polls import out_of_stack
from purewasm.isa.x64.emit.state import BYTE, INCOMING, STORE64, at, pack32
from purewasm.isa.x64.machine import TARGET
from purewasm.isa.x64.registers import RAX, RSP
from purewasm.isa.x64.roles import CONTEXT, TARGET_REGISTER
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.store import layout

if TYPE_CHECKING:
    from purewasm.backend.linear_scan import Allocation
    from purewasm.isa.x64.emit.state import Emitter
    from purewasm.passes.intervals import Intervals

_LEAF_BYTES: Final = 1024
"""A function without calls and with a frame below this does without the stack check: the limit leaves more room than that."""
_LEAF_INSTRUCTIONS: Final = 1024
"""But one that may execute more than this has it all the same, since it is a poll: a body has room for millions of calls."""
_PUSH: Final = memory.PUSH_R64.regs
_POP: Final = memory.POP_R64.regs
_ADD8: Final = integer.ADD_RM64_IMM8.regs[RSP]
_ADD32: Final = integer.ADD_RM64_IMM32.regs[RSP]
_CMP: Final = integer.CMP_R64_RM64.based
_LEA: Final = memory.LEA_R64_M.based
_RET: Final = control.RET.code
_RET_N: Final = control.RET_IMM16.code
_FOREIGN: Final = frozenset(
    first + c for first in (ops.CALL_IMPORT, ops.CALL_REF, ops.CALL_INDIRECT, ops.CALL_TAG) for c in range(4)
)  # fmt: skip


def lay_out(e: Emitter, found: Intervals, allocation: Allocation, argument_bytes: int) -> None:
    """Sizes and offsets of the frame, and the epilogue."""
    outgoing = results = 0
    foreign = bool(e.function.pads)
    for position in (*found.calls, *found.tail_calls):
        op, _, _, imm = e.insts[position]
        foreign = foreign or op in _FOREIGN
        if op & ~3 == ops.BUILTIN:
            continue
        params, returned = imm[2]
        extra = len(returned) > 1 and op & ~3 != ops.TAIL_CALL
        if extra:
            results = max(results, len(returned))
        if len(params) >= len(TARGET.int_arguments):
            outgoing = max(outgoing, place_arguments(TARGET, (*params, ops.INT) if extra else params)[1])
    # what is unwound on the way to a landing pad does not restore registers: this function does
    used = -1 if e.function.pads else allocation.used
    e.saved = tuple([register for register in TARGET.saved_registers if used >> register & 1])
    e.results_at = outgoing
    e.slots_at = outgoing + RESULT_BYTES * results
    size = e.slots_at + 8 * allocation.slots
    e.saved_context = size
    if foreign:
        size += 8
    pushed = 8 * len(e.saved)
    if found.calls or found.tail_calls:  # a poll aligns the stack itself
        size += (size + pushed + 8) & 15 and 8
    e.frame = size + pushed
    e.argument_bytes = argument_bytes
    e.teardown = adjust_stack(size) + b"".join([_POP[register] for register in reversed(e.saved)])
    e.epilogue = e.teardown + (_RET_N + argument_bytes.to_bytes(2, "little") if argument_bytes else _RET)
    _prologue(e, size, foreign, bool(found.calls or found.tail_calls))


def adjust_stack(size: int) -> bytes:
    """Add to the stack pointer."""
    if not size:
        return b""
    return _ADD8 + BYTE[size] if -128 <= size < 128 else _ADD32 + pack32(size)


def _prologue(e: Emitter, size: int, foreign: bool, calls: bool) -> None:
    code = e.code
    if calls or e.frame >= _LEAF_BYTES or _is_long(e):
        _check_stack(e)
    code += b"".join([_PUSH[register] for register in e.saved])
    code += adjust_stack(-size)
    if foreign:
        code += at(STORE64[CONTEXT][RSP], e.saved_context)


def _is_long(e: Emitter) -> bool:
    return e.options.interruptible and len(e.insts) + e.function.unpolled > _LEAF_INSTRUCTIONS


def _check_stack(e: Emitter) -> None:
    """Compare the stack pointer with the limit; an interruption raises the limit, so this is the poll at function entry too."""
    code = e.code
    start, short = e.new_label(), e.new_label()
    e.bind(start)
    code += e.load_control
    if e.frame < _LEAF_BYTES:
        code += at(_CMP[RSP][RAX], layout.STACK_LIMIT)
    else:
        code += at(_LEA[TARGET_REGISTER][RSP], -e.frame) + at(_CMP[TARGET_REGISTER][RAX], layout.STACK_LIMIT)
    e.jump_if(CC_B, short)
    e.cold.append(lambda: out_of_stack(e, start, short))


def receive_arguments(e: Emitter, classes: tuple[int, ...]) -> None:
    """From where the convention has them to where the allocator wants them."""
    moves: dict[int, int] = {}
    wide: set[int] = set()
    for value, source in enumerate(place_arguments(TARGET, classes)[0]):
        if e.live[value] and e.end[value] > value:
            target = e.place[value]
            if source >= STACK_ARGUMENT:
                source += INCOMING - STACK_ARGUMENT
            if target != source:
                moves[target] = source
                if classes[value] == ops.VEC:
                    wide.add(target)
    if moves:
        move_places(e, moves, wide)
