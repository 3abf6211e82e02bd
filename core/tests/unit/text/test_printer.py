"""Text of a module assembles to the same module."""

from __future__ import annotations

import pytest

from core.tests.unit.binary.every_instruction import every_instruction
from core.tests.unit.binary.module_bytes import custom, module, section, vector
from core.tests.unit.binary.module_facts import facts
from core.tests.unit.binary.test_encoder import TEXTS
from purewasm.binary.decoder import decode_module
from purewasm.binary.name_encoder import NameSection, encode_names
from purewasm.errors import InvalidError, MalformedError
from purewasm.text.assembler import assemble
from purewasm.text.printer import format_module
from purewasm.wasm.features import Features

ALL = Features.all()

MORE_TEXTS = (
    '(module $m (func $f (@name "λ x") (param $a i32) (param i32) (local $d i64) (local i32 i32)) (func $"f g") (func (@name "")))',
    "(func (block $l (block $l (br $l) (br 1)) (loop (br 0) (br $l))))",
    "(func (param i32) (if (local.get 0) (then (nop)) (else (block (br_table 0 1 0 (i32.const 1))))))",
    "(tag $e (param i32)) (func (result i32) (block $l (result i32) (try_table (catch $e $l) (catch_all 0)) (i32.const 1)))",
    "(tag $e) (func (try $t (do (nop)) (catch $e (rethrow $t)) (catch_all (nop))) (block $b (try (do (throw $e)) (delegate $b))))",
    ("(type $s (struct (field $x (mut i32)) (field f64))) (func (param (ref $s)) (struct.set $s $x (local.get 0) (i32.const 1))"
    " (drop (struct.get $s 1 (local.get 0))) (drop (ref.test (ref null $s) (local.get 0))) (drop (ref.cast (ref $s) (local.get 0))))"),
    ("(memory 1) (memory $m 1) (func (drop (i32.load $m offset=7 align=1 (i32.const 0))) (memory.copy $m 0 (i32.const 0) (i32.const 0)"
    " (i32.const 0)) (drop (v128.load8_lane $m offset=1 3 (i32.const 0) (v128.const i32x4 1 2 3 4)))"
    " (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))"),
    "(func (drop (f32.const 0.1)) (drop (f32.const nan:0x1)) (drop (f64.const -inf)) (drop (f64.const 1e-300)) (drop (i64.const -1)))",
    ('(func (param i32) (@metadata.code.branch_hint "\\01") (if (local.get 0) (then)) (block (@metadata.code.branch_hint "\\00")'
    " (br_if 0 (local.get 0))))"),
    '(data $d "' + "x" * 200 + '\\00\\ff") (@custom "c" "' + "y" * 100 + '")',
    '(func $f) (@custom "before names" (after data)) (@custom "behind" "x")',
    "(type $a (func (param i32 i64) (result i32 i32))) (func (block (type $a) (unreachable)) (drop) (drop))",
)  # fmt: skip


@pytest.mark.parametrize("text", [*TEXTS, *MORE_TEXTS])
def test_text_of_a_module_says_the_same(text: str) -> None:
    source = assemble(text, ALL)
    printed = format_module(decode_module(source, ALL))
    assert facts(assemble(printed, ALL)) == facts(source)


def test_text_of_text_is_the_same_text() -> None:
    for text in (*TEXTS, *MORE_TEXTS):
        printed = format_module(decode_module(assemble(text, ALL), ALL))
        assert format_module(decode_module(assemble(printed, ALL), ALL)) == printed


def test_every_instruction_is_printed_and_read() -> None:
    source = every_instruction()
    assert facts(assemble(format_module(decode_module(source, ALL)), ALL)) == facts(source)


def test_how_it_looks() -> None:
    source = assemble(
        '(module $m (import "env" "log" (func $log (param $x i32))) (memory (export "memory") 1 2) (global $g (mut i32) (i32.const 7))'
        ' (func $f (export "f") (param $n i32) (result i32) (local i32 i64) (block (loop $l (br_if $l (local.get $n)) (br 1)))'
        ' (if (local.get 0) (then (call $log (i32.const 1))) (else)) (i32.load offset=4 (i32.const 0))) (data (i32.const 0) "hi\\00"))',
        ALL,
    )
    assert format_module(decode_module(source, ALL)) == (
        """\
(module $m
  (type (;0;) (func (param i32)))
  (type (;1;) (func (param i32) (result i32)))
  (import "env" "log" (func $log (;0;) (type 0) (param $x i32)))
  (memory (;0;) 1 2)
  (global $g (;0;) (mut i32) (i32.const 7))
  (export "memory" (memory 0))
  (export "f" (func $f))
  (func $f (;1;) (type 1) (param $n i32) (result i32)
    (local i32 i64)
    block (;@1;)
      loop $l
        local.get $n
        br_if $l
        br 1 (;@1;)
      end
    end
    local.get $n
    if (;@1;)
      i32.const 1
      call $log
    else
    end
    i32.const 0
    i32.load offset=4
  )
  (data (;0;) (i32.const 0) "hi\\00")
)
"""
    )


def names_of(names: NameSection) -> bytes:
    return custom("name", encode_names(names))


@pytest.mark.parametrize(
    "names",
    [
        NameSection(functions={7: "nobody"}),
        NameSection(locals={0: {9: "nobody"}}),
        NameSection(locals={9: {0: "nobody"}}),
        NameSection(labels={0: {0: "nobody"}}),
        NameSection(fields={0: {0: "nobody"}}),
    ],
)
def test_names_of_nothing_are_kept_as_a_custom_section(names: NameSection) -> None:
    source = module(section(1, vector([b"\x60\0\0"])), section(3, vector([b"\0"])), section(10, vector([b"\2\0\x0b"])), names_of(names))
    printed = format_module(decode_module(source, ALL))
    assert '(@custom "name"' in printed
    assert facts(assemble(printed, ALL)) == facts(source)


@pytest.mark.parametrize("sections", [(custom("name", b"broken"),), (names_of(NameSection(module="m")),) * 2, (custom("name", b""),)])
def test_name_sections_that_text_could_not_make_are_kept(sections: tuple[bytes, ...]) -> None:
    source = module(*sections)
    assert assemble(format_module(decode_module(source, ALL)), ALL) == source


def test_a_name_section_in_an_unusual_place_is_kept_there() -> None:
    source = module(names_of(NameSection(types={0: "t"})), section(1, vector([b"\x60\0\0"])))
    printed = format_module(decode_module(source, ALL))
    assert "(type $t" in printed
    assert decode_module(assemble(printed, ALL), ALL).customs == decode_module(source, ALL).customs


@pytest.mark.parametrize("content", [b"", b"\1\0\1\x09\1\1", b"\1\0\1\1\1\2", b"\1\5\1\1\1\1", b"\1\0\2\1\1\1\1\1\1"])
def test_branch_hints_that_are_no_annotations_are_kept_as_a_custom_section(content: bytes) -> None:
    hints = custom("metadata.code.branch_hint", content)
    source = module(section(1, vector([b"\x60\0\0"])), section(3, vector([b"\0"])), hints, section(10, vector([b"\6\0\x41\0\x0d\0\x0b"])))
    printed = format_module(decode_module(source, ALL))
    assert '(@custom "metadata.code.branch_hint"' in printed
    assert facts(assemble(printed, ALL)) == facts(source)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("ff", MalformedError),
        ("41", MalformedError),
        ("0b 0b", MalformedError),
        ("02 40 0b", MalformedError),
        ("05 0b", MalformedError),
        ("02 40 07 00 0b 0b", MalformedError),
        ("02 40 18 00 0b", MalformedError),
        ("02 05 0b 0b", InvalidError),
        ("", MalformedError),
    ],
)
def test_a_body_that_is_none(body: str, error: type[Exception]) -> None:
    code = b"\0" + bytes.fromhex(body)
    source = module(section(1, vector([b"\x60\0\0"])), section(3, vector([b"\0"])), section(10, vector([bytes((len(code),)) + code])))
    with pytest.raises(error):
        format_module(decode_module(source, ALL))


def test_indices_of_nothing_are_printed_as_they_are() -> None:
    source = assemble("(func (call 9) (local.get 9) (br 9) (struct.get 9 9) (call_indirect 9 (type 9)) (memory.init 9 9) (throw 9))", ALL)
    assert facts(assemble(format_module(decode_module(source, ALL)), ALL)) == facts(source)


def test_deep_nesting_does_not_grow_with_the_square() -> None:
    depth = 9_000
    source = assemble("(func " + "(block " * depth + ")" * depth + ")", ALL)
    assert len(format_module(decode_module(source, ALL))) < depth * 300
