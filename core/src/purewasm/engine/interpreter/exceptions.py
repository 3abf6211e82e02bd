"""Exceptions of the guest as exceptions of Python (spec: control instructions; the older form of the proposal too).

A `try_table` is a Python `try` whose handler branches. The older `try … catch` becomes one whose handlers branch to blocks that end
where the code of each `catch` begins; `delegate` catches everything and raises it again at the end of the block that it names.
"""

from __future__ import annotations

from purewasm.engine.interpreter.control import (
    BLOCK,
    CATCH,
    FUNCTION,
    TRY,
    TRY_TABLE,
    close_label,
    close_pending,
    open_label,
    owe_dropped,
    seal,
    wrap,
)
from purewasm.engine.interpreter.tree import Body, Br, Label, Try
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.opcodes import immediates as imms

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.interpreter.fragments import Fragment
    from purewasm.engine.interpreter.lowering import Handlers, Lowering

    Types = tuple[int, ...]
    Catch = tuple[int, int, int]

_REFS: Final = (imms.CATCH_REF, imms.CATCH_ALL_REF)


def lower_throw(low: Lowering, stack: list[Fragment], imm: int, at: int) -> bool:
    params = low.module.tag_types[imm].func.params
    owe_dropped(low, len(params))
    low.settle_operands(len(params))
    values = stack[len(stack) - len(params) :]
    texts = [low.canonical(value, valtype) for value, valtype in zip(values, params, strict=True)]
    low.emit(f"raise GuestException(Z{imm}, ({''.join(f'{text}, ' for text in texts)}))", at)
    low.body.dead = True
    return True


def lower_throw_ref(low: Lowering, stack: list[Fragment], imm: None, at: int) -> bool:
    low.flush_impure()
    low.emit(f"raise thrown_again({stack.pop()[0]})", at)
    low.body.dead = True
    return True


# ---- try_table


def lower_try_table(low: Lowering, stack: list[Fragment], imm: tuple[Types, Types, tuple[Catch, ...]], at: int) -> None:
    low.flush()
    params, results, catches = imm
    handlers = []
    for catch in catches:
        handlers.append(_handler(low, catch, at))
        if not handlers[-1][0]:
            break  # nothing is left for the clauses behind one that catches all
    label = open_label(low, TRY_TABLE, params, results, at)
    label.handlers = handlers


def _handler(low: Lowering, catch: Catch, at: int) -> tuple[str, Body]:
    """(condition, what to do) of one catch clause: hand the values over and branch."""
    kind, tag, depth = catch
    label = low.labels[-1 - depth]
    body = Body()
    count = len(low.module.tag_types[tag].func.params) if kind in (imms.CATCH, imms.CATCH_REF) else 0
    if label.kind == FUNCTION:
        body.append((_return_caught(count, kind in _REFS), at))
    else:
        names = label.names[:count]
        if names:
            body.append((f"{', '.join(names)}, = e.raw", at))
        if kind in _REFS:
            body.append((f"{label.names[count]} = caught(e)", at))
        body.append(Br(label, at))
    body.dead = True
    return (f"e.tag is Z{tag}" if kind in (imms.CATCH, imms.CATCH_REF) else ""), body


def _return_caught(count: int, with_reference: bool) -> str:
    if with_reference:
        return "return (*e.raw, caught(e))" if count else "return caught(e)"
    return ("return", "return e.raw[0]")[count] if count < 2 else "return e.raw"


def _end_try_table(low: Lowering, label: Label, at: int) -> bool:
    seal(low, label, at)
    body, count = low.body, len(label.results)
    if not label.handlers and not label.uses and not label.sealed:
        return close_pending(low, label, body, low.stack[len(low.stack) - count :] if not body.dead else [])
    if not body.dead and not label.sealed:
        low.assign(label.names, label.results, at)
    if not label.handlers:
        return close_label(low, label, wrap(label, body))
    made = Body()
    made.append(Try(label.at, body, label.handlers))
    made.dead = body.dead
    return close_label(low, label, wrap(label, made))


# ---- the older form


def lower_try(low: Lowering, stack: list[Fragment], imm: tuple[Types, Types], at: int) -> None:
    low.flush()
    open_label(low, TRY, *imm, at)


def _finish_segment(low: Lowering, label: Label, at: int) -> None:
    """The end of the tried code or of a catch: its results go to the variables, and control behind the whole."""
    seal(low, label, at)
    if not low.body.dead:
        if not label.sealed:
            low.assign(label.names, label.results, at)
        low.body.append(Br(label, at))
        low.body.dead = True
    label.sealed = False
    if label.kind == TRY:
        label.then = low.body
    else:
        label.catches.append((label.landing, low.body))


def _begin_catch(low: Lowering, label: Label, test: str, params: Types, at: int) -> None:
    _finish_segment(low, label, at)
    label.kind = CATCH
    label.landing = low.new_label(BLOCK)
    label.exception = f"e{label.landing.number}"
    low.temp_next = label.next_temp
    names = [low.reserve() for _ in params]
    low.temp_floor = low.temp_next
    entry = Body()
    if names:
        entry.append((f"{', '.join(names)}, = e.raw", at))
    entry.append((f"{label.exception} = e", at))
    entry.append(Br(label.landing, at))
    entry.dead = True
    label.handlers.append((test, entry))
    del low.stack[label.height :]
    low.stack.extend(low.ref(name, valtype) for name, valtype in zip(names, params, strict=True))
    low.body = Body()


def lower_catch(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    _begin_catch(low, low.labels[-1], f"e.tag is Z{imm}", low.module.tag_types[imm].func.params, at)


def lower_catch_all(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    _begin_catch(low, low.labels[-1], "", (), at)


def lower_rethrow(low: Lowering, stack: list[Fragment], imm: int, at: int) -> bool:
    low.flush_impure()
    low.emit(f"raise thrown_again({low.labels[-1 - imm].exception})", at)
    low.body.dead = True
    return True


def lower_delegate(low: Lowering, stack: list[Fragment], imm: int, at: int) -> bool:
    """The end of a `try` whose exceptions are raised again at the end of the block that `imm` names."""
    label = low.labels[-1]
    target = low.labels[-2 - imm]
    landing = low.new_label(BLOCK)
    name = f"e{landing.number}"
    target.landings.append((landing, name))
    entry = Body()
    entry.append((f"{name} = e", at))
    entry.append(Br(landing, at))
    entry.dead = True
    label.handlers = [("", entry)]
    return _end_try_table(low, label, at)


def _end_try(low: Lowering, label: Label, at: int) -> bool:
    _finish_segment(low, label, at)
    tried = label.then
    made = tried
    if label.handlers:
        made = Body()
        made.append(Try(label.at, tried, label.handlers))
        made.dead = True
    for landing, code in label.catches:
        made = wrap(landing, made)
        made.extend(code)
        made.dead = code.dead
    return close_label(low, label, wrap(label, made))


HANDLERS: Final[Handlers] = {
    0x06: lower_try,
    0x07: lower_catch,
    0x08: lower_throw,
    0x09: lower_rethrow,
    0x0A: lower_throw_ref,
    0x18: lower_delegate,
    0x19: lower_catch_all,
    0x1F: lower_try_table,
}
ENDS: Final[dict[int, Callable[[Lowering, Label, int], bool]]] = {TRY_TABLE: _end_try_table, TRY: _end_try, CATCH: _end_try}
