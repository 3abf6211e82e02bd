"""Blocks, branches and returns (spec: control instructions): from the guest's labels to the statement tree."""

from __future__ import annotations

from purewasm.engine.interpreter.fragments import CONST, MAX_TEXT, NAME, NOT, TERNARY, Fragment, inside
from purewasm.engine.interpreter.normalise import truth
from purewasm.engine.interpreter.tree import Block, Body, Br, If, Label, Loop, Switch, settle
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.valtypes import I32

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.interpreter.lowering import Handlers, Lowering

Types = tuple[int, ...]

# kinds of labels
FUNCTION: Final = 0
BLOCK: Final = 1
LOOP: Final = 2
IF: Final = 3
ELSE: Final = 4
TRY_TABLE: Final = 5
TRY: Final = 6
CATCH: Final = 7


def open_label(low: Lowering, kind: int, params: Types, results: Types, at: int) -> Label:
    """Begin a block: nothing but variables is pending, a new body is open, and variables for what branches carry are reserved."""
    label = low.new_label(kind)
    label.at, label.params, label.results = at, params, results
    label.height = len(low.stack) - len(params)
    label.outer_floor = low.temp_floor
    if not low.stack and kind != IF:  # the test of an `if` may end up in what is pending behind it, with the variables that it names
        low.temp_next = low.temp_floor
    label.names = label.result_names = [low.reserve() for _ in results]
    label.types = results
    label.outer_body = low.body
    low.temp_floor = label.next_temp = low.temp_next
    low.labels.append(label)
    low.body = Body()
    return label


def close_label(low: Lowering, label: Label, made: Body) -> bool:
    """Put what became of the innermost block into the body around it, and its results on the stack. True where nothing goes on behind."""
    low.labels.pop()
    low.body = label.outer_body
    low.body.extend(made)
    low.temp_floor = label.outer_floor
    del low.stack[label.height :]
    if made.dead:
        low.body.dead = True
        return True
    low.temp_next = label.next_temp
    low.stack.extend(low.ref(name, valtype) for name, valtype in zip(label.result_names, label.results, strict=True))
    return False


def close_pending(low: Lowering, label: Label, made: Body, values: list[Fragment]) -> bool:
    """The same for a block that nobody branches to: its results may stay pending."""
    resume = low.temp_next
    if close_label(low, label, made):
        return True
    low.stack[label.height :] = values
    low.temp_next = max(resume, label.next_temp)
    return False


def wrap(label: Label, body: Body) -> Body:
    """`body` as the contents of a block that ends where branches to `label` lead."""
    settle(body, label)
    if not label.uses:
        return body
    made = Body()
    made.append(Block(label, body))
    return made


def seal(low: Lowering, label: Label, at: int) -> None:
    """The end of a body that exceptions were delegated to (`exceptions`): they are raised again behind it, where `label` sees them.

    The results are in the label's variables then (`sealed`), or the body does not reach its end.
    """
    landings, label.landings = label.landings, []
    if not landings:
        return
    body = low.body
    if label.kind == FUNCTION:
        if not body.dead:
            emit_return(low, at)
    elif not body.dead:
        low.assign(label.result_names, label.results, at)
        label.sealed = True
    behind = low.new_label(BLOCK)
    if not body.dead:
        body.append(Br(behind, at))
        body.dead = True
    for landing, name in landings:
        body = wrap(landing, body)
        body.append((f"raise {name}", at))
        body.dead = True
    low.body = wrap(behind, body)


def lower_block(low: Lowering, stack: list[Fragment], imm: tuple[Types, Types], at: int) -> None:
    low.flush()
    open_label(low, BLOCK, *imm, at)


def lower_loop(low: Lowering, stack: list[Fragment], imm: tuple[Types, Types], at: int) -> None:
    low.flush()
    params, results = imm
    label = open_label(low, LOOP, params, results, at)
    label.is_loop = True
    label.exit = low.new_label(BLOCK)
    label.types = params
    if params:
        label.names = [low.reserve() for _ in params]
        low.temp_floor = low.temp_next
        inner, low.body = low.body, label.outer_body
        low.assign(label.names, params, at)
        low.body = inner
        stack[label.height :] = [low.ref(name, valtype) for name, valtype in zip(label.names, params, strict=True)]
    else:
        label.names = []
    low.loop_depth += 1
    low.compact = False
    low.poll(at)


def lower_if(low: Lowering, stack: list[Fragment], imm: tuple[Types, Types], at: int) -> None:
    test = stack.pop()
    low.flush()
    label = open_label(low, IF, *imm, at)
    label.test = test
    label.pending = list(stack[label.height :])


def lower_else(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    label = low.labels[-1]
    label.then_value = _finish_arm(low, label, at)
    label.then = low.body
    label.kind = ELSE
    low.body = Body()
    stack[label.height :] = label.pending
    low.temp_next = label.next_temp


def _finish_arm(low: Lowering, label: Label, at: int) -> Fragment | None:
    """The end of one arm of an `if`: its results go to the label's variables; a lone expression is handed back, it may wait."""
    seal(low, label, at)
    sealed, label.sealed = label.sealed, False
    if low.body.dead or sealed:
        return None
    if len(label.results) == 1 and not low.body and not label.uses:
        return low.canonical_fragment(low.stack[-1], label.results[0])
    low.assign(label.result_names, label.results, at)
    return None


def _end_function(low: Lowering, label: Label, at: int) -> bool:
    seal(low, label, at)
    if not low.body.dead:
        emit_return(low, at)
    return True


def _end_block(low: Lowering, label: Label, at: int) -> bool:
    seal(low, label, at)
    body, count = low.body, len(label.results)
    if not label.uses and not label.sealed:
        return close_pending(low, label, body, low.stack[len(low.stack) - count :] if not body.dead else [])
    if not body.dead and not label.sealed:
        low.assign(label.names, label.results, at)
    return close_label(low, label, wrap(label, body))


def _end_loop(low: Lowering, label: Label, at: int) -> bool:
    seal(low, label, at)
    made = body = low.body
    exit_label = label.exit
    assert exit_label is not None
    if not body.dead and not label.sealed:
        low.assign(label.result_names, label.results, at)
    if label.uses:
        if not body.dead:
            body.append(Br(exit_label, at))
            body.dead = True
        settle(body, label)
        made = Body()
        made.append(Loop(label, exit_label, body))
        made.dead = not exit_label.uses
    low.loop_depth -= 1
    low.compact = low.long_function and not low.loop_depth
    return close_label(low, label, made)


def _end_if(low: Lowering, label: Label, at: int) -> bool:
    if label.kind == IF:  # no else: the parameters pass through
        lower_else(low, low.stack, None, at)
    label.other_value = _finish_arm(low, label, at)
    then, other, test = label.then, low.body, label.test
    assert test is not None
    yes, no = label.then_value, label.other_value
    if yes is not None and no is not None:
        value = _conditional(test, yes, no)
        close_pending(low, label, Body(), [value])
        if len(value[0]) > MAX_TEXT:
            low.shorten()
        return False
    for arm, waiting in ((then, yes), (other, no)):
        if waiting is not None:  # a lone expression whose other arm is more than that
            arm.append((f"{label.result_names[0]} = {waiting[0]}", waiting[5] - 1 if waiting[5] else at))
    made = Body()
    made.append(If(*truth(test), test[5] - 1 if test[5] else label.at, then, other))
    made.dead = then.dead and other.dead
    return close_label(low, label, wrap(label, made))


def _conditional(test: Fragment, yes: Fragment, no: Fragment) -> Fragment:
    """Both arms are single expressions: the whole `if` is one, too."""
    text = f"{inside(yes, NOT)} if {truth(test)[0]} else {inside(no, TERNARY)}"
    reads = test[4] | yes[4] | no[4]
    return (text, TERNARY, min(yes[2], no[2]), max(yes[3], no[3]), reads, test[5] or yes[5] or no[5], 0, "", "")


ENDS: Final[dict[int, Callable[[Lowering, Label, int], bool]]] = {
    FUNCTION: _end_function,
    BLOCK: _end_block,
    LOOP: _end_loop,
    IF: _end_if,
    ELSE: _end_if,
}
"""What the `end` of each kind of block does; `exceptions` has more."""


# ---- branches


def emit_return(low: Lowering, at: int) -> None:
    """Return the topmost values."""
    results = low.labels[0].results
    count = len(results)
    owe_dropped(low, count)
    values = low.stack[len(low.stack) - count :] if count else []
    first = next((value[5] for value in values if value[5]), 0)
    texts = [low.canonical(value, valtype) for value, valtype in zip(values, results, strict=True)]
    low.body.append((f"return {', '.join(texts)}" if texts else "return", first - 1 if first else at))
    low.body.dead = True


def owe_dropped(low: Lowering, count: int) -> None:
    """A branch drops what lies below its `count` operands; what would have trapped is evaluated first."""
    stack = low.stack
    for position in range(len(stack) - count):
        if stack[position][5]:
            low.materialise(position)


def emit_branch(low: Lowering, label: Label, at: int) -> None:
    """Branch to `label` with the topmost values; the open body ends here."""
    if label.kind == FUNCTION:
        emit_return(low, at)
        return
    owe_dropped(low, len(label.types))
    low.assign(label.names, label.types, at)
    low.body.append(Br(label, at))
    low.body.dead = True


def branch_arm(low: Lowering, label: Label, at: int) -> Body:
    """A body that branches to `label`, for one arm of a condition."""
    outer, low.body = low.body, Body()
    emit_branch(low, label, at)
    made, low.body = low.body, outer
    return made


def lower_br(low: Lowering, stack: list[Fragment], imm: int, at: int) -> bool:
    emit_branch(low, low.labels[-1 - imm], at)
    return True


def lower_br_if(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    test = stack.pop()
    low.flush_impure()
    one, two = truth(test)
    arm = branch_arm(low, low.labels[-1 - imm], at)
    low.body.append(If(one, two, test[5] - 1 if test[5] else at, arm, Body()))


def branch_on(low: Lowering, one: str, two: str, depth: int, at: int) -> None:
    """`br_if` with a ready condition over variables."""
    low.flush_impure()
    arm = branch_arm(low, low.labels[-1 - depth], at)
    low.body.append(If(one, two, at, arm, Body()))


def lower_br_table(low: Lowering, stack: list[Fragment], imm: tuple[int, ...], at: int) -> bool:
    index = low.canonical_fragment(stack[-1], I32)
    if index[1] == NAME or index[6] == CONST:
        stack.pop()
        low.flush()
    else:
        stack[-1] = index
        low.flush()
        index = stack.pop()
    numbers: dict[Label, int] = {}
    arms: list[Body] = []
    cases: list[int] = []
    for depth in imm:
        label = low.labels[-1 - depth]
        number = numbers.get(label)
        if number is None:
            number = numbers[label] = len(arms)
            arms.append(branch_arm(low, label, at))
        cases.append(number)
    if len(arms) == 1:
        low.body.extend(arms[0])
    else:
        low.body.append(Switch(index[0], at, arms, cases))
    low.body.dead = True
    return True


def lower_return(low: Lowering, stack: list[Fragment], imm: None, at: int) -> bool:
    emit_return(low, at)
    return True


def lower_unreachable(low: Lowering, stack: list[Fragment], imm: None, at: int) -> bool:
    low.flush_impure()
    low.emit("unreachable()", at)
    low.body.dead = True
    return True


def lower_nop(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    pass


HANDLERS: Final[Handlers] = {
    0x00: lower_unreachable,
    0x01: lower_nop,
    0x02: lower_block,
    0x03: lower_loop,
    0x04: lower_if,
    0x05: lower_else,
    0x0C: lower_br,
    0x0D: lower_br_if,
    0x0E: lower_br_table,
    0x0F: lower_return,
}
"""`end` is with the driver: what it does depends on the kind of the block."""
