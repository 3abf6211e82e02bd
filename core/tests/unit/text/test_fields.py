"""Fields of a module and their abbreviations."""

from __future__ import annotations

import pytest

from core.tests.unit.binary.module_facts import facts
from purewasm.binary.decoder import decode_module
from purewasm.errors import MalformedError
from purewasm.text.assembler import assemble
from purewasm.wasm.features import Features
from purewasm.wasm.module import FUNC, GLOBAL, MEMORY, TABLE, TAG, Export

ALL = Features.all()


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ('(func (export "a") (export "b"))', '(export "a" (func 0)) (export "b" (func 0)) (func)'),
        ('(func (import "m" "f") (param i32))', '(import "m" "f" (func (param i32)))'),
        ('(func (export "a") (import "m" "f"))', '(import "m" "f" (func)) (export "a" (func 0))'),
        ('(global (export "g") (import "m" "g") (mut i32))', '(import "m" "g" (global (mut i32))) (export "g" (global 0))'),
        ('(table (import "m" "t") 1 2 funcref)', '(import "m" "t" (table 1 2 funcref))'),
        ('(memory (import "m" "m") 1)', '(import "m" "m" (memory 1))'),
        ('(tag (import "m" "e") (param i32))', '(import "m" "e" (tag (param i32)))'),
        ('(memory (export "m") (data "ab" "c"))', '(memory 1 1) (export "m" (memory 0)) (data (memory 0) (offset i32.const 0) "abc")'),
        ("(memory (data))", "(memory 0 0) (data (i32.const 0))"),
        ('(memory i64 (pagesize 1) (data "abc"))', '(memory i64 3 3 (pagesize 1)) (data (i64.const 0) "abc")'),
        ("(table funcref (elem 0 0)) (func)", "(table 2 2 funcref) (elem (i32.const 0) func 0 0) (func)"),
        ("(table i64 funcref (elem (ref.null func)))", "(table i64 1 1 funcref) (elem (i64.const 0) funcref (ref.null func))"),
        (
            "(type $t (func)) (table (ref null $t) (elem 0)) (func)",
            "(type $t (func)) (table 1 1 (ref null $t)) (elem (i32.const 0) (ref null $t) (ref.func 0)) (func)",
        ),
        ("(table 1 funcref) (elem (i32.const 0) 0) (func)", "(table 1 funcref) (elem (table 0) (offset (i32.const 0)) func 0) (func)"),
        ("(table 1 funcref) (elem 0 (i32.const 0) 0) (func)", "(table 1 funcref) (elem (i32.const 0) func 0) (func)"),
        ("(elem funcref (ref.func 0)) (func)", "(elem funcref (item ref.func 0)) (func)"),
        ('(memory 1) (data 0 (i32.const 0) "a")', '(memory 1) (data (i32.const 0) "a")'),
        ("(global i32 i32.const 1 i32.const 2 i32.add)", "(global i32 (i32.add (i32.const 1) (i32.const 2)))"),
        ("(func (local i32) (local i32 i64))", "(func (local i32 i32) (local) (local i64))"),
    ],
)
def test_abbreviations(short: str, long: str) -> None:
    assert facts(assemble(short, ALL)) == facts(assemble(f"(module {long})", ALL))


def test_exports_of_all_kinds() -> None:
    module = decode_module(
        assemble(
            '(func) (table 0 funcref) (memory 0) (global $g i32 (i32.const 0)) (tag) (export "f" (func 0)) (export "t" (table 0))'
            ' (export "m" (memory 0)) (export "g" (global $g)) (export "e" (tag 0))',
            ALL,
        ),
        ALL,
    )
    kinds = {"f": FUNC, "t": TABLE, "m": MEMORY, "g": GLOBAL, "e": TAG}
    assert module.exports == [Export(name, kind, 0) for name, kind in kinds.items()]


def test_fields_refer_to_each_other_in_any_order() -> None:
    module = decode_module(
        assemble(
            "(start $main) (elem $e (table $t) (i32.const 0) func $main) (func (call $main) (table.init $t $e (i32.const 0) (i32.const 0)"
            ' (i32.const 0)) (data.drop $d)) (table $u 0 funcref) (table $t 1 funcref) (func $main) (data $c "x") (data $d "y")',
            ALL,
        ),
        ALL,
    )
    assert (module.start, module.elements[0].table, module.data_count) == (1, 1, 2)


def test_segments_in_tables_and_memories_have_an_index() -> None:
    source = assemble('(memory (data "a")) (data $d "b") (table funcref (elem)) (elem $e func) (func (data.drop $d) (elem.drop $e))', ALL)
    assert bytes.fromhex("fc 09 01 fc 0d 01") in source


def test_the_data_count_is_there_only_where_code_needs_it() -> None:
    assert decode_module(assemble('(data "a")', ALL), ALL).data_count is None
    assert decode_module(assemble("(func (data.drop 0))", ALL), ALL).data_count == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('(func) (import "m" "f" (func))', "import after function"),
        ('(memory 0) (func (import "m" "f"))', "import after memory"),
        ('(table 0 funcref) (import "m" "f" (func))', "import after table"),
        ('(global i32 (i32.const 0)) (global (import "m" "f") i32)', "import after global"),
        ('(tag) (import "m" "f" (func))', "import after tag"),
        ("(func $f) (func $f)", "duplicate func $f"),
        ('(func $f (import "m" "f")) (import "m" "f" (func $f))', "duplicate func $f"),
        ("(data $d) (data $d)", "duplicate data $d"),
        ("(start 0) (start 0)", "multiple start sections"),
        ("(start $f)", "unknown function $f"),
        ('(export "a" (func $f))', "unknown function $f"),
        ('(export "a" (type 0))', "unexpected token type"),
        ('(import "m" "f" (elem))', "unexpected token elem"),
        ('(import "m" (func))', "unexpected token ("),
        ('(import "\\ff" "f" (func))', "malformed UTF-8 encoding"),
        ('(export "\\c0\\80" (func 0))', "malformed UTF-8 encoding"),
        ("(bogus)", "unknown operator bogus"),
        ("(param)", "unexpected token param"),
        ("func", "unexpected token func"),
        ("(func", "unexpected token: the text ends"),
        ("(module) (module)", "unexpected token ("),
        ("(module))", "unexpected token )"),
        ("(elem (i32.const 0) bogus)", "unknown operator bogus"),
        ("(elem declare (i32.const 0) func)", "unexpected token ("),
        ("(data (i32.const 0) 1)", "unexpected token 1"),
        ("(func $)", "empty identifier"),
        ("(func (local $x))", "unexpected token )"),
        ("(func (nop) (local i32))", "unexpected token local"),
        ("(memory 1 (data))", "unexpected token ("),
    ],
)
def test_malformed_fields(text: str, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        assemble(text, ALL)
    assert caught.value.message.startswith(message)
    assert caught.value.line == 1
