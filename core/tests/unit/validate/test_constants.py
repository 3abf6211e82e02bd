from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import (
    END,
    EXTERNREF,
    F32,
    F64,
    FUNCREF,
    I32,
    I64,
    V128,
    assemble,
    module,
    name,
    reference,
    section,
    signed,
    vector,
)
from core.tests.unit.validate.bodies import validate
from purewasm.errors import InvalidError, ModuleError, UnsupportedError
from purewasm.wasm.features import Features

ALL = Features.all()
STRUCT, ARRAY = 1, 2
_TYPES = section(1, vector([b"\x60\0\0", b"\x5f\1\x7f\0", b"\x5e\x7f\0", b"\x5f\1" + reference(1, null=False) + b"\0"]))
# Globals 0 and 1 are imported, an i32 and a mutable i32; 2 is an i64 defined before the one under test.
_IMPORTS = section(2, vector([name("m") + name("a") + b"\3\x7f\0", name("m") + name("b") + b"\3\x7f\1", name("m") + name("f") + b"\0\0"]))


def _global(valtype: bytes, *items: str | int | bytes) -> bytes:
    entries = [I64 + b"\0" + assemble("i64.const", 5, "end"), valtype + b"\0" + assemble(*items) + END, I64 + b"\0\x42\0" + END]
    return module(_TYPES, _IMPORTS, section(6, vector(entries)))


def _accept(valtype: bytes, *items: str | int | bytes, features: Features = ALL) -> None:
    validate(_global(valtype, *items), features)


def _refuse(message: str, valtype: bytes, *items: str | int | bytes, kind: type[ModuleError] = InvalidError) -> None:
    with pytest.raises(kind, match=f"^{message}") as caught:
        validate(_global(valtype, *items))
    assert caught.value.offset is not None


def test_constants() -> None:
    _accept(I32, "i32.const", signed(-5))
    _accept(I64, "i64.const", 1)
    _accept(F32, "f32.const", bytes(4))
    _accept(F64, "f64.const", bytes(8))
    _accept(V128, "v128.const", bytes(16))
    _accept(FUNCREF, "ref.null", b"\x70")
    _accept(FUNCREF, "ref.func", 0)
    _accept(reference(0, null=False), "ref.func", 0)


def test_arithmetic() -> None:
    _accept(I32, "i32.const", 1, "i32.const", 2, "i32.add", "global.get", 0, "i32.mul", "i32.const", 3, "i32.sub")
    _accept(I64, "i64.const", 1, "i64.const", 2, "i64.add", "i64.const", 3, "i64.mul", "i64.const", 4, "i64.sub")
    _refuse("constant expression required: i32.div_s is not constant", I32, "i32.const", 1, "i32.const", 2, "i32.div_s")


def test_aggregates() -> None:
    _accept(reference(STRUCT), "i32.const", 1, "struct.new", STRUCT)
    _accept(reference(STRUCT), "struct.new_default", STRUCT)
    _accept(reference(3), "struct.new_default", STRUCT, "struct.new", 3)
    _accept(reference(ARRAY), "i32.const", 1, "i32.const", 2, "array.new", ARRAY)
    _accept(reference(ARRAY), "i32.const", 2, "array.new_default", ARRAY)
    _accept(reference(ARRAY), "i32.const", 1, "i32.const", 2, "array.new_fixed", ARRAY, 2)
    _accept(b"\x6c", "i32.const", 1, "ref.i31")
    _accept(EXTERNREF, "i32.const", 1, "ref.i31", "extern.convert_any")
    _refuse("constant expression required: struct.get is not constant", I32, "struct.new_default", STRUCT, "struct.get", STRUCT, 0)


@pytest.mark.parametrize(
    "items",
    [
        ("i32.const", 0, "i32.ctz"), ("nop",), ("i32.const", 0, "nop"), ("local.get", 0), ("call", 0), ("unreachable",),
        ("i32.const", 0, "i32.const", 0, "i32.const", 0, "select"), ("block", I32, "i32.const", 0, "end"), ("i32.const", 0, "drop"),
        ("memory.size", 0), ("i32.const", 0, "i32.const", 1, "i32.and"), ("i32.const", 0, "return"),
        ("ref.null", b"\x70", "ref.is_null"), ("v128.const", bytes(16), "v128.any_true"), ("f32.const", bytes(4), "i32.trunc_sat_f32_s"),
    ],
)  # fmt: skip
def test_what_is_not_constant(items: tuple[str | int | bytes, ...]) -> None:
    _refuse("constant expression required", I32, *items)


def test_types_and_numbers_of_values() -> None:
    _refuse("type mismatch", I32, "i64.const", 0)
    _refuse("type mismatch", I32)
    _refuse("type mismatch", I32, "i32.const", 0, "i32.const", 0)
    _refuse("type mismatch", I32, "i32.const", 0, "i32.add")
    _refuse("type mismatch", reference(0, null=False), "ref.null", 0)
    _refuse("type mismatch", FUNCREF, "ref.null", b"\x6f")


def test_globals_that_are_visible() -> None:
    _accept(I32, "global.get", 0)
    _accept(I64, "global.get", 2)
    _refuse("constant expression required: global 1 is mutable", I32, "global.get", 1)
    _refuse("unknown global 3: it is defined later", I32, "global.get", 3)
    _refuse("unknown global 4: it is defined later", I64, "global.get", 4)
    _refuse("unknown global 5: it does not exist", I64, "global.get", 5)


def test_defined_globals_are_visible_since_garbage_collection() -> None:
    with pytest.raises(InvalidError, match=r"^unknown global 2"):
        validate(_global(I64, "global.get", 2).replace(_TYPES, section(1, b"\1\x60\0\0")), Features.WASM2)


def test_functions_that_do_not_exist() -> None:
    _refuse("unknown function 1", FUNCREF, "ref.func", 1)


def test_messages_say_what_the_expression_is_for() -> None:
    _refuse(r"type mismatch: .* \(in the initial value of global 3\)", I32, "i64.const", 0)


@pytest.mark.parametrize(
    ("feature", "valtype", "items"),
    [
        ("extended-const", I32, ("i32.const", 1, "i32.const", 1, "i32.add")),
        ("simd", V128, ("v128.const", bytes(16))),
        ("reference-types", FUNCREF, ("ref.null", b"\x70")),
    ],
)
def test_proposals_that_are_off(feature: str, valtype: bytes, items: tuple[str | int | bytes, ...]) -> None:
    with pytest.raises(UnsupportedError) as caught:
        _accept(valtype, *items, features=ALL.without(feature))
    assert feature == caught.value.feature
