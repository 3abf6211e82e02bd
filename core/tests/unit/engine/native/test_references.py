"""References: functions by their records, Python objects by their addresses."""

from __future__ import annotations

import gc
import weakref

import pytest

from purewasm import Runtime, Trap

TEXT = """(module (type $v (func (result i32)))
  (table (export "t") 4 externref) (table (export "ft") 4 8 funcref) (global (export "g") (mut externref) (ref.null extern))
  (global (export "fg") (mut funcref) (ref.null func)) (global $own (mut externref) (ref.null extern))
  (elem $passive funcref (ref.func $x) (ref.null func))
  (func (export "id") (param externref) (result externref) local.get 0)
  (func (export "both") (param externref externref) (result externref externref) local.get 1 local.get 0)
  (func (export "put") (param i32 externref) local.get 0 local.get 1 table.set 0)
  (func (export "element") (param i32) (result externref) local.get 0 table.get 0)
  (func (export "fput") (param i32 funcref) local.get 0 local.get 1 table.set 1)
  (func (export "fcall") (param i32) (result i32) local.get 0 call_indirect 1 (type $v))
  (func (export "set_global") (param externref) local.get 0 global.set 0)
  (func (export "set_own") (param externref) local.get 0 global.set $own)
  (func (export "get_own") (result externref) global.get $own)
  (func (export "grow") (param funcref i32) (result i32) local.get 0 local.get 1 table.grow 1)
  (func (export "init") (table.init 1 $passive (i32.const 2) (i32.const 0) (i32.const 2)))
  (func (export "copy") (table.copy 1 1 (i32.const 0) (i32.const 2) (i32.const 2)))
  (func (export "fill") (param externref) (table.fill 0 (i32.const 0) (local.get 0) (i32.const 4)))
  (func $x (export "x") (result i32) i32.const 77) (func (export "rx") (result funcref) ref.func $x))"""


class Thing:
    pass


def test_objects_by_identity(runtime: Runtime) -> None:
    exports = runtime.instantiate(TEXT).exports
    thing = Thing()
    assert exports.id(thing) is thing
    assert exports.id(None) is None
    assert exports.id(5) == 5
    assert exports.both(1, thing) == (thing, 1)


def test_objects_in_tables_and_globals_stay(runtime: Runtime) -> None:
    exports = runtime.instantiate(TEXT).exports
    exports.put(1, Thing())
    exports.set_global(Thing())
    exports.set_own(Thing())
    for i in range(5000):  # more than are kept without looking what is in use
        exports.id([i])
    gc.collect()
    assert isinstance(exports.element(1), Thing)
    assert isinstance(exports.g.value, Thing)
    assert isinstance(exports.get_own(), Thing)
    exports.fill(3)
    assert [exports.element(i) for i in range(4)] == [3] * 4


def test_objects_that_are_dropped_go(runtime: Runtime) -> None:
    exports = runtime.instantiate(TEXT).exports
    thing = Thing()
    ref = weakref.ref(thing)
    exports.put(0, thing)
    exports.put(0, None)
    del thing
    for i in range(100_000):
        exports.id([i])
        if ref() is None:
            break
    assert ref() is None


def test_functions(runtime: Runtime) -> None:
    exports = runtime.instantiate(TEXT).exports
    assert exports.rx() is exports.x
    exports.fput(0, exports.x)
    assert exports.fcall(0) == 77
    assert exports.ft.get(0) is exports.x
    exports.fput(0, None)
    with pytest.raises(Trap, match="uninitialized element"):
        exports.fcall(0)
    exports.fg.value = exports.x
    assert exports.fg.value is exports.x
    with pytest.raises(TypeError, match="funcref"):
        exports.fput(0, len)


def test_bulk_operations(runtime: Runtime) -> None:
    exports = runtime.instantiate(TEXT).exports
    exports.init()
    assert exports.fcall(2) == 77
    exports.copy()
    assert exports.fcall(0) == 77
    assert exports.ft.get(1) is None
    assert exports.grow(exports.x, 3) == 4
    assert exports.fcall(6) == 77
    assert exports.grow(None, 2) == -1
    with pytest.raises(Trap, match="undefined element"):
        exports.fcall(7)


def test_functions_of_other_instances_and_of_the_host(runtime: Runtime) -> None:
    exports = runtime.instantiate(TEXT).exports
    other = runtime.instantiate(
        '(module (memory 1) (data (i32.const 3) "\\09") (func (export "y") (result i32) (i32.load8_u (i32.const 3))))'
    )
    exports.ft[1] = other.exports.y
    assert exports.fcall(1) == 9
    text = '(module (import "e" "h" (func $h (result i32))) (export "h" (func $h)))'
    host = runtime.instantiate(text, imports={"e": {"h": lambda: 12}})
    exports.fput(2, host.exports.h)
    assert exports.fcall(2) == 12
    assert exports.ft.get(2)() == 12


def test_functions_of_the_interpreter(runtime: Runtime) -> None:
    exports = runtime.instantiate(TEXT).exports
    gc_module = """(module (type $s (struct (field i32)))
        (func (export "y") (result i32) (struct.get $s 0 (struct.new $s (i32.const 31)))))"""
    other = runtime.instantiate(gc_module)
    assert other.exports.y() == 31
    exports.ft[1] = other.exports.y
    assert exports.fcall(1) == 31
    assert exports.ft.get(1) is other.exports.y
    text = '(module (import "m" "y" (func $y (result i32))) (func (export "f") (result i32) (call $y)))'
    user = runtime.instantiate(text, imports={"m": other})
    assert user.exports.f() == 31
    back = runtime.instantiate(
        '(module (type $s (struct)) (import "m" "x" (func $x (result i32))) (func (export "f") (result i32) (call $x)))',
        imports={"m": {"x": exports.x}},
    )
    assert back.exports.f() == 77
