"""Exception tags, and the exceptions made of them."""

from __future__ import annotations

import pytest

from purewasm.errors import GuestException
from purewasm.store.tag import Tag
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import func_type

TAG = Tag(func_type((vt.I32, vt.F64), ()), "failure")


def test_an_exception_carries_values() -> None:
    error = TAG.exception(-1, 2.5)
    assert isinstance(error, GuestException)
    assert error.tag is TAG
    assert (error.raw, error.values) == ((2**32 - 1, 2.5), (-1, 2.5))
    assert "failure" in str(error)
    assert "(-1, 2.5)" in repr(error)


def test_a_wrong_number_of_values() -> None:
    with pytest.raises(TypeError, match="takes 2 values, got 1"):
        TAG.exception(1)


@pytest.mark.parametrize(("values", "error"), [((2**32, 1.0), OverflowError), (("1", 1.0), TypeError), ((1, None), TypeError)])
def test_values_of_another_type(values: tuple[object, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        TAG.exception(*values)


def test_tags_are_told_apart_by_identity() -> None:
    assert TAG != Tag(TAG.deftype, "failure")
    assert repr(TAG) == "<Tag failure[i32 f64]>"
    assert TAG.params == (vt.I32, vt.F64)
