"""Traps and where they happened."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Callable

import pytest

from purewasm import Frame, Instance, Runtime, Trap, traps

TRAPS = """(module $guest
  (type $nothing (func)) (memory 1) (table 2 funcref)
  (func $unreachable (export "unreachable") (unreachable))
  (func (export "divide") (result i32) (i32.div_s (i32.const 1) (i32.const 0)))
  (func (export "overflow") (result i32) (i32.div_s (i32.const 0x80000000) (i32.const -1)))
  (func (export "convert") (result i32) (i32.trunc_f64_s (f64.const nan)))
  (func (export "convert_range") (result i32) (i32.trunc_f64_s (f64.const 1e20)))
  (func (export "load") (result i32) (i32.load (i32.const 65533)))
  (func (export "store") (i64.store offset=65530 (i32.const 0) (i64.const 1)))
  (func (export "fill") (memory.fill (i32.const 65000) (i32.const 1) (i32.const 1000)))
  (func (export "get") (drop (table.get 0 (i32.const 2))))
  (func (export "undefined") (call_indirect 0 (type $nothing) (i32.const 2)))
  (func (export "uninitialized") (call_indirect 0 (type $nothing) (i32.const 0)))
  (func (export "mismatch") (call_indirect 0 (type $nothing) (i32.const 1)))
  (func (export "null") (call_ref $nothing (ref.null $nothing)))
  (func $forever (export "forever") (call $forever))
  (func (export "outer") (call $middle)) (func $middle (call $unreachable))
  (elem (i32.const 1) func $number) (func $number (result i32) (i32.const 1))
)"""


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("unreachable", traps.UNREACHABLE),
        ("divide", traps.INTEGER_DIVIDE_BY_ZERO),
        ("overflow", traps.INTEGER_OVERFLOW),
        ("convert", traps.INVALID_CONVERSION),
        ("convert_range", traps.INTEGER_OVERFLOW),
        ("load", traps.OUT_OF_BOUNDS_MEMORY),
        ("store", traps.OUT_OF_BOUNDS_MEMORY),
        ("fill", traps.OUT_OF_BOUNDS_MEMORY),
        ("get", traps.OUT_OF_BOUNDS_TABLE),
        ("undefined", traps.UNDEFINED_ELEMENT),
        ("uninitialized", traps.UNINITIALIZED_ELEMENT),
        ("mismatch", traps.INDIRECT_CALL_TYPE),
        ("null", traps.NULL_FUNCTION),
        ("forever", traps.CALL_STACK_EXHAUSTED),
    ],
)
def test_every_trap_has_its_code_and_names_the_function(runtime: Runtime, name: str, code: str) -> None:
    instance = runtime.instantiate(TRAPS)
    with pytest.raises(Trap) as caught:
        getattr(instance.exports, name)()
    assert caught.value.code == code
    assert code in traps.ALL_CODES
    assert str(caught.value).startswith(code)
    assert repr(caught.value).startswith(f"Trap('{code}")
    frame = caught.value.frames[0]
    assert frame.module == "guest"
    assert frame.function == (instance.exports[name].name)  # type: ignore[union-attr]


def test_frames_come_innermost_first_with_offsets(runtime: Runtime) -> None:
    instance = runtime.instantiate(TRAPS)
    with pytest.raises(Trap) as caught:
        instance.exports.outer()
    frames = caught.value.frames
    assert [frame.function for frame in frames] == ["unreachable", "middle", "outer"]
    data = runtime.compile(TRAPS).source
    assert [data[frame.offset] for frame in frames] == [0x00, 0x10, 0x10]  # unreachable, call, call
    assert isinstance(frames[0], Frame)
    assert str(frames[0]) == f"guest!unreachable at 0x{frames[0].offset:x}"


def test_a_function_without_a_name_is_told_by_its_index(runtime: Runtime) -> None:
    instance = runtime.instantiate('(module (func (export "f") (call 1)) (func (unreachable)))', name="mine")
    with pytest.raises(Trap) as caught:
        instance.exports.f()
    assert [str(frame).split(" at ")[0] for frame in caught.value.frames] == ["mine!func[1]", "mine!f"]


def test_frames_of_two_instances(runtime: Runtime) -> None:
    runtime.instantiate('(module $library (func $fails (export "f") (unreachable)))', name="lib")
    user = runtime.instantiate('(module $user (import "lib" "f" (func $f)) (func $calls (export "g") (call $f)))')
    with pytest.raises(Trap) as caught:
        user.exports.g()
    assert [(frame.module, frame.function) for frame in caught.value.frames] == [("library", "fails"), ("user", "calls")]


def test_a_trap_of_a_start_function(runtime: Runtime) -> None:
    with pytest.raises(Trap) as caught:
        runtime.instantiate("(module $m (func $begin (unreachable)) (start $begin))")
    assert [frame.function for frame in caught.value.frames] == ["begin"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            '(module (memory 1) (data (i32.const 65534) "abc"))',
            "out of bounds memory access: data segment 0 puts 3 bytes at 65534 of a memory of 65536 bytes",
        ),
        (
            "(module (table 1 funcref) (func) (elem (i32.const 1) func 0))",
            "out of bounds table access: element segment 0 puts 1 elements at 1 of a table of 1",
        ),
    ],
)
def test_a_segment_that_does_not_fit(runtime: Runtime, source: str, message: str) -> None:
    with pytest.raises(Trap) as caught:
        runtime.instantiate(source)
    assert str(caught.value) == message
    assert message.startswith(caught.value.code)


def test_what_earlier_segments_wrote_stays(runtime: Runtime) -> None:
    library = runtime.instantiate('(module (memory (export "m") 1))', name="lib")
    with pytest.raises(Trap, match="data segment 1"):
        runtime.instantiate('(module (import "lib" "m" (memory 1)) (data (i32.const 0) "ab") (data (i32.const 65536) "c"))')
    assert library.exports.m.read(0, 2) == b"ab"


def test_the_guest_goes_on_after_a_trap(runtime: Runtime) -> None:
    instance = runtime.instantiate(TRAPS)
    for name in ("unreachable", "forever", "load") * 3:
        with pytest.raises(Trap):
            getattr(instance.exports, name)()


def below(depth: int, call: Callable[[], object]) -> object:
    return call() if not depth else below(depth - 1, call)


@pytest.mark.parametrize("depth", [0, 500, 900])
def test_how_deep_python_is_does_not_matter(runtime: Runtime, depth: int) -> None:
    instance = runtime.instantiate(TRAPS)
    limit = sys.getrecursionlimit()
    with pytest.raises(Trap, match="call stack exhausted"):
        below(min(depth, limit - 200), instance.exports.forever)
    assert sys.getrecursionlimit() == limit


def test_pythons_own_recursion_is_no_trap(runtime: Runtime) -> None:
    def endless() -> None:
        endless()

    instance = runtime.instantiate('(module (import "env" "f" (func $f)) (func (export "g") (call $f)))', imports={"env": {"f": endless}})
    with pytest.raises(RecursionError):
        instance.exports.g()


def test_guest_and_host_that_call_each_other_forever_come_to_an_end(runtime: Runtime) -> None:
    """Whose frames run out first, the guest's or the host's, is the engine's affair."""

    def again() -> None:
        instance.exports.g()

    instance: Instance = runtime.instantiate(
        '(module (import "env" "f" (func $f)) (func (export "g") (call $f)))', imports={"env": {"f": again}}
    )
    for _ in range(2):
        with pytest.raises((Trap, RecursionError), match=r"call stack exhausted|recursion"):
            instance.exports.g()


def test_a_trap_can_be_copied_and_pickled() -> None:
    trap = Trap("unreachable", code="unreachable", frames=[Frame("m", 1, "f", 5)])
    for other in (copy.copy(trap), pickle.loads(pickle.dumps(trap))):
        assert (str(other), other.code, other.frames) == ("unreachable", "unreachable", (Frame("m", 1, "f", 5),))
