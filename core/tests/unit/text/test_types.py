"""Type definitions, type uses, and the types of tables, memories and globals."""

from __future__ import annotations

import pytest

from purewasm.binary.decoder import decode_module
from purewasm.errors import MalformedError, UnsupportedError
from purewasm.text.assembler import assemble
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import ArrayType, FieldType, FuncType, StructType
from purewasm.wasm.features import Features
from purewasm.wasm.module import Limits, MemoryType, TableType, WasmModule

ALL = Features.all()


def module_of(text: str) -> WasmModule:
    return decode_module(assemble(text, ALL), ALL)


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        ("(func)", FuncType((), ())),
        ("(func (param))", FuncType((), ())),
        ("(func (param i32 i64) (param $x f32) (result f64) (result v128))", FuncType((vt.I32, vt.I64, vt.F32), (vt.F64, vt.V128))),
        ("(func (param funcref (ref extern) (ref null any)))", FuncType((vt.FUNCREF, vt.ref_type(vt.EXTERN, False), vt.ANYREF), ())),
    ],
)
def test_function_types(text: str, signature: FuncType) -> None:
    assert module_of(f"(type $t {text})").types[0].composite == signature


def test_structures_and_arrays() -> None:
    module = module_of("(type $s (struct (field $x i8) (field (mut i16) i32) (field))) (type (array (mut (ref null $s))))")
    fields = (FieldType(vt.I8, False), FieldType(vt.I16, True), FieldType(vt.I32, False))
    assert module.types[0].composite == StructType(fields)
    assert module.types[1].composite == ArrayType(FieldType(vt.ref_type(module.types[0].id, True), True))


def test_groups_and_supertypes() -> None:
    module = module_of("(rec (type $a (sub (struct))) (type $b (sub final $a (struct (field (ref $b))))))  (type (sub (func))) (rec)")
    assert module.rec_groups == [(0, 2), (2, 1), (3, 0)]
    assert [deftype.final for deftype in module.types] == [False, True, False]
    assert module.types[1].supers == (module.types[0],)


def test_types_may_be_used_before_they_are_defined() -> None:
    module = module_of("(func (type $t)) (type (func)) (type $t (func (param i32)))")
    assert module.functions == [1]


def test_a_type_use_without_a_type_takes_the_first_that_fits_or_adds_one() -> None:
    module = module_of(
        "(func (param i32)) (func (result i32) (block (param i64) (drop)) (i32.const 0)) (func (param i64))"
        " (type (sub (func (param i32)))) (rec (type (func (param i32))) (type (func))) (type (func (param i32)))"
    )
    assert module.functions == [3, 4, 5]
    assert [str(deftype.composite) for deftype in module.types[4:]] == ["[] -> [i32]", "[i64] -> []"]


def test_a_function_with_a_type_has_its_parameters_in_front_of_its_locals() -> None:
    source = assemble("(type $t (func (param i32 i32))) (func (type $t) (local $x i64) (local.set $x (i64.const 0)))", ALL)
    assert b"\x42\0\x21\2\x0b" in source


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(type (func (result i32) (param i32)))", "unexpected token param"),
        ("(type (func i32))", "unexpected token i32"),
        ("(type $t (func)) (type $t (func))", "duplicate type $t"),
        ("(type (struct (field $x i32) (field $x i32)))", "duplicate field $x"),
        ("(type (array i32 i32))", "unexpected token i32"),
        ("(type (func (param i8)))", "unexpected token i8"),
        ("(type (func (param i31)))", "unexpected token i31"),
        ("(type (func (param (ref i32))))", "unexpected token i32"),
        ("(type (func (param (ref $t))))", "unknown type $t"),
        ("(rec (func))", "unexpected token ("),
        ("(type (sub final final (func)))", "unexpected token final"),
        ("(type $t (func (param i32))) (func (type $t) (param i64))", "inline function type"),
        ("(func (type 7) (param i64))", "unknown type 7"),
        ("(func (param i32) (type 0))", "unexpected token type"),
        ("(func (param $x i32) (param $x i32))", "duplicate local $x"),
        ("(func (param $x i32) (local $x i32))", "duplicate local $x"),
        ("(func (param $x i32 i64))", "unexpected token i64"),
        ("(memory 0 (pagesize 3))", "invalid custom page size"),
        ("(memory 0 (pagesize 0))", "invalid custom page size"),
        ("(memory 0x1_0000_0000_0000_0000)", "i64 constant out of range"),
        ("(memory -1)", "unexpected token -1"),
        ("(table 0)", "unexpected token )"),
        ("(table 0 i32)", "unexpected token i32"),
        ("(global (mut))", "unexpected token )"),
    ],
)
def test_malformed_types(text: str, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        assemble(text, ALL)
    assert caught.value.message.startswith(message)


def test_tables_and_memories() -> None:
    module = module_of(
        "(table i64 1 2 externref) (table i32 0 (ref null func)) (memory i64 1 2) (memory 1 2 shared) (memory 3 (pagesize 1))"
    )
    assert module.table_types == [TableType(vt.EXTERNREF, Limits(1, 2), True), TableType(vt.FUNCREF, Limits(0, None))]
    assert module.memory_types == [
        MemoryType(Limits(1, 2), is_64=True),
        MemoryType(Limits(1, 2), shared=True),
        MemoryType(Limits(3, None), page_size_log2=0),
    ]


def test_limits_have_32_bits_without_memory64() -> None:
    with pytest.raises(MalformedError, match="i32 constant out of range"):
        assemble("(memory 0x1_0000_0000)", Features.WASM2)


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        ("(memory i64 1)", "memory64"),
        ("(memory 1 1 shared)", "threads"),
        ("(memory 1 (pagesize 1))", "custom-page-sizes"),
        ("(rec (type (func)))", "gc"),
        ("(type (struct))", "gc"),
        ("(type (array i32))", "gc"),
        ("(type (sub (func)))", "gc"),
        ("(tag)", "exceptions"),
    ],
)
def test_a_type_of_a_feature_that_is_off_names_the_feature(text: str, feature: str) -> None:
    with pytest.raises(UnsupportedError, match=feature) as caught:
        assemble(text, Features.WASM1)
    assert (caught.value.feature, caught.value.line) == (feature, 1)
