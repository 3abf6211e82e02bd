from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import ANYREF, EXTERNREF, FUNCREF, I32, reference
from core.tests.unit.validate.bodies import accept, refuse

ANY_NON_NULL = b"\x64\x6e"
EXTERN_NON_NULL = b"\x64\x6f"


@pytest.mark.parametrize("heap", [b"\x70", b"\x6f", b"\x6e", b"\x6d", b"\x6c", b"\x6b", b"\x6a", b"\x69", b"\x71", b"\x73", b"\1", b"\3"])
def test_null(heap: bytes) -> None:
    accept("ref.null", heap, "ref.is_null", "drop")
    accept("block", b"\x63" + heap, "ref.null", heap, "end", "drop")
    refuse("type mismatch", "block", b"\x64" + heap, "ref.null", heap, "end", "drop")


def test_null_of_nothing() -> None:
    refuse("unknown type 99", "ref.null", b"\xe3\0", "drop")
    refuse("type mismatch: instruction requires a reference", "i32.const", 0, "ref.is_null", "drop")
    refuse("type mismatch", "ref.is_null")


def test_functions_must_be_declared() -> None:
    accept("ref.func", 0, "call_ref", 1)
    refuse("undeclared function reference 2", "ref.func", 2, "drop")
    refuse("unknown function 5", "ref.func", 5, "drop")


def test_functions_are_of_their_type_and_not_null() -> None:
    accept("block", reference(1, null=False), "ref.func", 0, "end", "drop")
    accept("block", FUNCREF, "ref.func", 0, "end", "drop")
    refuse("type mismatch", "block", reference(2), "ref.func", 0, "end", "drop")


def test_equality_is_for_eq() -> None:
    accept("ref.null", b"\x6c", "ref.null", 3, "ref.eq", "drop")
    accept("unreachable", "ref.eq", "drop")
    refuse("type mismatch", "ref.null", b"\x6e", "ref.null", b"\x6d", "ref.eq", "drop")
    refuse("type mismatch", "ref.null", b"\x6f", "ref.null", b"\x6f", "ref.eq", "drop")


def test_as_non_null() -> None:
    accept("block", reference(1, null=False), "ref.null", 1, "ref.as_non_null", "end", "drop")
    accept("unreachable", "ref.as_non_null", "call_ref", 1)
    refuse("type mismatch", "i32.const", 0, "ref.as_non_null", "drop")
    refuse(
        r"type mismatch: instruction requires \[i32\] but stack has \[\(ref bot\)\]", "unreachable", "ref.as_non_null", "i32.eqz", "drop"
    )


@pytest.mark.parametrize("suffix", ["", " null"])
def test_tests_and_casts_stay_in_their_hierarchy(suffix: str) -> None:
    for source, target in ((b"\x6e", b"\x6b"), (b"\x6b", b"\x6a"), (b"\x6e", b"\3"), (b"\x70", b"\1"), (b"\x6f", b"\x72"), (b"\1", b"\2")):
        accept("ref.null", source, f"ref.test{suffix}", target, "drop")
        accept("ref.null", source, f"ref.cast{suffix}", target, "drop")
    for source, target in ((b"\x6e", b"\x70"), (b"\x70", b"\3"), (b"\x6f", b"\x6e")):
        refuse("type mismatch", "ref.null", source, f"ref.test{suffix}", target, "drop")
        refuse("type mismatch", "ref.null", source, f"ref.cast{suffix}", target, "drop")


def test_results_of_casts() -> None:
    accept("block", b"\x64\x6b", "ref.null", b"\x6e", "ref.cast", b"\x6b", "end", "drop")
    accept("block", b"\x63\x6b", "ref.null", b"\x6e", "ref.cast null", b"\x6b", "end", "drop")
    refuse("type mismatch", "block", b"\x64\x6b", "ref.null", b"\x6e", "ref.cast null", b"\x6b", "end", "drop")
    accept("ref.null", b"\x6e", "ref.test", b"\x6b", results=I32)


def test_conversions_keep_nullability() -> None:
    accept("ref.null", b"\x6f", "any.convert_extern", results=ANYREF)
    accept("ref.null", b"\x6b", "extern.convert_any", results=EXTERNREF)
    accept("block", ANY_NON_NULL, "local.get", 0, "any.convert_extern", "end", "drop", signature=b"\x60\1" + EXTERN_NON_NULL + b"\0")
    accept("block", EXTERN_NON_NULL, "ref.null", b"\x6e", "ref.as_non_null", "extern.convert_any", "end", "drop")
    accept("block", ANY_NON_NULL, "unreachable", "any.convert_extern", "end", "drop")
    refuse("type mismatch", "block", ANY_NON_NULL, "ref.null", b"\x6f", "any.convert_extern", "end", "drop")
    refuse("type mismatch", "ref.null", b"\x6e", "any.convert_extern", "drop")
    refuse("type mismatch", "ref.null", b"\x70", "extern.convert_any", "drop")
    refuse("type mismatch", "i32.const", 0, "extern.convert_any", "drop")


def test_i31() -> None:
    accept("i32.const", 0, "ref.i31", "i31.get_s", "drop")
    accept("ref.null", b"\x6c", "i31.get_u", "drop")
    accept("block", b"\x64\x6c", "i32.const", 0, "ref.i31", "end", "drop")
    refuse("type mismatch", "i64.const", 0, "ref.i31", "drop")
    refuse("type mismatch", "ref.null", b"\x6d", "i31.get_s", "drop")


def test_subtypes_pass_where_their_supertypes_are_asked_for() -> None:
    accept("block", reference(7), "ref.null", 8, "end", "drop")
    accept("block", b"\x6b", "ref.null", 8, "end", "drop")
    accept("block", reference(8), "ref.null", b"\x71", "end", "drop")
    refuse("type mismatch", "block", reference(8), "ref.null", 7, "end", "drop")
    refuse("type mismatch", "block", reference(1), "ref.null", b"\x71", "end", "drop")
