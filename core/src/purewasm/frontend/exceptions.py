"""Exceptions, the older form of the proposal too.

Nothing is done on the way into a `try`. Each call in one is a way to its handler: the values of all locals at that call are kept, and at
the end of the `try` stands a *landing pad* for each call, from which control goes on to the handler with these values, the exception and
its tag. The handler looks at the clauses one after the other; what none of them takes goes to the handler around it, or out of the
function.

    try_table (catch $e 0)      3: call (…, 7, …)             covered: it has a landing pad
      call 7                    4: br -> L2                   nothing was thrown
    end                         5: label L3                   the landing pad of 3
                                6: landing 3                  the exception
                                7: landing_tag ($e)           its tag; what the handler and those around it take
                                8: br -> L1 …; label L1       the handler: 6, 7 and the locals are parameters where ways differ
                                9: tag_word $e … br_if        the clause
                               10: trap                       does not happen: what nobody here takes does not land here
                               11: label L2
"""

from __future__ import annotations

from purewasm.frontend import control
from purewasm.frontend.calls import cover, emit_call
from purewasm.frontend.context import classes_of
from purewasm.frontend.known_types import note_results
from purewasm.frontend.memory import emit_builtin
from purewasm.frontend.state import CATCH, HANDLER, TRY, TRY_TABLE, ZERO, Block, Builder
from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Any
from purewasm.store.layout import TRAP_NUMBER
from purewasm.traps import NULL_EXCEPTION, UNREACHABLE
from purewasm.wasm.opcodes import immediates as imms

if TYPE_CHECKING:
    from collections.abc import Callable

NO = ops.NO
_UNREACHABLE = TRAP_NUMBER[UNREACHABLE]
_NULL = TRAP_NUMBER[NULL_EXCEPTION]


def throw(b: Builder, op: int, imm: Any) -> bool:
    params, _ = b.context.signature(b.context.module.tag_types[imm])
    args = b.pop_many(len(params))
    cover(b, b.effect((ops.CALL_TAG, NO, NO, (args, (imm, ops.TAG_THROW), (params, ())))))
    return _never(b)


def throw_ref(b: Builder, op: int, imm: Any) -> bool:
    exception = b.stack.pop()
    b.effect((ops.TRAP_IF, exception, ZERO, (ops.CC_E, ops.KIND_64, _NULL)))
    cover(b, emit_builtin(b, "throw_ref", exception))
    return _never(b)


def _never(b: Builder) -> bool:
    """Behind what does not return."""
    b.effect((ops.TRAP, NO, NO, _UNREACHABLE))
    return True


def _open(b: Builder, kind: int, params: Any, results: Any) -> Block:
    height = len(b.stack) - len(params)
    opened = Block(kind, b.new_label(), height, classes_of(results))
    opened.types = results
    opened.handler = Block(HANDLER, b.new_label(), height, (ops.INT, ops.INT))
    opened.handler.handler = around(b)
    b.handlers.append(opened.handler)
    b.blocks.append(opened)
    return opened


def try_table(b: Builder, op: int, imm: Any) -> bool:
    params, results, clauses = imm
    _open(b, TRY_TABLE, params, results).clauses = clauses
    return False


def try_(b: Builder, op: int, imm: Any) -> bool:
    _open(b, TRY, *imm)
    return False


def _leave(b: Builder, reached: bool) -> bool:
    """The end of what the innermost block covers: its landing pads and the beginning of its handler, where the exception and its tag
    are the topmost operands. False where nothing can be thrown."""
    opened = b.blocks[-1]
    handler = opened.handler
    assert handler is not None
    opened.handler = None
    b.handlers.pop()
    if not handler.sites and not handler.snapshots:
        return False
    if reached:
        b.insts.append((ops.BR, NO, NO, control.new_edge(b, 0)))
    insts = b.insts
    for call, values in handler.sites:
        insts.append((ops.LABEL, NO, NO, b.new_label()))
        exception = b.pads[call] = len(insts)
        b.landings.append((handler, exception))
        insts.append((ops.LANDING, NO, NO, call))
        insts.append((ops.LANDING_TAG, NO, NO, ()))
        edge: list[tuple[int, int]] = []
        handler.snapshots.append((edge, [*values, exception, exception + 1]))
        insts.append((ops.BR, NO, NO, (edge, handler.label)))
    control.join(b, handler)
    return True


def _pass_on(b: Builder, exception: int, tag: int, outer: Block | None) -> None:
    """What no clause takes goes to the handler around this one."""
    if outer is None:
        _never(b)
        return
    edge: list[tuple[int, int]] = []
    outer.snapshots.append((edge, [*b.locals, exception, tag]))
    b.insts.append((ops.BR, NO, NO, (edge, outer.label)))


def around(b: Builder) -> Block | None:
    return b.handlers[-1] if b.handlers else None


def _unless(b: Builder, tag: int, wanted: int) -> int:
    """Branch to a new label, which is given, unless the tag is that of the module's index space."""
    label = b.new_label()
    word = b.pure((ops.TAG_WORD, NO, NO, wanted))
    b.insts.append((ops.BR_IF, tag, word, (ops.CC_NE, ops.KIND_64, [], label)))
    return label


def _bind(b: Builder, label: int) -> None:
    b.insts.append((ops.LABEL, NO, NO, label))
    b.forget()


def _take_payload(b: Builder, exception: int, tag: int) -> None:
    """Push the values that the exception carries."""
    deftype = b.context.module.tag_types[tag]
    classes, _ = b.context.signature(deftype)
    if classes:
        b.stack.append(exception)
        emit_call(b, ops.CALL_TAG, NO, (tag, ops.TAG_CATCH), ((ops.INT,), classes))
        if b.local_types is not None:
            note_results(b, deftype.func.params)


def end(b: Builder, reached: bool) -> bool:
    """Close a block of this family; True where what follows cannot be reached."""
    closed = b.blocks[-1]
    if closed.kind == CATCH:
        if reached:
            b.insts.append((ops.BR, NO, NO, control.new_edge(b, 0)))
        if closed.else_label >= 0:
            _bind(b, closed.else_label)
            b.locals[:] = closed.entry
            _pass_on(b, *_caught(closed), around(b))
        return _close(b)
    clauses, handler = closed.clauses, closed.handler
    assert handler is not None
    handler.takes += [tag for _, tag, _ in clauses]
    if not _leave(b, reached):
        return control.end(b, reached)
    tag, exception = b.stack.pop(), b.stack.pop()
    for clause in clauses:
        if _clause(b, exception, tag, *clause):
            break
    else:
        _pass_on(b, exception, tag, around(b))
    return _close(b)


def _close(b: Builder) -> bool:
    closed = b.blocks[-1]
    if closed.snapshots:
        control.join(b, closed)
    b.blocks.pop()
    return not closed.snapshots


def _clause(b: Builder, exception: int, tag: int, kind: int, wanted: int, depth: int) -> bool:
    """One clause of a `try_table`, whose block is still open; True where it takes every exception."""
    height = len(b.stack)
    other = _unless(b, tag, wanted) if kind < imms.CATCH_ALL else -1
    kept = emit_builtin(b, "exception_keep", exception) if kind in (imms.CATCH_REF, imms.CATCH_ALL_REF) else -1
    if kind < imms.CATCH_ALL:
        _take_payload(b, exception, wanted)
    if kept >= 0:
        b.stack.append(kept)
    control.br(b, 0x0C, depth + 1)
    del b.stack[height:]
    if other < 0:
        return True
    _bind(b, other)
    return False


# -- the older form ----------------------------------------------------------------------------------------------------


def arm(b: Builder, op: int, imm: Any, reached: bool) -> bool:
    """`catch`, `catch_all` and `delegate`; True where what follows cannot be reached."""
    if op == 0x18:
        return _delegate(b, imm, reached)
    opened = b.blocks[-1]
    if opened.kind == TRY:
        assert opened.handler is not None
        opened.takes = opened.handler.takes
        if _leave(b, reached):
            tag, exception = b.stack.pop(), b.stack.pop()
            if b.rethrows:
                exception = emit_builtin(b, "exception_keep", exception)
            opened.caught, opened.entry = (exception, tag), b.locals[:]
        elif reached:
            b.insts.append((ops.BR, NO, NO, control.new_edge(b, 0)))
        opened.kind = CATCH
    else:
        if reached:
            b.insts.append((ops.BR, NO, NO, control.new_edge(b, 0)))
        if opened.else_label >= 0:
            _bind(b, opened.else_label)
    if opened.caught is None:
        return True  # nothing in the `try` can throw
    opened.takes.append(imm if op == 0x07 else -1)
    del b.stack[opened.height :]
    b.locals[:] = opened.entry
    opened.else_label = -1
    if op == 0x07:
        exception, tag = opened.caught
        opened.else_label = _unless(b, tag, imm)
        _take_payload(b, exception, imm)
    return False


def _delegate(b: Builder, depth: int, reached: bool) -> bool:
    """The end of a `try` whose exceptions are thrown again where the block that is named ends."""
    handler = b.blocks[-1].handler
    assert handler is not None
    outside = b.blocks[: len(b.blocks) - 1 - depth]
    handler.handler = next((block.handler for block in reversed(outside) if block.handler is not None), None)
    if not _leave(b, reached):
        return control.end(b, reached)
    tag, exception = b.stack.pop(), b.stack.pop()
    _pass_on(b, exception, tag, handler.handler)
    return _close(b)


def _caught(block: Block) -> tuple[int, int]:
    assert block.caught is not None
    return block.caught


def rethrow(b: Builder, op: int, imm: Any) -> bool:
    exception, _ = _caught(b.blocks[-1 - imm])
    cover(b, emit_builtin(b, "throw_ref", exception))
    return _never(b)


def finish(b: Builder) -> None:
    """Every landing pad gets the tags that the handlers from it outwards take, -1 for one that takes everything."""
    for handler, pad in b.landings:
        taken: list[int] = []
        found: Block | None = handler
        while found is not None and -1 not in taken:
            taken += [tag for tag in found.takes if tag not in taken]
            found = found.handler
        b.insts[pad + 1] = (ops.LANDING_TAG, NO, NO, tuple(taken[: taken.index(-1) + 1] if -1 in taken else taken))


ARMS = frozenset((0x07, 0x18, 0x19))
HANDLERS: dict[int, Callable[[Builder, int, Any], bool]] = {
    0x06: try_, 0x08: throw, 0x09: rethrow, 0x0A: throw_ref, 0x1F: try_table,
}  # fmt: skip
