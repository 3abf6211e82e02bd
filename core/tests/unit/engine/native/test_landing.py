"""The search for a landing pad: its table, code that goes, what the host may get wrong."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from purewasm import CompilationCache, Features, GuestException, HostModule, Runtime
from purewasm.engine.native import landing
from purewasm.engine.native.libc import Block

CATCHING = """(module (tag $e (param i32)) (func $throw (param i32) (throw $e (i32.add (local.get 0) (i32.const {n}))))
  (func (export "f") (param i32) (result i32) {padding}
    (block $h (result i32) (try_table (catch $e $h) (call $throw (local.get 0))) (i32.const -1))))"""


def test_more_frames_than_the_table_has_entries(runtime: Runtime) -> None:
    count = 2 << landing._INDEX_BITS
    one = "(func $f{} (param i32) (result i32) (i32.add (call $f{} (local.get 0)) (i32.const {})))"
    chain = " ".join(one.format(i, i + 1, i) for i in range(count))
    instance = runtime.instantiate(
        f"(module (tag $e (param i32)) {chain} (func $f{count} (param i32) (result i32) (throw $e (local.get 0)))"
        '(func (export "f") (param i32) (result i32) (block $h (result i32) (try_table (catch $e $h) (drop (call $f0 (local.get 0))))'
        " (i32.const -1))))"
    )
    for value in range(3):
        assert instance.exports.f(value) == value


def test_code_that_goes_is_forgotten() -> None:
    # the same addresses are used again, by functions with other frames
    for n in range(60):
        padding = "(local i64) (local.set 1 (i64.const 1)) (drop (local.get 1))" if n % 2 else "(nop)" * (n % 7)
        with Runtime(engine="compiler", features=Features.all()) as runtime:
            exports = runtime.instantiate(CATCHING.format(n=n, padding=padding)).exports
            assert [exports.f(value) for value in (1, 2)] == [n + 1, n + 2]
        gc.collect()


def test_saved_code_has_its_landing_pads(tmp_path: Path) -> None:
    for _ in range(2):
        with CompilationCache(tmp_path) as cache, Runtime(engine="compiler", features=Features.all(), cache=cache) as runtime:
            assert runtime.instantiate(CATCHING.format(n=5, padding="")).exports.f(1) == 6


@pytest.mark.parametrize("raw", [("five",), (), (1, 2), (1.5,), None, [1]])
def test_an_exception_with_wrong_values_is_an_error_of_the_host(runtime: Runtime, raw: object) -> None:
    env = HostModule("env")
    tag = env.add_tag("e", ("i32",))

    @env.function
    def fail() -> None:
        error = tag.exception(1)
        error.raw = raw  # type: ignore[assignment]
        raise error

    instance = runtime.instantiate(
        '(module (import "env" "e" (tag $e (param i32))) (import "env" "fail" (func $fail))'
        '(func (export "f") (result i32) (block $h (result i32) (try_table (catch $e $h) (call $fail)) (i32.const -1)))'
        '(func (export "all") (block $h (try_table (catch_all $h) (call $fail)))))',
        imports=[env],
    )
    with pytest.raises(TypeError, match="cannot carry"):
        instance.exports.f()
    instance.exports.all()


def test_an_exception_without_a_tag_is_caught_by_catch_all_only(runtime: Runtime) -> None:
    env = HostModule("env")

    @env.function
    def fail() -> None:
        raise GuestException.__new__(GuestException)

    instance = runtime.instantiate(
        '(module (import "env" "fail" (func $fail)) (tag $e) (func (export "f") (result i32)'
        " (block $all (block $one (try_table (catch $e $one) (catch_all $all) (call $fail))) (return (i32.const 1))) (i32.const 2)))",
        imports=[env],
    )
    assert instance.exports.f() == 2


def test_exceptions_are_let_go_while_the_guest_runs(runtime: Runtime) -> None:
    made: list[int] = []
    env = HostModule("env")

    @env.function
    def count() -> None:
        made.append(sum(type(thing) is GuestException for thing in gc.get_objects()))

    instance = runtime.instantiate(
        '(module (import "env" "count" (func $count)) (tag $e) (func $throw (throw $e))'
        '(func (export "f") (param i32) (call $count) (loop $l (block $h (try_table (catch $e $h) (call $throw)))'
        " (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (call $count)))",
        imports=[env],
    )
    instance.exports.f(1000)
    assert made[1] - made[0] <= 1


def test_no_reference_is_lost_or_left(runtime: Runtime) -> None:
    tag_type = '(module (tag $e (export "e") (param i32 i64)) (func $throw (throw $e (i32.const 1000) (i64.const 100000)))'
    instance = runtime.instantiate(
        f'{tag_type} (func (export "out") (call $throw))'
        '(func (export "f") (block $h (result i32 i64) (try_table (catch $e $h) (call $throw)) (return)) (drop) (drop))'
        '(func (export "ref") (block $h (result i32 i64 exnref) (try_table (catch_ref $e $h) (call $throw)) (return))'
        " (drop) (drop) (drop)))"
    )
    tag = instance.exports["e"]

    def all_of_it(turns: int) -> None:
        for _ in range(turns):
            instance.exports.f()
            instance.exports.ref()
            with pytest.raises(GuestException):
                instance.exports.out()

    all_of_it(2000)  # as many as are kept before something is done about it
    gc.collect()
    before = sys.getrefcount(tag), sys.getrefcount(())
    all_of_it(3)
    instance.exports.f()
    gc.collect()
    assert sys.getrefcount(tag) - before[0] <= 20
    assert abs(sys.getrefcount(()) - before[1]) <= 50


def test_code_that_goes_while_a_frame_is_looked_up_takes_no_list_along(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread, or a collection of garbage in this one, may give code back at any time."""
    found, forgotten = landing._list_of, list[object]()

    def list_of(offsets: tuple[int, ...], lists: dict[tuple[int, ...], Block]) -> int:
        address = found(offsets, lists)
        if len(forgotten) < 3:
            forgotten.append(lists)
            landing._forget()
        return address

    monkeypatch.setattr(landing, "_list_of", list_of)
    guest = """(module (tag $t (param i32)) (func $throw (param i32) (throw $t (local.get 0)))
      (func (export "f") (param i32) (result i32)
        (block $caught (result i32) (try_table (catch $t $caught) (call $throw (local.get 0))) (i32.const 0))))"""
    with Runtime(engine="compiler") as runtime:
        landing._forget()
        assert runtime.instantiate(guest).exports.f(7) == 7
        assert len(forgotten) == 3
        words = landing._table.words
        entries = [words[at : at + 8] for at in range(0, len(words), 8) if words[at]]
        pointed_to = {entry[landing._TAKES >> 3] for entry in entries} - {0}
        assert pointed_to
        assert pointed_to <= {block.address for block in landing._lists.values()}
