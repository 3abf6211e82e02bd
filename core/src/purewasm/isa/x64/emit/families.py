"""The emitters by operation. Families are imported when the first of their operations comes: most modules have nothing of a third of
them, baseline code needs few of the others, and a small module would wait longer for all of them than for its code.
"""

from __future__ import annotations

from purewasm.errors import InternalError
from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter

    Emit = Callable[[Emitter, int, int, int, Any], None]


def add(family: dict[int, Emit]) -> None:
    for op, emit in family.items():
        EMITTERS[op] = emit


def _family_of(op: int) -> dict[int, Emit]:
    """The emitters of the family that an operation belongs to."""
    if op >= ops.ATOMIC_BASE or op == ops.ATOMIC_CHECK:
        from purewasm.isa.x64.emit import atomic

        return atomic.EMITTERS
    if op >= ops.VECTOR_BASE or op in (ops.BITSELECT, ops.LOAD_LANE, ops.STORE_LANE):
        from purewasm.isa.x64.emit import vector

        return vector.EMITTERS
    if op < ops.LABEL or op >= ops.FC_BASE:
        return _numeric_family_of(op)
    if ops.OBJECT_GET <= op <= ops.OBJECT_SET:
        from purewasm.isa.x64.emit import fields

        return fields.EMITTERS
    if ops.STRUCT_NEW <= op < ops.REF_TEST:
        from purewasm.isa.x64.emit import aggregate

        return aggregate.EMITTERS
    if op in (ops.REF_TEST, ops.REF_CAST):
        from purewasm.isa.x64.emit import reference

        return reference.EMITTERS
    if ops.LANDING <= op <= ops.TAG_WORD:
        from purewasm.isa.x64.emit import exceptions

        return exceptions.EMITTERS
    return _plain_family_of(op)


def _numeric_family_of(op: int) -> dict[int, Emit]:
    if 0x6D <= op <= 0x70 or 0x7F <= op <= 0x82:
        from purewasm.isa.x64.emit import division

        return division.EMITTERS
    from purewasm.isa.x64.emit import memory, numeric

    family = next((family for family in (memory.EMITTERS, numeric.EMITTERS) if op in family), None)
    if family is None:
        from purewasm.isa.x64.emit import float

        return float.EMITTERS
    return family


def _plain_family_of(op: int) -> dict[int, Emit]:
    if op == ops.POLL:
        from purewasm.isa.x64.emit import polls

        return polls.EMITTERS
    if ops.TABLE_SIZE <= op <= ops.REF_FUNC:
        from purewasm.isa.x64.emit import table

        return table.EMITTERS
    if ops.BUILTIN <= op < ops.RESULT:
        from purewasm.isa.x64.emit import builtins

        return builtins.EMITTERS
    if ops.TAIL_CALL <= op <= ops.TAIL_CALL_INDIRECT:
        from purewasm.isa.x64.emit import tail_calls

        return tail_calls.EMITTERS
    if ops.CALL <= op < ops.SELECT or op >= ops.CALL_TAG:
        from purewasm.isa.x64.emit import calls

        return calls.EMITTERS
    from purewasm.isa.x64.emit import compare, control, memory, modify, numeric

    families = (compare.EMITTERS, control.EMITTERS, memory.EMITTERS, modify.EMITTERS)
    return next((family for family in families if op in family), numeric.EMITTERS)


def _first_of_family(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """Emit an operation whose family has not been imported yet."""
    op = e.insts[value][0]
    family = _family_of(op)
    if op not in family:
        raise InternalError(f"nothing emits operation {op:#x} {ops.NAMES[op]}")
    add(family)
    EMITTERS[op](e, value, a, b, imm)


EMITTERS: Final[list[Any]] = [_first_of_family] * ops.OPS
