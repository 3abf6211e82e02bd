"""What is known of a reference's type while a function is built: casts that must succeed go, and tests look at no more than they need.

A value's type is noted where it is made: it holds wherever the value is. What a cast or an access has found out stands in the value
numbering, by the value and the number of the finding: it is forgotten where ways meet. A value that nothing is noted of can be anything.
"""

from __future__ import annotations

from purewasm.frontend.state import ZERO
from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.store.layout import I31_TAG
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import top_of

if TYPE_CHECKING:
    from purewasm.frontend.state import Builder

_NULL: Final = vt.ref_type(vt.BOTTOM_HEAP, True)
_I31: Final = vt.ref_type(vt.I31, False)
_TESTED: Final = {ops.TEST_I31: vt.I31, ops.TEST_STRUCT: vt.STRUCT, ops.TEST_ARRAY: vt.ARRAY, ops.TEST_EQ: vt.EQ}


def note(b: Builder, value: int, valtype: int) -> None:
    """The type of a value that has just been made; numbers are not noted."""
    if valtype >= vt.REF_BASE and value >= 0:
        b.types[value] = valtype


def note_results(b: Builder, valtypes: tuple[int, ...]) -> None:
    """The types of the topmost operands."""
    for value, valtype in zip(b.stack[len(b.stack) - len(valtypes) :], valtypes, strict=True):
        note(b, value, valtype)


def refine(b: Builder, value: int, heap: int, nullable: bool) -> None:
    """From here on, as long as the value numbering remembers it, a value is known to be of this type too."""
    if value < 0:
        return
    numbering, number, found = b.numbering, 0, ops.NO
    while (finding := numbering.get((ops.REF_CAST, value, number, 0))) is not None:
        number, found = number + 1, finding
    reftype = vt.ref_type(heap, nullable)
    if reftype != found:
        numbering[ops.REF_CAST, value, number, 0] = reftype  # a new entry: what is known on a way must not change what was before it


def _found(b: Builder, value: int) -> int | None:
    """The type of a value as far as anything is known: the last finding, or what it was made as."""
    numbering, number, found = b.numbering, 0, b.types.get(value)
    while (finding := numbering.get((ops.REF_CAST, value, number, 0))) is not None:
        number, found = number + 1, finding
    return found


def refine_non_null(b: Builder, value: int, hierarchy: int) -> None:
    """The same of a value that has turned out to be no null."""
    refine(b, value, vt.heap_of(known(b, value, hierarchy)), False)


def known(b: Builder, value: int, hierarchy: int) -> int:
    """The reference type of an operand, as far as it is known; `hierarchy` is any heap type of its hierarchy."""
    if value < 0:
        return _I31 if b.constants[~value] else _NULL
    return _found(b, value) or vt.ref_type(top_of(hierarchy), True)


def is_never_null(b: Builder, value: int) -> bool:
    if value < 0:
        return bool(b.constants[~value])
    found = _found(b, value)
    return found is not None and not found & 1


def learn(b: Builder, condition: int, kind: int, x: int, y: int) -> None:
    """A condition on a reference holds from here to the end of the block."""
    if kind == ops.KIND_64:
        if y == ZERO and condition == ops.CC_NE and x in b.types:
            refine_non_null(b, x, vt.ANY)
    elif kind == ops.KIND_TEST32:
        if condition == ops.CC_NE and y < 0 and b.constants[~y] == I31_TAG:
            refine(b, x, vt.I31, False)  # or it was a number, of which nobody will ask
    elif kind == ops.KIND_REF and condition == ops.CC_E:
        test = int(b.constants[~y])
        what = test & ops.TEST_WHAT
        heap = _TESTED.get(what)
        if heap is None:
            heap = b.context.module.types[test >> ops.TEST_TYPE_SHIFT].id
        refine(b, x, heap, bool(test & ops.TEST_NULL) and not is_never_null(b, x))
