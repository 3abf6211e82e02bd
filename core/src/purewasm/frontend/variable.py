"""Globals; locals are in the loop of `build`."""

from __future__ import annotations

from purewasm.frontend.known_types import note
from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.frontend.state import Builder


def global_get(b: Builder, op: int, imm: Any) -> bool:
    valtype, mutable = b.context.module.global_types[imm]
    op = ops.GLOBAL_GET + ops.CLASS_OF_TYPE.get(valtype, ops.INT)
    key = (op, ops.NO, b.changes if mutable else ops.NO, imm)
    value = b.numbering.get(key)
    if value is None:
        value = b.numbering[key] = len(b.insts)
        if b.local_types is not None:
            note(b, value, valtype)
        b.insts.append((op, ops.NO, ops.NO, imm))
    b.stack.append(value)
    return False


def global_set(b: Builder, op: int, imm: Any) -> bool:
    value_class = ops.CLASS_OF_TYPE.get(b.context.module.global_types[imm].valtype, ops.INT)
    value = b.stack.pop()
    b.insts.append((ops.GLOBAL_SET + value_class, value, ops.NO, imm))
    b.changes += 1  # of the other globals too: two that are imported may be the same
    b.numbering[ops.GLOBAL_GET + value_class, ops.NO, b.changes, imm] = value
    return False


HANDLERS: dict[int, Callable[[Builder, int, Any], bool]] = {0x23: global_get, 0x24: global_set}
