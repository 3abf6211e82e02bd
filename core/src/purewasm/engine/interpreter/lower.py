"""One function of the guest to the text of one Python function.

    (func (param i32) (result i32)          def f0(l0):
      local.get 0  i32.const 2  i32.lt_s     if not 2 <= l0 <= 2147483647:
      if (result i32)                         a0 = l0          ...
      …

Input: the decoded body of a validated function. Output: source text, and for each line of it the instruction that a trap in that line
is blamed on. The text depends on the module and the options only, never on an instance: what belongs to an instance are names that
`binding` resolves. The same input always gives the same text, which `backtrace` relies on.
"""

from __future__ import annotations

from purewasm.engine.interpreter import (
    aggregate,
    atomic,
    calls,
    control,
    exceptions,
    memory,
    numeric,
    parametric,
    reference,
    table,
    variable,
    vector,
)
from purewasm.engine.interpreter.flat import FlatWriter
from purewasm.engine.interpreter.lowering import Lowering
from purewasm.engine.interpreter.structured import StructuredWriter, TooDeep
from purewasm.engine.interpreter.tree import Body, Label, Loop, settle
from purewasm.light_typing import TYPE_CHECKING, Any, Final, NamedTuple
from purewasm.wasm import valtypes as vt
from purewasm.wasm.fuel import segments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from purewasm.binary.body import Body as DecodedBody
    from purewasm.engine.interpreter.context import ModuleContext
    from purewasm.wasm.module import WasmModule

FILENAME: Final = "<wasm>"
"""File name in the code objects of guest functions."""

_ZEROS: Final = {vt.I32: "0", vt.I64: "0", vt.F32: "0.0", vt.F64: "0.0", vt.V128: repr(bytes(16))}
_ENDS: Final = {**control.ENDS, **exceptions.ENDS}


class Lowered(NamedTuple):
    """Text of a function, and the index of the instruction that each of its lines is blamed on (-1: none)."""

    source: str
    ats: list[int]


def lower_end(low: Lowering, stack: object, imm: None, at: int) -> bool:
    label = low.labels[-1]
    return _ENDS[label.kind](low, label, at)


HANDLERS: Final[Mapping[int, Callable[..., bool | None]]] = {
    **control.HANDLERS,
    **calls.HANDLERS,
    **parametric.HANDLERS,
    **variable.HANDLERS,
    **table.HANDLERS,
    **memory.HANDLERS,
    **reference.HANDLERS,
    **numeric.HANDLERS,
    **vector.HANDLERS,
    **aggregate.HANDLERS,
    **exceptions.HANDLERS,
    **atomic.HANDLERS,
    0x0B: lower_end,
}

_LOCAL_GET: Final = 0x20
_OPENERS: Final = frozenset((0x02, 0x03, 0x04, 0x06, 0x1F))
_END: Final = 0x0B
_ELSE: Final = 0x05
_CLOSERS: Final = frozenset((0x0B, 0x18))  # end, delegate
_ARMS: Final = frozenset((0x05, 0x07, 0x19))  # else, catch, catch_all


def local_types(module: WasmModule, function: int) -> list[int]:
    """Types of a defined function's parameters and locals."""
    types = list(module.func_types[function].func.params)
    for count, valtype in module.codes[function - module.imported_functions].locals:
        types.extend((valtype,) * count)
    return types


def lower_function(context: ModuleContext, function: int, decoded: DecodedBody) -> Lowered:
    """Lower function `function` (an index of the module) with the given body."""
    module = context.module
    functype = module.func_types[function].func
    low = Lowering(module, function, decoded.ops, local_types(module, function), context)
    outermost = Label(control.FUNCTION, 0)
    outermost.results = outermost.types = functype.results
    low.labels.append(outermost)
    if 0x12 in decoded.ops and _calls_itself_last(decoded, function):
        low.again = low.new_label(control.LOOP)
    if not is_plain_leaf(decoded.ops):
        low.poll(0)
    _lower_instructions(low, decoded)
    return _assemble(low, decoded)


def _calls_itself_last(decoded: DecodedBody, function: int) -> bool:
    return any(op == 0x12 and imm == function for op, imm in zip(decoded.ops, decoded.imms, strict=True))


_BUSY: Final = frozenset((0x03, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15))


_SHORT: Final = 64


def is_plain_leaf(ops: list[int]) -> bool:
    """True for a short function without loops and calls: it ends by itself, so soon that many calls in a row may do without polls."""
    return len(ops) < _SHORT and _BUSY.isdisjoint(ops)


def _lower_instructions(low: Lowering, decoded: DecodedBody) -> None:
    handlers, stack, locals_ = HANDLERS, low.stack, low.locals
    charges = segments(decoded.ops, decoded.imms) if low.context.fuel else None
    low.may_fold = charges is None
    ops = decoded.ops
    imms: list[Any] = decoded.imms  # each handler knows the type of its own
    steps = iter(zip(ops, imms, range(len(ops)), strict=True))
    for op, imm, at in steps:
        if charges is not None and at in charges:
            low.flush_impure()
            low.body.append((f"charge({charges[at]})", at))
        if op == _LOCAL_GET:
            stack.append(locals_[imm] or low.local(imm))
        elif handlers[op](low, stack, imm, at):
            # nothing reaches what follows, up to the end or the other arm of the block
            depth = 0
            at += 1
            while at < len(ops):
                op = ops[at]
                if op in _OPENERS:
                    depth += 1
                elif depth:
                    if op in _CLOSERS:
                        depth -= 1
                elif op in _CLOSERS or op in _ARMS:
                    break
                next(steps)
                at += 1


def _assemble(low: Lowering, decoded: DecodedBody) -> Lowered:
    """The whole text: head, locals, body; and a second function in front of one that makes tail calls."""
    params = ", ".join([f"l{i}" for i in range(len(low.module.func_types[low.function].func.params))])
    zeros = _zeros(low, decoded)
    body = low.body
    if low.again is not None:
        start = Body()
        start.extend((text, -1) for text in zeros)
        start.extend(body)
        start.dead = body.dead
        zeros = []
        exit_label = low.new_label(control.BLOCK)
        settle(start, low.again)
        body = Body()
        body.append(Loop(low.again, exit_label, start))
        body.dead = True
    lines, ats, extra = _write(body)
    zeros.extend(extra)
    head = [f"def {'b' if low.tail_calls else 'f'}{low.function}({params}):"]
    if low.globals_written:
        head.append(f" global {', '.join(f'g{i}' for i in sorted(low.globals_written))}")
    head.extend(f" {text}" for text in zeros)
    ats = [-1] * len(head) + ats
    lines = head + (lines or [" pass"])
    if low.tail_calls:
        lines += [
            f"def f{low.function}({params}):",
            f" r = b{low.function}({params})",
            " while type(r) is TailCall: r = r.go()",
            " return r",
        ]
    lines.append("")
    return Lowered("\n".join(lines), ats)


def _write(body: Body) -> tuple[list[str], list[int], list[str]]:
    """(lines, what each is blamed on, variables to set before) of a function's body."""
    structured = StructuredWriter()
    try:
        structured.body(body, 1, ())
    except TooDeep:
        flat = FlatWriter()
        flat.write(body)
        return flat.lines, flat.ats, []
    return structured.lines, structured.ats, ["br = 0"] if structured.uses_br else []


def _zeros(low: Lowering, decoded: DecodedBody) -> list[str]:
    """Assignments that give locals their initial values, as far as they are used and not set first of all."""
    count = len(low.module.func_types[low.function].func.params)
    imms: list[Any] = decoded.imms
    used: set[int] = {imm for op, imm in zip(decoded.ops, imms, strict=True) if 0x20 <= op <= 0x22}
    read: set[int] = set()
    for op, imm in zip(decoded.ops, imms, strict=True):
        if op in (0x21, 0x22):
            if imm not in read:
                used.discard(imm)
        elif op == _LOCAL_GET:
            read.add(imm)
        elif op in _BRANCHING:
            break
    by_zero: dict[str, list[str]] = {}
    for index in sorted(used):
        if index >= count:
            by_zero.setdefault(_ZEROS.get(low.local_types[index], "None"), []).append(f"l{index}")
    return [f"{' = '.join(names)} = {zero}" for zero, names in by_zero.items()]


_BRANCHING: Final = frozenset((0x00, 0x02, 0x03, 0x04, 0x06, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x12, 0x13, 0x15, 0x1F))
_CALLS: Final = frozenset((0x10, 0x11, 0x12, 0x13, 0x14, 0x15))


def is_leaf(ops: list[int]) -> bool:
    """True for a function that calls nothing: one Python frame is all it takes."""
    return _CALLS.isdisjoint(ops)
