from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import I32, I64
from core.tests.unit.validate.bodies import accept, refuse

ZERO = ("i32.const", 0)
ZERO64 = ("i64.const", 0)
NULL_FUNC = ("ref.null", b"\x70")
NULL_EXTERN = ("ref.null", b"\x6f")


def test_access() -> None:
    accept(*ZERO, "table.get", 0, "ref.is_null", "drop")
    accept(*ZERO, *NULL_FUNC, "table.set", 0)
    accept(*ZERO, *NULL_EXTERN, "table.set", 1)
    accept(*ZERO, "ref.func", 0, "table.set", 3)
    refuse("type mismatch", *ZERO, *NULL_FUNC, "table.set", 1)
    refuse("type mismatch", *ZERO, *NULL_FUNC, "table.set", 3)
    refuse("type mismatch", *NULL_FUNC, "table.get", 0, "drop")


def test_size_and_growth_have_the_tables_address_type() -> None:
    accept("table.size", 0, results=I32)
    accept("table.size", 2, results=I64)
    accept(*NULL_FUNC, *ZERO, "table.grow", 0, results=I32)
    accept(*NULL_FUNC, *ZERO64, "table.grow", 2, results=I64)
    accept(*ZERO64, "table.get", 2, "drop")
    refuse("type mismatch", *NULL_FUNC, *ZERO, "table.grow", 2, results=I64)
    refuse("type mismatch", *ZERO, *NULL_FUNC, "table.grow", 0, results=I32)


def test_fill_and_copy() -> None:
    accept(*ZERO, *NULL_FUNC, *ZERO, "table.fill", 0)
    accept(*ZERO64, *NULL_FUNC, *ZERO64, "table.fill", 2)
    accept(*ZERO, *ZERO, *ZERO, "table.copy", 0, 0)
    accept(*ZERO, *ZERO, *ZERO, "table.copy", 0, 3)
    accept(*ZERO64, *ZERO, *ZERO, "table.copy", 2, 0)
    accept(*ZERO64, *ZERO64, *ZERO64, "table.copy", 2, 2)
    refuse("type mismatch", *ZERO64, *ZERO, *ZERO64, "table.copy", 2, 0)
    refuse("type mismatch: table.copy from", *ZERO, *ZERO, *ZERO, "table.copy", 0, 1)
    refuse("type mismatch: table.copy from", *ZERO, *ZERO, *ZERO, "table.copy", 3, 0)


def test_init_and_drop() -> None:
    accept(*ZERO, *ZERO, *ZERO, "table.init", 0, 0)
    accept(*ZERO64, *ZERO, *ZERO, "table.init", 0, 2)
    accept("elem.drop", 1)
    refuse("type mismatch: table.init from", *ZERO, *ZERO, *ZERO, "table.init", 0, 1)
    refuse("type mismatch", *ZERO, *ZERO, "table.init", 0, 0)
    refuse("unknown elem segment 2", *ZERO, *ZERO, *ZERO, "table.init", 2, 0)
    refuse("unknown elem segment 2", "elem.drop", 2)


@pytest.mark.parametrize("opcode", ["table.get", "table.set", "table.size", "table.grow", "table.fill"])
def test_unknown_tables(opcode: str) -> None:
    refuse("unknown table 4", "unreachable", opcode, 4, "unreachable")


def test_unknown_tables_of_two() -> None:
    refuse("unknown table 4", "unreachable", "table.copy", 4, 0)
    refuse("unknown table 4", "unreachable", "table.copy", 0, 4)
    refuse("unknown table 4", "unreachable", "table.init", 0, 4)
