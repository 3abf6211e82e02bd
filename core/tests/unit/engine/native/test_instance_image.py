"""Contexts are copies of one image: what is in it, and that no instance sees what another one did."""

from __future__ import annotations

import gc
import struct
import weakref
from collections.abc import Iterator
from typing import Final

import pytest

from purewasm import Function, Global, Instance, Runtime, Table
from purewasm.engine.native.module_code import ModuleCode
from purewasm.engine.native.space import Space

BOTH: Final = ("compiler", "interpreter")


@pytest.fixture(params=BOTH)
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    with Runtime(engine=request.param) as made:
        yield made


def elements(instance: Instance, name: str) -> list[object]:
    table = instance.exports[name]
    assert isinstance(table, Table)
    functions = [table.get(index) for index in range(table.size)]
    return [f() if isinstance(f, Function) else f for f in functions]


GLOBALS: Final = """(module
    (global $a (mut i32) (i32.const -5)) (global $b i64 (i64.const 0x1234567890abcdef)) (global (export "c") (mut f32) (f32.const 1.5))
    (global $d f64 (f64.const -0x1p-1022)) (global (export "e") v128 (v128.const i64x2 1 -2)) (global (export "g") (mut i32) (i32.const 7))
    (global $h i32 (i32.add (i32.const 1) (i32.const 2))) (global (export "k") i32 (i32.const 9))
    (global $f (export "f") funcref (ref.func 0))
    (global (export "nan") f32 (f32.const -nan:0x200001))
    (func (export "a") (result i32) global.get $a) (func (export "b") (result i64) global.get $b)
    (func (export "d") (result f64) global.get $d) (func (export "h") (result i32) global.get $h)
    (func (export "gg") (result i32) global.get 5) (func (export "kk") (result i32) global.get 7)
    (func (export "change") (global.set $a (i32.const 1)) (global.set 2 (f32.const 2)) (global.set 5 (i32.const 8))))"""


def values(instance: Instance) -> list[object]:
    functions = [instance.exports[name] for name in ("a", "b", "d", "h", "gg", "kk")]
    cells = [instance.exports[name] for name in ("c", "e", "g", "k")]
    return [f() for f in functions if isinstance(f, Function)] + [g.value for g in cells if isinstance(g, Global)]


def test_globals_start_with_their_values_in_each_instance(runtime: Runtime) -> None:
    module = runtime.compile(GLOBALS)
    first = runtime.instantiate(module)
    expected = [-5, 0x1234567890ABCDEF, struct.unpack("<d", struct.pack("<Q", 1 << 63 | 1 << 52))[0], 3, 7, 9, 1.5]
    assert values(first)[:7] == expected
    assert values(first)[7:] == [(1).to_bytes(8, "little") + (-2).to_bytes(8, "little", signed=True), 7, 9]
    first.exports.change()
    assert (values(first)[0], values(first)[4], values(first)[6]) == (1, 8, 2.0)
    second = runtime.instantiate(module)
    first.exports.g.value = 70
    assert values(second)[:7] == expected
    assert first.exports.gg() == 70
    assert second.exports.f.value() == -5


def test_an_exported_global_outlives_its_instance() -> None:
    with Runtime(engine="compiler") as runtime:
        instance = runtime.instantiate(GLOBALS)
        cell = instance.exports.g
        instance.close()
        del instance
        others = [runtime.instantiate(GLOBALS) for _ in range(20)]
        cell.value = 99
        assert cell.value == 99
        assert all(other.exports.gg() == 7 for other in others)


@pytest.mark.parametrize("way", ["closed", "dropped"])
def test_an_exported_global_keeps_its_cell_alone(way: str) -> None:
    with Runtime(engine="compiler") as runtime:
        instance = runtime.instantiate(GLOBALS)
        space = instance.engine_state
        assert isinstance(space, Space)
        context = weakref.ref(space.block)
        cells = {name: instance.exports[name] for name in ("c", "e", "g", "k", "nan")}
        assert instance.exports.gg() == 7
        text = """(module (import "m" "g" (global $g (mut i32)))
          (func (export "add") (global.set $g (i32.add (global.get $g) (i32.const 1)))))"""
        other = runtime.instantiate(text, imports={"m": {"g": cells["g"]}})
        other.exports.add()
        assert instance.exports.gg() == 8
        if way == "closed":
            instance.close()
        del instance, space
        gc.collect()
        assert context() is None
        other.exports.add()
        assert [cell.value for cell in cells.values() if isinstance(cell, Global)][:4] == [
            1.5, (1).to_bytes(8, "little") + (-2).to_bytes(8, "little", signed=True), 9, 9,
        ]  # fmt: skip


TABLES: Final = """(module
    (table $t (export "t") 6 20 funcref) (table $u 3 funcref) (table $z (export "z") 0 funcref) (table $e (export "e") 2 externref)
    (elem (table $t) (i32.const 1) func $one $two $three) (elem (table $t) (i32.const 2) func $four)
    (elem (table $u) (i32.const 0) func $two)
    (elem $passive func $three $one) (elem declare func $four)
    (func $one (result i32) i32.const 1) (func $two (result i32) i32.const 2) (func $three (result i32) i32.const 3)
    (func $four (result i32) i32.const 4) (type $v (func (result i32)))
    (func (export "call") (param i32) (result i32) (call_indirect $t (type $v) (local.get 0)))
    (func (export "private") (param i32) (result i32) (call_indirect $u (type $v) (local.get 0)))
    (func (export "put") (table.init $t $passive (i32.const 0) (i32.const 0) (i32.const 2)))
    (func (export "again") (table.init $t 0 (i32.const 0) (i32.const 0) (i32.const 1)))
    (func (export "clear") (table.fill $t (i32.const 0) (ref.null func) (table.size $t)) (table.set $u (i32.const 0) (ref.func $four)))
    (func (export "grow") (param i32) (result i32) (table.grow $t (ref.func $four) (local.get 0))))"""


def test_tables_start_with_their_segments_in_each_instance(runtime: Runtime) -> None:
    module = runtime.compile(TABLES)
    first, expected = runtime.instantiate(module), [None, 1, 4, 3, None, None]
    assert elements(first, "t") == expected
    assert [first.exports.call(1), first.exports.call(2), first.exports.private(0)] == [1, 4, 2]
    first.exports.put()
    assert elements(first, "t") == [3, 1, 4, 3, None, None]
    first.exports.clear()
    assert (elements(first, "t"), first.exports.private(0)) == ([None] * 6, 4)
    second = runtime.instantiate(module)
    assert (elements(second, "t"), second.exports.private(0)) == (expected, 2)
    assert second.exports.grow(15) == -1
    assert second.exports.grow(14) == 6
    assert elements(second, "t") == [*expected, *[4] * 14]
    assert elements(first, "t") == [None] * 6
    with pytest.raises(Exception, match="out of bounds table access"):
        second.exports.again()  # active segments are dropped
    assert elements(second, "z") == []


def test_functions_in_a_table_are_those_of_its_instance() -> None:
    with Runtime(engine="compiler") as runtime:
        module = runtime.compile(TABLES)
        first, second = runtime.instantiate(module), runtime.instantiate(module)
        assert first.exports.t.get(1).instance is first
        assert second.exports.t.get(1).instance is second
        table = first.exports.t
        del first
        assert table.get(3)() == 3


@pytest.mark.parametrize(
    "segment",
    [
        '(elem (table $t) (i32.const 0) func $imported $own)',
        '(elem (table $t) (global.get $start) func $own)',
        '(elem (table $t) (i32.const 0) (ref func) (item ref.func $own))',
        '(elem (table $t) (i32.const 0) func $own) (elem (table $t) (i32.add (i32.const 1) (i32.const 0)) func $own)',
    ],
    ids=["an import's function", "an imported offset", "expressions", "a computed offset"],
)  # fmt: skip
def test_what_is_not_known_before_is_put_there_by_each_instance(runtime: Runtime, segment: str) -> None:
    text = f"""(module (import "m" "f" (func $imported (result i32))) (import "m" "g" (global $start i32)) (table $t (export "t") 2 funcref)
        {segment} (func $own (export "own") (result i32) i32.const 5))"""
    module = runtime.compile(text)
    provider = runtime.instantiate('(module (func (export "f") (result i32) i32.const 6) (global (export "g") i32 (i32.const 0)))')
    made = [runtime.instantiate(module, imports={"m": provider}) for _ in range(2)]
    first = 6 if "imported $own" in segment else 5
    assert all(elements(one, "t")[0] == first for one in made)
    if isinstance(made[0].code, ModuleCode):
        assert not made[0].elements_in_place


def test_a_segment_that_does_not_fit_traps_after_those_before_it(runtime: Runtime) -> None:
    table = runtime.instantiate('(module (table (export "t") 3 funcref))').exports.t
    text = """(module (import "m" "t" (table 3 funcref)) (elem (i32.const 0) func 0) (elem (i32.const 3) func 0) (func))"""
    with pytest.raises(Exception, match="out of bounds table access"):
        runtime.instantiate(text, imports={"m": {"t": table}})
    assert table.get(0) is not None
    with pytest.raises(Exception, match="out of bounds table access"):
        runtime.instantiate("(module (table 3 funcref) (elem (i32.const 0) func 0) (elem (i32.const 3) func 0) (func))")


def test_large_tables_are_no_part_of_the_image() -> None:
    with Runtime(engine="compiler") as runtime:
        instance = runtime.instantiate(
            '(module (table (export "t") 100000 funcref) (elem (i32.const 99999) func 0) (func (result i32) i32.const 3))'
        )
        assert instance.exports.t.get(99_999)() == 3
        assert isinstance(instance.code, ModuleCode)
        assert not instance.code.image.tables


def test_code_compiled_later_is_what_new_instances_start_with() -> None:
    with Runtime(engine="compiler") as runtime:
        module = runtime.compile(TABLES)
        first = runtime.instantiate(module)
        assert first.exports.call(1) == 1
        code, space = runtime.instantiate(module).code, runtime.instantiate(module).engine_state
        assert isinstance(code, ModuleCode)
        assert isinstance(space, Space)
        one = next(index for index in code.layout.declared if code.function_name(index) == "one")
        optimized = code.variant(explicit_checks=False).optimized
        assert space.block.words[code.record_offset(one) >> 3] == optimized[one]
