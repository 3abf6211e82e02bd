"""Types as users see them."""

from __future__ import annotations

import pytest

from purewasm.store.descriptors import FunctionType, describe_function, format_extern_type, parse_function_type, parse_valtype
from purewasm.wasm import module as wm
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import func_type


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (FunctionType((), ()), "() -> ()"),
        (FunctionType(("i32", "i64"), ("f32",)), "(i32, i64) -> f32"),
        (FunctionType(("i32",), ("f32", "f64"), ("length",)), "(length: i32) -> (f32, f64)"),
        (FunctionType(("i32", "i32"), (), (None, "b")), "(i32, b: i32) -> ()"),
    ],
)
def test_text_of_a_function_type(type_: FunctionType, text: str) -> None:
    assert str(type_) == text


def test_names_of_value_types() -> None:
    assert describe_function(func_type((vt.I32, vt.FUNCREF), (vt.V128,)).func) == FunctionType(("i32", "funcref"), ("v128",))
    assert parse_valtype("externref") == vt.EXTERNREF
    with pytest.raises(ValueError, match="unknown value type 'int': one of i32, i64"):
        parse_valtype("int")


def test_a_function_type_from_names() -> None:
    assert parse_function_type(["i32"], ("i64", "f32")) is func_type((vt.I32,), (vt.I64, vt.F32))
    with pytest.raises(TypeError, match="a sequence of names"):
        parse_function_type("i32", [])


@pytest.mark.parametrize(
    ("kind", "type_", "text"),
    [
        (wm.FUNC, func_type((vt.I32,), ()), "func (i32) -> ()"),
        (wm.TAG, func_type((vt.I32,), ()), "tag (i32)"),
        (wm.MEMORY, wm.MemoryType(wm.Limits(1, None)), "memory 1 pages"),
        (wm.MEMORY, wm.MemoryType(wm.Limits(1, 2), True, True), "memory i64 1 to 2 pages shared"),
        (wm.TABLE, wm.TableType(vt.FUNCREF, wm.Limits(1, 2)), "table 1 to 2 funcref"),
        (wm.GLOBAL, wm.GlobalType(vt.I32, True), "global mut i32"),
        (wm.GLOBAL, wm.GlobalType(vt.I32, False), "global i32"),
    ],
)
def test_text_of_what_is_imported_and_exported(kind: int, type_: object, text: str) -> None:
    assert format_extern_type(kind, type_) == text
