from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import custom, module, name, section, unsigned, vector
from purewasm.binary.decoder import decode_module
from purewasm.binary.names import Names, decode_names
from purewasm.wasm.features import Features


def _map(entries: dict[int, str]) -> bytes:
    return vector([unsigned(index) + name(text) for index, text in entries.items()])


def _indirect(entries: dict[int, dict[int, str]]) -> bytes:
    return vector([unsigned(index) + _map(inner) for index, inner in entries.items()])


def _names(*subsections: bytes) -> Names:
    return decode_names(decode_module(module(custom("name", b"".join(subsections))), Features.WASM1))


def test_every_kind_of_name() -> None:
    names = _names(
        section(0, name("module")), section(1, _map({0: "f", 300: "g"})), section(2, _indirect({300: {0: "x", 2: "y"}})),
        section(3, _indirect({0: {1: "loop"}})), section(4, _map({1: "t"})), section(5, _map({2: "table"})),
        section(6, _map({0: "memory"})), section(7, _map({3: "global"})), section(8, _map({0: "elem"})),
        section(9, _map({0: "data"})), section(10, _indirect({1: {0: "field"}})), section(11, _map({0: "tag"})),
    )  # fmt: skip
    assert names.module == "module"
    assert names.functions == {0: "f", 300: "g"}
    assert names.locals == {300: {0: "x", 2: "y"}}
    assert names.labels == {0: {1: "loop"}}
    assert names.fields == {1: {0: "field"}}
    assert [names.types, names.tables, names.memories, names.globals] == [{1: "t"}, {2: "table"}, {0: "memory"}, {3: "global"}]
    assert [names.elements, names.data, names.tags] == [{0: "elem"}, {0: "data"}, {0: "tag"}]


def test_no_name_section() -> None:
    names = decode_names(decode_module(module(), Features.WASM1))
    assert names.module is None
    assert (names.functions, names.locals) == ({}, {})


@pytest.mark.parametrize(
    "broken",
    [
        section(1, b"\5\0"),
        section(1, b"\1\0\1\xff"),
        section(1, _map({0: "f"}) + b"\0"),
        section(1, b"\xff\xff\xff\xff\x0f"),
        section(1, b""),
    ],
)
def test_a_broken_part_counts_as_absent(broken: bytes) -> None:
    names = _names(section(0, name("m")), broken, section(7, _map({0: "g"})))
    assert (names.module, names.functions, names.globals) == ("m", {}, {0: "g"})


@pytest.mark.parametrize("tail", [b"\1", b"\1\x80", b"\1\x7f", b"\1\x80\x80\x80\x80\x80\0"])
def test_parts_in_front_of_a_broken_end_are_there(tail: bytes) -> None:
    assert _names(section(0, name("m")), tail).module == "m"


def test_the_first_of_two_parts_counts() -> None:
    assert _names(section(1, _map({0: "first"})), section(1, _map({0: "second"}))).functions == {0: "first"}
