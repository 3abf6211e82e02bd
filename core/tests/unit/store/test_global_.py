"""Global variables."""

from __future__ import annotations

import pytest

from purewasm.store.global_ import Global
from purewasm.wasm import valtypes as vt
from purewasm.wasm.module import GlobalType


def test_the_value_is_public_and_raw_inside() -> None:
    made = Global(GlobalType(vt.I32, True), 2**32 - 1)
    assert made.value == -1
    made.value = -2
    assert (made.raw, made.value) == (2**32 - 2, -2)


def test_a_constant_cannot_be_written() -> None:
    made = Global(GlobalType(vt.I64, False), 5)
    with pytest.raises(TypeError, match="this global is immutable"):
        made.value = 6
    assert made.value == 5


@pytest.mark.parametrize(("value", "error"), [(2**32, OverflowError), ("1", TypeError), (None, TypeError)])
def test_a_value_of_another_type_is_refused(value: object, error: type[Exception]) -> None:
    made = Global(GlobalType(vt.I32, True), 5)
    with pytest.raises(error):
        made.value = value
    assert made.value == 5


def test_references_keep_their_identity() -> None:
    thing = object()
    made = Global(GlobalType(vt.EXTERNREF, True), None)
    made.value = thing
    assert made.value is thing


def test_it_says_what_it_is() -> None:
    assert repr(Global(GlobalType(vt.I32, True), 2**32 - 1)) == "<Global mut i32 = -1>"
    assert repr(Global(GlobalType(vt.EXTERNREF, False), None)) == "<Global externref = None>"
