from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import ANYREF, F32, FUNCREF, I32, I64, reference, signed
from core.tests.unit.validate.bodies import EMPTY_BLOCK, OWN_TYPE, accept, malformed, needs, refuse
from purewasm.errors import UnsupportedError
from purewasm.wasm.limits import MAX_BLOCK_NESTING, MAX_OPERANDS

ZERO = ("i32.const", 0)
VOID = EMPTY_BLOCK


@pytest.mark.parametrize("opcode", ["block", "loop"])
def test_blocks(opcode: str) -> None:
    accept(opcode, VOID, "end")
    accept(opcode, I32, *ZERO, "end", "drop")
    accept("i64.const", 0, *ZERO, opcode, 10, "drop", "drop", *ZERO, "i64.const", 0, "end", "drop", "drop")
    refuse(
        r"type mismatch: block requires \[i32\] but stack has \[\]|type mismatch: instruction requires \[i32\]", opcode, I32, "end", "drop"
    )
    refuse(r"type mismatch: block requires \[\] but stack has \[i32\]", opcode, VOID, *ZERO, "end")
    refuse("type mismatch", "i64.const", 0, opcode, 2, "unreachable", "end", "drop")


def test_a_block_does_not_reach_the_values_around_it() -> None:
    refuse(r"type mismatch: .* but stack has \[\] \(drop in function 2\)", *ZERO, "block", VOID, "drop", "end")
    refuse("type mismatch", *ZERO, *ZERO, "block", I32, "i32.add", "end", "drop")


def test_if_and_else() -> None:
    accept(*ZERO, "if", VOID, "end")
    accept(*ZERO, "if", VOID, "else", "end")
    accept(*ZERO, "if", I64, "i64.const", 1, "else", "i64.const", 2, "end", "drop")
    accept(*ZERO, *ZERO, "if", 2, "drop", "i64.const", 1, "else", "drop", "i64.const", 2, "end", "drop")
    refuse(r"type mismatch: if without else passes \[\] on, but its results are \[i64\]", *ZERO, "if", I64, "i64.const", 1, "end", "drop")
    refuse("type mismatch", "if", VOID, "end")
    refuse("type mismatch", "i64.const", 0, "if", VOID, "end")
    refuse("type mismatch", *ZERO, "if", I64, "i64.const", 1, "else", *ZERO, "end", "drop")
    refuse("type mismatch", *ZERO, "if", I64, "else", "i64.const", 1, "end", "drop")
    refuse("type mismatch", *ZERO, "if", VOID, "i64.const", 1, "else", "end")


def test_an_if_that_hands_its_parameters_on_needs_no_else() -> None:
    accept("local.get", 0, *ZERO, "if", OWN_TYPE, "end", params=I64, results=I64)
    accept("local.get", 0, *ZERO, "if", OWN_TYPE, "end", signature=b"\x60\1" + reference(8) + b"\1" + reference(7))


def test_else_without_if() -> None:
    malformed("END opcode expected", "else")
    malformed("END opcode expected", "block", VOID, "else", "end")
    malformed("END opcode expected", *ZERO, "if", VOID, "else", "else", "end")


def test_branches() -> None:
    accept("block", VOID, "br", 0, "end")
    accept("br", 0)
    accept("block", I32, *ZERO, "br", 0, "end", "drop")
    accept("loop", VOID, "br", 0, "end")
    accept(*ZERO, "loop", 11, "br", 0, "end")
    accept("block", I32, "i64.const", 0, *ZERO, "br", 0, "end", "drop")
    refuse("type mismatch", "block", I32, "br", 0, "end", "drop")
    refuse("type mismatch", "block", I32, "i64.const", 0, "br", 0, "end", "drop")


def test_a_branch_to_a_loop_takes_its_parameters() -> None:
    refuse("type mismatch", *ZERO, "loop", 11, "drop", "br", 0, "end")


@pytest.mark.parametrize("items", [("br", 1), ("block", VOID, "br", 2, "end"), (*ZERO, "br_if", 1), ("br", 300), (*ZERO, "br_if", 300)])
def test_unknown_labels(items: tuple[str | int | bytes, ...]) -> None:
    refuse("unknown label", *items)


def test_conditional_branches() -> None:
    accept("block", VOID, *ZERO, "br_if", 0, "end")
    accept("block", I64, "i64.const", 0, *ZERO, "br_if", 0, "end", "drop")
    accept("block", FUNCREF, "ref.func", 0, *ZERO, "br_if", 0, "end", "drop")
    refuse("type mismatch", "block", VOID, "br_if", 0, "end")
    refuse("type mismatch", "block", VOID, "i64.const", 0, "br_if", 0, "end")
    refuse("type mismatch", "block", I64, *ZERO, "br_if", 0, "end", "drop")


def test_a_conditional_branch_leaves_the_types_of_its_label() -> None:
    code = ("block", FUNCREF, "ref.func", 0, *ZERO, "br_if", 0, "call_ref", 1, "ref.null", b"\x70", "end", "drop")
    refuse("type mismatch", *code)


def test_branch_tables() -> None:
    accept("block", VOID, "block", VOID, *ZERO, "br_table", 2, 0, 1, 2, "end", "end")
    accept("block", I64, "block", I64, "i64.const", 0, *ZERO, "br_table", 1, 0, 1, "end", "end", "drop")
    accept("block", I64, "block", F32, "unreachable", "br_table", 1, 0, 1, "end", "drop", "i64.const", 0, "end", "drop")
    accept("block", I64, "loop", VOID, "unreachable", "br_table", 0, 1, "end", "i64.const", 0, "end", "drop")
    refuse("type mismatch", "block", VOID, "br_table", 0, 0, "end")
    refuse(
        "type mismatch: br_table labels with 1 and with 0 values", "block", I64, "i64.const", 0, *ZERO, "br_table", 1, 0, 1, "end", "drop"
    )
    refuse(
        "type mismatch",
        "block",
        I64,
        "block",
        F32,
        "f32.const",
        b"\0\0\0\0",
        *ZERO,
        "br_table",
        1,
        0,
        1,
        "end",
        "drop",
        "unreachable",
        "end",
        "drop",
    )
    refuse("unknown label 5", *ZERO, "br_table", 1, 5, 0)
    refuse("unknown label 5", *ZERO, "br_table", 1, 0, 5)


def test_every_label_of_a_table_sees_the_same_stack() -> None:
    code = ("block", reference(7), "block", reference(8), "local.get", 0, *ZERO, "br_table")
    accept(*code, 1, 0, 1, "end", "end", "drop", signature=b"\x60\1" + reference(8) + b"\0")
    refuse("type mismatch", *code, 1, 1, 0, "end", "end", "drop", signature=b"\x60\1" + reference(7) + b"\0")


def test_the_labels_of_a_table_are_counted_before_they_are_read() -> None:
    malformed("length out of bounds", *ZERO, "br_table", b"\xff\xff\xff\xff\x0f", 0)


def test_return() -> None:
    accept(*ZERO, "return", results=I32)
    accept("block", VOID, *ZERO, "return", "end", "unreachable", results=I32)
    refuse("type mismatch", "return", results=I32)
    refuse("type mismatch", "block", VOID, "i64.const", 0, "return", "end", "unreachable", results=I32)


def test_the_end_of_a_function() -> None:
    accept(*ZERO, results=I32)
    accept(*ZERO, "i64.const", 0, results=I32 + I64)
    refuse("type mismatch", results=I32)
    refuse(r"type mismatch: block requires \[\] but stack has \[i32\] \(end in function 2\)", *ZERO)
    refuse("type mismatch", "i64.const", 0, results=I32)


# ---- unreachable code


@pytest.mark.parametrize("leave", [("unreachable",), ("br", 0), ("return",), ("i32.const", 0, "br_table", 0, 0)])
def test_unreachable_code_has_whatever_is_asked_for(leave: tuple[str | int, ...]) -> None:
    accept(*leave)
    accept(*leave, "i32.add", "drop")
    accept(*leave, "i64.const", 0, "i64.add", "drop")
    accept(*leave, "select", "drop")
    accept(*leave, "drop", "drop")
    accept(*leave, "local.set", 0, "local.tee", 0, "drop", params=I32)
    accept(*leave, "i32.store", 2, 0)
    accept(*leave, "if", VOID, "end")


@pytest.mark.parametrize(
    "code",
    [
        ("i64.const", 0, "i32.add", "drop"),
        ("i64.const", 0, "i32.const", 0, "i32.add", "drop"),
        ("f32.const", b"\0\0\0\0", "i32.eqz", "drop"),
        ("i64.const", 0, "i32.store", 2, 0),
        ("i32.const", 0),
        ("block", VOID, "i32.add", "end"),
        ("block", VOID, "drop", "end"),
        ("i64.const", 0, "br_if", 0),
        ("i64.const", 0, "local.set", 0),
    ],
)
def test_what_is_there_is_still_checked_in_unreachable_code(code: tuple[str | int | bytes, ...]) -> None:
    refuse("type mismatch", "unreachable", *code, params=I32)


def test_unreachability_ends_with_its_block() -> None:
    refuse("type mismatch", "block", VOID, "unreachable", "end", "drop")
    refuse("type mismatch", *ZERO, "if", VOID, "unreachable", "else", "drop", "end")


def test_a_label_is_not_polymorphic() -> None:
    refuse("type mismatch", "block", I32, "unreachable", "i64.const", 0, "br", 0, "end", "drop")


# ---- branches on references


def test_branches_on_null() -> None:
    accept("block", VOID, "ref.null", b"\x70", "br_on_null", 0, "drop", "end")
    accept("block", I32, *ZERO, "ref.null", b"\x70", "br_on_null", 0, "drop", "end", "drop")
    accept("block", VOID, "ref.null", 1, "br_on_null", 0, "call_ref", 1, "end")
    accept("block", VOID, "unreachable", "br_on_null", 0, "call_ref", 1, "end")
    refuse("type mismatch", "block", VOID, *ZERO, "br_on_null", 0, "drop", "end")
    refuse("type mismatch", "unreachable", "br_on_null", 0, "i32.eqz", "drop")


def test_branches_on_non_null() -> None:
    accept("block", reference(1, null=False), "ref.null", 1, "br_on_non_null", 0, "unreachable", "end", "call_ref", 1)
    accept("block", 14, "ref.null", 1, "br_on_non_null", 0, "unreachable", "end", "drop")
    accept("block", FUNCREF, "unreachable", "br_on_non_null", 0, "unreachable", "end", "drop")
    refuse("type mismatch: br_on_non_null to a label", "block", VOID, "ref.null", 1, "br_on_non_null", 0, "end")
    refuse("type mismatch", "block", I32, "ref.null", 1, "br_on_non_null", 0, "unreachable", "end", "drop")
    refuse("type mismatch", "block", ANYREF, "ref.null", 1, "br_on_non_null", 0, "unreachable", "end", "drop")


@pytest.mark.parametrize("opcode", ["br_on_cast", "br_on_cast_fail"])
def test_branches_on_casts(opcode: str) -> None:
    accept("block", ANYREF, "ref.null", b"\x6e", opcode, b"\3\0\x6e\x6b", "end", "drop")
    refuse("type mismatch: a cast from", "block", ANYREF, "ref.null", b"\x6b", opcode, b"\3\0\x6b\x6e", "end", "drop")
    refuse("type mismatch: a cast from", "block", ANYREF, "ref.null", b"\x6b", opcode, b"\2\0\x6b\x6b", "end", "drop")
    refuse("type mismatch", "block", ANYREF, *ZERO, opcode, b"\3\0\x6e\x6b", "end", "drop")
    refuse(rf"type mismatch: {opcode} takes", "ref.null", b"\x6e", opcode, b"\3\0\x6e\x6b", "drop")
    refuse(rf"type mismatch: {opcode} takes", "block", FUNCREF, "ref.null", b"\x6e", opcode, b"\3\0\x6e\x6b", "end", "drop")
    refuse("unknown label", "ref.null", b"\x6e", opcode, b"\3\7\x6e\x6b", "drop")
    malformed("malformed br_on_cast flags", "ref.null", b"\x6e", opcode, b"\4\0\x6e\x6b")


def test_what_a_cast_leaves_behind() -> None:
    non_null_struct = b"\x64\x6b"
    # a cast to a nullable type took null away with it
    accept(
        "block",
        b"\x63\x6b",
        "ref.null",
        b"\x6e",
        "br_on_cast",
        b"\3\0\x6e\x6b",
        "ref.as_non_null",
        "drop",
        "ref.null",
        b"\x6b",
        "end",
        "drop",
    )
    accept("block", b"\x64\x6e", "ref.null", b"\x6e", "br_on_cast_fail", b"\3\0\x6e\x6b", "drop", "unreachable", "end", "drop")
    accept("block", non_null_struct, "ref.null", b"\x6e", "br_on_cast", b"\1\0\x6e\x6b", "drop", "unreachable", "end", "drop")
    refuse(
        "type mismatch", "block", b"\x64\x6e", "ref.null", b"\x6e", "br_on_cast_fail", b"\1\0\x6e\x6b", "drop", "unreachable", "end", "drop"
    )


# ---- limits and proposals


def test_blocks_nest_deeply() -> None:
    accept(b"\x02\x40" * MAX_BLOCK_NESTING + b"\x0b" * MAX_BLOCK_NESTING)
    deeper = MAX_BLOCK_NESTING + 1
    refuse("too many nested blocks", b"\x02\x40" * deeper + b"\x0b" * deeper, kind=UnsupportedError)


@pytest.mark.slow
def test_values_cannot_pile_up_without_end() -> None:
    refuse("too many values on the operand stack", b"\x10\2" * (MAX_OPERANDS // 2 + 1), results=I32 + I32, kind=UnsupportedError)


def test_proposals_that_are_off() -> None:
    needs("multi-value", "block", 1, "end")
    needs("gc", "block", ANYREF, "unreachable", "end", "drop")
    needs("gc", "unreachable", "br_on_cast", b"\3\0\x70\x70")
    needs("simd", "block", b"\x7b", "unreachable", "end", "drop")


def test_malformed_block_types() -> None:
    malformed("malformed block type 0x41", "block", b"\x41", "end")
    malformed("integer too large", "block", b"\x80\x80\x80\x80\x40", "end")
    refuse("unknown type 99", "block", signed(99), "end")
    refuse("type mismatch: type 3 is no function type", "block", 3, "end")
