"""Blocks and branches of baseline code, and the way from a loop into its optimized code.

At a label each operand is in its own slot and no register holds anything, but for the function's end: there a single integer result is
in rax. Every loop counts its turns down, together with the calls of its function; what to do at zero is described in
`engine.native.tiers`.
"""

from __future__ import annotations

from purewasm.backend.machine_code import HIDDEN_PLACE
from purewasm.ir import ops
from purewasm.ir.builtins import ENTER_LOOP
from purewasm.isa.x64 import control, integer, memory
from purewasm.isa.x64.baseline.forms import LOAD, LOAD_SLOTS, SELECT, offset_of
from purewasm.isa.x64.baseline.state import Block, If, Loop, State
from purewasm.isa.x64.conditions import CC_E, CC_NE, CC_S
from purewasm.isa.x64.emit.jump_tables import table_jump
from purewasm.isa.x64.emit.state import BYTE, FAULT, LOAD64, MOV, MOV_IMM32, at, pack32
from purewasm.isa.x64.registers import RAX, RCX, RDI, RDX, RSI, RSP
from purewasm.isa.x64.roles import CONTEXT
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store import layout

if TYPE_CHECKING:
    from collections.abc import Sequence

_CALL_MEMORY: Final = control.CALL_RM64.based
_CALL: Final = control.CALL_RM64.regs
_LEA: Final = memory.LEA_R64_M.based
_SUB8: Final = integer.SUB_RM64_IMM8.based[RAX]
_TEST: Final = integer.TEST_RM64_R64.regs[RAX][RAX]
_CMP8: Final = integer.CMP_RM32_IMM8.regs[RAX]
_CMP32: Final = integer.CMP_RM32_IMM32.regs[RAX]
END_OF_FUNCTION: Final = 0
"""The label."""


def turns_left(s: State) -> int:
    """Where the function's count of turns is in the slot table."""
    return 8 * (len(s.e.module.func_types) + s.index)


def count_down(s: State) -> bytes:
    """Code that takes one from the turns that are left; the sign says that there are none. Leaves the slot table's address in rax."""
    return LOAD_SLOTS + at(_SUB8, turns_left(s)) + b"\1"


def block(s: State, imm: Any) -> None:
    s.settle()
    s.blocks.append(Block(len(s.blocks), s.e.new_label(), len(s.stack) - len(imm[0]), len(imm[0]), len(imm[1])))


def loop(s: State, imm: Any, place: int) -> None:
    e = s.e
    s.settle()
    opened = Loop(len(s.blocks), e.new_label(), len(s.stack) - len(imm[0]), len(imm[0]), len(imm[1]), e.new_label())
    s.blocks.append(opened)
    s.loops.append(opened)
    e.bind(opened.label)
    if e.options.interruptible:
        s.emit(ops.POLL, ops.NO, ops.NO, 0, s.first_operand, place)
    e.code += count_down(s)
    hot, back = e.new_label(), e.new_label()
    e.jump_if(CC_S, hot)
    e.bind(back)
    e.cold.append(lambda: _enter_optimized(s, opened, place, hot, back))


def if_(s: State, imm: Any, condition: int) -> None:
    s.settle()
    opened = If(len(s.blocks), s.e.new_label(), len(s.stack) - len(imm[0]), len(imm[0]), len(imm[1]), s.e.new_label())
    s.blocks.append(opened)
    s.e.jump_if(condition ^ 1, opened.else_label)


def else_(s: State, reached: bool) -> None:
    opened = s.blocks[-1]
    assert isinstance(opened, If)
    if reached:
        s.carry(opened.results, opened.height)
        s.e.jump(opened.label)
        opened.is_target = True
    s.e.bind(opened.else_label)
    opened.else_label = -1
    s.stack[opened.height :] = s.tops[opened.height : opened.height + opened.params]


def end(s: State, reached: bool) -> bool:
    """Close the innermost block; True where what follows cannot be reached."""
    e, closed = s.e, s.blocks[-1]
    if not closed.index:
        if reached:
            _results_to_end(s)
        return True
    if reached:
        s.carry(closed.results, closed.height)
    if isinstance(closed, Loop):
        s.loops.pop()
        if reached:
            closed.exits[closed.index] = closed
            e.bind(closed.end)
    else:
        if closed.else_label >= 0:  # without `else`: the operands are the results
            e.bind(closed.else_label)
            reached = True
        if closed.is_target:
            e.bind(closed.label)
            reached = True
    s.blocks.pop()
    s.stack[closed.height :] = s.tops[closed.height : closed.height + closed.results]
    return not reached


def br(s: State, depth: int) -> None:
    target = s.blocks[-1 - depth]
    s.note_exit(target)
    if not target.index:
        _results_to_end(s)
        s.e.jump(END_OF_FUNCTION)
        return
    s.carry(target.params if target.is_loop else target.results, target.height)
    target.is_target = True
    s.e.jump(target.label)


def br_if(s: State, depth: int, condition: int) -> None:
    """Moves do not change the flags."""
    target = s.blocks[-1 - depth]
    if target.params if target.is_loop else target.results:
        over = s.e.new_label()
        s.e.jump_if(condition ^ 1, over)
        br(s, depth)
        s.e.bind(over)
    else:
        s.note_exit(target)
        target.is_target = True
        s.e.jump_if(condition, target.label)


def br_table(s: State, depths: Sequence[int]) -> None:
    """The index is on the stack."""
    e, index = s.e, s.stack.pop()
    labels: dict[int, int] = {}
    stubs: list[int] = []
    for depth in depths:
        if depth not in labels:
            target = s.blocks[-1 - depth]
            if target.params if target.is_loop else target.results:
                labels[depth] = e.new_label()
                stubs.append(depth)
            else:
                s.note_exit(target)
                target.is_target = True
                labels[depth] = target.label
    count = len(depths) - 1
    if count:
        if index < 0:
            e.move_constant(RDX, e.constants[~index])  # type: ignore[arg-type]
        else:
            e.code += LOAD[RDX][index]
        table_jump(e, RDX, count, [labels[depth] for depth in depths])
    else:
        e.jump(labels[depths[0]])
    for depth in stubs:
        e.bind(labels[depth])
        br(s, depth)


def _results_to_end(s: State) -> None:
    """Put the results where the end of the function has them."""
    classes = s.result_classes
    if classes == (ops.INT,):
        s.load_rax(s.stack[-1])
    else:
        s.carry(len(classes), 0)


def select(s: State, condition: int) -> None:
    """One of the two top operands."""
    e, stack = s.e, s.stack
    y, x = stack.pop(), stack.pop()
    slot = s.tops[len(stack)]
    stack.append(slot)
    if s.stride == 1:
        s.load_rax(y)
        by_slot, by_rcx = SELECT[condition]
        if x >= 0:
            e.code += by_slot[x]
        else:
            e.move_constant(RCX, s.bits(x))
            e.code += by_rcx
        return
    first, done = e.new_label(), e.new_label()
    e.jump_if(condition, first)
    s.copy(y, slot)
    e.jump(done)
    e.bind(first)
    if x != slot:
        s.copy(x, slot)
    e.bind(done)


def _enter_optimized(s: State, opened: Loop, place: int, hot: int, back: int) -> None:
    """Call the loop's optimized code with all that it changes in the slots, and go on where it says."""
    e = s.e
    e.bind(hot)
    code = e.code
    code += MOV[RDI][CONTEXT] + MOV_IMM32[RSI] + pack32(s.index) + MOV_IMM32[RDX] + pack32(place)
    code += at(LOAD64[RAX][CONTEXT], layout.BUILTINS) + at(_CALL_MEMORY[RAX], 8 * ENTER_LOOP)
    e.call_sites.append((len(code), place, 0))
    code += _TEST
    e.jump_if(CC_E, back)
    operands = s.tops[opened.height]
    code += (
        at(_LEA[RDI][RSP], offset_of(s.locals_at[0] if s.locals_at else operands)) + at(_LEA[RSI][RSP], offset_of(operands)) + _CALL[RAX]
    )
    e.call_sites.append((len(code), HIDDEN_PLACE, 0))
    s.highest = max(s.highest, operands)
    exits = list(opened.exits.values())
    for target in exits:
        following = -1
        if target is not exits[-1]:
            following = e.new_label()
            code += _CMP8 + BYTE[target.index] if target.index < 128 else _CMP32 + pack32(target.index)
            e.jump_if(CC_NE, following)
        _leave_optimized(s, opened, target)
        if following >= 0:
            e.bind(following)
    if not exits:
        code += FAULT  # it does not come back


def _leave_optimized(s: State, opened: Loop, target: Block) -> None:
    e, tops = s.e, s.tops
    count = target.results if target is opened or not target.is_loop else target.params
    if not target.index and s.result_classes == (ops.INT,):
        s.load_rax(tops[opened.height])
    else:
        for position in range(count):
            source, slot = tops[opened.height + position], tops[target.height + position]
            if source != slot:
                s.copy(source, slot)
    if count:
        s.highest = max(s.highest, tops[opened.height + count - 1])
    e.jump(opened.end if target is opened else target.label)
