"""Globals; locals are in the loop of `build`."""

from __future__ import annotations

from purewasm.frontend.known_types import note
from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.frontend.state import Builder


def global_get(b: Builder, op: int, imm: Any) -> bool:
    valtype = b.context.module.global_types[imm].valtype
    value_class = ops.CLASS_OF_TYPE.get(valtype, ops.INT)
    if b.local_types is not None:
        note(b, len(b.insts), valtype)
    b.stack.append(len(b.insts))
    b.insts.append((ops.GLOBAL_GET + value_class, ops.NO, ops.NO, imm))
    return False


def global_set(b: Builder, op: int, imm: Any) -> bool:
    value_class = ops.CLASS_OF_TYPE.get(b.context.module.global_types[imm].valtype, ops.INT)
    b.insts.append((ops.GLOBAL_SET + value_class, b.stack.pop(), ops.NO, imm))
    return False


HANDLERS: dict[int, Callable[[Builder, int, Any], bool]] = {0x23: global_get, 0x24: global_set}
