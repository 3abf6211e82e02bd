"""Traps of compiled code: codes, frames, and that everything goes on afterwards."""

from __future__ import annotations

import threading

import pytest

from purewasm import Runtime, Trap, traps

TRAPS = """(module (memory (export "memory") 1) (table 3 funcref) (elem (i32.const 0) $other) (type $v (func (result i32)))
  (func $other (param i32))
  (func (export "unreachable") unreachable)
  (func (export "divide") (result i32) (i32.div_s (i32.const 1) (i32.const 0)))
  (func (export "overflow") (result i32) (i32.div_s (i32.const 0x80000000) (i32.const -1)))
  (func (export "convert") (result i32) (i32.trunc_f64_s (f64.const nan)))
  (func (export "load") (result i32) (i32.load (i32.const 65533)))
  (func (export "far") (result i64) (i64.load offset=0xffffffff (i32.const 0xffffffff)))
  (func (export "store") (i32.store8 (i32.const 65536) (i32.const 1)))
  (func (export "fill") (memory.fill (i32.const 65530) (i32.const 1) (i32.const 7)))
  (func (export "copy") (memory.copy (i32.const 0) (i32.const 65530) (i32.const 7)))
  (func (export "undefined") (result i32) (call_indirect (type $v) (i32.const 3)))
  (func (export "null") (result i32) (call_indirect (type $v) (i32.const 1)))
  (func (export "mismatch") (result i32) (call_indirect (type $v) (i32.const 0)))
  (func (export "table") (drop (table.get (i32.const 3))))
  (func $deep (export "deep") (call $deep)))"""
CODES = {
    "unreachable": traps.UNREACHABLE,
    "divide": traps.INTEGER_DIVIDE_BY_ZERO,
    "overflow": traps.INTEGER_OVERFLOW,
    "convert": traps.INVALID_CONVERSION,
    "load": traps.OUT_OF_BOUNDS_MEMORY,
    "far": traps.OUT_OF_BOUNDS_MEMORY,
    "store": traps.OUT_OF_BOUNDS_MEMORY,
    "fill": traps.OUT_OF_BOUNDS_MEMORY,
    "copy": traps.OUT_OF_BOUNDS_MEMORY,
    "undefined": traps.UNDEFINED_ELEMENT,
    "null": traps.UNINITIALIZED_ELEMENT,
    "mismatch": traps.INDIRECT_CALL_TYPE,
    "table": traps.OUT_OF_BOUNDS_TABLE,
    "deep": traps.CALL_STACK_EXHAUSTED,
}


@pytest.mark.parametrize("name", CODES)
def test_codes_and_frames(runtime: Runtime, name: str) -> None:
    instance = runtime.instantiate(TRAPS)
    for _ in range(3):
        with pytest.raises(Trap) as caught:
            getattr(instance.exports, name)()
        assert caught.value.code == CODES[name]
        assert caught.value.frames[0].function == ("deep" if name == "deep" else name)
    assert instance.memory.read(65530, 6) == bytes(6)


def test_frames_name_callers_with_offsets(runtime: Runtime) -> None:
    text = """(module $m (func $a (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
        (func $b (param i32 i32 i32 i32 i32 i32 i32 i64 f64) (result i32) (i32.add (call $a (local.get 0)) (i32.const 1)))
        (func $c (export "f") (result i32) (call $b (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 1)
            (i32.const 1) (i64.const 1) (f64.const 1))))"""
    frames = []
    for engine in ("interpreter", "compiler"):
        with Runtime(engine=engine) as own, pytest.raises(Trap) as caught:
            own.instantiate(text).exports.f()
        frames.append([(frame.module, frame.function, frame.offset) for frame in caught.value.frames])
    assert [name for _, name, _ in frames[1]] == ["a", "b", "c"]
    assert frames[0] == frames[1]


def test_stack_overflow_on_a_thread_and_under_python_frames(runtime: Runtime) -> None:
    exports = runtime.instantiate(TRAPS).exports
    found: list[str] = []

    def call(depth: int) -> None:
        if depth:
            call(depth - 1)
            return
        try:
            exports.deep()
        except Trap as trap:
            found.append(trap.code)

    before = threading.stack_size(512 << 10)
    try:
        threads = [threading.Thread(target=call, args=(300,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        threading.stack_size(before)
    call(500)
    assert found == [traps.CALL_STACK_EXHAUSTED] * 4


def test_threads_trap_at_once(runtime: Runtime) -> None:
    exports = runtime.instantiate(TRAPS).exports
    caught: list[str] = []

    def work() -> None:
        for name in list(CODES) * 5:
            try:
                getattr(exports, name)()
            except Trap as trap:
                caught.append(trap.code)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(caught) == sorted(list(CODES.values()) * 20)


def test_explicit_checks_trap_alike() -> None:
    with Runtime(engine="compiler", explicit_checks=True) as runtime:
        instance = runtime.instantiate(TRAPS)
        for name, code in CODES.items():
            with pytest.raises(Trap) as caught:
                getattr(instance.exports, name)()
            assert caught.value.code == code


def test_a_start_function_that_the_compiler_does_not_take_traps_as_any_other(runtime: Runtime) -> None:
    with pytest.raises(Trap) as caught:
        runtime.instantiate(
            """(module (memory 1) (global i31ref (ref.i31 (i32.const 1)))
                 (func $start (drop (i32.load (i32.const 0x7fffffff)))) (start $start))"""
        )
    assert caught.value.code == traps.OUT_OF_BOUNDS_MEMORY
