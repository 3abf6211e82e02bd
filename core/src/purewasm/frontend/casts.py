"""Tests and casts of references, and branches on them.

A test becomes a condition as compares have it: of words where that is enough (null, 31-bit integers), else `KIND_REF` with a constant
that says what is asked. What types say already is not asked.
"""

from __future__ import annotations

from purewasm.frontend import control
from purewasm.frontend.known_types import is_never_null, known, refine, refine_non_null
from purewasm.frontend.state import ZERO
from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store.layout import I31_TAG, TRAP_NUMBER
from purewasm.traps import CAST_FAILURE
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import is_heap_subtype

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.frontend.control import Condition
    from purewasm.frontend.state import Builder

NO: Final = ops.NO
_FAILED: Final = TRAP_NUMBER[CAST_FAILURE]
_AND: Final = 0x71
_TOPS: Final = (vt.ANY, vt.FUNC, vt.EXTERN, vt.EXN)
_BOTTOMS: Final = (vt.NONE, vt.NOFUNC, vt.NOEXTERN, vt.NOEXN)
_WHAT: Final = {vt.I31: ops.TEST_I31, vt.STRUCT: ops.TEST_STRUCT, vt.ARRAY: ops.TEST_ARRAY, vt.EQ: ops.TEST_EQ}
_NUMBERS: Final = (vt.ANY, vt.EQ, vt.I31)
"""Heap types whose references may be 31-bit integers."""
ALWAYS: Final[Condition] = (ops.CC_E, ops.KIND_64, ZERO, ZERO)
NEVER: Final[Condition] = (ops.CC_NE, ops.KIND_64, ZERO, ZERO)


def test_of(b: Builder, value: int, heap: int, nullable: bool) -> Condition:
    """The condition under which a reference is one to `heap`; `ALWAYS` and `NEVER` where it is known."""
    if value < 0 and not b.constants[~value]:
        return ALWAYS if nullable else NEVER
    reftype = known(b, value, heap)
    own, may_be_null = vt.heap_of(reftype), vt.is_nullable(reftype)
    if heap in _TOPS or is_heap_subtype(own, heap):
        return ALWAYS if nullable or not may_be_null else (ops.CC_NE, ops.KIND_64, value, ZERO)
    if heap in _BOTTOMS or _are_disjoint(own, heap):
        return (ops.CC_E, ops.KIND_64, value, ZERO) if nullable and may_be_null else NEVER
    if heap == vt.I31 and not (nullable and may_be_null):
        return ops.CC_NE, ops.KIND_TEST32, value, b.constant(I31_TAG)
    test = _what(b, heap)
    if nullable:
        test |= ops.TEST_NULL
    if not may_be_null:
        test |= ops.TEST_NOT_NULL
    if own not in _NUMBERS:
        test |= ops.TEST_HEAP
    return ops.CC_E, ops.KIND_REF, value, b.constant(test)


def _what(b: Builder, heap: int) -> int:
    if heap < 0:
        return _WHAT[heap]
    index = b.context.type_index(heap)
    what = ops.TEST_FUNCTION if b.context.is_function_type(index) else ops.TEST_OBJECT
    return what | index << ops.TEST_TYPE_SHIFT


def _are_disjoint(one: int, other: int) -> bool:
    """True where no reference but null is of both types: each has one direct supertype, so types are a tree."""
    return not is_heap_subtype(other, one)


def _truth(b: Builder, condition: Condition) -> int:
    """The value of a condition: 0 or 1."""
    cc, kind, x, y = condition
    if x < 0:
        return b.constant(int(cc == ops.CC_E))
    if kind == ops.KIND_TEST32:
        return b.pure((_AND, x, y, 0))
    return b.pure((ops.REF_TEST if kind == ops.KIND_REF else ops.CMP64, x, y, cc))


def _ref_test(nullable: bool) -> Callable[[Builder, int, Any], bool]:
    def ref_test(b: Builder, op: int, imm: Any) -> bool:
        b.stack[-1] = _truth(b, test_of(b, b.stack[-1], imm, nullable))
        return False

    return ref_test


def _ref_cast(nullable: bool) -> Callable[[Builder, int, Any], bool]:
    def ref_cast(b: Builder, op: int, imm: Any) -> bool:
        value = b.stack[-1]
        condition = test_of(b, value, imm, nullable)
        cc, kind, x, y = condition
        if condition is ALWAYS:
            return False
        if condition is NEVER:
            b.effect((ops.TRAP, NO, NO, _FAILED))
            return True
        if kind == ops.KIND_REF:
            b.effect((ops.REF_CAST, x, y, _FAILED))
        else:
            b.effect((ops.TRAP_IF, x, y, (cc ^ 1, kind, _FAILED)))
        _passed(b, value, imm, nullable)
        return False

    return ref_cast


def _passed(b: Builder, value: int, heap: int, nullable: bool) -> None:
    """The test has held: keep what is new in it."""
    nullable = nullable and not is_never_null(b, value)
    own = vt.heap_of(known(b, value, heap))
    refine(b, value, own if is_heap_subtype(own, heap) else heap, nullable)


def _branch(on_success: bool) -> Callable[[Builder, int, Any], bool]:
    def br_on_cast(b: Builder, op: int, imm: Any) -> bool:
        depth, _, target = imm
        value = b.stack[-1]
        heap, nullable = vt.heap_of(target), vt.is_nullable(target)
        condition = test_of(b, value, heap, nullable)
        if condition is (ALWAYS if on_success else NEVER):
            return control.br(b, op, depth)
        if condition is not ALWAYS and condition is not NEVER:
            cc, kind, x, y = condition
            edge, label = control.new_edge(b, depth)
            b.insts.append((ops.BR_IF, x, y, (cc if on_success else cc ^ 1, kind, edge, label)))
            if not on_success:
                _passed(b, value, heap, nullable)
            elif nullable:
                refine_non_null(b, value, heap)
        return False

    return br_on_cast


HANDLERS: Final[dict[int, Callable[[Builder, int, Any], bool]]] = {
    0xFB014: _ref_test(nullable=False), 0xFB015: _ref_test(nullable=True),
    0xFB016: _ref_cast(nullable=False), 0xFB017: _ref_cast(nullable=True),
    0xFB018: _branch(on_success=True), 0xFB019: _branch(on_success=False),
}  # fmt: skip
