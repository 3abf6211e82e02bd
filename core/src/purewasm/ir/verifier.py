"""What must hold of IR between any two passes. Tests verify every function that they build; the compiler itself does not.

1. Operands are constants that exist, or values that are defined earlier and have a result. Arguments of edges too; only an edge
   back to a loop's head may come from below its parameters.
2. Every label is bound once, by `label` or `loop`; a branch goes forward to a `label`, or back to the `loop` that encloses it.
3. `loop` and `endloop` nest.
4. Parameters stand right behind their label (or behind other labels there), and every edge to it gives each of them one argument.
5. An argument has the class of its parameter.
6. A landing pad is a label that nothing branches to, then `landing` with a call in front of it that has no other, then `landing_tag`.
7. Instructions that are not reached are the only ones behind a branch: control ends in a branch, a return, a tail call or a trap.
"""

from __future__ import annotations

from purewasm.errors import InternalError
from purewasm.ir import ops
from purewasm.ir.printer import format_instruction
from purewasm.ir.uses import edges, operands
from purewasm.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from purewasm.ir.function import Function


def verify(function: Function) -> None:
    """InternalError, which names the instruction, where a rule is broken."""
    insts = function.insts
    bound: dict[int, int] = {}
    for value, (op, _, _, imm) in enumerate(insts):
        if op == ops.LABEL or op == ops.LOOP:
            _require(imm not in bound, function, value, "the label is bound twice")
            bound[imm] = value
    open_loops: list[int] = []
    pads = {insts[pad - 1][3]: pad for pad in function.pads.values()}
    for value, inst in enumerate(insts):
        op, _, _, imm = inst
        for operand in operands(inst):
            _check_operand(function, value, operand)
        if op == ops.LOOP:
            open_loops.append(imm)
        elif op == ops.ENDLOOP:
            _require(bool(open_loops) and open_loops.pop() == imm, function, value, "the loop that ends is not the innermost")
        if op == ops.LANDING:
            _check_landing(function, value, imm)
        for edge, label in edges(inst):
            _require(label not in pads, function, value, "a branch goes to a landing pad")
            _require(label in bound, function, value, f"label {label} is not bound")
            backward = bound[label] < value
            _require(not backward or label in open_loops, function, value, "a branch back must be to an enclosing loop")
            parameters = _parameters(function, bound[label])
            given = [parameter for parameter, _ in edge]
            _require(len(given) == len(set(given)) and set(given) <= set(parameters), function, value, "the edge gives other parameters")
            for parameter, argument in edge:
                _check_operand(function, value, argument)
                _require(_class_of(function, argument) == ops.CLASS[insts[parameter][0]], function, value, "classes differ on an edge")
    _require(not open_loops, function, len(insts) - 1, "a loop has no end")
    _require(bool(insts) and _ends_in_control(function), function, len(insts) - 1, "control runs out of the function")


def _check_landing(function: Function, value: int, call: int) -> None:
    insts = function.insts
    _require(0 <= call < value and bool(ops.IS_CALL[insts[call][0]]), function, value, "what it lands from is no call in front of it")
    _require(function.pads.get(call) == value, function, value, "the call has another landing pad")
    _require(insts[value - 1][0] == ops.LABEL, function, value, "no label is in front of it")
    _require([inst[0] for inst in insts[value + 1 : value + 2]] == [ops.LANDING_TAG], function, value, "no landing_tag follows")


def _ends_in_control(function: Function) -> bool:
    return next((inst[0] in ops.NO_FALL_THROUGH for inst in reversed(function.insts) if inst[0] != ops.ENDLOOP), False)


def _parameters(function: Function, label: int) -> list[int]:
    """Values of the parameters behind a label."""
    found = []
    for value in range(label + 1, len(function.insts)):
        op = function.insts[value][0]
        if op & ~3 == ops.PARAM and op != ops.PARAM:
            found.append(value)
        elif op != ops.LABEL:
            break
    return found


def _class_of(function: Function, operand: int) -> int:
    if operand >= 0:
        return ops.CLASS[function.insts[operand][0]]
    constant = function.constants[~operand]
    return ops.INT if isinstance(constant, int) else ops.VEC if len(constant) == 16 else ops.FLT


def _check_operand(function: Function, value: int, operand: int) -> None:
    if operand < 0:
        _require(0 <= ~operand < len(function.constants), function, value, f"no constant {~operand}")
    else:
        _require(operand < value, function, value, f"value {operand} is used before it is defined")
        _require(bool(ops.CLASS[function.insts[operand][0]]), function, value, f"value {operand} has no result")


def _require(holds: bool, function: Function, value: int, what: str) -> None:
    if not holds:
        raise InternalError(f"IR of function {function.index}: {what}, in {format_instruction(value, *function.insts[value])}")
