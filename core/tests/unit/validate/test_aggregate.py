from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import FUNCREF, I32, reference
from core.tests.unit.validate.bodies import accept, refuse
from purewasm.errors import UnsupportedError
from purewasm.wasm.limits import MAX_ARRAY_NEW_FIXED

STRUCT, ARRAY, BYTES, FUNCTIONS, BASE, DERIVED, UNDEFAULTABLE, OF_BASE, OF_DERIVED = 3, 4, 5, 6, 7, 8, 9, 12, 13
ZERO = ("i32.const", 0)
F64_ZERO = ("f64.const", bytes(8))


def _null(type_index: int) -> tuple[str | int, ...]:
    return "ref.null", type_index


def test_new_structures() -> None:
    accept("block", reference(STRUCT, null=False), *ZERO, *ZERO, *F64_ZERO, "struct.new", STRUCT, "end", "drop")
    accept("struct.new_default", STRUCT, "drop")
    accept("struct.new", BASE, "drop")
    refuse("type mismatch", *ZERO, *ZERO, "struct.new", STRUCT, "drop")
    refuse("type mismatch", *F64_ZERO, *ZERO, *ZERO, "struct.new", STRUCT, "drop")
    refuse("type mismatch: field 0 has no default value", "struct.new_default", UNDEFAULTABLE, "drop")
    refuse("type mismatch: type 4 is no structure type", "struct.new_default", ARRAY, "drop")
    refuse("unknown type 99", "struct.new_default", 99, "drop")


def test_fields() -> None:
    accept(*_null(STRUCT), "struct.get", STRUCT, 0, results=I32)
    accept(*_null(STRUCT), "struct.get_s", STRUCT, 1, results=I32)
    accept(*_null(STRUCT), "struct.get_u", STRUCT, 1, results=I32)
    accept(*_null(STRUCT), *ZERO, "struct.set", STRUCT, 1)
    accept(*_null(DERIVED), "struct.get", DERIVED, 0, "drop")
    refuse("type mismatch", *_null(STRUCT), "struct.get", STRUCT, 1, "drop")
    refuse("type mismatch", *_null(STRUCT), "struct.get_s", STRUCT, 0, "drop")
    refuse("type mismatch", *_null(BASE), "struct.get", DERIVED, 0, "drop")
    refuse("immutable field 2 is written", *_null(STRUCT), *F64_ZERO, "struct.set", STRUCT, 2)
    refuse("unknown field 3", *_null(STRUCT), "struct.get", STRUCT, 3, "drop")
    refuse("type mismatch", *ZERO, *_null(STRUCT), "struct.set", STRUCT, 0)


def test_new_arrays() -> None:
    accept("block", reference(ARRAY, null=False), *ZERO, *ZERO, "array.new", ARRAY, "end", "drop")
    accept(*ZERO, "array.new_default", ARRAY, "drop")
    accept(*ZERO, *ZERO, "array.new_fixed", BYTES, 2, "drop")
    accept("array.new_fixed", ARRAY, 0, "drop")
    accept("unreachable", "array.new_fixed", ARRAY, MAX_ARRAY_NEW_FIXED, "drop")
    refuse("type mismatch", *ZERO, "array.new_fixed", BYTES, 2, "drop")
    refuse("type mismatch", "i64.const", 0, *ZERO, "array.new", ARRAY, "drop")
    refuse("type mismatch: type 3 is no array type", *ZERO, "array.new_default", STRUCT, "drop")
    refuse(
        "too many operands of array.new_fixed",
        "unreachable",
        "array.new_fixed",
        ARRAY,
        MAX_ARRAY_NEW_FIXED + 1,
        "drop",
        kind=UnsupportedError,
    )


def test_arrays_from_segments() -> None:
    accept(*ZERO, *ZERO, "array.new_data", BYTES, 0, "drop")
    accept(*ZERO, *ZERO, "array.new_elem", FUNCTIONS, 0, "drop")
    accept(*_null(ARRAY), *ZERO, *ZERO, *ZERO, "array.init_data", ARRAY, 0)
    accept(*_null(FUNCTIONS), *ZERO, *ZERO, *ZERO, "array.init_elem", FUNCTIONS, 0)
    refuse("array type is not numeric or vector", *ZERO, *ZERO, "array.new_data", FUNCTIONS, 0, "drop")
    refuse("array type is not numeric or vector", *_null(FUNCTIONS), *ZERO, *ZERO, *ZERO, "array.init_data", FUNCTIONS, 0)
    refuse("type mismatch", *ZERO, *ZERO, "array.new_elem", ARRAY, 0, "drop")
    refuse("type mismatch", *ZERO, *ZERO, "array.new_elem", FUNCTIONS, 1, "drop")
    refuse("unknown data segment 1", *ZERO, *ZERO, "array.new_data", BYTES, 1, "drop")
    refuse("unknown elem segment 2", *ZERO, *ZERO, "array.new_elem", FUNCTIONS, 2, "drop")
    refuse("immutable array", *_null(BYTES), *ZERO, *ZERO, *ZERO, "array.init_data", BYTES, 0)
    refuse("unknown elem segment 2", *_null(FUNCTIONS), *ZERO, *ZERO, *ZERO, "array.init_elem", FUNCTIONS, 2)


def test_elements() -> None:
    accept(*_null(ARRAY), *ZERO, "array.get", ARRAY, results=I32)
    accept(*_null(BYTES), *ZERO, "array.get_s", BYTES, results=I32)
    accept(*_null(BYTES), *ZERO, "array.get_u", BYTES, results=I32)
    accept(*_null(FUNCTIONS), *ZERO, "array.get", FUNCTIONS, results=FUNCREF)
    accept(*_null(ARRAY), *ZERO, *ZERO, "array.set", ARRAY)
    accept(*_null(ARRAY), *ZERO, *ZERO, *ZERO, "array.fill", ARRAY)
    refuse("type mismatch", *_null(BYTES), *ZERO, "array.get", BYTES, "drop")
    refuse("type mismatch", *_null(ARRAY), *ZERO, "array.get_u", ARRAY, "drop")
    refuse("immutable array", *_null(BYTES), *ZERO, *ZERO, "array.set", BYTES)
    refuse("immutable array", *_null(BYTES), *ZERO, *ZERO, *ZERO, "array.fill", BYTES)
    refuse("type mismatch", *_null(ARRAY), *ZERO, "i64.const", 0, "array.set", ARRAY)


def test_length_and_copies() -> None:
    accept(*_null(BYTES), "array.len", results=I32)
    accept("ref.null", b"\x6a", "array.len", results=I32)
    refuse("type mismatch", *_null(STRUCT), "array.len", "drop")
    accept(*_null(OF_BASE), *ZERO, *_null(OF_DERIVED), *ZERO, *ZERO, "array.copy", OF_BASE, OF_DERIVED)
    refuse("array types do not match", *_null(OF_DERIVED), *ZERO, *_null(OF_BASE), *ZERO, *ZERO, "array.copy", OF_DERIVED, OF_BASE)
    refuse("array types do not match", *_null(ARRAY), *ZERO, *_null(BYTES), *ZERO, *ZERO, "array.copy", ARRAY, BYTES)
    refuse("immutable array", *_null(BYTES), *ZERO, *_null(BYTES), *ZERO, *ZERO, "array.copy", BYTES, BYTES)
    refuse("type mismatch", *_null(OF_BASE), *ZERO, *_null(OF_DERIVED), *ZERO, "i64.const", 0, "array.copy", OF_BASE, OF_DERIVED)


@pytest.mark.parametrize(
    "opcode", ["array.new", "array.get", "array.set", "array.fill", "array.new_default", "struct.new", "struct.new_default"]
)
def test_unknown_types(opcode: str) -> None:
    refuse("unknown type 99", "unreachable", opcode, 99, "unreachable")
