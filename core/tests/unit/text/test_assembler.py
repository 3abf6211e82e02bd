"""Whole modules: what stands around fields, names, and what the bytes are."""

from __future__ import annotations

import subprocess
import sys

import pytest

from purewasm.binary.decoder import decode_module
from purewasm.binary.name_encoder import NameSection
from purewasm.binary.names import decode_names
from purewasm.errors import MalformedError
from purewasm.text.assembler import assemble
from purewasm.validate.module import validate_module
from purewasm.wasm.features import Features

ALL = Features.all()


def test_the_bytes_of_a_small_module() -> None:
    assert assemble('(module (func (export "f") (result i32) i32.const 42))', Features.WASM1) == bytes.fromhex(
        "00 61 73 6d 01 00 00 00"  # header
        "01 05 01 60 00 01 7f"  # type 0
        "03 02 01 00"  # function 0 of it
        "07 05 01 01 66 00 00"  # exported
        "0a 06 01 04 00 41 2a 0b"  # its body
    )


@pytest.mark.parametrize("text", ["", " ", ";; nothing", "(module)", "(module $m)", "(; ;)(module(@x))"])
def test_a_module_without_fields(text: str) -> None:
    assert not decode_module(assemble(text, ALL), ALL).types


def test_text_may_come_as_bytes() -> None:
    assert assemble('(export "λ" (func 0)) (func)'.encode(), ALL) == assemble('(export "λ" (func 0)) (func)', ALL)


def test_identifiers_become_names() -> None:
    source = assemble(
        '(module $m (type $t (struct (field $x i32) (field i32))) (import "m" "f" (func $imported (param $p i32)))'
        ' (func $f (param i32) (param $a i32) (local $b i64) (block $l (loop (block $"in quotes")))) (table $tab 0 funcref)'
        " (memory $mem 0) (global $g i32 (i32.const 0)) (tag $tag) (elem $e func) (data $d))",
        ALL,
    )
    names = decode_names(decode_module(source, ALL))
    expected = NameSection(
        module="m",
        functions={0: "imported", 1: "f"},
        locals={0: {0: "p"}, 1: {1: "a", 2: "b"}},
        labels={1: {0: "l", 2: "in quotes"}},
        types={0: "t"},
        tables={0: "tab"},
        memories={0: "mem"},
        globals={0: "g"},
        elements={0: "e"},
        data={0: "d"},
        fields={0: {0: "x"}},
        tags={0: "tag"},
    )
    for kind in NameSection.__slots__:
        assert getattr(names, kind) == getattr(expected, kind)


def test_a_name_annotation_wins_over_the_identifier() -> None:
    source = assemble(
        '(module $m (@name "M 1") (func $f (@name "F") (param (@name "a") i32) (local $b (@name "") i32)) (func (@name "G"))'
        ' (type $t (@name "T") (struct (field $x (@name "X") i32))))',
        ALL,
    )
    names = decode_names(decode_module(source, ALL))
    assert (names.module, names.functions, names.locals) == ("M 1", {0: "F", 1: "G"}, {0: {0: "a", 1: ""}})
    assert (names.types, names.fields) == ({0: "T"}, {0: {0: "X"}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('(module (@name "a") (@name "b"))', "@name annotation: multiple module"),
        ('(module (func) (@name "a"))', "misplaced @name annotation"),
        ('(module (start $f (@name "a")) (func $f))', "misplaced @name annotation"),
        ("(module (@name a))", "@name annotation: unexpected token"),
        ('(module (@name "\\ff"))', "@name annotation: malformed UTF-8 encoding"),
    ],
)
def test_malformed_name_annotations(text: str, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        assemble(text, ALL)
    assert caught.value.message.startswith(message)


def test_what_comes_out_is_validated_elsewhere() -> None:
    source = assemble("(func (result i32) (call 99))", ALL)
    module = decode_module(source, ALL)
    with pytest.raises(Exception, match="unknown function"):
        validate_module(module, ALL)


def test_importing_the_package_does_not_load_the_text_format() -> None:
    program = "import purewasm, sys; print([name for name in sys.modules if name.startswith('purewasm.text')])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
