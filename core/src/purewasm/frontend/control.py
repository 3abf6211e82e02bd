"""Blocks and branches.

A handler returns True where the code behind it is unreachable; `end` is told whether it is reached, and tells whether what follows is.
"""

from __future__ import annotations

from purewasm.frontend.context import classes_of
from purewasm.frontend.invariants import keep_room
from purewasm.frontend.known_types import learn, note
from purewasm.frontend.state import BLOCK, ELSE, IF, LOOP, ZERO, Block, Builder
from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Any
from purewasm.store.layout import TRAP_NUMBER
from purewasm.traps import UNREACHABLE
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purewasm.ir.function import Edge

NO = ops.NO
_ANY_TRUE = ops.number_of(CODE["v128.any_true"])
_UNREACHABLE = TRAP_NUMBER[UNREACHABLE]
_MANY = 64
"""Of more locals than this it is found out piece by piece which differ between the ways to a label."""
Condition = tuple[int, int, int, int]
"""(condition, kind of compare, a, b)"""


def condition_of(b: Builder, value: int) -> Condition:
    """The compare that says whether `value` is not zero: taken from where it was made, which may then be dead."""
    if value >= 0:
        op, x, y, cc = b.insts[value]
        if op == ops.CMP32:
            if y == ZERO and (cc == ops.CC_E or cc == ops.CC_NE) and x >= 0:
                inner, p, q, _ = b.insts[x]
                if inner == _ANY_TRUE:
                    return cc, ops.KIND_ANY, p, ZERO
                if inner == 0x71:
                    return cc, ops.KIND_TEST32, p, q
                if inner == ops.REF_TEST:
                    return b.insts[x][3] ^ cc ^ ops.CC_NE, ops.KIND_REF, p, q
            return cc, ops.KIND_32, x, y
        if op == ops.CMP64:
            if y == ZERO and (cc == ops.CC_E or cc == ops.CC_NE) and x >= 0:
                inner, p, q, _ = b.insts[x]
                if inner == 0x83:
                    return cc, ops.KIND_TEST64, p, q
            return cc, ops.KIND_64, x, y
        if op == ops.FCMP64:
            return cc, ops.KIND_F64, x, y
        if op == ops.FCMP32:
            return cc, ops.KIND_F32, x, y
        if op == _ANY_TRUE:
            return ops.CC_NE, ops.KIND_ANY, x, ZERO
        if op == 0x71:
            return ops.CC_NE, ops.KIND_TEST32, x, y
        if op == ops.REF_TEST:
            return cc, ops.KIND_REF, x, y
    return ops.CC_NE, ops.KIND_32, value, ZERO


def new_edge(b: Builder, depth: int) -> tuple[Edge, int]:
    """The edge to the label at `depth` from here, its operands being on the stack."""
    block = b.blocks[-1 - depth]
    edge: Edge = []
    if block.kind != LOOP:
        values = b.locals[:]
        count = len(block.results)
        if not block.snapshots:
            b.mark(block.label)
        if count:
            values += b.stack[-count:]
        block.snapshots.append((edge, values))
        return edge, block.label
    operands = sum(local < 0 for local, _ in block.parameters)
    at = len(b.stack) - operands
    for local, parameter in block.parameters:
        if local < 0:
            value = b.stack[at]
            at += 1
        else:
            value = b.locals[local]
        b.insts[parameter][3].append(value)
        edge.append((parameter, value))
    return edge, block.label


def block(b: Builder, op: int, imm: Any) -> bool:
    opened = Block(BLOCK, b.new_label(), len(b.stack) - len(imm[0]), classes_of(imm[1]) if imm[1] else ())
    opened.types = imm[1]
    b.blocks.append(opened)
    return False


def loop(b: Builder, op: int, imm: Any) -> bool:
    params, results, assigned = imm
    insts, label = b.insts, b.new_label()
    opened = Block(LOOP, label, len(b.stack) - len(params), classes_of(results))
    edge: Edge = []
    interruptible = b.context.interruptible
    if b.moves:
        keep_room(b)
    if interruptible:
        insts.append((ops.CONTROL, NO, NO, 0))  # for the poll, should it want it in a register (`passes.polls`)
    insts.append((ops.BR, NO, NO, (edge, label)))
    opened.head = len(insts)
    insts.append((ops.LOOP, NO, NO, label))
    for local in sorted(assigned):
        number, value = len(insts), b.locals[local]
        insts.append((ops.PARAM + b.local_classes[local], NO, NO, [value]))
        edge.append((number, value))
        b.locals[local] = number
        opened.parameters.append((local, number))
    for at, value_class in enumerate(classes_of(params), opened.height):
        number, value = len(insts), b.stack[at]
        insts.append((ops.PARAM + value_class, NO, NO, [value]))
        edge.append((number, value))
        b.stack[at] = number
        opened.parameters.append((-1, number))
    if b.local_types is not None:
        _note_parameters(b, opened, params)
    if interruptible:
        b.effect((ops.POLL, NO, NO, 0))
    b.forget()
    b.blocks.append(opened)
    return False


def _note_parameters(b: Builder, opened: Block, params: tuple[int, ...]) -> None:
    """The types of a loop's parameters."""
    assert b.local_types is not None
    operands = iter(params)
    for local, parameter in opened.parameters:
        note(b, parameter, next(operands) if local < 0 else b.local_types[local])


def if_(b: Builder, op: int, imm: Any) -> bool:
    condition, kind, x, y = condition_of(b, b.stack.pop())
    opened = Block(IF, b.new_label(), len(b.stack) - len(imm[0]), classes_of(imm[1]) if imm[1] else ())
    opened.types = imm[1]
    opened.else_label = b.new_label()
    opened.entry = b.locals + b.stack[opened.height :]
    b.insts.append((ops.BR_IF, x, y, (condition ^ 1, kind, opened.else_edge, opened.else_label)))
    b.mark(opened.else_label)
    if b.local_types is not None:
        learn(b, condition, kind, x, y)
    b.blocks.append(opened)
    return False


def else_(b: Builder, reached: bool) -> None:
    opened = b.blocks[-1]
    if reached:
        b.insts.append((ops.BR, NO, NO, new_edge(b, 0)))
    opened.kind = ELSE
    b.insts.append((ops.LABEL, NO, NO, opened.else_label))
    b.remember(opened.else_label)
    count = len(b.locals)
    b.locals[:] = opened.entry[:count]
    b.stack[opened.height :] = opened.entry[count:]


def end(b: Builder, reached: bool) -> bool:
    """Close the innermost block; True where what follows cannot be reached."""
    closed = b.blocks[-1]
    insts = b.insts
    if closed.kind == LOOP:
        b.blocks.pop()
        if b.moves:
            b.rooms.pop()
        b.loops.append((closed.head, len(insts)))
        insts.append((ops.ENDLOOP, NO, NO, closed.label))
        return not reached
    snapshots = closed.snapshots
    if closed.kind == IF:
        snapshots.append((closed.else_edge, closed.entry))
    if snapshots:
        if reached:
            insts.append((ops.BR, NO, NO, new_edge(b, 0)))
        if closed.kind == IF:
            insts.append((ops.LABEL, NO, NO, closed.else_label))
        join(b, closed)
        reached = True
    b.blocks.pop()
    if not b.blocks:
        if reached:
            return_(b, 0x0F, None)
        return True
    return not reached


def join(b: Builder, closed: Block) -> None:
    """The label at a block's end, and a parameter for each value in which the ways to it differ."""
    insts, snapshots = b.insts, closed.snapshots
    insts.append((ops.LABEL, NO, NO, closed.label))
    joined = snapshots[0][1]
    ways = len(snapshots)
    if ways == 1:
        b.remember(closed.else_label if closed.kind == IF else closed.label)
    else:
        b.forget()
    count = len(b.locals)
    if ways > 1:
        joined = joined[:]
        edges = [edge for edge, _ in snapshots]
        ways_in = [values for _, values in snapshots]
        for at, column in enumerate(zip(*ways_in, strict=True)) if len(joined) <= _MANY else _unlike(ways_in):
            if column.count(column[0]) != ways:
                number = len(insts)
                value_class = b.local_classes[at] if at < count else closed.results[at - count]
                insts.append((ops.PARAM + value_class, NO, NO, list(column)))
                for edge, value in zip(edges, column, strict=True):
                    edge.append((number, value))
                joined[at] = number
                if b.local_types is not None:
                    if at < count:
                        note(b, number, b.local_types[at])
                    elif closed.types is not None:
                        note(b, number, closed.types[at - count])
    b.locals[:] = joined[:count]
    b.stack[closed.height :] = joined[count:]


def _unlike(ways_in: list[list[int]]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Position and values of those that are not the same on all ways, and some neighbours of theirs."""
    first, *others = ways_in
    for start in range(0, len(first), _MANY):
        end = start + _MANY
        part = first[start:end]
        if any(part != values[start:end] for values in others):
            yield from enumerate(zip(part, *[values[start:end] for values in others], strict=True), start)


def br(b: Builder, op: int, imm: Any) -> bool:
    if imm + 1 == len(b.blocks):
        return return_(b, op, imm)
    b.insts.append((ops.BR, NO, NO, new_edge(b, imm)))
    return True


def br_if(b: Builder, op: int, imm: Any) -> bool:
    value = b.stack.pop()
    if value < 0:
        return br(b, op, imm) if b.constants[~value] else False
    condition, kind, x, y = condition_of(b, value)
    edge, label = new_edge(b, imm)
    b.insts.append((ops.BR_IF, x, y, (condition, kind, edge, label)))
    if b.local_types is not None:
        learn(b, condition ^ 1, kind, x, y)
    return False


def br_table(b: Builder, op: int, imm: Any) -> bool:
    index = b.stack.pop()
    targets: dict[int, tuple[Edge, int]] = {}
    for depth in imm:
        if depth not in targets:
            targets[depth] = new_edge(b, depth)
    b.insts.append((ops.BR_TABLE, index, NO, tuple([targets[depth] for depth in imm])))
    return True


def br_on_null(b: Builder, op: int, imm: Any) -> bool:
    value = b.stack.pop()
    edge, label = new_edge(b, imm)
    b.insts.append((ops.BR_IF, value, ZERO, (ops.CC_E, ops.KIND_64, edge, label)))
    if b.local_types is not None:
        learn(b, ops.CC_NE, ops.KIND_64, value, ZERO)
    b.stack.append(value)
    return False


def br_on_non_null(b: Builder, op: int, imm: Any) -> bool:
    value = b.stack[-1]
    edge, label = new_edge(b, imm)
    b.insts.append((ops.BR_IF, value, ZERO, (ops.CC_NE, ops.KIND_64, edge, label)))
    b.stack.pop()
    return False


def return_(b: Builder, op: int, imm: Any) -> bool:
    if b.is_loop:
        return br(b, op, len(b.blocks) - 2)
    count = len(b.result_classes)
    values = tuple(b.stack[-count:]) if count else ()
    b.insts.append((ops.RETURN, NO, NO, (*values, b.result_area) if count > 1 else values))
    return True


def unreachable(b: Builder, op: int, imm: Any) -> bool:
    """Right behind a branch that goes past it, the two become a trap on the contrary condition."""
    insts, block = b.insts, b.blocks[-1]
    if insts and insts[-1][0] == ops.BR_IF and block.kind != LOOP:
        _, x, y, (condition, kind, edge, label) = insts[-1]
        if condition < ops.CC_FEQ and (label == block.label or label == block.else_label):
            insts.pop()
            b.places[len(insts)] = b.place
            insts.append((ops.TRAP_IF, x, y, (condition ^ 1, kind, _UNREACHABLE)))
            insts.append((ops.BR, NO, NO, (edge, label)))
            return True
    b.effect((ops.TRAP, NO, NO, _UNREACHABLE))
    return True


def nop(b: Builder, op: int, imm: Any) -> bool:
    return False


def fuel(b: Builder, op: int, imm: Any) -> bool:
    b.effect((ops.FUEL, NO, NO, imm))
    return False


HANDLERS: dict[int, Callable[[Builder, int, Any], bool]] = {
    0x00: unreachable, 0x01: nop, 0x02: block, 0x03: loop, 0x04: if_, 0x0C: br, 0x0D: br_if, 0x0E: br_table, 0x0F: return_,
    0xD5: br_on_null, 0xD6: br_on_non_null, ops.FUEL: fuel,
}  # fmt: skip
