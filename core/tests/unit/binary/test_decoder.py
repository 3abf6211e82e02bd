"""The module as a whole: header, sections in order, numbers that must agree."""

from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import EMPTY_FUNCTION, HEADER, body, custom, module, one_function, section, unsigned, vector
from purewasm.binary.decoder import decode_module
from purewasm.errors import MalformedError, UnsupportedError
from purewasm.wasm.features import Features
from purewasm.wasm.module import CustomSection

EMPTY_SECTION_IDS = [1, 2, 3, 4, 5, 13, 6, 7, 9, 10, 11]  # in a module's order; start and data count are no vectors


def _refuse(source: bytes, message: str, features: Features = Features.WASM3) -> MalformedError:
    with pytest.raises(MalformedError, match=f"^{message}") as caught:
        decode_module(source, features)
    return caught.value


def test_the_empty_module() -> None:
    made = decode_module(HEADER, Features.WASM1)
    assert made.source is HEADER
    assert ([], [], []) == (made.types, made.codes, made.customs)


@pytest.mark.parametrize("length", range(8))
def test_a_header_cut_short(length: int) -> None:
    assert length == _refuse(HEADER[:length], "unexpected end").offset


@pytest.mark.parametrize("source", [b"asm\0\1\0\0\0", b"\0ASM\1\0\0\0", b"\x7fELF\2\1\1\0", b"#!/bin/sh"])
def test_other_files(source: bytes) -> None:
    assert _refuse(source, "magic header not detected").offset == 0


def test_other_versions() -> None:
    assert _refuse(b"\0asm\2\0\0\0", "unknown binary version 02 00 00 00").offset == 4
    _refuse(b"\0asm\x0d\0\1\0", "unknown binary version: this is a component")


@pytest.mark.parametrize("id_", [14, 0x7F, 0x80, 0xFF])
def test_unknown_sections(id_: int) -> None:
    assert _refuse(HEADER + bytes((id_, 1, 0)), f"malformed section id {id_}").offset == 8


def test_every_section_can_be_empty() -> None:
    made = decode_module(module(*[section(id_, b"\0") for id_ in EMPTY_SECTION_IDS]), Features.WASM3)
    assert made.data_count is None


@pytest.mark.parametrize("id_", EMPTY_SECTION_IDS)
def test_a_section_comes_once(id_: int) -> None:
    _refuse(module(section(id_, b"\0"), section(id_, b"\0")), "unexpected content after last section")


@pytest.mark.parametrize("place", range(len(EMPTY_SECTION_IDS) - 1))
def test_sections_have_an_order(place: int) -> None:
    first, second = EMPTY_SECTION_IDS[place : place + 2]
    error = _refuse(module(section(second, b"\0"), section(first, b"\0")), "unexpected content after last section")
    assert error.offset == 8 + 3


def test_data_count_comes_between_elements_and_code() -> None:
    decode_module(module(section(9, b"\0"), section(12, b"\0"), section(10, b"\0")), Features.WASM3)
    _refuse(module(section(12, b"\0"), section(9, b"\0")), "unexpected content after last section: element section after data count")
    _refuse(module(section(10, b"\0"), section(12, b"\0")), "unexpected content after last section: data count section after code")


@pytest.mark.parametrize("id_", EMPTY_SECTION_IDS)
def test_sections_end_where_they_say(id_: int) -> None:
    _refuse(module(section(id_, b"\0\0")), "section size mismatch")
    _refuse(module(section(id_, b"")), "unexpected end of section or function")


def test_a_section_longer_than_the_module() -> None:
    error = _refuse(HEADER + b"\x01\x02\0", "length out of bounds: a section of 2 bytes where 1 are left")
    assert error.offset == 9


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (b"", "unexpected end"),
        (b"\x80", "unexpected end"),
        (b"\x80\x80\x80\x80\x10", "integer too large"),
        (b"\x80\x80\x80\x80\x80\0", "integer representation too long"),
    ],
)
def test_sizes_of_sections_are_strict(size: bytes, message: str) -> None:
    _refuse(HEADER + b"\x01" + size, message)


def test_an_integer_that_crosses_the_end_of_its_section_is_still_judged() -> None:
    source = HEADER + b"\x03\x02\x01\x80\x80\x80\x80\x80\0"  # the section should have 7 bytes
    _refuse(source, "integer representation too long")


def test_errors_say_their_section_and_offset() -> None:
    error = _refuse(module(section(1, b"\1\x5d")), r"malformed definition type 0x5d \(type section\)")
    assert error.offset == 11


def test_custom_sections_keep_their_place() -> None:
    source = module(custom("a", b"x"), section(1, b"\0"), custom("b", b""), custom("b", b"y"), section(12, b"\0"), custom("ü", b"z"))
    made = decode_module(source, Features.WASM3)
    places = [("a", b"x", 0), ("b", b"", 1), ("b", b"y", 1), ("ü", b"z", 12)]
    assert [CustomSection(*place) for place in places] == made.customs
    assert made.custom("b") == b""
    assert made.custom("c") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "unexpected end"),
        (b"\x05ab", "length out of bounds"),
        (b"\x01\xff", "malformed UTF-8 encoding"),
        (b"\x80\x80\x80\x80\x80\0", "integer representation too long"),
    ],
)
def test_custom_sections_need_a_name(content: bytes, message: str) -> None:
    _refuse(module(section(0, content)), message)


def test_functions_and_bodies_must_agree() -> None:
    types = section(1, vector([EMPTY_FUNCTION]))
    _refuse(module(types, section(3, b"\1\0")), "function and code section have inconsistent lengths: 1 functions .* 0 bodies")
    _refuse(module(types, section(10, vector([body(b"")]))), "function and code section have inconsistent lengths")


def test_data_count_and_data_must_agree() -> None:
    _refuse(module(section(12, b"\1")), "data count and data section have inconsistent lengths")
    _refuse(module(section(12, b"\1"), section(11, b"\2\1\0\1\0")), "data count and data section have inconsistent lengths")
    assert decode_module(module(section(12, b"\1"), section(11, b"\1\1\0")), Features.WASM3).data_count == 1


def test_a_body_of_the_wrong_size_is_told_before_what_follows_from_it() -> None:
    source = one_function(b"\x41\x80\x80\x80\x80\x80\0")
    short = source.replace(unsigned(11) + unsigned(1) + unsigned(9), unsigned(7) + unsigned(1) + unsigned(5))
    assert short != source
    _refuse(short, r"integer representation too long.*\(function 0\)")


@pytest.mark.parametrize(
    ("id_", "content", "features", "feature"),
    [(13, b"\0", Features.WASM2, "exceptions"), (12, b"\0", Features.WASM1, "bulk-memory")],
)
def test_sections_of_proposals_that_are_off(id_: int, content: bytes, features: Features, feature: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        decode_module(module(section(id_, content)), features)
    assert feature == caught.value.feature


def test_errors_survive_pickling() -> None:
    import pickle

    error = _refuse(HEADER + b"\x0e\1\0", "malformed section id")
    again = pickle.loads(pickle.dumps(error))
    assert (str(error), error.offset) == (str(again), again.offset)
