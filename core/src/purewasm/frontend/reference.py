"""References: null, functions, null checks, 31-bit integers, conversions. A reference is an integer, its word; null is 0."""

from __future__ import annotations

from purewasm.frontend.known_types import is_never_null, note, refine, refine_non_null
from purewasm.frontend.memory import emit_builtin
from purewasm.frontend.numeric import FOLD, M32
from purewasm.frontend.state import ZERO
from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Any
from purewasm.store.layout import I31_TAG, TRAP_NUMBER
from purewasm.traps import NULL_I31, NULL_REFERENCE
from purewasm.wasm import valtypes as vt

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.frontend.state import Builder

NO = ops.NO
_SHIFT_LEFT, _SHIFT_RIGHT_S, _SHIFT_RIGHT_U, _OR = 0x74, 0x75, 0x76, 0x72
_I31 = vt.ref_type(vt.I31, False)


def ref_null(b: Builder, op: int, imm: Any) -> bool:
    b.stack.append(ZERO)
    return False


def ref_is_null(b: Builder, op: int, imm: Any) -> bool:
    value = b.stack[-1]
    if value < 0:
        b.stack[-1] = b.constant(int(not b.constants[~value]))
    elif b.local_types is not None and is_never_null(b, value):
        b.stack[-1] = ZERO
    else:
        b.stack[-1] = b.pure((ops.CMP64, value, ZERO, ops.CC_E))
    return False


def ref_func(b: Builder, op: int, imm: Any) -> bool:
    b.stack.append(b.pure((ops.REF_FUNC, NO, NO, imm)))
    if b.local_types is not None:
        note(b, b.stack[-1], vt.ref_type(b.context.module.func_types[imm].id, False))
    return False


def ref_eq(b: Builder, op: int, imm: Any) -> bool:
    y, x = b.stack.pop(), b.stack[-1]
    if x < 0:
        x, y = y, x
    if x < 0:
        b.stack[-1] = b.constant(int(b.constants[~x] == b.constants[~y]))
    else:
        b.stack[-1] = b.pure((ops.CMP64, x, y, ops.CC_E))
    return False


def _check(b: Builder, value: int, trap: int) -> bool:
    """Trap if null; True where that is certain."""
    if value < 0 and not b.constants[~value]:
        b.effect((ops.TRAP, NO, NO, trap))
        return True
    if not is_never_null(b, value):
        b.effect((ops.TRAP_IF, value, ZERO, (ops.CC_E, ops.KIND_64, trap)))
    return False


def ref_as_non_null(b: Builder, op: int, imm: Any) -> bool:
    value = b.stack[-1]
    if _check(b, value, TRAP_NUMBER[NULL_REFERENCE]):
        return True
    if b.local_types is not None and value in b.types:
        refine_non_null(b, value, vt.ANY)
    return False


# -- 31-bit integers: the number above the tag, in 32 bits


def ref_i31(b: Builder, op: int, imm: Any) -> bool:
    value = b.stack.pop()
    if value < 0:
        b.stack.append(b.constant(int(b.constants[~value]) << 1 & M32 | I31_TAG))
        return False
    shifted = b.pure((_SHIFT_LEFT, value, b.constant(1), 0))
    word = b.pure((_OR, shifted, b.constant(I31_TAG), 0))
    note(b, word, _I31)
    b.stack.append(word)
    return False


def _i31_get(shift: int) -> Callable[[Builder, int, Any], bool]:
    def i31_get(b: Builder, op: int, imm: Any) -> bool:
        value = b.stack[-1]
        if _check(b, value, TRAP_NUMBER[NULL_I31]):
            return True
        if value < 0:
            b.stack[-1] = b.constant(FOLD[shift](int(b.constants[~value]), 1))
            return False
        refine(b, value, vt.I31, False)
        b.stack[-1] = b.pure((shift, value, b.constant(1), 0))
        return False

    return i31_get


# -- conversions between the hierarchies of `any` and `extern`


def _convert(builtin: str, result: int) -> Callable[[Builder, int, Any], bool]:
    def convert(b: Builder, op: int, imm: Any) -> bool:
        value = b.stack[-1]
        if value == ZERO:
            return False
        never_null = is_never_null(b, value)
        b.stack[-1] = emit_builtin(b, builtin, value)
        note(b, b.stack[-1], vt.ref_type(result, not never_null))
        return False

    return convert


HANDLERS: dict[int, Callable[[Builder, int, Any], bool]] = {
    0xD0: ref_null, 0xD1: ref_is_null, 0xD2: ref_func, 0xD3: ref_eq, 0xD4: ref_as_non_null,
    0xFB01A: _convert("any_convert_extern", vt.ANY), 0xFB01B: _convert("extern_convert_any", vt.EXTERN),
    0xFB01C: ref_i31, 0xFB01D: _i31_get(_SHIFT_RIGHT_S), 0xFB01E: _i31_get(_SHIFT_RIGHT_U),
}  # fmt: skip
