"""Decoding, encoding and decoding again says the same."""

from __future__ import annotations

import pytest

from core.tests.unit.binary.every_instruction import every_instruction
from core.tests.unit.binary.module_bytes import custom, module, section, vector
from core.tests.unit.binary.module_facts import facts
from purewasm.binary.decoder import decode_module
from purewasm.binary.encoder import encode_instruction, encode_module
from purewasm.text.assembler import assemble
from purewasm.wasm.features import Features
from purewasm.wasm.opcodes import CODE

ALL = Features.all()
TEXTS = (
    "(module)",
    (
        "(rec (type $a (sub (struct (field (ref null $b))))) (type $b (sub (array (mut (ref $a))))))"
        " (type $c (sub final $a (struct (field (ref null $b)) (field i8))))"
    ),
    # the same group twice: each copy names itself
    (
        "(rec (type $a (func (param (ref $b)))) (type $b (func (param (ref $a)))))"
        " (rec (type $c (func (param (ref $d)))) (type $d (func (param (ref $c)))))"
        " (type $e (func (param (ref $c)))) (func (type $c)) (func (type $a))"
    ),
    "(rec) (type (func)) (type (func))",
    (
        '(import "a" "f" (func (param i32))) (import "a" "t" (table i64 1 2 funcref)) (import "a" "m" (memory 1 2 shared))'
        ' (import "a" "g" (global (mut f32))) (import "" "e" (tag (param i64)))'
    ),
    '(func $f (export "f") (param i32) (result i32) (local i64 i64 f32) (local.get 0)) (start 1) (func)',
    (
        "(table 3 (ref null func) (ref.null func)) (table 1 externref) (elem (i32.const 0) func 0) (elem declare func 0)"
        " (elem externref (ref.null extern)) (elem (table 1) (i32.const 0) externref (item (ref.null extern))) (func)"
    ),
    (
        '(memory i64 1 (pagesize 1)) (memory 1) (data "passive") (data (i64.const 0) "a") (data (memory 1) (offset i32.const 1) "b")'
        " (func (memory.init 1 0 (i32.const 0) (i32.const 0) (i32.const 0)) (data.drop 0))"
    ),
    "(tag (param i32)) (global i32 (i32.const 5)) (global (mut i64) (i64.add (i64.const 1) (i64.const 2)))",
    (
        '(type (func)) (@custom "a" (before first) "1") (@custom "b" (after type) "2") (@custom "b" (after type) "3") (func)'
        ' (@custom "c" (before code) "4") (@custom "d" "5")'
    ),
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_module_is_encoded_as_it_was(text: str) -> None:
    source = assemble(text, ALL)
    encoded = encode_module(decode_module(source, ALL))
    assert facts(encoded) == facts(source)
    assert decode_module(encoded, ALL).customs == decode_module(source, ALL).customs
    assert encode_module(decode_module(encoded, ALL)) == encoded


def test_every_instruction_is_copied() -> None:
    source = every_instruction()
    assert encode_module(decode_module(source, ALL)) == source


def test_long_integers_become_short() -> None:
    source = module(section(1, b"\x81\x80\x00\x60\x80\x00\x00"))
    assert encode_module(decode_module(source, ALL)) == module(section(1, b"\x01\x60\x00\x00"))


def test_custom_sections_go_back_behind_the_section_that_they_followed_even_an_empty_one() -> None:
    source = module(
        custom("a", b"1"), section(1, vector([])), custom("b", b"2"), section(3, vector([])), custom("c", b"3"), custom("a", b"")
    )
    assert encode_module(decode_module(source, ALL)) == source


def test_the_data_count_is_kept() -> None:
    source = module(section(12, b"\0"))
    assert encode_module(decode_module(source, ALL)) == source


def test_instructions_are_encoded_from_here_too() -> None:
    assert encode_instruction(CODE["i32.const"], 1) == b"\x41\x01"
