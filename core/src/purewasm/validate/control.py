"""Blocks, branches, return (spec: validation, control instructions)."""

from __future__ import annotations

from purewasm.binary import leb
from purewasm.binary.immediates import cast_label, label_table
from purewasm.errors import InvalidError, MalformedError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.validate.state import OPCODE, PARAMS, RESULTS, non_null
from purewasm.wasm import opcodes
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import is_subtype
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from purewasm.validate.state import BodyState, HandlerTable, Types

_IF: Final = CODE["if"]
_BR_ON_CAST: Final = CODE["br_on_cast"]


def open_block(state: BodyState, opcode: int, first: int) -> None:
    """block, loop, if or try, whose block type begins with the byte `first`."""
    params, results = state.space.block_type_from(first, state.code)
    if opcode == _IF:
        state.pop(vt.I32)
    state.pop_types(params)
    state.open(opcode, params, results)


def branch_if(state: BodyState, depth: int) -> None:
    """br_if to a label."""
    label = state.label(depth)
    state.pop(vt.I32)
    state.pop_types(label)
    state.push_types(label)


def end_block(state: BodyState, _op: int) -> None:
    frame = state.frames[-1]
    if frame[OPCODE] == _IF and not _passes(frame[PARAMS], frame[RESULTS]):
        params, results = state.format(frame[PARAMS]), state.format(frame[RESULTS])
        raise InvalidError(f"type mismatch: if without else passes {params} on, but its results are {results}")
    state.close()
    state.push_types(frame[RESULTS])


def _passes(params: Types, results: Types) -> bool:
    """True where the parameters of a block can stand for its results."""
    return len(params) == len(results) and all(map(is_subtype, params, results))


def _block(state: BodyState, op: int) -> None:
    open_block(state, op, next(state.code))


def _else(state: BodyState, op: int) -> None:
    if state.frames[-1][OPCODE] != _IF:
        raise MalformedError("END opcode expected: else without an if before it")
    frame = state.close()
    state.open(op, frame[PARAMS], frame[RESULTS])


def _br(state: BodyState, _op: int) -> None:
    state.pop_types(state.label(leb.u32(state.code)))
    state.mark_unreachable()


def _br_if(state: BodyState, _op: int) -> None:
    branch_if(state, leb.u32(state.code))


def _br_table(state: BodyState, _op: int) -> None:
    depths = label_table(state.code)
    state.pop(vt.I32)
    arity = len(state.label(depths[-1]))
    stack = state.stack
    checked: set[int] = set()  # by identity: labels with the types of one block type are one object, and may be many and long
    for depth in dict.fromkeys(depths):
        label = state.label(depth)
        if id(label) in checked:
            continue
        checked.add(id(label))
        if len(label) != arity:
            raise InvalidError(f"type mismatch: br_table labels with {len(label)} and with {arity} values")
        have = min(arity, len(stack) - 1)  # less than the arity where the stack is polymorphic
        kept = stack[len(stack) - have :]
        state.pop_types(label)
        stack += kept
    state.mark_unreachable()


def _return(state: BodyState, _op: int) -> None:
    state.pop_types(state.frames[0][RESULTS])
    state.mark_unreachable()


def _unreachable(state: BodyState, _op: int) -> None:
    state.mark_unreachable()


# ---- branches on references


def _br_on_null(state: BodyState, _op: int) -> None:
    label = state.label(leb.u32(state.code))
    reference = state.pop_reference()
    state.pop_types(label)
    state.push_types(label)
    state.push(non_null(reference))


def _br_on_non_null(state: BodyState, _op: int) -> None:
    label = state.label(leb.u32(state.code))
    if not label or label[-1] < vt.REF_BASE:
        raise InvalidError(f"type mismatch: br_on_non_null to a label with {state.format(label)}, whose last type is no reference")
    reference = non_null(state.pop_reference())
    if not is_subtype(reference, label[-1]):
        raise InvalidError(f"type mismatch: br_on_non_null takes {state.format((reference,))} to a label with {state.format(label)}")
    state.pop_types(label[:-1])
    state.push_types(label[:-1])


def _br_on_cast(state: BodyState, op: int) -> None:
    """Both forms: the value goes to the label as the target type or, for …_fail, as what is left without it."""
    depth, source, target = cast_label(state.code, state.space)
    if not is_subtype(target, source):
        raise InvalidError(f"type mismatch: a cast from {state.format((source,))} to {state.format((target,))}, which is no subtype")
    rest = non_null(source) if vt.is_nullable(target) else source
    taken, kept = (target, rest) if op == _BR_ON_CAST else (rest, target)
    label = state.label(depth)
    if not label or not is_subtype(taken, label[-1]):
        raise InvalidError(f"type mismatch: {opcodes.NAME[op]} takes {state.format((taken,))} to a label with {state.format(label)}")
    state.pop(source)
    state.pop_types(label[:-1])
    state.push_types(label[:-1])
    state.push(kept)


HANDLERS: Final[HandlerTable] = {
    CODE["block"]: _block,
    CODE["loop"]: _block,
    CODE["if"]: _block,
    CODE["else"]: _else,
    CODE["end"]: end_block,
    CODE["br"]: _br,
    CODE["br_if"]: _br_if,
    CODE["br_table"]: _br_table,
    CODE["return"]: _return,
    CODE["unreachable"]: _unreachable,
    CODE["br_on_null"]: _br_on_null,
    CODE["br_on_non_null"]: _br_on_non_null,
    CODE["br_on_cast"]: _br_on_cast,
    CODE["br_on_cast_fail"]: _br_on_cast,
}
