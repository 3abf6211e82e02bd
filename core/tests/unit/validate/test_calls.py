from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import FUNCREF, I32, I64, reference
from core.tests.unit.validate.bodies import accept, needs, refuse

ZERO = ("i32.const", 0)
ZERO64 = ("i64.const", 0)


def test_calls() -> None:
    accept("call", 0)
    accept(*ZERO, "call", 1, results=I64)
    accept(*ZERO64, *ZERO, "call", 3, results=I32 + I64)
    accept("unreachable", "call", 1, results=I64)
    accept("unreachable", *ZERO, "call", 3, results=I32 + I64)
    refuse(r"type mismatch: instruction requires \[i32\] but stack has \[\] \(call in function 2\)", "call", 1, results=I64)
    refuse(r"type mismatch: instruction requires \[i32\] but stack has \[i64\]", *ZERO64, "call", 1, results=I64)
    refuse("type mismatch", *ZERO, *ZERO64, "call", 3, results=I32 + I64)
    refuse("type mismatch", "unreachable", *ZERO64, "call", 3, results=I32 + I64)


@pytest.mark.parametrize("opcode", ["call", "return_call"])
@pytest.mark.parametrize("index", [5, 300])
def test_unknown_functions(opcode: str, index: int) -> None:
    refuse(f"unknown function {index}", opcode, index)


def test_calls_through_tables() -> None:
    accept(*ZERO, "call_indirect", 1, 0)
    accept(*ZERO, *ZERO, "call_indirect", 2, 0, results=I64)
    accept(*ZERO64, "call_indirect", 1, 2)
    accept(*ZERO, "call_indirect", 1, 3)
    refuse("type mismatch", "call_indirect", 1, 0)
    refuse("type mismatch", *ZERO, "call_indirect", 1, 2)
    refuse("type mismatch", *ZERO, "call_indirect", 2, 0, results=I64)
    refuse(r"type mismatch: a call through a table of \[externref\]", *ZERO, "call_indirect", 1, 1)
    refuse("unknown table 9", *ZERO, "call_indirect", 1, 9)
    refuse("unknown type 99", *ZERO, "call_indirect", 99, 0)
    refuse("type mismatch: type 3 is no function type", *ZERO, "call_indirect", 3, 0)


def test_calls_of_references() -> None:
    accept("ref.func", 0, "call_ref", 1)
    accept("ref.null", 1, "call_ref", 1)
    accept("unreachable", "call_ref", 2, results=I64)
    refuse(r"type mismatch: instruction requires \[\(ref null 1\)\] but stack has \[funcref\]", "ref.null", b"\x70", "call_ref", 1)
    refuse("type mismatch", "ref.func", 0, "call_ref", 2, results=I64)
    refuse("type mismatch: type 4 is no function type", "unreachable", "call_ref", 4)


def test_tail_calls() -> None:
    accept("return_call", 0)
    accept(*ZERO, "return_call", 1, results=I64)
    accept(*ZERO64, *ZERO, "return_call", 3, results=I32 + I64)
    accept(*ZERO, *ZERO, "return_call_indirect", 2, 0, results=I64)
    accept(*ZERO, "ref.null", 2, "return_call_ref", 2, results=I64)
    accept("block", b"\x40", *ZERO, "return_call", 1, "end", "unreachable", results=I64)
    accept("return_call", 0, "i32.add", "drop")
    accept("return_call", 4, results=FUNCREF)
    refuse(r"type mismatch: a tail call gives \[\] where \[i32\] is returned", "return_call", 0, results=I32)
    refuse("type mismatch: a tail call", *ZERO, "return_call", 1, results=I32)
    refuse("type mismatch: a tail call", *ZERO, "return_call_indirect", 1, 0, results=I64)
    refuse("type mismatch: a tail call", "return_call", 4, signature=b"\x60\0\1" + reference(2, null=False))
    refuse("type mismatch", "return_call", 1, results=I64)
    refuse("type mismatch", *ZERO, "return_call_ref", 2, results=I64)


def test_proposals_that_are_off() -> None:
    needs("tail-call", "return_call", 0)
