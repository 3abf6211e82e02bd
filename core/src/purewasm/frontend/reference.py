"""References: null, functions, null checks. A reference is an integer: the address of a function's record, or a handle; null is 0."""

from __future__ import annotations

from purewasm.frontend.state import ZERO
from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Any
from purewasm.store.layout import TRAP_NUMBER
from purewasm.traps import NULL_REFERENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.frontend.state import Builder

NO = ops.NO


def ref_null(b: Builder, op: int, imm: Any) -> bool:
    b.stack.append(ZERO)
    return False


def ref_is_null(b: Builder, op: int, imm: Any) -> bool:
    b.stack[-1] = b.pure((ops.CMP64, b.stack[-1], ZERO, ops.CC_E))
    return False


def ref_func(b: Builder, op: int, imm: Any) -> bool:
    b.stack.append(b.pure((ops.REF_FUNC, NO, NO, imm)))
    return False


def ref_eq(b: Builder, op: int, imm: Any) -> bool:
    y = b.stack.pop()
    b.stack[-1] = b.pure((ops.CMP64, b.stack[-1], y, ops.CC_E))
    return False


def ref_as_non_null(b: Builder, op: int, imm: Any) -> bool:
    b.effect((ops.TRAP_IF, b.stack[-1], ZERO, (ops.CC_E, ops.KIND_64, TRAP_NUMBER[NULL_REFERENCE])))
    return False


HANDLERS: dict[int, Callable[[Builder, int, Any], bool]] = {
    0xD0: ref_null, 0xD1: ref_is_null, 0xD2: ref_func, 0xD3: ref_eq, 0xD4: ref_as_non_null,
}  # fmt: skip
