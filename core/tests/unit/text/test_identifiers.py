"""Names become identifiers that are valid and unique, and stay what they are."""

from __future__ import annotations

from purewasm.text.identifiers import Identifiers


def test_names_are_identifiers() -> None:
    identifiers = Identifiers({0: "f", 2: "a b"}, 3)
    assert [identifiers.reference(index) for index in range(4)] == ["$f", "1", '$"a b"', "3"]
    assert identifiers.binding(0) == " $f (;0;)"
    assert identifiers.binding(1) == " (;1;)"
    assert identifiers.get(1) is None


def test_a_name_that_occurs_twice_and_an_empty_one_keep_their_names_in_an_annotation() -> None:
    identifiers = Identifiers({0: "f", 1: "f", 2: "", 3: "f#1"}, 4)
    assert [identifiers.named(index) for index in range(4)] == [" $f", ' $f#1\' (@name "f")', ' $#2 (@name "")', " $f#1"]


def test_names_of_what_is_not_there_are_left_out() -> None:
    assert Identifiers({5: "f"}, 5).reference(5) == "5"
