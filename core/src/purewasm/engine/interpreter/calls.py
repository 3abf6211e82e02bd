"""Calls and tail calls (spec: control instructions).

- `f7` is function 7 of the instance: a stub at first, then the lowered function itself;
- `T0_3[i]` is what `call_indirect` of type 3 through table 0 finds at index i: a list for each type, in which the slots that hold
  null or a function of another type hold a function that traps (`binding`), so that the type check costs nothing;
- a function that makes tail calls is two Python functions. Its body, `b7`, returns either its results or a `TailCall` whose `go()`
  makes the call that is owed, in the caller's place; `f7` runs those until there are results. A tail call of a function to itself
  is a jump to its beginning.
"""

from __future__ import annotations

from purewasm.engine.interpreter.control import owe_dropped
from purewasm.engine.interpreter.fragments import ATOM, NAME, PLAIN, Fragment, inside
from purewasm.engine.interpreter.tree import Br
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.valtypes import I32, I64

if TYPE_CHECKING:
    from purewasm.engine.interpreter.lowering import Handlers, Lowering
    from purewasm.wasm.deftypes import FuncType

_SINKS: Final = frozenset((0x21, 0x22, 0x1A, 0x0F, 0x0D, 0x04))
"""Before these a call may stay pending: local.set, local.tee, drop, return, br_if and if make a statement of it at once."""
_FOLDS: Final = _SINKS | frozenset((0x45, 0x50, 0x6A, 0x7C, 0x6B, 0x7D, 0x71, 0x46, 0x47))
"""A direct call cannot trap by itself, so that it may also share a statement with others."""


def _arguments(low: Lowering, stack: list[Fragment], types: tuple[int, ...]) -> str:
    """Text of the topmost operands as arguments; they are popped."""
    if not types:
        return ""
    operands = stack[-len(types) :]
    del stack[-len(types) :]
    return ", ".join([low.canonical(operand, valtype) for operand, valtype in zip(operands, types, strict=True)])


def _push_call(
    low: Lowering, stack: list[Fragment], text: str, results: tuple[int, ...], at: int, reads: int, folds: frozenset[int]
) -> None:
    if len(results) == 1:
        mask = low.mask(results[0])
        if low.may_fold and low.ops[at + 1] in folds and len(text) < 200:
            low.call_pending = True
            stack.append((text, ATOM, 0, mask, reads, at + 1, PLAIN, "", ""))
        else:
            name = low.temp()
            low.body.append((f"{name} = {text}", at))
            stack.append((name, NAME, 0, mask, 0, 0, PLAIN, "", ""))
        return
    names = []
    for valtype in results:
        names.append(low.temp())
        stack.append(low.ref(names[-1], valtype))
    low.body.append((f"{', '.join(names)} = {text}" if names else text, at))


def _flush_below(low: Lowering, stack: list[Fragment], count: int) -> None:
    """What is pending below the operands of a call happens before it."""
    for position in range(len(stack) - count):
        if stack[position][5]:
            low.materialise(position)


def lower_call(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    functype = low.module.func_types[imm].func
    params = functype.params
    if stack:
        _flush_below(low, stack, len(params))
    reads = low.reads_of(len(params))
    _push_call(low, stack, f"f{imm}({_arguments(low, stack, params)})", functype.results, at, reads, _FOLDS)


def _callee(low: Lowering, stack: list[Fragment], params: tuple[int, ...], valtype: int) -> str:
    """Text of the operand above the arguments. Python looks it up before it evaluates them: none may trap then."""
    low.settle_operands(len(params) + 1)
    low.flush_impure()
    return low.canonical(stack.pop(), valtype) if valtype else inside(stack.pop(), ATOM)


def _indirect(low: Lowering, stack: list[Fragment], imm: tuple[int, int]) -> tuple[str, FuncType]:
    type_index, table = imm
    functype = low.module.types[type_index].func
    index = _callee(low, stack, functype.params, I64 if low.module.table_types[table].is_64 else I32)
    return f"T{table}_{type_index}[{index}]", functype


def lower_call_indirect(low: Lowering, stack: list[Fragment], imm: tuple[int, int], at: int) -> None:
    reads = low.reads_of(len(low.module.types[imm[0]].func.params) + 1)
    callee, functype = _indirect(low, stack, imm)
    _push_call(low, stack, f"{callee}({_arguments(low, stack, functype.params)})", functype.results, at, reads, _SINKS)


def lower_call_ref(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    functype = low.module.types[imm].func
    reads = low.reads_of(len(functype.params) + 1)
    callee = _callee(low, stack, functype.params, 0)
    _push_call(low, stack, f"{callee}.raw({_arguments(low, stack, functype.params)})", functype.results, at, reads, _SINKS)


# ---- tail calls


def _tail_call(low: Lowering, stack: list[Fragment], callee: str, functype: FuncType, at: int) -> bool:
    """Return what is owed. The arguments are bound as defaults: free variables would make cells of the locals."""
    owe_dropped(low, len(functype.params))
    low.settle_operands(len(functype.params))
    values = stack[len(stack) - len(functype.params) :]
    operands = [low.canonical(value, valtype) for value, valtype in zip(values, functype.params, strict=True)]
    names = [f"x{i}" for i in range(len(operands))]
    bound = ", ".join(f"{name}={text}" for name, text in zip(names, operands, strict=True))
    if callee[0] != "b":
        bound = f"b={callee}{', ' if bound else ''}{bound}"
        callee = "b"
    low.body.append((f"return TailCall(lambda {bound}: {callee}({', '.join(names)}))", at))
    low.body.dead = True
    low.tail_calls = True
    return True


def lower_return_call(low: Lowering, stack: list[Fragment], imm: int, at: int) -> bool:
    functype = low.module.func_types[imm].func
    if imm == low.function and low.again is not None:
        owe_dropped(low, len(functype.params))
        low.settle_operands(len(functype.params))
        low.assign([f"l{i}" for i in range(len(functype.params))], functype.params, at)
        low.body.append(Br(low.again, at))
        low.body.dead = True
        return True
    return _tail_call(low, stack, f"b{imm}", functype, at)


def lower_return_call_indirect(low: Lowering, stack: list[Fragment], imm: tuple[int, int], at: int) -> bool:
    callee, functype = _indirect(low, stack, imm)
    return _tail_call_of(low, stack, callee, functype, at)


def lower_return_call_ref(low: Lowering, stack: list[Fragment], imm: int, at: int) -> bool:
    functype = low.module.types[imm].func
    return _tail_call_of(low, stack, f"{_callee(low, stack, functype.params, 0)}.raw", functype, at)


def _tail_call_of(low: Lowering, stack: list[Fragment], callee: str, functype: FuncType, at: int) -> bool:
    """A callee that is looked up now: a wrong index or a null is a trap of this function."""
    name = low.temp()
    low.body.append((f"{name} = tail_of({callee})", at))
    return _tail_call(low, stack, name, functype, at)


HANDLERS: Final[Handlers] = {
    0x10: lower_call,
    0x11: lower_call_indirect,
    0x14: lower_call_ref,
    0x12: lower_return_call,
    0x13: lower_return_call_indirect,
    0x15: lower_return_call_ref,
}
