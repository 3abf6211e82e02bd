"""Control flow: what nests deeply, branches far, or is very long."""

from __future__ import annotations

import pytest

from purewasm import Runtime


def nested(opening: str, count: int, inner: str, closing: str = ")") -> str:
    return " ".join(opening.format(i=i) for i in range(count)) + inner + closing * count


def result(runtime: Runtime, function: str, *arguments: int) -> object:
    return runtime.instantiate(f'(module (memory 1) (func (export "f") {function}))').exports.f(*arguments)


@pytest.mark.parametrize("depth", [5, 30, 200])
def test_nested_loops_each_continued_once(runtime: Runtime, depth: int) -> None:
    # local 1 counts rounds of the innermost body; loop i is continued when the count is i + 1
    branches = "".join(f"(br_if $L{i} (i32.eq (local.get 1) (i32.const {i + 1})))" for i in range(depth))
    text = nested("(loop $L{i}", depth, f"(local.set 1 (i32.add (local.get 1) (i32.const 1))) {branches}")
    assert depth + 1 == result(runtime, f"(param i32) (result i32) (local i32) {text} (local.get 1)", 0)


@pytest.mark.parametrize("depth", [50, 500, 5000])
def test_branch_out_of_nested_blocks(runtime: Runtime, depth: int) -> None:
    inner = f"(br_if {depth - 1} (local.get 0)) (br {depth // 2})"
    text = nested("(block", depth, inner, "(local.set 1 (i32.add (local.get 1) (i32.const 1))))")
    function = f"(param i32) (result i32) (local i32) {text} (local.get 1)"
    # the code behind a block's contents runs only in the blocks outside of the one that was left
    assert result(runtime, function, 1) == 0
    assert depth - 1 - depth // 2 == result(runtime, function, 0)


@pytest.mark.parametrize("depth", [50, 120, 3000])
def test_nested_ifs(runtime: Runtime, depth: int) -> None:
    text = nested("(if (i32.ge_u (local.get 0) (i32.const {i})) (then (local.set 1 (i32.const {i}))", depth, "", "))")
    function = f"(param i32) (result i32) (local i32) {text} (local.get 1)"
    assert result(runtime, function, 7) == 7
    assert depth - 1 == result(runtime, function, 100_000)


def test_nested_ifs_with_results(runtime: Runtime) -> None:
    text = nested("(if (result i32) (i32.eq (local.get 0) (i32.const {i})) (then (i32.const {i})) (else", 400, "(i32.const -1)", "))")
    function = f"(param i32) (result i32) {text}"
    assert result(runtime, function, 399) == 399
    assert result(runtime, function, 400) == -1


def test_switch_of_many_cases(runtime: Runtime) -> None:
    count = 1000
    cases = ") ".join(f"(return (i32.const {i * 3}))" for i in range(count - 1))
    text = f"{'(block ' * count} (br_table {' '.join(map(str, range(count)))} (local.get 0)) ) {cases} ) (i32.const -1)"
    instance = runtime.instantiate(f'(module (func (export "f") (param i32) (result i32) {text}))')
    assert [0, 1500, 2994, -1, -1] == [instance.exports.f(i) for i in (0, 500, 998, 999, -1)]


@pytest.mark.parametrize("count", [3, 12, 120])
def test_switch_whose_cases_fall_through(runtime: Runtime, count: int) -> None:
    cases = ") ".join(f"(local.set 1 (i32.add (local.get 1) (i32.const {i})))" for i in range(count - 1))
    text = f"{'(block ' * count} (br_table {' '.join(map(str, range(count)))} (local.get 0)) ) {cases} ) (local.get 1)"
    instance = runtime.instantiate(f'(module (func (export "f") (param i32) (result i32) (local i32) {text}))')
    for start in (0, 1, count - 2, count, -1):
        expected = sum(range(start, count - 1)) if start >= 0 else 0
        assert expected == instance.exports.f(start), start


def test_br_table_of_many_targets(runtime: Runtime) -> None:
    targets = " ".join(str(i % 3 // 2) for i in range(50_000))
    text = f"(block (block (br_table {targets} (local.get 0))) (return (i32.const 10))) (i32.const 20)"
    function = f"(param i32) (result i32) {text}"
    instance = runtime.instantiate(f'(module (func (export "f") {function}))')
    assert [10, 10, 20, 10, 10] == [instance.exports.f(i) for i in (0, 1, 2, 49_998, -5)]


def test_br_table_carries_values(runtime: Runtime) -> None:
    text = "(block $b (result i32) (block $a (result i32) (br_table $a $b $a (i32.const 5) (local.get 0))) (i32.add (i32.const 100)))"
    function = f"(param i32) (result i32) {text}"
    assert [105, 5, 105] == [result(runtime, function, i) for i in (0, 1, 2)]


def test_loop_with_parameters(runtime: Runtime) -> None:
    text = (
        "(i32.const 0) (local.get 0) (loop $l (param i32 i32) (result i32) (local.set 1) (local.get 1) (i32.add) "
        "(local.get 1) (i32.const 1) (i32.sub) (local.tee 1) (local.get 1) (br_if $l) (drop))"
    )
    assert result(runtime, f"(param i32) (result i32) (local i32) {text}", 10) == 55


def test_long_expression(runtime: Runtime) -> None:
    assert result(runtime, f"(param i32) (result i32) {'(local.get 0) ' * 3000} {'(i32.add) ' * 2999}", 3) == 9000


def test_long_chain_of_operations(runtime: Runtime) -> None:
    function = f"(param i32) (result i32) (local.get 0) {'(i32.const 3) (i32.mul) (i32.const 7) (i32.xor) (i32.extend16_s)' * 500}"
    value = 5
    for _ in range(500):
        value = (value * 3 ^ 7) & 0xFFFF
        value -= (value & 0x8000) << 1
    assert value == result(runtime, function, 5)


@pytest.mark.slow
def test_long_function(runtime: Runtime) -> None:
    step = "(i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))"
    assert result(runtime, f"(result i32) {step * 9000} (i32.load (i32.const 0))") == 9000


def test_many_parameters_locals_and_results(runtime: Runtime) -> None:
    many = 1000
    instance = runtime.instantiate(
        f"(module (func $g {'(param i32)' * many} (result {'i32 ' * many}) (local {'i64 ' * 49_000})"
        f"{' '.join(f'(local.get {i})' for i in reversed(range(many)))})"
        f'(func (export "f") (result i32 i32) {" ".join(f"(i32.const {i})" for i in range(many))} (call $g) '
        f"{'(drop)' * (many - 2)}))"
    )
    assert instance.exports.f() == (999, 998)


def test_values_below_a_block_survive_it(runtime: Runtime) -> None:
    text = (
        "(local.get 0) (i32.load (i32.const 0)) (block $b (local.set 0 (i32.const 100)) "
        "(i32.store (i32.const 0) (i32.const 1000)) (br_if $b (local.get 0)) (local.set 0 (i32.const 7))) (i32.add) (local.get 0) (i32.add)"
    )
    assert result(runtime, f"(param i32) (result i32) {text}", 5) == 105


def test_local_written_while_its_old_value_is_on_the_stack(runtime: Runtime) -> None:
    text = "(local.get 0) (local.tee 0 (i32.const 10)) (i32.sub) (local.get 0) (i32.mul)"
    assert result(runtime, f"(param i32) (result i32) {text}", 3) == -70
