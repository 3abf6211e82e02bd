"""Tokens, comments, annotations and strings."""

from __future__ import annotations

import pytest

from purewasm.errors import MalformedError
from purewasm.text.lexer import END, RESERVED, Annotation, place, string_bytes, tokenize


def test_words_numbers_strings_and_parentheses_are_tokens() -> None:
    tokens = tokenize('(func $f(param i32)"a b"\n\t-0x1.8p3)')
    assert tokens.items == ["(", "func", "$f", "(", "param", "i32", ")", '"a b"', "-0x1.8p3", ")", END]
    assert list(tokens.starts) == [0, 1, 6, 8, 9, 15, 18, 19, 26, 34, 35]


@pytest.mark.parametrize(
    "comment",
    [";; to the end\n", ";;\r", "(;;)", "(; ( ;)", "(; a; b ;)", "(;(;nested;);)", "(;;;)", '(; " ;)', "(;\n\n;)", ";;(;\n"],
)
def test_comments_are_space(comment: str) -> None:
    assert tokenize(f"(a{comment}b)").items == ["(", "a", "b", ")", END]


@pytest.mark.parametrize("text", ['"a""b"', 'x"a"', '"a"x', '$x"a"', '$"a"x', "a,b", "a[", "]", "{", "x;y", '0$"l"'])
def test_tokens_that_touch_are_one_reserved_token(text: str) -> None:
    assert tokenize(text).items == [RESERVED + text, END]


def test_an_identifier_in_quotes_is_the_same_as_one_without() -> None:
    assert tokenize(r'$"a" $"\61" $"b c" $"\u{3bb}"').items == ["$a", "$a", "$b c", "$λ", END]


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("(func ä)", "illegal character 'ä'", 1, 7),
        ("\n (\x01)", "illegal character", 2, 3),
        ('("a\nb")', "unclosed string", 1, 2),
        ('("a', "unclosed string", 1, 2),
        ('("\\q")', "illegal escape", 1, 3),
        ('("\x7f")', "illegal character", 1, 3),
        ("(; (; ;)", "unclosed comment", 1, 1),
        ("(@x (y)", "unclosed annotation", 1, 1),
        ("(@)", "empty annotation id", 1, 1),
        ('(@"")', "empty annotation id", 1, 3),
        ('(@"\\ef")', "malformed UTF-8 encoding", 1, 3),
        ('$""', "empty identifier", 1, 2),
        ('$"\\ff"', "malformed UTF-8 encoding", 1, 2),
    ],
)
def test_what_is_no_token_is_an_error_with_its_place(text: str, message: str, line: int, column: int) -> None:
    with pytest.raises(MalformedError) as caught:
        tokenize(text)
    assert caught.value.message.startswith(message)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_bytes_must_be_utf8() -> None:
    with pytest.raises(MalformedError, match="malformed UTF-8 encoding") as caught:
        tokenize(b"(a\n b\xff)")
    assert (caught.value.line, caught.value.column) == (2, 3)


@pytest.mark.parametrize(
    "annotation", ["(@a)", "(@a b c)", '(@a (b ")") [,;] {)', "(@a @ (@) (@ x) (@(@)))", '(@"a b" 1)', "(@a (;)(;);) ;;)\n)"]
)
def test_annotations_that_nobody_knows_are_dropped(annotation: str) -> None:
    tokens = tokenize(f"(x {annotation} y)")
    assert tokens.items == ["(", "x", "y", ")", END]
    assert not tokens.annotations


def test_known_annotations_are_kept_with_the_token_behind_them() -> None:
    tokens = tokenize('(func (@name "n") (@name "m") (param))')
    assert tokens.annotations == {
        2: [Annotation("name", ('"n"',), (13,), 6), Annotation("name", ('"m"',), (25,), 18)],
    }


@pytest.mark.parametrize(
    ("token", "content"),
    [
        ('""', b""),
        ('"abc"', b"abc"),
        (r'"\00\ff\41"', b"\0\xffA"),
        (r'"\t\n\r\"\'\\"', b"\t\n\r\"'\\"),
        (r'"\\41\\\\x"', b"\\41\\\\x"),
        (r'"\u{41}\u{3_bb}\u{10FFFF}"', "Aλ\U0010ffff".encode()),
        ('"λ"', "λ".encode()),
    ],
)
def test_strings_are_bytes(token: str, content: bytes) -> None:
    assert tokenize(token).items == [token, END]
    assert string_bytes(token) == content


@pytest.mark.parametrize("token", [r'"\u{d800}"', r'"\u{dfff}"', r'"\u{110000}"', '"\ud800"'])
def test_strings_hold_no_surrogates(token: str) -> None:
    with pytest.raises(ValueError, match="malformed UTF-8 encoding"):
        string_bytes(token)


def test_lines_and_columns_count_from_one() -> None:
    assert [place("a\nbc\n", offset) for offset in range(6)] == [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 1)]
