"""Custom sections in text, and where they go."""

from __future__ import annotations

import pytest

from purewasm.binary.decoder import decode_module
from purewasm.errors import MalformedError
from purewasm.text.assembler import assemble
from purewasm.wasm.features import Features
from purewasm.wasm.module import CustomSection

ALL = Features.all()


def customs(text: str) -> list[CustomSection]:
    return decode_module(assemble(text, ALL), ALL).customs


def test_sections_are_placed_before_and_behind_others() -> None:
    assert customs(
        '(module (@custom "last") (func) (@custom "a" (after func) "1") (type (func)) (@custom "b" (after func) "\\32" "3")'
        ' (@custom "c" (before func)) (@custom "first" (before first)) (@custom "d" (before code)))'
    ) == [
        CustomSection("first", b"", 0),
        CustomSection("c", b"", 1),
        CustomSection("a", b"1", 3),
        CustomSection("b", b"23", 3),
        CustomSection("d", b"", 3),
        CustomSection("last", b"", 10),
    ]


def test_a_place_beside_a_section_that_is_not_there() -> None:
    assert customs('(@custom "a" (after global)) (type (func)) (@custom "b" (before data))') == [
        CustomSection("a", b"", 1),
        CustomSection("b", b"", 1),
    ]


def test_the_name_section_stands_between_the_data_and_the_last_sections() -> None:
    found = customs('(@custom "last") (@custom "data" (after data)) (func $f)')
    assert [custom.name for custom in found] == ["data", "name", "last"]


def test_a_name_section_that_is_written_out_replaces_the_one_of_identifiers() -> None:
    assert customs('(func $f) (@custom "name" "x")') == [CustomSection("name", b"x", 10)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(@custom)", "@custom annotation: missing section name"),
        ("(@custom x)", "@custom annotation: missing section name"),
        ('(@custom "\\ff")', "@custom annotation: malformed UTF-8 encoding"),
        ('(@custom "x" here)', "@custom annotation: unexpected token"),
        ('(@custom "x" "y" (after func))', "@custom annotation: unexpected token"),
        ('(@custom "x" (after))', "@custom annotation: malformed section kind"),
        ('(@custom "x" (before last))', "@custom annotation: malformed section kind"),
        ('(@custom "x" (after first))', "@custom annotation: malformed section kind"),
        ('(@custom "x" (near func))', "@custom annotation: malformed placement"),
        ('(@custom "x" (after func x))', "@custom annotation: malformed placement"),
        ('(func (@custom "x"))', "misplaced @custom annotation"),
        ('(module (func (nop (@custom "x"))))', "misplaced @custom annotation"),
        ('(@custom "x") (module)', "misplaced @custom annotation"),
    ],
)
def test_malformed_annotations(text: str, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        assemble(text, ALL)
    assert caught.value.message.startswith(message)
