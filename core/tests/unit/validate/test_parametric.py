from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import EXTERNREF, F64, FUNCREF, I32, I64, V128
from core.tests.unit.validate.bodies import accept, refuse

ZERO = ("i32.const", 0)
ZERO64 = ("i64.const", 0)


def test_drop() -> None:
    accept(*ZERO, "drop")
    accept("ref.null", b"\x70", "drop")
    refuse(r"type mismatch: .* \(drop in function 2\)", "drop")


@pytest.mark.parametrize("valtype", [I32, I64, F64, V128])
def test_select_of_numbers_and_vectors(valtype: bytes) -> None:
    accept("local.get", 0, "local.get", 0, *ZERO, "select", "drop", params=valtype)


def test_select_needs_two_of_a_kind_and_a_condition() -> None:
    refuse("type mismatch", *ZERO, *ZERO64, *ZERO, "select", "drop")
    refuse("type mismatch", *ZERO, *ZERO, *ZERO64, "select", "drop")
    refuse("type mismatch", *ZERO, *ZERO, "select", "drop")
    refuse("type mismatch", "select")
    refuse("type mismatch: select without a type", "ref.null", b"\x70", "ref.null", b"\x70", *ZERO, "select", "drop")


def test_select_in_unreachable_code_knows_what_it_can() -> None:
    accept("unreachable", "select", "i64.eqz", "drop")
    accept("unreachable", *ZERO64, *ZERO, "select", "i64.eqz", "drop")
    refuse("type mismatch", "unreachable", *ZERO64, *ZERO, "select", "i32.eqz", "drop")
    refuse("type mismatch", "unreachable", "ref.null", b"\x70", *ZERO, "select", "drop")


@pytest.mark.parametrize("valtype", [I32, V128, FUNCREF, EXTERNREF])
def test_select_with_a_type(valtype: bytes) -> None:
    accept("local.get", 0, "local.get", 0, *ZERO, "select t", 1, valtype, "drop", params=valtype)


def test_select_with_a_type_has_exactly_one() -> None:
    refuse("invalid result arity", "unreachable", "select t", 0, "drop")
    refuse("invalid result arity", "unreachable", "select t", 2, I32 + I32, "drop")
    refuse("type mismatch", *ZERO, *ZERO64, *ZERO, "select t", 1, I32, "drop")
    accept("ref.func", 0, "ref.null", b"\x70", *ZERO, "select t", 1, FUNCREF, "drop")
