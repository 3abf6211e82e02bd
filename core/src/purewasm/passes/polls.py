"""Polls of loops.

A loop that makes a known and small number of turns needs none, nor does one each turn of which comes past the poll of a loop inside. In
the other innermost ones, if they make no calls, the control block's address is kept in a register (if there is one left), so that a poll
is one instruction with its jump:

    3: control                    3: control
    4: br -> L1 (6 = 0)           4: br -> L1 (6 = 0)
    5: loop L1             ->     5: loop L1
    6: param.i [0, 9]             6: param.i [0, 9]
    7: poll _                     7: poll 3                      gone, if 9 is compared with a constant that is near
"""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.light_library import itemgetter
from purewasm.light_typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from purewasm.ir.function import Function, Inst

_UNPOLLED_INSTRUCTIONS: Final = 1 << 20
"""What a loop may execute without a poll: about a millisecond's worth."""
_UNPOLLED_IN_ALL: Final = 1 << 22
"""What all such loops of a function may: there is room for a hundred thousand of them, one behind the other."""
_SEARCHED: Final = 1024
"""So far a loop with others inside is looked at: what is nested deeply would be looked through for each loop around it, and one poll is
little beside so many instructions."""
_ADD: Final = {0x6A: 32, 0x7C: 64}
_BITS: Final = {ops.KIND_32: 32, ops.KIND_64: 64}
_NEVER: Final = 1 << 64
_NOTHING: Final = (ops.CONTROL, ops.NO, ops.NO, 0)  # nobody uses it
_operation: Final = itemgetter(0)


def place_polls(function: Function) -> None:
    """Look at each loop; `function.loops` has inner loops before outer ones."""
    bounded: list[tuple[int, int]] = []  # (start, instructions executed) of loops without polls
    innermost_start = -1
    for start, end in function.loops:
        innermost = innermost_start < start
        innermost_start = start
        poll = _poll_of(function.insts, start)
        if poll < 0 or (not innermost and not function.pads and _is_polled_inside(function.insts, start, poll, end)):
            continue
        if not innermost and end - poll > _SEARCHED:
            continue
        if any(map(ops.IS_LONG.__getitem__, map(_operation, function.insts[poll:end]))):
            continue
        inside = 0
        while bounded and bounded[-1][0] > start:
            inside += bounded.pop()[1]
        executed = most_turns(function, start, end) * (end - start + inside)
        if executed < _UNPOLLED_INSTRUCTIONS and function.unpolled + executed - inside <= _UNPOLLED_IN_ALL:
            bounded.append((start, executed))
            function.unpolled += executed - inside
            function.insts[poll] = _NOTHING
        elif innermost:
            function.insts[poll] = (ops.POLL, start - 2, ops.NO, 0)


def _poll_of(insts: list[Inst], start: int) -> int:
    poll = start + 1
    while ops.PARAM < insts[poll][0] < ops.ARG:
        poll += 1
    return poll if insts[poll][0] == ops.POLL else -1


def _is_polled_inside(insts: list[Inst], start: int, poll: int, end: int) -> bool:
    """Whether every way from the head back to it comes past another poll; then this one goes."""
    label = insts[start][3]
    ahead: set[int] = set()  # where branches go that were met
    for position in range(poll + 1, min(end, poll + _SEARCHED)):
        inst = insts[position]
        op = inst[0]
        if op == ops.BR_IF or op == ops.BR:
            ahead.add(inst[3][3 if op == ops.BR_IF else 1])
        elif op == ops.BR_TABLE:
            ahead.update([target for _, target in inst[3]])
        elif op == ops.LABEL or op == ops.LOOP:
            ahead.discard(inst[3])
        elif op == ops.POLL:
            if label in ahead or (ahead and _binds_any(insts, ahead, position, end)):
                return False
            insts[poll] = _NOTHING
            return True
        if label in ahead:
            return False
    return False


def _binds_any(insts: list[Inst], labels: set[int], start: int, end: int) -> bool:
    """Whether one of the labels stands there; the answer is yes where that is too far to look."""
    if end - start > _SEARCHED:
        return True
    return not labels.isdisjoint([inst[3] for inst in insts[start:end] if inst[0] == ops.LABEL])


def most_turns(function: Function, start: int, end: int) -> int:
    """How often the loop goes round at most, if a counter is compared with a constant where its only way back begins, or at its head."""
    insts = function.insts
    label = insts[start][3]
    back: Inst | None = None
    for inst in insts[start + 1 : end]:
        if _goes_to(inst, label):
            if back is not None or inst[0] == ops.BR_TABLE:
                return _NEVER
            back = inst
    if back is None:
        return _NEVER  # it costs one poll, and a guest that has been closed ends there
    negated = 0
    if back[0] == ops.BR:
        back, negated = _test_at_head(insts, start, end), 1
        if back is None:
            return _NEVER
    _, a, b, imm = back
    condition, kind = imm[:2]  # a load may have become part of it
    limit = _constant(function, b)
    if a < 0 or limit is None or kind not in _BITS:
        return _NEVER
    return _counted(function, start, a, condition ^ negated, _BITS[kind], limit)


def _test_at_head(insts: list[Inst], start: int, end: int) -> Inst | None:
    """The branch out of the loop that every turn comes to before anything else is decided."""
    position = start + 1
    while not ops.LABEL <= insts[position][0] <= ops.RETURN:
        position += 1
    test = insts[position]
    if test[0] != ops.BR_IF:
        return None
    target = test[3][3]
    stays = any(inst[0] == ops.LABEL and inst[3] == target for inst in insts[position:end])
    return None if stays else test


def _goes_to(inst: Inst, label: int) -> bool:
    op, _, _, imm = inst
    if op == ops.BR_IF:
        return bool(imm[3] == label)
    if op == ops.BR:
        return bool(imm[1] == label)
    return op == ops.BR_TABLE and any(target == label for _, target in imm)


def _constant(function: Function, operand: int) -> int | None:
    value: Any = function.constants[~operand] if ops.MEM < operand < 0 else None
    return value if isinstance(value, int) else None


def _counted(function: Function, start: int, compared: int, condition: int, bits: int, limit: int) -> int:
    """The counter is a parameter of the loop, and what the next turn gets is that plus a constant; either of them is compared."""
    insts = function.insts
    advanced = ops.PARAM < insts[compared][0] < ops.ARG
    counter = compared if advanced else insts[compared][1]
    if counter <= start or not all(ops.PARAM < inst[0] < ops.ARG for inst in insts[start + 1 : counter + 1]):
        return _NEVER
    if len(insts[counter][3]) != 2:
        return _NEVER
    entry, next_ = insts[counter][3]
    if next_ < 0 or (next_ != compared and not advanced) or insts[next_][1] != counter or _ADD.get(insts[next_][0]) != bits:
        return _NEVER
    first, step = _constant(function, entry), _constant(function, insts[next_][2])
    if step is None:
        return _NEVER
    if first is None:
        return turns(condition, bits, 0, step, limit) if condition in (ops.CC_B, ops.CC_BE) else _NEVER
    return turns(condition, bits, first if advanced else first + step, step, limit)


def turns(condition: int, bits: int, first: int, step: int, limit: int) -> int:
    """Upper bound of the turns of a loop that goes on while a counter, `first` at the end of the first, is in the relation to `limit`."""
    modulus = 1 << bits
    half = modulus >> 1
    step = (step + half) % modulus - half
    if not step:
        return _NEVER
    if condition == ops.CC_NE:
        distance = (limit - first if step > 0 else first - limit) % modulus
        return _NEVER if distance % abs(step) else distance // abs(step) + 1
    signed = condition >= ops.CC_L
    low, high = (-half, half) if signed else (0, modulus)
    first, limit = ((x - low) % modulus + low for x in (first, limit))
    if condition in (ops.CC_B, ops.CC_L, ops.CC_BE, ops.CC_LE):
        limit += condition in (ops.CC_BE, ops.CC_LE)
        if step > 0 and limit + step <= high:
            return max(limit - first, 0) // step + 2
    elif condition != ops.CC_E:
        limit -= condition in (ops.CC_AE, ops.CC_GE)
        if step < 0 and limit + step >= low:
            return max(first - limit, 0) // -step + 2
    return _NEVER
