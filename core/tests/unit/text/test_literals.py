"""What is written is read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purewasm.text.lexer import END, string_bytes, tokenize
from purewasm.text.literals import format_bytes, format_f32, format_f64, format_identifier, format_name, format_v128
from purewasm.text.numbers import F32, F64, parse_float


@given(st.binary())
def test_bytes(content: bytes) -> None:
    text = format_bytes(content)
    assert text.isascii()
    assert tokenize(text).items == [text, END]
    assert string_bytes(text) == content


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_names(name: str) -> None:
    text = format_name(name)
    assert tokenize(text).items == [text, END]
    assert string_bytes(text) == name.encode()


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_identifiers(name: str) -> None:
    assert tokenize(format_identifier(name)).items == ["$" + name, END]


@pytest.mark.parametrize(("name", "identifier"), [("f", "$f"), ("a.b$c", "$a.b$c"), ("a b", '$"a b"'), ("λ", '$"λ"'), ('"', '$"\\""')])
def test_identifiers_are_in_quotes_only_where_they_must(name: str, identifier: str) -> None:
    assert format_identifier(name) == identifier


@given(st.binary(min_size=4, max_size=4))
def test_f32(encoded: bytes) -> None:
    assert parse_float(format_f32(encoded), F32) == int.from_bytes(encoded, "little")


@given(st.binary(min_size=8, max_size=8))
def test_f64(encoded: bytes) -> None:
    assert parse_float(format_f64(encoded), F64) == int.from_bytes(encoded, "little")


@pytest.mark.parametrize(
    ("encoded", "text"),
    [
        ("0000803f", "1"),
        ("cdcccc3d", "0.1"),
        ("00000080", "-0"),
        ("0000807f", "inf"),
        ("0000c07f", "nan"),
        ("010080ff", "-nan:0x1"),
        ("01000000", "1.4013e-45"),
    ],
)
def test_f32_is_short(encoded: str, text: str) -> None:
    assert format_f32(bytes.fromhex(encoded)) == text


def test_f64_is_short() -> None:
    assert format_f64(bytes.fromhex("9a9999999999b93f")) == "0.1"
    assert format_f64(bytes.fromhex("000000000000f03f")) == "1"


def test_v128() -> None:
    assert format_v128(bytes(range(16))) == "i32x4 0x03020100 0x07060504 0x0b0a0908 0x0f0e0d0c"
