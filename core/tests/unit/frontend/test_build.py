"""What the front end does while it builds: folding, value numbering, fusion, parameters where ways meet."""

from __future__ import annotations

import pytest

from core.tests.unit.frontend.functions import build
from core.tests.unit.isa.x64.random_programs import Generator
from purewasm.ir import ops
from purewasm.ir.function import Function
from purewasm.ir.verifier import verify
from purewasm.store.layout import MEMORY_GUARD_BYTES
from purewasm.wasm import opcodes


def names(function: Function) -> list[str]:
    return [ops.NAMES[inst[0]] for inst in function.insts]


def body(text: str, head: str = "(param i32 i32) (result i32)") -> Function:
    function = build(f"(module (memory 1) (func {head} {text}))")
    verify(function)
    return function


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("(i32.add (i32.const -1) (i32.const 2))", 1),
        ("(i32.shl (i32.const 1) (i32.const 33))", 2),
        ("(i32.lt_s (i32.const -1) (i32.const 0))", 1),
        ("(i32.lt_u (i32.const -1) (i32.const 0))", 0),
        ("(i32.eqz (i32.const 0))", 1),
        ("(i32.wrap_i64 (i64.const 0x100000007))", 7),
        ("(select (i32.const 3) (i32.const 4) (i32.const 0))", 4),
    ],
)
def test_arithmetic_on_constants_is_done_here(expression: str, value: int) -> None:
    function = body(expression)
    op, _, _, imm = function.insts[-1]
    assert op == ops.RETURN
    assert function.constants[~imm[0]] == value


@pytest.mark.parametrize(
    ("splat", "vector"),
    [
        ("i8x16.splat (i32.const -2)", b"\xfe" * 16),
        ("i16x8.splat (i32.const 0x10203)", b"\x03\x02" * 8),
        ("i32x4.splat (i32.const 5)", b"\x05\0\0\0" * 4),
        ("i64x2.splat (i64.const 1)", b"\x01\0\0\0\0\0\0\0" * 2),
        ("f32x4.splat (f32.const 1)", b"\0\0\x80\x3f" * 4),
        ("f64x2.splat (f64.const -2)", b"\0\0\0\0\0\0\0\xc0" * 2),
    ],
)
def test_a_constant_in_every_lane_is_a_constant(splat: str, vector: bytes) -> None:
    function = body(f"({splat})", "(result v128)")
    assert function.constants[~function.insts[-1][3][0]] == vector


@pytest.mark.parametrize(
    ("masked", "stays"),
    [
        ("i32.and (i32.load8_u (local.get 0)) (i32.const 255)", False),
        ("i32.and (i32.load16_u (local.get 0)) (i32.const 0x7ffff)", False),
        ("i32.and (f64.lt (f64.load (local.get 0)) (f64.const 1)) (i32.const 1)", False),
        ("i32.and (i32.load8_u (local.get 0)) (i32.const 127)", True),
        ("i32.and (i32.load8_s (local.get 0)) (i32.const 255)", True),
        ("i32.and (i32.load16_u (local.get 0)) (i32.const 255)", True),
        ("i32.and (i32.eq (local.get 0) (local.get 1)) (i32.const 2)", True),
        ("i32.wrap_i64 (i64.and (i64.load32_u (local.get 0)) (i64.const 0xffffffff))", False),
        ("i32.wrap_i64 (i64.and (i64.load (local.get 0)) (i64.const 0xffffffff))", True),
    ],
)
def test_a_mask_that_changes_nothing_is_left_out(masked: str, stays: bool) -> None:
    assert any(name.endswith(".and") for name in names(body(f"({masked})"))) == stays


def test_equal_expressions_of_a_block_are_one_value() -> None:
    sum_ = "(i32.mul (local.get 0) (local.get 1))"
    assert names(body(f"(i32.xor {sum_} {sum_})")).count("i32.mul") == 1


@pytest.mark.parametrize(
    ("between", "loads"),
    [
        ("", 1),
        ("(br_if 0 (i32.const 0) (local.get 1)) (drop)", 1),
        ("(i32.store (local.get 1) (i32.const 7))", 2),
        ("(memory.fill (local.get 1) (i32.const 7) (i32.const 4))", 2),
        ("(drop (memory.grow (local.get 1)))", 2),
        ("(if (local.get 1) (then (i32.store (local.get 1) (i32.const 7))))", 2),
        ("(loop (br_if 0 (local.get 1)))", 2),
    ],
)
def test_a_load_is_the_equal_one_before_it_until_something_may_have_written(between: str, loads: int) -> None:
    load = "(i32.load offset=8 (local.get 0))"
    function = body(f"(local.set 2 {load}) {between} (i32.mul (local.get 2) {load})", "(param i32 i32) (result i32) (local i32)")
    assert names(function).count("i32.load") == loads


@pytest.mark.parametrize("address", ["(local.get 0)", "(i32.const 16)"])
@pytest.mark.parametrize("valtype", ["i32", "i64", "f32", "f64", "v128"])
def test_what_was_stored_is_not_loaded_again(valtype: str, address: str) -> None:
    stored = f"({valtype}.store offset=8 {address} (local.get 1))"
    load = f"({valtype}.load offset=8 {address})"
    header = f"(param i32 {valtype}) (result {valtype})"
    assert f"{valtype}.load" not in names(body(stored + load, header))
    for between in (
        "(i32.store8 (local.get 0) (i32.const 1))",
        "(call 0 (local.get 0) (local.get 1)) (drop)",
        "(if (local.get 0) (then))",
        "(memory.fill (local.get 0) (i32.const 1) (i32.const 1))",
    ):
        assert names(body(stored + between + load, header)).count(f"{valtype}.load") == 1


_LOAD = "(drop (i32.load (local.get 0)))"


@pytest.mark.parametrize(
    ("text", "loads"),
    [
        (f"{_LOAD} (if (local.get 1) (then (return (i32.const 1)))) {_LOAD}", 1),
        (f"{_LOAD} (block (br_if 0 (local.get 1)) (i32.store (local.get 1) (local.get 1)) (return (i32.const 1))) {_LOAD}", 1),
        (f"{_LOAD} (if (local.get 1) (then (i32.store (local.get 1) (local.get 1))) (else {_LOAD}))", 1),
        (f"(if (local.get 1) (then {_LOAD} (return (i32.const 1))) (else {_LOAD}))", 2),
        (f"(block (br_if 0 (local.get 1)) {_LOAD} (return (i32.const 1))) {_LOAD}", 2),
        (f"(block (block (br_if 0 (local.get 1)) (br_if 1 (local.get 0)) (unreachable)) {_LOAD} (return (i32.const 1))) {_LOAD}", 2),
        (f"(block (block (br_if 0 (local.get 1)) (br_if 1 (local.get 0)) (unreachable)) (loop {_LOAD} (return (i32.const 1)))) {_LOAD}", 2),
        (f"{_LOAD} (if (local.get 1) (then (nop))) {_LOAD}", 2),
    ],
)
def test_what_is_known_at_a_branch_is_known_where_it_alone_leads(text: str, loads: int) -> None:
    assert names(body(f"{text} (i32.const 0)")).count("i32.load") == loads


def globals_body(text: str) -> list[str]:
    function = build(f"""(module (import "" "g" (global $g (mut i32))) (import "" "h" (global $h (mut i32))) (memory 1)
        (global $c i32 (i32.const 1)) (func (param i32) (result i32) {text}))""")
    verify(function)
    return names(function)


@pytest.mark.parametrize(
    ("between", "gets"),
    [
        ("", 1),
        ("(i32.store (local.get 0) (i32.const 1))", 1),
        ("(global.set $g (local.get 0))", 1),
        ("(global.set $h (local.get 0))", 2),
        ("(drop (call 0 (local.get 0)))", 2),
        ("(drop (memory.grow (local.get 0)))", 2),
        ("(loop (br_if 0 (local.get 0)))", 2),
    ],
)
def test_a_global_is_read_again_when_it_may_have_changed(between: str, gets: int) -> None:
    assert globals_body(f"(drop (global.get $g)) {between} (global.get $g)").count("global_get.i") == gets


def test_a_global_that_cannot_change_is_read_once() -> None:
    assert globals_body("(drop (global.get $c)) (drop (call 0 (local.get 0))) (global.get $c)").count("global_get.i") == 1


def test_a_branch_past_unreachable_is_a_trap_on_the_contrary() -> None:
    for text in (
        "(block (br_if 0 (i32.lt_u (local.get 0) (i32.load (local.get 1)))) (unreachable))",
        "(if (i32.ge_u (local.get 0) (i32.load (local.get 1))) (then (unreachable)))",
    ):
        function = body(f"{text} (i32.const 1)")
        assert {"br_if", "trap"}.isdisjoint(names(function))
        assert [inst[3][0] for inst in function.insts if inst[0] == ops.TRAP_IF] == [ops.CC_AE]
    assert "trap_if" not in names(body("(loop (br_if 0 (local.get 0)) (unreachable)) (i32.const 1)"))
    assert "trap_if" not in names(body("(block (br_if 0 (f32.eq (f32.const 1) (f32.load (local.get 0)))) (unreachable)) (i32.const 1)"))


@pytest.mark.parametrize(
    ("text", "stores"),
    [
        ("(i32.store (local.get 0) (i32.const 1)) (i32.store (local.get 0) (i32.const 2))", 1),
        ("(i32.store (local.get 0) (local.get 1)) (i32.store (local.get 0) (local.get 1))", 1),
        ("(drop (i32.load (local.get 0))) (i32.store (local.get 0) (i32.load (local.get 0)))", 0),
        ("(i32.store (local.get 0) (i32.const 1)) (i32.store offset=4 (local.get 0) (i32.const 1))", 2),
        ("(i32.store (local.get 0) (i32.const 1)) (drop (i32.load (local.get 1))) (i32.store (local.get 0) (i32.const 2))", 2),
        ("(i32.store (local.get 0) (i32.const 1)) (i32.store8 (local.get 1) (i32.const 2)) (i32.store (local.get 0) (i32.const 1))", 2),
        ("(i32.store (local.get 0) (i32.const 1)) (if (local.get 1) (then (unreachable))) (i32.store (local.get 0) (i32.const 1))", 1),
    ],
)
def test_a_store_that_changes_nothing_is_left_out(text: str, stores: int) -> None:
    assert names(body(f"{text} (i32.const 0)")).count("i32.store") == stores


def test_loads_and_stores_at_constant_addresses_are_like_others() -> None:
    load = "(i32.load (i32.const 8))"
    assert names(body(f"(i32.add {load} {load})")).count("i32.load") == 1
    assert names(body(f"(i32.add {load} (i32.load offset=4 (i32.const 4)))")).count("i32.load") == 1
    assert names(body(f"(i32.add {load} (i32.load offset=4 (i32.const 8)))")).count("i32.load") == 2
    assert names(body(f"(i32.add {load} (i32.add (i32.load (local.get 0)) {load}))")).count("i32.load") == 2
    for between in ("(i32.store8 (local.get 0) (i32.const 1))", "(i32.store (i32.const 10) (i32.const 1))", "(drop (call 0 {0} {0}))"):
        text = f"(local.set 1 {load}) {between.format('(local.get 0)')} (i32.add (local.get 1) {load})"
        assert names(body(text)).count("i32.load") == 2
    store = "(i32.store (i32.const 8) (local.get 0))"
    assert names(body(f"{store} {store} (i32.const 0)")).count("i32.store") == 1
    assert names(body(f"{store} (i32.store16 (i32.const 8) (local.get 0)) {store} (i32.const 0)")).count("i32.store") == 2


def test_beyond_the_memory_each_access_is_checked() -> None:
    load = "(i32.load (i32.const 0x10000))"
    assert names(body(f"(i32.add {load} {load})")).count("i32.load") == 2


def test_a_narrow_store_or_another_type_is_loaded_again() -> None:
    assert "i32.load8_u" in names(body("(i32.store8 (local.get 0) (local.get 0)) (i32.load8_u (local.get 0))"))
    assert "i32.load" in names(body("(f32.store (local.get 0) (f32.const 1)) (i32.load (local.get 0))"))
    assert "i32.load" in names(body("(i64.store32 (local.get 0) (i64.const 1)) (i32.load (local.get 0))"))


def test_loads_of_other_widths_and_offsets_are_others() -> None:
    loads = ("i32.load8_u", "i32.load8_s", "i32.load16_u offset=2", "i32.load offset=4", "i32.load")
    text = "".join(f"({load} (local.get 0))" for load in loads) + "(i32.add) (i32.add) (i32.add) (i32.add)"
    assert sum("load" in name for name in names(body(text))) == len(loads)


@pytest.mark.parametrize(("mask", "ands"), [(1, 0), (3, 0), (2, 1)])
def test_the_lowest_bit_of_a_compare_is_the_compare(mask: int, ands: int) -> None:
    text = f"(i32.and (i32.lt_s (local.get 0) (local.get 1)) (i32.const {mask}))"
    assert names(body(text)).count("i32.and") == ands


@pytest.mark.parametrize(("name", "neutral"), [("add", 0), ("or", 0), ("mul", 1), ("shl", 0)])
def test_what_changes_nothing_disappears(name: str, neutral: int) -> None:
    assert body(f"(i32.{name} (local.get 0) (i32.const {neutral}))").insts[-1][3] == (0,)


def test_constants_of_a_chain_of_additions_are_summed() -> None:
    function = body("(i32.sub (i32.add (local.get 0) (i32.const 7)) (i32.const 2))")
    op, a, b, _ = function.insts[-2]
    assert (ops.NAMES[op], a, function.constants[~b]) == ("i32.add", 0, 5)


def test_a_compare_is_put_into_its_branch() -> None:
    function = body("(if (i32.lt_s (local.get 0) (local.get 1)) (then (return (i32.const 1)))) (i32.const 2)")
    branch = next(inst for inst in function.insts if inst[0] == ops.BR_IF)
    assert (branch[1], branch[2], branch[3][0]) == (0, 1, ops.CC_GE)


def test_a_value_that_differs_between_the_ways_becomes_a_parameter_and_others_do_not() -> None:
    function = body("(if (local.get 0) (then (local.set 1 (i32.const 5)))) (i32.add (local.get 0) (local.get 1))")
    parameters = [inst for inst in function.insts if inst[0] == ops.PARAM + ops.INT]
    assert len(parameters) == 1


def test_a_loop_has_parameters_for_what_it_assigns_only() -> None:
    function = body("(loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (local.get 1))))) (local.get 0)")
    assert sum(inst[0] == ops.PARAM + ops.INT for inst in function.insts) == 1


def test_accesses_that_no_guard_page_checks_are_checked_by_code() -> None:
    load = "(i32.load offset={} (local.get 0))"
    assert "check" not in names(body(load.format(MEMORY_GUARD_BYTES - 1)))
    assert "check" in names(body(load.format(MEMORY_GUARD_BYTES)))
    explicit = build(f"(module (memory 1) (func (param i32) (result i32) {load.format(0)}))", explicit_checks=True)
    assert "check" in names(explicit)
    assert "check" in names(build(f"(module (memory i64 1) (func (param i64) (result i32) {load.format(0)}))"))


def test_unreachable_code_is_left_out() -> None:
    function = body("(return (i32.const 1)) (block (loop (br 1)) (if (i32.const 0) (then) (else (unreachable)))) (i32.div_s)")
    assert names(function) == ["arg.i", "arg.i", "return"]


def test_fuel_is_charged_at_the_beginning_of_each_segment() -> None:
    function = build("(module (func (param i32) (loop (br_if 0 (local.get 0)))))", fuel=True)
    charged = [inst[3] for inst in function.insts if inst[0] == ops.FUEL]
    assert charged == [2]


@pytest.mark.parametrize("seed", range(40))
def test_random_functions_make_good_ir(seed: int) -> None:
    text = Generator(seed).module()
    verify(build(text))
    verify(build(text, explicit_checks=True, fuel=True))


def test_every_operation_of_the_opcode_table_has_a_name_in_the_ir() -> None:
    for family in ("numeric", "vector"):
        for code, name, _, text, _, _ in opcodes.FAMILIES[family]:
            if not text.startswith(">") and len(text.partition(">")[2]) == 1:
                assert ops.NAMES[ops.number_of(code)] == name
