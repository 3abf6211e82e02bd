"""drop and select."""

from __future__ import annotations

from purewasm.frontend.control import condition_of
from purewasm.frontend.known_types import note
from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.frontend.state import Builder


def drop(b: Builder, op: int, imm: Any) -> bool:
    b.stack.pop()
    return False


def select(b: Builder, op: int, imm: Any) -> bool:
    stack = b.stack
    value, y, x = stack.pop(), stack.pop(), stack.pop()
    if x == y:
        stack.append(x)
    elif value < 0:
        stack.append(x if b.constants[~value] else y)
    else:
        stack.append(len(b.insts))
        b.insts.append((ops.SELECT + b.class_of(x), x, y, condition_of(b, value)))
        if imm and b.local_types is not None:
            note(b, stack[-1], imm[0])
    return False


HANDLERS: dict[int, Callable[[Builder, int, Any], bool]] = {0x1A: drop, 0x1B: select, 0x1C: select}
