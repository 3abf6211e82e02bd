"""The name section is read back as it was written."""

from __future__ import annotations

from purewasm.binary.name_encoder import NameSection, encode_names
from purewasm.binary.names import Names


def test_all_names_are_read_back() -> None:
    names = NameSection(
        module="m",
        functions={0: "f", 300: "λ"},
        locals={0: {0: "a", 1: ""}, 2: {5: "b"}},
        labels={1: {0: "l"}},
        types={0: "t"},
        tables={0: "tab"},
        memories={1: "mem"},
        globals={0: "g"},
        elements={0: "e"},
        data={0: "d"},
        fields={2: {0: "x"}},
        tags={0: "tag"},
    )
    read = Names(encode_names(names))
    for kind in NameSection.__slots__:
        assert getattr(read, kind) == getattr(names, kind)


def test_names_are_in_the_order_of_their_indices() -> None:
    assert encode_names(NameSection(functions={2: "b", 1: "a"})) == b"\1\7\2\1\1a\2\1b"


def test_no_names_are_no_section() -> None:
    assert encode_names(NameSection(locals={0: {}})) == b""
