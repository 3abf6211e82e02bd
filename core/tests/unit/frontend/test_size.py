"""Functions that are too large to compile, and large ones that are not."""

from __future__ import annotations

import pytest

from core.tests.unit.frontend.functions import build, module_of
from purewasm.binary.body import decode_body
from purewasm.frontend import size
from purewasm.ir import ops
from purewasm.isa.x64.support import unsupported

LOCALS = 200
SET_ALL = " ".join(f"(local.set {i} (i32.const {i}))" for i in range(1, LOCALS))
BRANCH = "(br_if 0 (local.get 0))"
BODIES = {
    "ways that differ": f"(block {BRANCH} {SET_ALL} {BRANCH * 100})",
    "ways round a loop": f"(loop {SET_ALL} {BRANCH * 100})",
    "nested blocks": f"(block {BRANCH}" * 50 + "(local.set 5 (i32.const 1))" + ")" * 50,
    "nested ifs": "(if (local.get 0) (then (local.set 7 (i32.const 1))" * 50 + "))" * 50,
    "one block after the other": f"(block {BRANCH} (local.set 3 (i32.const 5)))" * 100,
    "a table": f"(block (block (block {SET_ALL} (br_table 0 1 2 1 0 (local.get 0))) {SET_ALL}) (nop))",
    "both arms": f"(if (local.get 0) (then {SET_ALL}) (else (nop)))" * 5,
    "throwing": f"(block (try_table (catch_all 0) {SET_ALL} (call 0 (i32.const 1)) (call 0 (i32.const 2))))" * 5,
    "nothing": "(nop)" * 1000,
}


def text_of(body: str) -> str:
    return f"(module (func (param i32) (local{' i32' * (LOCALS - 1)}) {body}))"


def too_large(body: str) -> bool:
    module = module_of(text_of(body))
    return size.is_too_large(module, decode_body(module, module.codes[0]), LOCALS)


@pytest.mark.parametrize("name", BODIES)
def test_operands_are_bounded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function = build(text_of(BODIES[name]))
    operands = sum(len(imm) for op, _, _, imm in function.insts if ops.PARAM < op < ops.ARG)
    if operands:
        monkeypatch.setattr(size, "MOST_OPERANDS", operands - 1)
        assert too_large(BODIES[name])
    monkeypatch.setattr(size, "MOST_OPERANDS", 8 * operands + 100 * LOCALS)
    assert not too_large(BODIES[name])


@pytest.mark.parametrize(("body", "carried", "compared"), [
    ("(nop)", 0, 0),
    (f"(block {BRANCH * 10})", 10, 10),
    (f"(block {BRANCH * 10})" * 3, 10, 30),
    (f"(loop {BRANCH * 10})", 0, 0),
    ("(if (local.get 0) (then) (else))" * 5, 2, 10),
    ("(if (local.get 0) (then " * 5 + "))" * 5, 5, 5),
    ("(block (br_table 0 0 1 0 (local.get 0)))", 2, 2),
])  # fmt: skip
def test_values_that_are_carried(body: str, carried: int, compared: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, exact in (("MOST_CARRIED", carried), ("MOST_COMPARED", compared)):
        monkeypatch.setattr(size, name, exact * LOCALS)
        assert not too_large(body)
        if exact:
            monkeypatch.setattr(size, name, exact * LOCALS - 1)
            assert too_large(body)
        monkeypatch.undo()


def test_results_of_calls_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    call = "(block (call $many) (br 0))"
    types = f"(type $many (func (result{' i32' * 1000})))"
    module = module_of(f"(module {types} (func {call * 10}) (func $many (type $many) unreachable))")
    body = decode_body(module, module.codes[0])
    monkeypatch.setattr(size, "MOST_OPERANDS", 10 * 500 + 100)
    assert not size.is_too_large(module, body, 0)
    monkeypatch.setattr(size, "MOST_OPERANDS", 10 * 500 - 1)
    assert size.is_too_large(module, body, 0)
    monkeypatch.undo()
    many = module_of(f"(module {types} (func {call * 9000}) (func $many (type $many) unreachable))")
    assert "function 0 is too large" in str(unsupported(many))
