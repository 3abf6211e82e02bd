"""Exceptions, and the older form of them (spec: validation, control instructions; legacy exception handling)."""

from __future__ import annotations

from purewasm.binary import leb
from purewasm.binary.gate import refuse_above
from purewasm.binary.immediates import catch_clause
from purewasm.binary.reader import vector_length
from purewasm.errors import InvalidError, MalformedError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.validate.control import open_block
from purewasm.validate.state import OPCODE, RESULTS
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import is_subtype
from purewasm.wasm.limits import MAX_BR_TABLE_LABELS
from purewasm.wasm.opcodes import CODE
from purewasm.wasm.opcodes import immediates as imm

if TYPE_CHECKING:
    from purewasm.binary.immediates import CatchClause
    from purewasm.validate.state import BodyState, HandlerTable, Types

_TRY: Final = CODE["try"]
_CATCH: Final = CODE["catch"]
_CATCH_ALL: Final = CODE["catch_all"]
_EXN_NON_NULL: Final = vt.ref_type(vt.EXN, False)
_WITH_REFERENCE: Final = frozenset((imm.CATCH_REF, imm.CATCH_ALL_REF))


def _tag_params(state: BodyState, index: int) -> Types:
    tags = state.module.tag_types
    if index >= len(tags):
        raise InvalidError(f"unknown tag {index}: the module has {len(tags)}")
    return tags[index].func.params


def _throw(state: BodyState, _op: int) -> None:
    state.pop_types(_tag_params(state, leb.u32(state.code)))
    state.mark_unreachable()


def _throw_ref(state: BodyState, _op: int) -> None:
    state.pop(vt.EXNREF)
    state.mark_unreachable()


def _try_table(state: BodyState, op: int) -> None:
    params, results = state.space.block_type(state.code)
    number = vector_length(state.code, "catch clauses")
    refuse_above(MAX_BR_TABLE_LABELS, number, "clauses in a try_table")
    # Labels count from outside of the block. The same clause again has the same answer.
    for clause in dict.fromkeys([catch_clause(state.code) for _ in range(number)]):
        _check_clause(state, clause)
    state.pop_types(params)
    state.open(op, params, results)


def _check_clause(state: BodyState, clause: CatchClause) -> None:
    """What a clause hands over must be what its label takes."""
    kind, tag, depth = clause
    label = state.label(depth)
    given = _tag_params(state, tag) if kind < imm.CATCH_ALL else ()
    if kind in _WITH_REFERENCE:
        given = (*given, _EXN_NON_NULL)
    if len(given) != len(label) or not all(map(is_subtype, given, label)):
        name = imm.CATCH_NAMES[kind]
        raise InvalidError(f"type mismatch: {name} gives {state.format(given)} to a label with {state.format(label)}")


# ---- legacy exceptions: try, then any number of catch, then catch_all or delegate


def _try(state: BodyState, op: int) -> None:
    open_block(state, op, next(state.code))


def _next_handler(state: BodyState, opcode: int, params: Types) -> None:
    """End the part before a catch and begin the one behind it."""
    if state.frames[-1][OPCODE] not in (_TRY, _CATCH):
        raise MalformedError("END opcode expected: a catch that does not follow a try")
    frame = state.close()
    state.open(opcode, (), frame[RESULTS])
    state.push_types(params)


def _catch(state: BodyState, op: int) -> None:
    _next_handler(state, op, _tag_params(state, leb.u32(state.code)))


def _catch_all(state: BodyState, op: int) -> None:
    _next_handler(state, op, ())


def _rethrow(state: BodyState, _op: int) -> None:
    depth = leb.u32(state.code)
    state.label(depth)
    if state.frames[~depth][OPCODE] not in (_CATCH, _CATCH_ALL):
        raise InvalidError(f"invalid rethrow label {depth}: it is not a catch")
    state.mark_unreachable()


def _delegate(state: BodyState, _op: int) -> None:
    if state.frames[-1][OPCODE] != _TRY:
        raise MalformedError("END opcode expected: a delegate that does not follow a try")
    frame = state.close()
    state.label(leb.u32(state.code))
    state.push_types(frame[RESULTS])


HANDLERS: Final[HandlerTable] = {
    CODE["throw"]: _throw,
    CODE["throw_ref"]: _throw_ref,
    CODE["try_table"]: _try_table,
    CODE["try"]: _try,
    CODE["catch"]: _catch,
    CODE["catch_all"]: _catch_all,
    CODE["rethrow"]: _rethrow,
    CODE["delegate"]: _delegate,
}
