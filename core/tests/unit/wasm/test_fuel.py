from __future__ import annotations

import pytest

from purewasm.wasm.fuel import FREE, segments
from purewasm.wasm.opcodes import CODE


def of(*instructions: str | tuple[str, object]) -> dict[int, int]:
    named = [(item, None) if isinstance(item, str) else item for item in instructions]
    return segments([CODE[name] for name, _ in named], [immediate for _, immediate in named])


def test_straight_code_is_one_segment() -> None:
    assert of(("i32.const", 1), ("i32.const", 2), "i32.add", "end") == {0: 3}


def test_structure_is_free() -> None:
    assert {CODE[name] for name in ("nop", "block", "loop", "else", "end", "drop", "catch", "catch_all", "delegate")} == FREE
    assert of("nop", "block", "nop", "end", ("i32.const", 1), "drop", "end") == {0: 1}
    assert of("nop", "end") == {}


def test_a_branch_ends_a_segment_and_so_does_the_end_of_its_block() -> None:
    body = ("block", ("local.get", 0), ("br_if", 0), ("i32.const", 3), ("global.set", 0), "end", ("global.get", 0), "end")
    assert of(*body) == {0: 2, 3: 2, 6: 1}


def test_the_end_of_a_block_that_no_branch_goes_to_is_nothing() -> None:
    assert of("block", ("i32.const", 1), "drop", "end", ("i32.const", 1), "drop", "end") == {0: 2}
    assert of("block", "block", ("br", 1), "end", ("i32.const", 1), "drop", "end", "unreachable", "end") == {0: 1, 3: 1, 7: 1}


def test_a_loop_is_charged_at_each_turn() -> None:
    # 0 is what comes before the loop, 2 its header; the end of the loop is no place where a branch goes to
    body = (("local.get", 0), "loop", ("local.get", 0), ("br_if", 0), ("i32.const", 0), "drop", "end", ("i32.const", 0), "drop", "end")
    assert of(*body) == {0: 1, 2: 2, 4: 2}


def test_both_arms_of_an_if_begin_a_segment_and_meet_in_another() -> None:
    condition = ("local.get", 0)
    assert of(condition, "if", "unreachable", "else", "nop", "nop", ("i32.const", 0), "drop", "end", ("i32.const", 0), "drop", "end") == {
        0: 2,
        2: 1,
        4: 1,
        9: 1,
    }
    assert of(condition, "if", ("i32.const", 0), "drop", "end", ("i32.const", 0), "drop", "end") == {0: 2, 2: 1, 5: 1}


@pytest.mark.parametrize(
    "name",
    [
        "return",
        "unreachable",
        "throw",
        "throw_ref",
        "rethrow",
        "call",
        "call_indirect",
        "call_ref",
        "return_call",
        "return_call_indirect",
        "return_call_ref",
    ],
)
def test_what_leaves_the_function_or_calls_ends_a_segment(name: str) -> None:
    assert of(("i32.const", 0), (name, 0), ("i32.const", 0), "drop", "end") == {0: 2, 2: 1}


@pytest.mark.parametrize(
    ("name", "immediate"),
    [
        ("br", 1),
        ("br_if", 1),
        ("br_on_null", 1),
        ("br_on_non_null", 1),
        ("br_table", (0, 1)),
        ("br_on_cast", (1, 0, 0)),
        ("br_on_cast_fail", (1, 0, 0)),
    ],
)
def test_every_branch_marks_its_targets(name: str, immediate: object) -> None:
    # The end at 5 belongs to label 0, which only br_table names; the end at 7 to label 1.
    body = ("block", "block", (name, immediate), ("i32.const", 0), "drop", "end", ("i32.const", 0), "end", ("i32.const", 0), "end")
    inner = {3: 1, 6: 1} if name == "br_table" else {3: 2}
    assert of(*body) == {0: 1, **inner, 8: 1}


def test_a_branch_to_the_function_itself_is_a_return() -> None:
    assert of("block", ("br_if", 1), ("i32.const", 0), "drop", "end", ("i32.const", 0), "drop", "end") == {0: 1, 2: 2}


def test_handlers_of_a_try_table_mark_blocks_around_it() -> None:
    handlers = ((), (), ((0, 0, 0), (2, -1, 1)))
    body = ("block", "block", ("try_table", handlers), ("call", 0), ("i32.const", 0), "end", "end", ("i32.const", 0), "end", "nop", "end")
    # The end at 5 is that of the try_table, which no branch names; 6 and 8 are those of the blocks.
    assert of(*body) == {0: 2, 4: 1, 7: 1}
    assert of(("try_table", ((), (), ())), ("br_if", 0), ("i32.const", 0), "end", ("i32.const", 0), "end") == {0: 2, 2: 1, 4: 1}


def test_legacy_handlers_begin_segments_and_meet_at_the_end() -> None:
    body = (
        "try",
        ("call", 0),
        ("i32.const", 0),
        ("catch", 0),
        ("i32.const", 0),
        "catch_all",
        ("i32.const", 0),
        "end",
        ("i32.const", 0),
        "end",
    )
    assert of(*body) == {0: 2, 2: 1, 4: 1, 6: 1, 8: 1}
    assert of("try", ("call", 0), ("i32.const", 0), ("delegate", 0), ("i32.const", 0), "end") == {0: 2, 2: 1, 4: 1}
