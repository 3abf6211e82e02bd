from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import EXNREF, I32, I64
from core.tests.unit.validate.bodies import EMPTY_BLOCK, accept, malformed, needs, refuse

ZERO = ("i32.const", 0)
VOID = EMPTY_BLOCK
EXN_NON_NULL = b"\x64\x69"
CATCH, CATCH_REF, CATCH_ALL, CATCH_ALL_REF = range(4)


def test_throw() -> None:
    accept("throw", 0)
    accept(*ZERO, "throw", 1)
    accept("throw", 0, "i32.add", "drop")
    refuse(r"type mismatch: instruction requires \[i32\] but stack has \[\]", "throw", 1)
    refuse(r"type mismatch: instruction requires \[i32\] but stack has \[i64\]", "i64.const", 0, "throw", 1)
    refuse("unknown tag 2", "throw", 2)


def test_throw_again() -> None:
    accept("ref.null", b"\x69", "throw_ref")
    accept("unreachable", "throw_ref", "drop")
    refuse("type mismatch", "ref.null", b"\x70", "throw_ref")
    refuse("type mismatch", "throw_ref")


def test_try_table() -> None:
    accept("try_table", VOID, 0, "end")
    accept("try_table", I32, 0, *ZERO, "end", "drop")
    accept(*ZERO, "try_table", 11, 0, "drop", "end")
    accept("block", VOID, "try_table", VOID, 2, CATCH, 0, 0, CATCH_ALL, 0, "end", "end")
    accept("block", I32, "try_table", VOID, 1, CATCH, 1, 0, "end", "unreachable", "end", "drop")
    accept("block", EXNREF, "try_table", VOID, 1, CATCH_ALL_REF, 0, "end", "unreachable", "end", "drop")
    accept("block", EXN_NON_NULL, "try_table", VOID, 1, CATCH_REF, 0, 0, "end", "unreachable", "end", "drop")
    accept("try_table", VOID, 1, CATCH_ALL, 0, "end")


def test_clauses_must_fit_their_labels() -> None:
    refuse(r"type mismatch: catch gives \[i32\] to a label with \[\]", "block", VOID, "try_table", VOID, 1, CATCH, 1, 0, "end", "end")
    refuse(
        r"type mismatch: catch gives \[\] to a label with \[i32\]",
        "block",
        I32,
        "try_table",
        VOID,
        1,
        CATCH,
        0,
        0,
        "end",
        "unreachable",
        "end",
        "drop",
    )
    refuse("type mismatch: catch_ref", "block", VOID, "try_table", VOID, 1, CATCH_REF, 0, 0, "end", "end")
    refuse("type mismatch: catch_all gives", "block", EXNREF, "try_table", VOID, 1, CATCH_ALL, 0, "end", "unreachable", "end", "drop")
    refuse("type mismatch: catch_all_ref", "block", VOID, "try_table", VOID, 1, CATCH_ALL_REF, 0, "end", "end")
    refuse("unknown tag 2", "try_table", VOID, 1, CATCH, 2, 0, "end")
    refuse("unknown label 1", "try_table", VOID, 1, CATCH_ALL, 1, "end")
    malformed("malformed catch clause 0x04", "try_table", VOID, 1, 4, 0, "end")
    refuse("type mismatch", "try_table", I32, 0, "end", "drop")


# ---- legacy exceptions


def test_legacy_try() -> None:
    accept("try", VOID, "end")
    accept("try", VOID, "catch", 0, "end")
    accept("try", VOID, "catch_all", "end")
    accept("try", I32, *ZERO, "catch", 1, "catch", 0, *ZERO, "catch_all", *ZERO, "end", "drop")
    accept(*ZERO, "try", 11, "drop", "catch_all", "end")
    refuse("type mismatch", "try", I32, *ZERO, "catch", 0, "end", "drop")
    refuse("type mismatch", "try", VOID, "catch", 1, "end")
    refuse("type mismatch", "try", I32, "catch", 1, "end", "drop")
    refuse("type mismatch", "try", VOID, "catch_all", *ZERO, "end")
    refuse("unknown tag 2", "try", VOID, "catch", 2, "end")


def test_legacy_rethrow() -> None:
    accept("try", VOID, "catch", 0, "rethrow", 0, "end")
    accept("try", I64, "unreachable", "catch_all", "block", VOID, "rethrow", 1, "end", "unreachable", "end", "drop")
    refuse("invalid rethrow label 0", "try", VOID, "rethrow", 0, "end")
    refuse("invalid rethrow label 0", "try", VOID, "catch_all", "block", VOID, "rethrow", 0, "end", "end")
    refuse("invalid rethrow label 0", "rethrow", 0)
    refuse("unknown label 2", "try", VOID, "catch_all", "rethrow", 2, "end")


def test_legacy_delegate() -> None:
    accept("try", VOID, "delegate", 0)
    accept("try", I32, *ZERO, "delegate", 0, "drop")
    accept("try", VOID, "try", VOID, "delegate", 1, "catch_all", "end")
    refuse("type mismatch", "try", I32, "delegate", 0, "drop")
    refuse("unknown label 1", "try", VOID, "delegate", 1)


@pytest.mark.parametrize(
    "code",
    [
        ("catch", 0), ("catch_all",), ("delegate", 0), ("block", VOID, "catch_all", "end"), ("block", VOID, "delegate", 0),
        ("try", VOID, "catch_all", "catch", 0, "end"), ("try", VOID, "catch_all", "catch_all", "end"),
        ("try", VOID, "catch", 0, "delegate", 0), ("try", VOID, "else", "end"),
    ],
)  # fmt: skip
def test_legacy_parts_out_of_place(code: tuple[str | int | bytes, ...]) -> None:
    malformed("END opcode expected", *code)


def test_proposals_that_are_off() -> None:
    needs("legacy-exceptions", "try", VOID, "end")
