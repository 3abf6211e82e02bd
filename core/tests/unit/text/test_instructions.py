"""Flat and folded instructions, labels, block types."""

from __future__ import annotations

import pytest

from purewasm.binary.decoder import decode_module
from purewasm.errors import InvalidError, MalformedError, UnsupportedError
from purewasm.text.assembler import assemble
from purewasm.wasm.features import Features

ALL = Features.all()


def code_of(body: str, before: str = "") -> str:
    """The instructions of a function with this text, as hexadecimal bytes."""
    module = decode_module(assemble(f"(module {before} (func {body}))", ALL), ALL)
    code = module.codes[-1]
    return module.source[code.start : code.end].hex(" ")


@pytest.mark.parametrize(
    ("folded", "flat"),
    [
        ("(drop (i32.add (i32.const 1) (i32.const 2)))", "i32.const 1 i32.const 2 i32.add drop"),
        ("(block (nop) (br 0))", "block nop br 0 end"),
        ("(loop $l (br $l))", "loop $l br $l end $l"),
        ("(if (i32.const 1) (then (nop)) (else (drop (i32.const 2))))", "i32.const 1 if nop else i32.const 2 drop end"),
        ("(if (result i32) (i32.const 1) (then (i32.const 2)) (else)) drop", "i32.const 1 if (result i32) i32.const 2 else end drop"),
        ("(try_table (catch_all 0) (throw 0))", "try_table (catch_all 0) throw 0 end"),
        ("(try (do (nop)) (catch 0 (nop)) (catch_all (rethrow 0)))", "try nop catch 0 nop catch_all rethrow 0 end"),
        ("(block (try (do (nop)) (delegate 0)))", "block try nop delegate 0 end"),
        ("(nop) nop (nop)", "nop nop nop"),
        ("(select (result i32) (i32.const 1) (i32.const 2) (i32.const 3))", "i32.const 1 i32.const 2 i32.const 3 select (result i32)"),
    ],
)
def test_folded_and_flat_instructions_are_the_same(folded: str, flat: str) -> None:
    assert code_of(folded) == code_of(flat)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("i32.const -1", "41 7f"),
        ("i32.const 0xffffffff", "41 7f"),
        ("i64.const 0x8000000000000000", "42 80 80 80 80 80 80 80 80 80 7f"),
        ("f32.const 1.5", "43 00 00 c0 3f"),
        ("f64.const nan:0x1", "44 01 00 00 00 00 00 f0 7f"),
        ("i32.load", "28 02 00"),
        ("i32.load offset=8 align=1", "28 00 08"),
        ("i64.load 1 offset=3", "29 43 01 03"),
        ("v128.load8_lane 5", "fd 54 00 00 05"),
        ("v128.load8_lane 1 5", "fd 54 40 01 00 05"),
        ("v128.load8_lane 1 offset=2 5", "fd 54 40 01 02 05"),
        ("v128.load8_lane offset=2 5", "fd 54 00 02 05"),
        ("memory.size", "3f 00"),
        ("memory.copy", "fc 0a 00 00"),
        ("memory.copy 1 0", "fc 0a 01 00"),
        ("memory.init 2", "fc 08 02 00"),
        ("memory.init 1 2", "fc 08 02 01"),
        ("table.init 2", "fc 0c 02 00"),
        ("table.init 1 2", "fc 0c 02 01"),
        ("br_table 0 0 0", "0e 02 00 00 00"),
        ("call_indirect 1 (param i32)", "11 01 01"),
        ("select", "1b"),
        ("select (result i32)", "1c 01 7f"),
        ("ref.null func", "d0 70"),
        ("ref.test (ref any)", "fb 14 6e"),
        ("ref.test anyref", "fb 15 6e"),
        ("ref.cast (ref null 0)", "fb 17 00"),
        ("br_on_cast 0 anyref (ref i31)", "fb 18 01 00 6e 6c"),
        ("array.new_fixed 0 3", "fb 08 00 03"),
        ("atomic.fence", "fe 03 00"),
        ("block end", "02 40 0b"),
        ("block (result i32) end", "02 7f 0b"),
        ("block (result (ref 0)) end", "02 64 00 0b"),
        ("block (param i32) end", "02 01 0b"),
        ("block (type 0) end", "02 00 0b"),
        ("i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", "fd 0d 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f"),
        ("v128.const i16x8 1 2 3 4 5 6 7 -1", "fd 0c 01 00 02 00 03 00 04 00 05 00 06 00 07 00 ff ff"),
        ("v128.const f64x2 1 -0", "fd 0c 00 00 00 00 00 00 f0 3f 00 00 00 00 00 00 00 80"),
    ],
)
def test_immediates(text: str, code: str) -> None:
    assert code_of(text, "(type (func))") == code + " 0b"


def test_the_nearest_label_of_a_name_counts() -> None:
    assert code_of("block $l block $l br $l end br $l end") == "02 40 02 40 0c 00 0b 0c 00 0b 0b"


def test_the_condition_of_an_if_is_outside_of_its_label() -> None:
    assert (
        code_of("(block $l (if $l (br_if $l (i32.const 0) (i32.const 1)) (then (br $l))))")
        == "02 40 41 00 41 01 0d 00 04 40 0c 00 0b 0b 0b"
    )


def test_catch_clauses_are_outside_of_the_label_of_their_try_table() -> None:
    assert code_of("(block $l (try_table $l (catch_all $l) (br $l)))") == "02 40 1f 40 01 02 00 0c 00 0b 0b 0b"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("block $a end $b", "mismatching label $b"),
        ("block end $b", "mismatching label $b"),
        ("i32.const 0 if $a else $b end", "mismatching label $b"),
        ("block $l end br $l", "unknown label $l"),
        ("local.get $x", "unknown local $x"),
        ("call $x", "unknown function $x"),
        ("end", "unexpected token end"),
        ("else", "unexpected token else"),
        ("block", "unexpected token )"),
        ("(block", "unexpected token: the text ends"),
        ("(then)", "unexpected token then"),
        ("(if (then) (then))", "unexpected token then"),
        ("(if (i32.const 0))", "unexpected token )"),
        ("(i32.add nop)", "unexpected token nop"),
        ("(i32.add (then))", "unexpected token then"),
        ("(try (nop))", "unexpected token nop"),
        ("(try (do) (catch_all) (catch 0))", "unexpected token catch"),
        ("(try (do) (catch 0) (delegate 0))", "unexpected token delegate"),
        ("i32.foo", "unknown operator i32.foo"),
        ("get_local 0", "unknown operator get_local"),
        ("i32.const", "unexpected token )"),
        ("i32.const x", "unknown operator x"),
        ("i32.const 1.0", "unexpected token 1.0"),
        ("i32.const 4294967296", "constant out of range"),
        ("f32.const nan:canonical", "unexpected token nan:canonical"),
        ("i32.load align=3", "alignment must be a power of two"),
        ("i32.load align=0", "alignment must be a power of two"),
        ("i32.load align=x", "unknown operator align=x"),
        ("i32.load align=1 offset=1", "unexpected token offset=1"),
        ("i8x16.extract_lane_s 256", "i8 constant out of range"),
        ("i8x16.shuffle 0 1", "invalid lane length"),
        ("i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 -1", "i8 constant out of range"),
        ("v128.const i32x4 1 2 3", "wrong number of lane literals"),
        ("v128.const i32x4 1 2 3 4 5", "wrong number of lane literals"),
        ("v128.const i33x4 1 2 3 4", "unknown operator i33x4"),
        ("block (param $x i32) end", "unexpected token $x"),
        ("block (result i32) (param i32) end", "unexpected token param"),
        ("block (type 0) (param i64) end", "inline function type"),
        ("struct.get 0 $x", "unknown field"),
    ],
)
def test_malformed_instructions(body: str, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        assemble(f"(module (type (func)) (func {body}))", ALL)
    assert caught.value.message.startswith(message)
    assert caught.value.line == 1


def test_errors_say_where() -> None:
    with pytest.raises(MalformedError) as caught:
        assemble("(module\n  (func\n    i32.const 1\n    i32.bogus))", ALL)
    assert str(caught.value) == "unknown operator i32.bogus (line 4, column 5)"


@pytest.mark.parametrize(
    ("body", "feature"),
    [
        ("i8x16.splat", "simd"),
        ("(try_table (nop))", "exceptions"),
        ("try catch_all end", "legacy-exceptions"),
        ("(memory.atomic.notify)", "threads"),
        ("i64.add128", "wide-arithmetic"),
        ("call_ref 0", "function-references"),
    ],
)
def test_an_instruction_of_a_feature_that_is_off_names_the_feature(body: str, feature: str) -> None:
    with pytest.raises(UnsupportedError, match=feature) as caught:
        assemble(f"(module (func {body}))", Features.WASM1)
    assert caught.value.feature == feature
    assert caught.value.column is not None


@pytest.mark.parametrize(
    ("opening", "closing"), [("(block ", ")"), ("block ", "end "), ("(i32.eqz ", ")"), ("(if (i32.const 1) (then ", "))")]
)
def test_deep_nesting_is_no_recursion(opening: str, closing: str) -> None:
    depth = 10_000
    inner = "(i32.const 0)" if "eqz" in opening else ""
    assert len(assemble(f"(module (func {opening * depth}{inner}{closing * depth}))", ALL)) > depth


def test_branch_hints_become_a_section() -> None:
    text = (
        '(func (param i32) (local i32) local.get 0 (@metadata.code.branch_hint "\\01") (if (then))'
        ' local.get 0 (@metadata.code.branch_hint "\\00") br_if 0)'
    )
    module = decode_module(assemble(text, ALL), ALL)
    assert module.custom("metadata.code.branch_hint") == bytes([1, 0, 2, 5, 1, 1, 10, 1, 0])


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ('(func (@metadata.code.branch_hint "\\01") nop)', InvalidError, "invalid target"),
        ('(func (@metadata.code.branch_hint "\\02") if end)', MalformedError, "expected"),
        ('(@metadata.code.branch_hint "\\01") (func)', MalformedError, "not in a function"),
        ('(func (@metadata.code.branch_hint "\\01") (@metadata.code.branch_hint "\\01") if end)', MalformedError, "duplicate annotation"),
    ],
)
def test_misplaced_branch_hints(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"@metadata.code.branch_hint annotation: .*{message}"):
        assemble(text, ALL)
