"""Labels, branches, selects, traps, fuel and polls."""

from __future__ import annotations

from purewasm.backend.target import SLOT, SUNK, VECTOR_REGISTER
from purewasm.ir import ops
from purewasm.isa.x64 import integer, vex
from purewasm.isa.x64.conditions import CC_A, CC_BE, CC_E, CC_NE, CC_P, CC_S
from purewasm.isa.x64.emit.compare import emit_compare, emit_condition
from purewasm.isa.x64.emit.jump_tables import table_jump
from purewasm.isa.x64.emit.moves import IN_PLACE, move, move_values, place_constant
from purewasm.isa.x64.emit.state import (
    FAULT,
    JCC8,
    MOVAPS,
    STORE64,
    STORE_F64,
    STORE_V128,
    XMM14,
    XMM15,
    Head,
    at,
    load_control,
    pack32,
)
from purewasm.isa.x64.machine import TARGET
from purewasm.isa.x64.padding import align
from purewasm.isa.x64.registers import RAX, RDX, RSP
from purewasm.light_library import bisect_right
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.passes.polls import most_turns
from purewasm.store import layout
from purewasm.traps import FUEL_EXHAUSTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.ir.function import Edge
    from purewasm.isa.x64.emit.state import Emitter

_CMOV: Final = [row.regs for row in integer.CMOVCC_R64_RM64]
_CMOV_SLOT: Final = [row.based for row in integer.CMOVCC_R64_RM64]
_CMOV_POOL: Final = [row.rip for row in integer.CMOVCC_R64_RM64]
_SUB_MEMORY32: Final = integer.SUB_RM64_IMM32.based
_LOOP_ALIGNMENT_BYTES: Final = 32
"""What the processor fetches from its cache of decoded instructions at once: a short loop lies in as few of these as it can."""
_HEAD_INSTRUCTIONS: Final = 4
"""So many, besides parameters and the branch, are emitted once more at the end of each turn."""
_REPEATABLE: Final = bytearray(ops.OPS)
for _op in (
    *range(0x28, 0x36), *range(0x67, 0xC5), ops.LEA, ops.CMP32, ops.CMP64, ops.FCMP32, ops.FCMP64, ops.POLL, ops.CONTROL,
    *range(ops.PARAM + 1, ops.ARG), *range(ops.GLOBAL_GET, ops.GLOBAL_GET + 4),
    *range(ops.OBJECT_GET + 1, ops.OBJECT_GET + 4), ops.ARRAY_CHECK, ops.REF_TEST, ops.REF_CAST,
):
    _REPEATABLE[_op] = 1
_FUEL: Final = layout.TRAP_NUMBER[FUEL_EXHAUSTED]


def edge_moves(e: Emitter, edge: Edge, position: int, target: int) -> list[tuple[int, int]]:
    """(place, value) of the parameters that are needed and not in place already, and of values that go to rest or come back."""
    pairs = []
    place, live = e.place, e.live
    for parameter, value in edge:
        if live[parameter]:
            wanted = place[parameter]
            if wanted >= 0 and e.end[parameter] > parameter and (value < 0 or place[value] != wanted):
                pairs.append((wanted, value))
    if e.splits.splits:
        for split, begins in e.splits.on_edge(position, target, e.end):
            pairs.append((split.slot, split.value) if begins else (split.register, IN_PLACE + split.slot))
    return pairs


def label(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    e.bind(imm)


def loop(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    e.depth += 1
    e.loop_ends.append(e.loops[value][0])
    head = _head(e, value, imm)
    e.heads.append(head)
    if head is None:
        e.code += align(len(e.code), _LOOP_ALIGNMENT_BYTES)
    e.bind(imm)


def control_address(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """Nothing where there was no register for it: `poll` reads it again then."""
    place = e.place[value]
    if place < SLOT:
        e.code += load_control(place, e.options.thread_segment)


def endloop(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    e.depth -= 1
    e.loop_ends.pop()
    e.heads.pop()
    if e.splits.splits:
        back = [(split.register, IN_PLACE + split.slot) for split in e.splits.at_end(value)]
        if back and not _is_behind_branch(e, value):
            move_values(e, back)


def _is_behind_branch(e: Emitter, value: int) -> bool:
    """True where control does not run into this instruction from the one before."""
    operations = (e.insts[position][0] for position in range(value - 1, -1, -1) if e.live[position])
    return next((op for op in operations if op != ops.ENDLOOP), -1) in ops.NO_FALL_THROUGH


def nothing(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """Parameters and arguments have their places already."""


def br(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    edge, target = imm
    if edge or e.splits.splits:
        pairs = edge_moves(e, edge, value, target)
        if pairs:
            move_values(e, pairs)
    if _comes_next(e, value, target):
        return
    head = e.heads[-1] if e.heads else None
    if head is not None and head.label == target:
        _turn_round(e, head, value)
    else:
        e.jump(target)


def _head(e: Emitter, loop: int, label: int) -> Head | None:
    """The head of the loop at this position, if it is short enough to be there twice, and control comes back from the loop's end."""
    insts, live = e.insts, e.live
    end = e.loops[loop][0]
    if insts[end - 1][0] != ops.BR or insts[end - 1][3][1] != label:
        return None
    first = position = loop + 1
    count = 0
    while count <= _HEAD_INSTRUCTIONS:
        op, _, _, imm = insts[position]
        if live[position]:
            if op == ops.BR_IF:
                leaves = imm[3] != label and e.splits.position_of(imm[3]) > end
                return Head(label, first, position, e.new_label()) if leaves else None
            if not _REPEATABLE[op]:
                return None
            count += 1 - (ops.PARAM < op < ops.ARG)
        position += 1
    return None


def _comes_next(e: Emitter, value: int, target: int) -> bool:
    """True where no code is between this instruction and the label."""
    for position in range(value + 1, len(e.insts)):
        op, _, _, imm = e.insts[position]
        if op == ops.LABEL or op == ops.LOOP:
            if imm == target:
                return True
        elif op != ops.ENDLOOP and e.live[position]:
            return False
    return False


def _turn_round(e: Emitter, head: Head, value: int) -> None:
    """The end of a turn: instead of a jump to the loop's head what stands there, so that a turn that goes on jumps once."""
    for position in range(head.start, head.branch):
        if e.live[position]:
            op, a, b, imm = e.insts[position]
            e.emitters[op](e, position, a, b, imm)
    _, a, b, imm = e.insts[head.branch]
    condition, kind, edge, target = imm[:4]
    pairs = edge_moves(e, edge, head.branch, target) if edge or e.splits.splits else []
    start = len(e.code)
    emit_condition(e, kind, a, b, imm)
    e.pad(start, len(e.code) - start + 6)
    _jump_on(e, condition ^ 1, head.body)
    if pairs:
        move_values(e, pairs)
    if not _comes_next(e, value, target):
        e.jump(target)


def _is_held(e: Emitter, register: int, position: int) -> bool:
    """True where a value in this register is needed behind `position` (by the way that does not branch)."""
    intervals = e.intervals_of
    if not intervals:
        for value, place in enumerate(e.place):
            if 0 <= place < SLOT:
                intervals.setdefault(place, []).append(value)
    values = intervals.get(register)
    if not values:
        return False
    before = bisect_right(values, position)
    if before > 0 and e.end[values[before - 1]] > position:
        return True
    return bool(e.splits.splits or e.splits.lent) and e.splits.are_back(register, position, e.end)


def _is_zero_test(e: Emitter, value: int, a: int, b: int, condition: int, kind: int) -> bool:
    """True where the flags of the instruction right before this branch, which made `a`, answer already."""
    if kind > ops.KIND_64 or condition not in (CC_E, CC_NE) or not ops.MEM < b < 0 or e.constants[~b] != 0 or e.place[a] >= SLOT:
        return False
    return not any(e.live[a + 1 : value])


def _can_go_first(e: Emitter, pairs: list[tuple[int, int]], a: int, b: int, imm: Any, tested: bool) -> bool:
    """Whether an edge's moves leave alone what is compared: then the compare stays next to its jump, and they are one operation."""
    if tested:
        _, p, q, _ = e.insts[a]
        return all(value != a for _, value in pairs) and _are_unread(e, pairs, (a, p, q))
    return _are_unread(e, pairs, (a, b) if len(imm) == 4 else (a, b, imm[4]))


def _are_unread(e: Emitter, pairs: list[tuple[int, int]], values: tuple[int, ...]) -> bool:
    """True where none of the moves' targets is the place of one of these values, or of what a sunk address among them is made of."""
    targets = [place for place, _ in pairs]
    for value in values:
        if value >= 0:
            if e.place[value] == SUNK:
                if not _are_unread(e, pairs, e.insts[value][1:3]):
                    return False
            elif e.place[value] in targets:
                return False
    return True


def _move_first(e: Emitter, pairs: list[tuple[int, int]], tested: bool) -> None:
    """Moves in front of what sets the flags, which may have been emitted already."""
    code = e.code
    if not tested:
        move_values(e, pairs)
        return
    made = code[e.flags_start :]
    del code[e.flags_start :]
    move_values(e, pairs)
    e.flags_start = len(code)
    code += made


def br_if(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    _branch(e, value, a, b, imm)
    head = e.heads[-1] if e.heads else None
    if head is not None and head.branch == value:
        e.code += align(len(e.code), _LOOP_ALIGNMENT_BYTES)
        e.bind(head.body)


def _branch(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    condition, kind, edge, target = imm[:4]
    pairs = edge_moves(e, edge, value, target) if edge or e.splits.splits else []
    tested = a >= 0 and a == e.flags_value and _is_zero_test(e, value, a, b, condition, kind)
    before = bool(pairs) and condition < 16 and all(place < SLOT and not _is_held(e, place, value) for place, _ in pairs)
    if before and _can_go_first(e, pairs, a, b, imm, tested):
        _move_first(e, pairs, tested)
        pairs = []
    start = len(e.code)
    if tested:
        start = e.flags_start
    else:
        emit_condition(e, kind, a, b, imm)
    if not pairs:
        if e.depth:
            e.pad(start, len(e.code) - start + 6)
        if not _turn(e, value, condition, target):
            _jump_on(e, condition, target)
        return
    if before:
        move_values(e, pairs)
        if e.depth:
            e.pad(len(e.code), 6)
        e.jump_if(condition, target)
        return
    if e.depth:
        e.pad(start, len(e.code) - start + 6)
    if _leaves_loop(e, target):  # out of the way of what stays
        _jump_out(e, condition, pairs, target)
        return
    over = e.new_label()
    _jump_on(e, condition ^ 1, over)
    move_values(e, pairs)
    e.jump(target)
    e.bind(over)


def _turn(e: Emitter, value: int, condition: int, target: int) -> bool:
    """A branch over another branch, `br_if` to what is behind a `br`: one jump that does the second's work on the contrary condition."""
    insts, live = e.insts, e.live
    other = value + 1
    while not live[other]:
        other += 1
    if insts[other][0] != ops.BR:
        return False
    behind = other + 1
    while behind < len(insts) and not live[behind]:
        behind += 1
    if behind == len(insts) or insts[behind][0] != ops.LABEL or insts[behind][3] != target:
        return False
    edge, way_out = insts[other][3]
    pairs = edge_moves(e, edge, other, way_out) if edge or e.splits.splits else []
    if not pairs:
        _jump_on(e, condition ^ 1, way_out)
    elif _leaves_loop(e, way_out):
        _jump_out(e, condition ^ 1, pairs, way_out)
    else:
        return False
    live[other] = 0
    head = e.heads[-1] if e.heads else None
    if head is not None and head.branch == value:
        e.heads[-1] = None
    return True


def _leaves_loop(e: Emitter, target: int) -> bool:
    return bool(e.loop_ends) and e.splits.position_of(target) > e.loop_ends[-1]


def _jump_out(e: Emitter, condition: int, pairs: list[tuple[int, int]], target: int) -> None:
    """Leave a loop, with the moves on the way out of line."""
    way_out = e.new_label()
    _jump_on(e, condition, way_out)
    e.cold.append(lambda: _leave_loop(e, way_out, pairs, target))


def _leave_loop(e: Emitter, way_out: int, pairs: list[tuple[int, int]], target: int) -> None:
    e.bind(way_out)
    move_values(e, pairs)
    e.jump(target)


def _jump_on(e: Emitter, condition: int, target: int) -> None:
    if condition < 16:
        e.jump_if(condition, target)
    elif condition == ops.CC_FNE:
        e.jump_if(CC_P, target)
        e.jump_if(CC_NE, target)
    else:
        unordered = e.short_jump(JCC8[CC_P])
        e.jump_if(CC_E, target)
        e.land(unordered)


def br_table(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    targets: list[int] = []
    stubs: list[tuple[int, list[tuple[int, int]], int]] = []
    made: dict[int, int] = {}
    for edge, target in imm:
        pairs = edge_moves(e, edge, value, target)
        if not pairs:
            targets.append(target)
            continue
        stub = made.get(id(edge))
        if stub is None:
            stub = made[id(edge)] = e.new_label()
            stubs.append((stub, pairs, target))
        targets.append(stub)
    count = len(targets) - 1
    if count:
        table_jump(e, e.integer(a, RDX), count, targets)
    else:
        e.jump(targets[0])
    for stub, pairs, target in stubs:
        e.bind(stub)
        move_values(e, pairs)
        e.jump(target)


def return_(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    if imm:
        if len(imm) > 1:
            _store_results(e, imm)
        first = imm[0]
        target = TARGET.int_result if e.function.results[0] == ops.INT else TARGET.vector_result
        if first < 0:
            place_constant(e, target, e.constants[~first])
        elif e.place[first] != target:
            move(e, target, e.place[first], e.function.results[0] == ops.VEC)
    e.code += e.epilogue


def _store_results(e: Emitter, values: tuple[int, ...]) -> None:
    """The second result and further ones go to the caller's area, through xmm15 if they are not in a register."""
    area = e.integer(values[-1], RAX)
    for number, result_class in enumerate(e.function.results[1:], 1):
        offset = 16 * number
        operand = values[number]
        if result_class == ops.VEC:
            e.code += at(STORE_V128[e.vector(operand, XMM15)][area], offset)
        elif operand < 0:
            constant = e.constants[~operand]
            held = constant if isinstance(constant, bytes) else constant.to_bytes(8, "little")
            e.load_constant(XMM15, held)
            e.code += at(STORE_F64[XMM15][area], offset)
        elif e.place[operand] < VECTOR_REGISTER:
            e.code += at(STORE64[e.place[operand]][area], offset)
        else:
            e.code += at(STORE_F64[e.float(operand, XMM15)][area], offset)


def trap(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    e.traps.append((len(e.code), imm, e.marks[value]))
    e.code += FAULT


def trap_if(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    emit_condition(e, imm[1], a, b, imm)
    e.trap_if(imm[0], imm[2], e.marks[value])


def fuel(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    e.code += e.load_control
    e.code += at(_SUB_MEMORY32[RAX], layout.FUEL) + pack32(imm)
    e.trap_if(CC_S, _FUEL, e.marks[value])


def select_int(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    condition, kind, x, y = imm
    if not _is_compared(e, value, imm):
        emit_compare(e, kind, x, y)
    if condition == ops.CC_FEQ:
        a, b, condition = b, a, ops.CC_FNE
    register = e.integer_result(value)
    left = e.place[a] if a >= 0 else -1
    right = e.place[b] if b >= 0 else -1
    if right != register and (left == register or (left < 0 <= right and condition < 16)):
        if condition < 16:
            a, b, condition = b, a, condition ^ 1
            left, right = right, left
        else:
            register = RAX
    if b < 0:
        e.move_constant(register, e.constants[~b])  # type: ignore[arg-type]
    elif right != register:
        move(e, register, right)
    for cc in (condition,) if condition < 16 else (CC_P, CC_NE):
        if left < 0:
            e.pool_integer(_CMOV_POOL[cc][register], e.constants[~a])  # type: ignore[arg-type]
        else:
            e.code += _CMOV[cc][register][left] if left < 16 else e.slot(_CMOV_SLOT[cc][register][RSP], left)
    e.store_integer(value, register)


def _into(e: Emitter, target: int, held: int) -> None:
    if held != target:
        e.code += MOVAPS[target][held]


def _select_xmm(wide: bool) -> Callable[[Emitter, int, int, int, Any], None]:
    def emit(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
        condition, kind, x, y = imm
        if _is_extreme(e, a, b, imm):
            _select_extreme(e, value, *((a, b) if condition == CC_A else (b, a)), kind, x)
            return
        if not _is_compared(e, value, imm):
            emit_compare(e, kind, x, y)
        if condition == ops.CC_FEQ:
            a, b, condition = b, a, ops.CC_FNE
        load = e.vector if wide else e.float
        target = e.xmm_result(value)
        if a >= 0 and e.place[a] == target + 16:  # `a` must not be overwritten: it is what stays where the condition holds
            if condition < 16:
                a, b, condition = b, a, condition ^ 1
            else:
                target = XMM15
        _into(e, target, load(b, target))
        if condition < 16:
            over = e.short_jump(JCC8[condition ^ 1])
        else:
            taken = e.short_jump(JCC8[CC_P])
            over = e.short_jump(JCC8[CC_E])
            e.land(taken)
        _into(e, target, load(a, target))
        e.land(over)
        (e.store_vector if wide else e.store_float)(value, target)

    return emit


_SHORT_SEQUENCE: Final = 16
# maximum, minimum
_PICK: Final = {ops.KIND_F64: (vex.VMAXSD.regs, vex.VMINSD.regs), ops.KIND_F32: (vex.VMAXSS.regs, vex.VMINSS.regs)}


def _is_compared(e: Emitter, value: int, imm: Any) -> bool:
    """True where the flags are those that the select before this one asked for: moves have left them alone."""
    before = value - 1
    while before and not e.live[before]:
        before -= 1
    op, a, b, asked = e.insts[before]
    if op & ~3 != ops.SELECT or asked[1:] != imm[1:] or imm[1] > ops.KIND_TEST64:
        return False
    return op == ops.SELECT + ops.INT or not _is_extreme(e, a, b, asked)


def _is_extreme(e: Emitter, a: int, b: int, imm: Any) -> bool:
    """True of what the processor's own minimum or maximum does best."""
    condition, kind, x, y = imm
    if condition not in (CC_A, CC_BE) or kind not in _PICK or {a, b} != {x, y}:
        return False
    return not (_is_carried(e, a) or _is_carried(e, b))


def _is_carried(e: Emitter, operand: int, depth: int = 8) -> bool:
    """True of what comes from the loop's turn before, maybe through other selects: the extreme of a sequence, which seldom changes.
    There a jump is faster, since nothing waits for the former value. Not so at the beginning: a short sequence changes too often."""
    if operand < 0 or not depth:
        return False
    op, a, b, imm = e.insts[operand]
    if op == ops.PARAM + ops.FLT:
        return any(argument > operand for argument in imm) and not _is_short(e, operand)
    return op == ops.SELECT + ops.FLT and (_is_carried(e, a, depth - 1) or _is_carried(e, b, depth - 1))


def _is_short(e: Emitter, parameter: int) -> bool:
    """True of a parameter of a loop that makes few turns."""
    head = parameter
    while e.insts[head][0] != ops.LOOP:
        head -= 1
    return most_turns(e.function, head, e.loops[head][0]) <= _SHORT_SEQUENCE


def _select_extreme(e: Emitter, value: int, a: int, b: int, kind: int, x: int) -> None:
    """`a` if x is above the other, else `b`: the processor's own minimum or maximum, which is its second operand when in doubt."""
    left, right = e.float(a, XMM14), e.float(b, XMM15)
    target = e.xmm_result(value)
    e.code += _PICK[kind][a != x][target][left][right]
    e.store_float(value, target)


EMITTERS: Final[dict[int, Callable[[Emitter, int, int, int, Any], None]]] = {
    ops.LABEL: label, ops.LOOP: loop, ops.ENDLOOP: endloop, ops.BR: br, ops.BR_IF: br_if, ops.BR_TABLE: br_table, ops.RETURN: return_,
    ops.TRAP: trap, ops.TRAP_IF: trap_if, ops.FUEL: fuel, ops.CONTROL: control_address,
    ops.SELECT + ops.INT: select_int, ops.SELECT + ops.FLT: _select_xmm(False), ops.SELECT + ops.VEC: _select_xmm(True),
    **{first + c: nothing for first in (ops.PARAM, ops.ARG) for c in range(4)},
}  # fmt: skip
