from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import F64, FUNCREF, I32, I64, reference
from core.tests.unit.validate.bodies import EMPTY_BLOCK, accept, refuse
from purewasm.wasm.limits import MAX_LOCALS

REF = reference(1, null=False)
FUNC = ("ref.func", 0)


def test_locals_come_after_parameters() -> None:
    accept("local.get", 0, "local.set", 2, "local.get", 1, "local.tee", 3, "drop", params=I32 + I64, locals=[(1, I32), (1, I64)])
    accept("local.get", 200, "drop", locals=[(100, I64), (101, I32)])
    refuse("type mismatch", "local.get", 0, "local.set", 1, params=I32, locals=[(1, I64)])
    refuse("type mismatch", "local.get", 0, "local.tee", 1, "drop", params=I32, locals=[(1, I64)])
    refuse("type mismatch", "local.set", 0, params=I32)


@pytest.mark.parametrize("opcode", ["local.get", "local.set", "local.tee"])
@pytest.mark.parametrize("index", [2, 127, 128, 20_000])
def test_unknown_locals(opcode: str, index: int) -> None:
    refuse(f"unknown local {index}", "unreachable", opcode, index, "unreachable", params=I32, locals=[(1, I64)])


def test_a_tee_leaves_the_type_of_the_local() -> None:
    refuse("type mismatch", *FUNC, "local.tee", 0, "call_ref", 1, params=FUNCREF)
    accept(*FUNC, "local.tee", 0, "drop", params=FUNCREF)


def test_the_last_of_very_many_locals() -> None:
    accept("local.get", MAX_LOCALS - 1, "local.set", MAX_LOCALS - 1, locals=[(MAX_LOCALS - 1, I32), (1, F64)])
    accept("local.get", MAX_LOCALS - 1, "f64.neg", "local.tee", MAX_LOCALS - 1, "drop", locals=[(MAX_LOCALS - 1, I32), (1, F64)])
    refuse("type mismatch", "local.get", MAX_LOCALS - 2, "f64.neg", "drop", locals=[(MAX_LOCALS - 1, I32), (1, F64)])
    refuse(f"unknown local {MAX_LOCALS}", "local.get", MAX_LOCALS, "drop", locals=[(MAX_LOCALS, I32)])


@pytest.mark.parametrize("before", [0, 40_000], ids=["near", "far"])
class TestLocalsWithoutDefault:
    def _locals(self, before: int) -> list[tuple[int, bytes]]:
        return [(before, I32), (2, REF)]

    def test_reading_needs_a_write(self, before: int) -> None:
        accept(*FUNC, "local.set", before, "local.get", before, "drop", locals=self._locals(before))
        accept(*FUNC, "local.tee", before, "drop", "local.get", before, "drop", locals=self._locals(before))
        refuse(f"uninitialized local {before}", "local.get", before, "drop", locals=self._locals(before))
        refuse(
            f"uninitialized local {before + 1}", *FUNC, "local.set", before, "local.get", before + 1, "drop", locals=self._locals(before)
        )

    def test_a_write_in_a_block_is_forgotten_behind_it(self, before: int) -> None:
        write = (*FUNC, "local.set", before)
        read = ("local.get", before, "drop")
        accept(*write, "block", EMPTY_BLOCK, *write, *read, "end", *read, locals=self._locals(before))
        refuse("uninitialized local", "block", EMPTY_BLOCK, *write, *read, "end", *read, locals=self._locals(before))
        refuse("uninitialized local", "i32.const", 0, "if", EMPTY_BLOCK, *write, "else", *read, "end", locals=self._locals(before))
        refuse("uninitialized local", "i32.const", 0, "if", EMPTY_BLOCK, *write, "else", *write, "end", *read, locals=self._locals(before))

    def test_also_in_unreachable_code(self, before: int) -> None:
        refuse("uninitialized local", "unreachable", "local.get", before, "drop", locals=self._locals(before))
        accept("unreachable", "local.set", before, "local.get", before, "drop", locals=self._locals(before))

    def test_the_type_still_counts(self, before: int) -> None:
        refuse("type mismatch", "ref.null", 1, "local.set", before, locals=self._locals(before))


def test_parameters_have_values() -> None:
    accept("local.get", 0, "drop", signature=b"\x60\1" + REF + b"\0")


def test_globals() -> None:
    accept("global.get", 0, "drop")
    accept("global.get", 1, "global.set", 1)
    accept(*FUNC, "global.set", 2)
    accept("unreachable", "global.set", 1)
    refuse("immutable global 0", "i32.const", 0, "global.set", 0)
    refuse("type mismatch", "i32.const", 0, "global.set", 1)
    refuse("type mismatch", "global.set", 1)
    refuse("type mismatch", "ref.null", 1, "global.set", 3)
    refuse("unknown global 4", "global.get", 4)
    refuse("unknown global 300", "unreachable", "global.set", 300)
