"""One function from its body to SSA.

The loop deals with the frequent instructions itself, in the order of their frequency, and with the numeric ones by what
`actions.ACTION` says; everything else goes to the handlers of its family. Arithmetic on constants is done here, equal pure
instructions in a block are one value, a compare is put into the branch or select that it decides, and what a loop does not change is
done in front of it (`invariants`).
"""

from __future__ import annotations

from purewasm.frontend import calls, control, exceptions, memory, numeric, parametric, reference, table, variable
from purewasm.frontend.actions import (
    ACTION,
    BINARY,
    COMPARE,
    COMPARES,
    CONVERTING,
    EQZ,
    FLOAT_COMPARE,
    FLOAT_COMPARES,
    LOAD,
    STORE,
    TRAPPING,
    UNARY,
)
from purewasm.frontend.context import classes_of
from purewasm.frontend.division import divide_by_constant
from purewasm.frontend.families import HANDLERS
from purewasm.frontend.invariants import COSTLY, COSTLY_CODES, WORTH, move
from purewasm.frontend.known_types import note
from purewasm.frontend.numeric import FOLD, FOLD_UNARY, fold_compare, simplify
from purewasm.frontend.state import ELSE, ZERO, Builder, locals_set_by_loops
from purewasm.ir import ops
from purewasm.ir.function import Function
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.wasm.fuel import segments

if TYPE_CHECKING:
    from purewasm.frontend.context import ModuleContext


for _family in calls, control, exceptions, memory, numeric, parametric, reference, table, variable:
    HANDLERS.update(_family.HANDLERS)

_NO: Final = ops.NO
_FLOAT_ZERO: Final = {ops.FLT: bytes(8), ops.VEC: bytes(16)}
_INTEGER: Final = frozenset((*range(0x6A, 0x79), *range(0x7C, 0x8B)))
_SWAPPED: Final = ops.SWAPPED
_COMMUTATIVE: Final = ops.COMMUTATIVE


def build_function(context: ModuleContext, index: int) -> Function:
    """IR of the function at `index` of the function index space."""
    module = context.module
    code = module.codes[index - module.imported_functions]
    func = module.func_types[index].func
    local_classes = list(classes_of(func.params))
    for count, valtype in code.locals:
        local_classes.extend(classes_of((valtype,)) * count)
    b = Builder(context, local_classes, classes_of(func.results))
    _arguments(b, len(func.params))
    if context.has_objects:
        _note_types(b, [*func.params, *[valtype for count, valtype in code.locals for _ in range(count)]], len(func.params))
        b.blocks[0].types = func.results
    body = context.body(index)
    b.rethrows = 0x09 in body.ops
    imms: list[Any] = body.imms
    if 0x03 in body.ops:
        imms = locals_set_by_loops(body)
        b.moves = not COSTLY_CODES.isdisjoint(body.ops)
    ops_list, places = body.ops, body.offsets
    if context.fuel:
        ops_list, imms, places = charge(segments(body.ops, body.imms), body.ops, imms, places)
    build_instructions(b, ops_list, imms, places)
    if b.landings:
        exceptions.finish(b)
    function = Function(index, b.insts, b.constants)
    function.labels, function.places, function.results = b.labels, b.places, b.result_classes
    function.loops, function.place, function.pads = b.loops, code.start, b.pads
    return function


def _arguments(b: Builder, parameters: int) -> None:
    """Parameters are values, other locals start as zero. The pointer to further results is one more argument."""
    for local, value_class in enumerate(b.local_classes):
        if local < parameters:
            b.locals.append(len(b.insts))
            b.insts.append((ops.ARG + value_class, _NO, _NO, local))
        else:
            b.locals.append(ZERO if value_class == ops.INT else b.constant(_FLOAT_ZERO[value_class]))
    if len(b.result_classes) > 1:
        b.result_area = len(b.insts)
        b.insts.append((ops.ARG + ops.INT, _NO, _NO, parameters))


def _note_types(b: Builder, types: list[int], parameters: int) -> None:
    b.local_types = tuple(types)
    for local in range(parameters):
        note(b, b.locals[local], types[local])


def charge(
    costs: dict[int, int], body_ops: list[int], imms: list[Any], offsets: list[int], first: int = 0
) -> tuple[list[int], list[Any], list[int]]:
    """Instructions of a body, from the one numbered `first` on, with a pseudo instruction before each fuel segment."""
    charged_ops: list[int] = []
    charged_imms: list[Any] = []
    places: list[int] = []
    for at, (op, imm, place) in enumerate(zip(body_ops, imms, offsets, strict=True), first):
        cost = costs.get(at)
        if cost:
            charged_ops.append(ops.FUEL)
            charged_imms.append(cost)
            places.append(place)
        charged_ops.append(op)
        charged_imms.append(imm)
        places.append(place)
    return charged_ops, charged_imms, places


def build_instructions(b: Builder, body_ops: list[int], imms: list[Any], places: list[int]) -> bool:
    """True where the end is reached."""
    insts, stack, values, numbering, handlers = b.insts, b.stack, b.locals, b.numbering, HANDLERS
    add, push, pop = insts.append, stack.append, stack.pop
    constants, constant_ids, trap_places = b.constants, b.constant_ids, b.places
    action_of, fold, commutative = ACTION, FOLD, _COMMUTATIVE
    guard, arms, rooms, worth = b.context.guard_bytes, exceptions.ARMS, b.rooms, WORTH
    no = _NO
    dead = 0  # in unreachable code: 1 and the number of blocks opened there
    inst: tuple[int, int, int, Any]
    for op, imm, place in zip(body_ops, imms, places, strict=True):
        if dead:
            if op == 0x02 or op == 0x03 or op == 0x04 or op == 0x1F or op == 0x06:
                dead += 1
                continue
            if op == 0x0B or op == 0x18:
                if dead > 1:
                    dead -= 1
                    continue
            elif dead > 1 or (op != 0x05 and op not in arms):
                continue
        if op == 0x20:  # local.get
            push(values[imm])
            continue
        if op == 0x41:  # i32.const
            known = constant_ids.get(imm)
            if known is None:
                known = constant_ids[imm] = ~len(constants)
                constants.append(imm)
            push(known)
            continue
        if op == 0x21:  # local.set
            values[imm] = pop()
            continue
        if op == 0x22:  # local.tee
            values[imm] = stack[-1]
            continue
        if op < 0x100:
            action = action_of[op]
            if action == BINARY:
                y = pop()
                x = pop()
                if x < 0:
                    if y < 0 and op in fold:
                        push(b.constant(fold[op](constants[~x], constants[~y])))  # type: ignore[arg-type]
                        continue
                    if commutative[op]:
                        x, y = y, x
                if y < 0:
                    if op in _INTEGER:
                        simple = simplify(b, op, x, y)
                        if simple.__class__ is int:
                            push(simple)
                            continue
                        inst = simple  # type: ignore[assignment]
                    else:
                        inst = (op, x, y, 0)
                elif op == 0x6A and x >= 0:  # x + (y << 1 … 3) is one lea
                    inner, p, q, _ = insts[y]
                    if inner == 0x74 and q < 0 and p >= 0 and 0 < constants[~q] < 4:  # type: ignore[operator]
                        inst = (ops.LEA, x, p, constants[~q])
                    else:
                        inner, p, q, _ = insts[x]
                        if inner == 0x74 and q < 0 and p >= 0 and 0 < constants[~q] < 4:  # type: ignore[operator]
                            inst = (ops.LEA, y, p, constants[~q])
                        else:
                            inst = (op, x, y, 0)
                else:
                    inst = (op, x, y, 0)
                known = numbering.get(inst)
                if known is None:
                    known = -1
                    if rooms and (worth[op] == COSTLY or inst[1] < rooms[-1].free):
                        known = move(b, inst)
                    if known < 0:
                        known = len(insts)
                        add(inst)
                    numbering[inst] = known
                push(known)
                continue
            if action == LOAD:
                offset, index, _ = imm
                x = stack[-1]
                if x >= 0 and offset < guard and index == 0:
                    load = (op, x, b.writes, offset)
                    known = numbering.get(load)
                    if known is None:
                        known = numbering[load] = len(insts)
                        trap_places[known] = place
                        add((op, x, no, offset))
                    stack[-1] = known
                    continue
                b.place = place
                memory.load(b, op, imm)
                continue
            if action == STORE:
                offset, index, _ = imm
                if stack[-2] >= 0 and offset < guard and index == 0:
                    y = pop()
                    x = pop()
                    if op < 0x3A:  # all of the value: what the same place is loaded with until the next write
                        if numbering.get((op - 0x0E, x, b.writes, offset)) == y:
                            continue
                        b.writes += 1
                        numbering[op - 0x0E, x, b.writes, offset] = y
                        before = insts[-1]
                        if before[0] == op and before[1] == x and before[3] == offset:  # written to again at once
                            insts[-1] = op, x, y, offset
                            continue
                    else:
                        b.writes += 1
                    trap_places[len(insts)] = place
                    add((op, x, y, offset))
                    continue
                b.place = place
                memory.store(b, op, imm)
                continue
            if op == 0x0B:
                b.place = place
                close = control.end if b.blocks[-1].kind <= ELSE else exceptions.end
                dead = 1 if close(b, not dead) else 0
                continue
            if action == COMPARE:
                y = pop()
                x = pop()
                compare, cc = COMPARES[op]
                if x < 0:
                    if y < 0:
                        push(b.constant(fold_compare(compare, cc, constants[~x], constants[~y])))  # type: ignore[arg-type]
                        continue
                    x, y, cc = y, x, _SWAPPED[cc]
                inst = (compare, x, y, cc)
                known = numbering.get(inst)
                if known is None:
                    known = numbering[inst] = len(insts)
                    add(inst)
                push(known)
                continue
            if action == EQZ:
                x = stack[-1]
                if x < 0:
                    stack[-1] = b.constant(0 if constants[~x] else 1)
                    continue
                inner, p, q, cc = insts[x]
                if inner == ops.CMP32 or inner == ops.CMP64 or inner == ops.FCMP64 or inner == ops.FCMP32:
                    stack[-1] = b.pure((inner, p, q, cc ^ 1))
                else:
                    stack[-1] = b.pure((ops.CMP32 if op == 0x45 else ops.CMP64, x, ZERO, ops.CC_E))
                continue
            if action == UNARY:
                x = stack[-1]
                if op == 0xAD and x >= 0:  # registers hold an i32 zero-extended
                    continue
                if x < 0 and op in FOLD_UNARY:
                    stack[-1] = b.constant(FOLD_UNARY[op](constants[~x]))  # type: ignore[arg-type]
                else:
                    stack[-1] = b.pure((op, x, no, 0))
                continue
            if op == 0x42:  # i64.const
                push(b.constant(imm))
                continue
            if op == 0x43 or op == 0x44:  # f32.const, f64.const
                push(b.constant(imm))
                continue
            if action == FLOAT_COMPARE:
                y = pop()
                x = pop()
                compare, cc, swap = FLOAT_COMPARES[op]
                push(b.pure((compare, y, x, cc) if swap else (compare, x, y, cc)))
                continue
            if action == TRAPPING:
                y = pop()
                x = pop()
                if y < 0:
                    quotient = divide_by_constant(b, op, x, constants[~y])  # type: ignore[arg-type]
                    if quotient is not None:
                        push(quotient)
                        continue
                trap_places[len(insts)] = place
                add((op, x, y, 0))
                push(len(insts) - 1)
                continue
            if action == CONVERTING:
                trap_places[len(insts)] = place
                add((op, pop(), no, 0))
                push(len(insts) - 1)
                continue
            if op == 0x05:
                control.else_(b, not dead)
                dead = 0
                continue
        b.place = place
        if op in arms:
            dead = 1 if exceptions.arm(b, op, imm, not dead) else 0
        elif handlers[op](b, op, imm):
            dead = 1
    return not dead
