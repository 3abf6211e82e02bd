"""Guests whose objects are collected under them: the same results as on the interpreter, also with a collection at each allocation."""

from __future__ import annotations

import gc
import random
import weakref
from collections.abc import Callable, Iterator

import pytest

from purewasm import I31, GuestException, HostModule, Instance, LinkError, Runtime, StructObject, Trap

MASK = (1 << 64) - 1

TREES = """
  (type $node (struct (field $left (mut (ref null $node))) (field $right (mut (ref null $node))) (field $value i32)))
  (func $tree (export "tree") (param i32) (result (ref null $node))
    (if (result (ref null $node)) (local.get 0)
      (then (struct.new $node (call $tree (i32.sub (local.get 0) (i32.const 1))) (call $tree (i32.sub (local.get 0) (i32.const 1)))
        (local.get 0)))
      (else (ref.null $node))))
  (func $sum (export "sum") (param (ref null $node)) (result i64)
    (if (result i64) (ref.is_null (local.get 0)) (then (i64.const 1))
      (else (i64.add (i64.extend_i32_u (struct.get $node $value (local.get 0)))
        (i64.add (i64.mul (i64.const 3) (call $sum (struct.get $node $left (local.get 0))))
          (i64.mul (i64.const 5) (call $sum (struct.get $node $right (local.get 0)))))))))
"""

PROGRAMS = {
    "trees": TREES + """
  (func (export "run") (param i32) (result i64) (local $kept (ref null $node)) (local $total i64)
    (local.set $kept (call $tree (i32.const 5)))
    (loop $again
      (local.set $total (i64.add (i64.mul (local.get $total) (i64.const 7)) (call $sum (call $tree (i32.const 4)))))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (i64.add (local.get $total) (call $sum (local.get $kept))))""",
    "a ring": """
  (type $link (struct (field $next (mut (ref null $link))) (field $value i64)))
  (func (export "run") (param $n i32) (result i64) (local $first (ref null $link)) (local $last (ref null $link)) (local $i i32)
    (local $total i64)
    (local.set $first (local.tee $last (struct.new $link (ref.null $link) (i64.const 1))))
    (loop $more
      (struct.set $link $next (local.get $last) (struct.new $link (local.get $first) (i64.extend_i32_u (local.get $i))))
      (local.set $last (struct.get $link $next (local.get $last)))
      (drop (struct.new $link (local.get $last) (i64.const 0)))
      (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.set $last (local.get $first))
    (local.set $i (i32.const 0))
    (loop $turn
      (local.set $total (i64.add (i64.mul (local.get $total) (i64.const 31)) (struct.get $link $value (local.get $last))))
      (local.set $last (struct.get $link $next (local.get $last)))
      (br_if $turn (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.mul (local.get $n) (i32.const 3)))))
    (local.get $total))""",
    "a hash map that grows": """
  (type $entry (struct (field $key i32) (field $value (mut i64)) (field $next (mut (ref null $entry)))))
  (type $buckets (array (mut (ref null $entry))))
  (type $map (struct (field $buckets (mut (ref $buckets))) (field $count (mut i32))))
  (func $find (param $map (ref $map)) (param $key i32) (result (ref null $entry)) (local $e (ref null $entry))
    (local.set $e (array.get $buckets (struct.get $map $buckets (local.get $map))
      (i32.rem_u (local.get $key) (array.len (struct.get $map $buckets (local.get $map))))))
    (block $done (loop $next
      (br_if $done (ref.is_null (local.get $e)))
      (br_if $done (i32.eq (struct.get $entry $key (local.get $e)) (local.get $key)))
      (local.set $e (struct.get $entry $next (local.get $e)))
      (br $next)))
    (local.get $e))
  (func $put (param $map (ref $map)) (param $e (ref $entry)) (local $at i32)
    (local.set $at (i32.rem_u (struct.get $entry $key (local.get $e)) (array.len (struct.get $map $buckets (local.get $map)))))
    (struct.set $entry $next (local.get $e) (array.get $buckets (struct.get $map $buckets (local.get $map)) (local.get $at)))
    (array.set $buckets (struct.get $map $buckets (local.get $map)) (local.get $at) (local.get $e)))
  (func $grow (param $map (ref $map)) (local $old (ref null $buckets)) (local $i i32) (local $e (ref null $entry))
    (local $next (ref null $entry))
    (local.set $old (struct.get $map $buckets (local.get $map)))
    (struct.set $map $buckets (local.get $map) (array.new_default $buckets (i32.mul (array.len (local.get $old)) (i32.const 2))))
    (loop $bucket
      (local.set $e (array.get $buckets (local.get $old) (local.get $i)))
      (block $done (loop $entry
        (br_if $done (ref.is_null (local.get $e)))
        (local.set $next (struct.get $entry $next (local.get $e)))
        (call $put (local.get $map) (ref.as_non_null (local.get $e)))
        (local.set $e (local.get $next))
        (br $entry)))
      (br_if $bucket (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (array.len (local.get $old))))))
  (func (export "run") (param $n i32) (result i64) (local $map (ref null $map)) (local $key i32) (local $e (ref null $entry))
    (local $total i64)
    (local.set $map (struct.new $map (array.new_default $buckets (i32.const 2)) (i32.const 0)))
    (local.set $key (i32.const 12345))
    (loop $more
      (local.set $key (i32.and (i32.add (i32.mul (local.get $key) (i32.const 1103515245)) (i32.const 12345)) (i32.const 0xff)))
      (local.set $e (call $find (ref.as_non_null (local.get $map)) (local.get $key)))
      (if (ref.is_null (local.get $e))
        (then
          (call $put (ref.as_non_null (local.get $map)) (struct.new $entry (local.get $key) (i64.const 1) (ref.null $entry)))
          (struct.set $map $count (local.get $map) (i32.add (struct.get $map $count (local.get $map)) (i32.const 1)))
          (if (i32.gt_u (struct.get $map $count (local.get $map)) (array.len (struct.get $map $buckets (local.get $map))))
            (then (call $grow (ref.as_non_null (local.get $map))))))
        (else (struct.set $entry $value (local.get $e) (i64.add (struct.get $entry $value (local.get $e)) (i64.const 1)))
          (local.set $total (i64.add (i64.mul (local.get $total) (i64.const 3)) (struct.get $entry $value (local.get $e))))))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $total))""",
    "arrays of arrays": """
  (type $row (array (mut i64)))
  (type $rows (array (mut (ref null $row))))
  (func (export "run") (param $n i32) (result i64) (local $rows (ref null $rows)) (local $i i32) (local $j i32) (local $total i64)
    (local.set $rows (array.new_default $rows (i32.const 64)))
    (loop $more
      (array.set $rows (local.get $rows) (i32.and (local.get $i) (i32.const 63))
        (array.new $row (i64.extend_i32_u (local.get $i)) (i32.and (i32.mul (local.get $i) (i32.const 37)) (i32.const 1023))))
      (array.copy $rows $rows (local.get $rows) (i32.const 8) (local.get $rows) (i32.const 0) (i32.const 9))
      (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.set $i (i32.const 0))
    (loop $row
      (local.set $j (i32.const 0))
      (if (i32.eqz (ref.is_null (array.get $rows (local.get $rows) (local.get $i)))) (then
        (block $end (loop $one
          (br_if $end (i32.ge_u (local.get $j) (array.len (array.get $rows (local.get $rows) (local.get $i)))))
          (local.set $total (i64.add (i64.mul (local.get $total) (i64.const 3))
            (array.get $row (array.get $rows (local.get $rows) (local.get $i)) (local.get $j))))
          (local.set $j (i32.add (local.get $j) (i32.const 1)))
          (br $one)))))
      (br_if $row (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 64))))
    (local.get $total))""",
    "objects in many places": """
  (type $pair (struct (field $a (mut eqref)) (field $b (mut anyref)) (field $c externref) (field $wide v128) (field $small i8)))
  (type $sub (sub (struct (field i64))))
  (type $boxed (sub $sub (struct (field i64) (field f64))))
  (type $make (func (param i64) (result (ref $sub))))
  (type $closure (struct (field (ref $make)) (field (mut i64))))
  (tag $thrown (param (ref $sub) i32))
  (table $table 8 (ref null $sub))
  (global $global (mut (ref null $sub)) (ref.null $sub))
  (global $other (export "other") (mut anyref) (ref.null any))
  (elem declare func $boxed $plain)
  (func $boxed (type $make) (struct.new $boxed (local.get 0) (f64.convert_i64_s (local.get 0))))
  (func $plain (type $make) (struct.new $sub (local.get 0)))
  (func $value (param anyref) (result i64)
    (block $sub (result (ref $sub))
      (return (i64.extend_i32_s (i31.get_s (ref.cast (ref i31) (br_on_cast $sub anyref (ref $sub) (local.get 0)))))))
    (struct.get $sub 0))
  (func $throws (param $n i64) (throw $thrown (struct.new $sub (local.get $n)) (i32.const 5)))
  (func $catches (param $n i64) (result i64)
    (block $caught (result (ref $sub) i32)
      (try_table (catch $thrown $caught) (call $throws (local.get $n)))
      (unreachable))
    (drop) (struct.get $sub 0))
  (func (export "run") (param $n i32) (result i64) (local $total i64) (local $i i64) (local $made (ref null $sub))
      (local $pair (ref null $pair)) (local $closure (ref null $closure))
    (loop $more
      (local.set $i (i64.extend_i32_u (local.get $n)))
      (local.set $closure (struct.new $closure
        (select (result (ref $make)) (ref.func $boxed) (ref.func $plain) (i32.and (local.get $n) (i32.const 1))) (local.get $i)))
      (local.set $made (call_ref $make (struct.get $closure 1 (local.get $closure)) (struct.get $closure 0 (local.get $closure))))
      (table.set $table (i32.and (local.get $n) (i32.const 7)) (local.get $made))
      (if (i32.eqz (i32.rem_u (local.get $n) (i32.const 5))) (then (global.set $global (local.get $made))))
      (if (i32.eqz (i32.rem_u (local.get $n) (i32.const 3))) (then (global.set $other (local.get $made)))
        (else (global.set $other (ref.i31 (local.get $n)))))
      (local.set $pair (struct.new $pair (ref.i31 (local.get $n)) (local.get $made) (extern.convert_any (local.get $made))
        (v128.const i64x2 2 3) (i32.const 7)))
      (local.set $made (ref.null $sub))
      (local.set $total (i64.add (i64.mul (local.get $total) (i64.const 3)) (i64.add
        (i64.add (call $value (struct.get $pair $b (local.get $pair))) (call $value (global.get $other)))
        (i64.add (i64.add (call $value (struct.get $pair $a (local.get $pair)))
            (call $value (any.convert_extern (struct.get $pair $c (local.get $pair)))))
          (call $catches (local.get $i))))))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.add (call $value (global.get $global)) (i64.add (local.get $total) (call $value (table.get $table (i32.const 3))))))""",
}


def _module(fields: str) -> str:
    return f"(module {fields})"


@pytest.fixture(params=["now and then", "at each allocation"])
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    from purewasm.engine.native import heap

    heap.set_stress(request.param == "at each allocation")
    try:
        with Runtime(engine="compiler") as made:
            yield made
    finally:
        heap.set_stress(False)


def _collections(runtime: Runtime) -> int:
    return runtime._engine.heap.collections  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_give_what_the_interpreter_gives(runtime: Runtime, name: str) -> None:
    text = _module(PROGRAMS[name])
    with Runtime(engine="interpreter") as other:
        expected = other.instantiate(text).exports.run(300)
    assert runtime.instantiate(text).exports.run(300) == expected


@pytest.mark.parametrize("name", ["trees", "a ring", "arrays of arrays"])
def test_long_runs(name: str) -> None:
    with Runtime(engine="compiler") as runtime:
        run = runtime.instantiate(_module(PROGRAMS[name])).exports.run
        first = run(200_000)
        assert _collections(runtime) > 0
        assert run(200_000) == first


LIST = """
  (type $link (struct (field $next (mut (ref null $link))) (field $value i32)))
  (func (export "list") (param $n i32) (result (ref null $link)) (local $head (ref null $link))
    (loop $more
      (local.set $head (struct.new $link (local.get $head) (local.get $n)))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $head))
  (func (export "length") (param $at (ref null $link)) (result i32) (local $n i32)
    (block $end (loop $next
      (br_if $end (ref.is_null (local.get $at)))
      (local.set $at (struct.get $link $next (local.get $at)))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br $next)))
    (local.get $n))
  (func (export "waste") (param $n i32)
    (loop $more
      (drop (struct.new $link (ref.null $link) (local.get $n)))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
"""


def test_a_list_of_a_million_links_survives_and_goes() -> None:
    with Runtime(engine="compiler") as runtime:
        exports = runtime.instantiate(_module(LIST)).exports
        kept = exports.list(1_000_000)
        exports.waste(3_000_000)
        assert exports.length(kept) == 1_000_000
        heap = runtime._engine.heap  # type: ignore[attr-defined]
        live = _live(heap)
        assert 32_000_000 <= live < 33_000_000
        del kept
        exports.waste(10_000_000)
        assert _live(heap) < 1_000_000


def _live(heap: object) -> int:
    from purewasm.engine.native import collector_code

    return heap.cells[collector_code.LIVE >> 2]  # type: ignore[attr-defined, no-any-return]


def test_endless_allocation_does_not_grow() -> None:
    with Runtime(engine="compiler", heap_limit_bytes=16 << 20) as runtime:
        exports = runtime.instantiate(_module(LIST)).exports
        for _ in range(20):
            exports.waste(1_000_000)
        assert _collections(runtime) > 10


def test_what_python_holds_stays_and_is_the_same(runtime: Runtime) -> None:
    exports = runtime.instantiate(_module(TREES + LIST)).exports
    held = [exports.tree(3) for _ in range(20)]
    expected = exports.sum(held[0])
    exports.waste(1000)
    assert [exports.sum(tree) for tree in held] == [expected] * 20
    left = held[5].fields[0]
    assert left is held[5].fields[0]
    del held
    exports.waste(1000)
    assert exports.sum(left) == exports.sum(exports.tree(2))


def test_the_object_of_a_dead_structure_goes(runtime: Runtime) -> None:
    exports = runtime.instantiate(_module(TREES)).exports
    made = exports.tree(2)
    seen = weakref.ref(made)
    del made
    gc.collect()
    assert seen() is None


HOLDERS = """
  (type $box (struct (field externref) (field (mut anyref))))
  (global $kept (mut (ref null $box)) (ref.null $box))
  (func (export "keep") (param externref) (global.set $kept (struct.new $box (local.get 0) (any.convert_extern (local.get 0)))))
  (func (export "kept") (result externref) (struct.get $box 0 (global.get $kept)))
  (func (export "any") (result anyref) (struct.get $box 1 (global.get $kept)))
  (func (export "box") (param externref) (result (ref $box)) (struct.new $box (local.get 0) (ref.null any)))
  (func (export "out") (param anyref) (result externref) (extern.convert_any (local.get 0)))
  (func (export "inside") (param externref) (result anyref) (any.convert_extern (local.get 0)))
  (func (export "forget") (global.set $kept (ref.null $box)))
"""


class Thing:
    """Something of the host that can be referred to weakly."""


def test_objects_of_the_host_in_structures(runtime: Runtime) -> None:
    from purewasm.engine.native import handles

    exports = runtime.instantiate(_module(HOLDERS)).exports
    thing: Thing | None = Thing()
    seen = weakref.ref(thing)
    exports.keep(thing)
    things = [Thing() for _ in range(handles.LIMIT.words[0] + 100)]
    for one in things:
        exports.out(one)  # many handles: those that nobody needs are let go
    assert exports.kept() is thing
    assert exports.any() is thing
    thing = None
    for one in things:
        exports.out(one)
    assert seen() is exports.kept() is not None
    exports.forget()
    for _ in range(3):
        handles.LIMIT.words[0] = 1
        exports.out(Thing())
    gc.collect()
    assert seen() is None


def test_conversions_keep_identity(runtime: Runtime) -> None:
    exports = runtime.instantiate(_module(HOLDERS)).exports
    box = exports.box("text")
    assert exports.out(box) is box
    assert exports.inside(box) is box
    assert exports.inside(exports.out(I31(-3))) == I31(-3)
    assert exports.out(I31(7)) == I31(7)
    assert exports.inside("text") == "text"
    assert exports.inside(None) is None
    with Runtime(engine="compiler") as other:
        foreign = other.instantiate(_module(HOLDERS)).exports.box(None)
        assert exports.inside(foreign) is foreign
        with pytest.raises(TypeError, match="another runtime"):
            exports.out(foreign)  # no object of the host to those who ask for structures


def test_values_survive_on_their_way_through_python(runtime: Runtime) -> None:
    host = HostModule("host")
    instances: list[Instance] = []

    def change(value: object, depth: int) -> object:
        exports = instances[0].exports
        exports.waste(50)
        if depth:
            return exports.through(exports.tree(2), depth - 1)
        gc.collect()
        return exports.tree(3)

    host.add_function("change", change, ["anyref", "i32"], ["anyref"])
    host.register(runtime)
    instance = runtime.instantiate(
        '(module (import "host" "change" (func $change (param anyref i32) (result anyref)))' + TREES + LIST + """
        (func (export "through") (param (ref null $node) i32) (result anyref) (local $mine (ref null $node)) (local $made anyref)
          (local.set $mine (call $tree (i32.const 2)))
          (local.set $made (call $change (local.get 0) (local.get 1)))
          (if (i64.ne (call $sum (local.get $mine)) (call $sum (local.get 0))) (then (unreachable)))
          (local.get $made)))"""
    )
    instances.append(instance)
    exports = instance.exports
    result = exports.through(exports.tree(2), 5)
    assert isinstance(result, StructObject)
    assert exports.sum(result) == exports.sum(exports.tree(3))


def test_a_temporary_result_of_a_host_function_survives(runtime: Runtime) -> None:
    """Nothing but the word is left of it once the host function has returned."""
    host = HostModule("host")
    exports: dict[str, Callable[..., object]] = {}
    host.add_function("both", lambda: (exports["tree"](2), 3, exports["tree"](3)), [], ["anyref", "i32", "anyref"])
    host.register(runtime)
    instance = runtime.instantiate(
        '(module (import "host" "both" (func $both (result anyref i32 anyref)))' + TREES + LIST + """
        (func (export "run") (result i64) (local $a anyref) (local $b anyref)
          (call $both) (local.set $b) (drop) (local.set $a)
          (drop (call $tree (i32.const 6)))
          (i64.add (call $sum (ref.cast (ref null $node) (local.get $a))) (call $sum (ref.cast (ref null $node) (local.get $b))))))"""
    )
    exports.update(instance.exports.items())  # type: ignore[arg-type]
    assert instance.exports.run() == instance.exports.sum(instance.exports.tree(2)) + instance.exports.sum(instance.exports.tree(3))


def test_what_ends_with_the_result_of_a_host_function_may_collect(runtime: Runtime) -> None:
    host = HostModule("host")
    exports: dict[str, Callable[..., object]] = {}

    class Results(list[object]):
        def __del__(self) -> None:
            self.clear()
            exports["waste"](500)

    host.add_function("both", lambda: Results((exports["tree"](3), exports["tree"](2))), [], ["anyref", "anyref"])
    host.register(runtime)
    instance = runtime.instantiate(
        '(module (import "host" "both" (func $both (result anyref anyref)))' + TREES + LIST + """
        (func (export "run") (result i64) (local $a anyref) (local $b anyref)
          (call $both) (local.set $b) (local.set $a)
          (i64.add (call $sum (ref.cast (ref null $node) (local.get $a))) (call $sum (ref.cast (ref null $node) (local.get $b))))))"""
    )
    exports.update(instance.exports.items())  # type: ignore[arg-type]
    assert instance.exports.run() == instance.exports.sum(instance.exports.tree(2)) + instance.exports.sum(instance.exports.tree(3))


def test_exceptions_in_flight_keep_their_values(runtime: Runtime) -> None:
    instance = runtime.instantiate(_module(TREES + LIST + """
        (tag $tag (export "tag") (param (ref null $node)))
        (func (export "throw") (throw $tag (call $tree (i32.const 3))))
        (func (export "take") (param exnref) (result i64)
          (block $caught (result (ref null $node))
            (try_table (catch $tag $caught) (throw_ref (local.get 0)))
            (unreachable))
          (call $sum))"""))
    exports = instance.exports
    with pytest.raises(GuestException) as caught:
        exports.throw()
    exports.waste(2000)
    assert exports.take(caught.value) == exports.sum(exports.tree(3))
    again = exports.tag.exception(exports.tree(4))
    exports.waste(2000)
    assert exports.take(again) == exports.sum(exports.tree(4))


def test_tables_and_globals_of_python(runtime: Runtime) -> None:
    exports = runtime.instantiate(_module(TREES + LIST + """
        (table (export "table") 2 (ref null $node))
        (global (export "cell") (mut (ref null $node)) (ref.null $node))""")).exports
    expected = exports.sum(exports.tree(3))
    exports.table[0] = exports.tree(3)
    exports.cell.value = exports.tree(3)
    exports.table.grow(1000, exports.tree(3))
    exports.waste(2000)
    for tree in (exports.table[0], exports.cell.value, exports.table[1001]):
        assert exports.sum(tree) == expected
    assert exports.table[2] is exports.table[1001]
    assert exports.table[0] is not exports.cell.value


def test_constants_survive(runtime: Runtime) -> None:
    exports = runtime.instantiate(_module(TREES + LIST + """
        (type $nodes (array (ref null $node)))
        (global $small (ref $node) (struct.new $node (ref.null $node) (ref.null $node) (i32.const 3)))
        (global $other (ref $node) (struct.new $node (global.get $small) (global.get $small) (i32.const 4)))
        (global $all (ref $nodes) (array.new_fixed $nodes 3 (global.get $small) (global.get $other) (ref.null $node)))
        (global $many (ref $nodes) (array.new $nodes (global.get $other) (i32.const 9000)))
        (elem $parts (ref null $node) (item (global.get $small))
          (item (struct.new $node (global.get $other) (ref.null $node) (i32.const 5))))
        (func (export "run") (result i64)
          (i64.add (call $sum (array.get $nodes (global.get $many) (i32.const 8999)))
            (i64.add (call $sum (array.get $nodes (global.get $all) (i32.const 1)))
              (call $sum (array.get $nodes (array.new_elem $nodes $parts (i32.const 0) (i32.const 2)) (i32.const 1))))))""")).exports
    first = exports.run()
    exports.waste(2000)
    assert exports.run() == first == 3 + 1 + 2 * ((3 + 8) * 8 + 4) + ((3 + 8) * 8 + 4) * 3 + 5 + 5 - 4


# ---- limits


def test_a_full_heap_is_a_trap_and_the_runtime_goes_on() -> None:
    with Runtime(engine="compiler", heap_limit_bytes=1 << 20) as runtime:
        exports = runtime.instantiate(_module(LIST)).exports
        for _ in range(3):
            with pytest.raises(Trap, match=r"out of heap memory: \d+ of at most 1048576 bytes are in use"):
                exports.list(1_000_000)
            assert exports.length(exports.list(1000)) == 1000


def test_types_that_a_heap_has_no_room_for() -> None:
    types = "".join(f"(type (struct {'(field i32)' * (number % 40 + 1)} {'(field i64)' * (number // 40)}))" for number in range(600))
    with Runtime(engine="compiler", heap_limit_bytes=1 << 16) as runtime:
        for _ in range(2):
            with pytest.raises(LinkError, match="no room for the types of this module in a heap of at most 65536 bytes"):
                runtime.instantiate(_module(types))
        exports = runtime.instantiate(_module("(func (export \"five\") (result i32) (i32.const 5))")).exports
        assert exports.five() == 5


@pytest.mark.parametrize("length", [(1 << 28) + 1, (1 << 32) - 1])
def test_arrays_that_are_too_large(runtime: Runtime, length: int) -> None:
    exports = runtime.instantiate(
        """(module (type $a (array (mut i32)))
          (func (export "new") (param i32) (result i32) (array.len (array.new_default $a (local.get 0)))))"""
    ).exports
    with pytest.raises(Trap, match="allocation size too large"):
        exports.new(length)
    assert exports.new(100_000) == 100_000


def test_wrappers_outlive_everything(runtime: Runtime) -> None:
    instance = runtime.instantiate(_module(TREES))
    tree = instance.exports.tree(3)
    instance.close()
    runtime.close()
    del instance
    gc.collect()
    assert tree.fields[2] == 3
    assert tree.fields[0].fields[2] == 2
    assert tree.fields[0] is tree.fields[0]


def test_functions_in_objects_outlive_their_instance(runtime: Runtime) -> None:
    """Whoever closes an instance makes calls of its functions fail, wherever they are."""
    from purewasm import Interrupted

    types = '(type $f (func (result i32))) (type $box (struct (field (ref $f))))'
    keeper = runtime.instantiate(f"""(module {types} (type $link (struct (field i32)))
      (global $kept (mut (ref null $box)) (ref.null $box))
      (func (export "keep") (param (ref null $box)) (global.set $kept (local.get 0)))
      (func (export "waste") (param i32) (loop $l (drop (struct.new $link (i32.const 1)))
        (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
      (func (export "call") (result i32) (call_ref $f (struct.get $box 0 (global.get $kept)))))""").exports
    for _ in range(200):
        maker = runtime.instantiate(f"""(module {types} (elem declare func $five) (func $five (type $f) (i32.const 5))
          (func (export "box") (result (ref $box)) (struct.new $box (ref.func $five))))""")
        keeper.keep(maker.exports.box())
        assert keeper.call() == 5
        maker.close()
        del maker
        keeper.waste(100)
        with pytest.raises(Interrupted, match="closed"):
            keeper.call()
    assert len(runtime._engine.heap._owners) < 150  # type: ignore[attr-defined]


def test_functions_that_went_through_a_closed_instance(runtime: Runtime) -> None:
    """The instance that put them into an object is closed; whose they are is not, and only the object has them."""
    types = "(type $f (func (result i32))) (type $box (struct (field (ref $f))))"
    keeper = runtime.instantiate(f"""(module {types} (type $link (struct (field i32)))
      (global $kept (mut (ref null $box)) (ref.null $box))
      (func (export "keep") (param (ref null $box)) (global.set $kept (local.get 0)))
      (func (export "waste") (param i32) (loop $l (drop (struct.new $link (i32.const 1)))
        (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
      (func (export "call") (result i32) (call_ref $f (struct.get $box 0 (global.get $kept)))))""").exports
    of_import = '(elem declare func $f) (func (export "of_import") (result (ref $box)) (struct.new $box (ref.func $f)))'
    for way in ("argument", "table", "import"):
        owner = runtime.instantiate(
            '(module (memory 1) (func (export "f") (result i32) (i32.load8_u (i32.const 3))) (data (i32.const 3) "\\05"))'
        )
        imports = f'(import "owner" "f" (func $f {"(type $f)"}))' if way == "import" else ""
        maker = runtime.instantiate(
            f"""(module {types} {imports} (table (export "table") 1 (ref null $f))
              (func (export "argument") (param (ref $f)) (result (ref $box)) (struct.new $box (local.get 0)))
              (func (export "of_table") (result (ref $box)) (struct.new $box (ref.as_non_null (table.get 0 (i32.const 0)))))
              {of_import if imports else ''})""",
            imports={"owner": {"f": owner.exports.f}} if imports else None,
        )
        if way == "argument":
            box = maker.exports.argument(owner.exports.f)
        elif way == "table":
            maker.exports.table[0] = owner.exports.f
            box = maker.exports.of_table()
            maker.exports.table[0] = None
        else:
            box = maker.exports.of_import()
        keeper.keep(box)
        maker.close()
        del owner, maker, box
        gc.collect()
        keeper.waste(500)
        gc.collect()
        assert keeper.call() == 5


# ---- the loops of the collector


@pytest.mark.parametrize("seed", range(6))
def test_a_graph_that_changes_at_random(seed: int) -> None:
    """Against a model in Python: whatever can be reached keeps its identity and its contents."""
    rng = random.Random(seed)
    text = _module("""
      (rec (type $cell (struct (field $id i32) (field $refs (mut (ref null $cells)))))
        (type $cells (array (mut (ref null $cell)))))
      (global $root (mut (ref null $cells)) (ref.null $cells))
      (func (export "start") (param i32) (global.set $root (array.new_default $cells (local.get 0))))
      (func (export "new") (param $at i32) (param $id i32) (param $n i32)
        (array.set $cells (global.get $root) (local.get $at)
          (struct.new $cell (local.get $id) (array.new_default $cells (local.get $n)))))
      (func (export "link") (param $from i32) (param $i i32) (param $to i32)
        (array.set $cells (struct.get $cell $refs (array.get $cells (global.get $root) (local.get $from))) (local.get $i)
          (array.get $cells (global.get $root) (local.get $to))))
      (func (export "follow") (param $to i32) (param $from i32) (param $i i32)
        (array.set $cells (global.get $root) (local.get $to)
          (array.get $cells (struct.get $cell $refs (array.get $cells (global.get $root) (local.get $from))) (local.get $i))))
      (func (export "id") (param $at i32) (result i32)
        (if (result i32) (ref.is_null (array.get $cells (global.get $root) (local.get $at))) (then (i32.const -1))
          (else (struct.get $cell $id (array.get $cells (global.get $root) (local.get $at))))))""")
    with Runtime(engine="compiler", heap_limit_bytes=32 << 20) as runtime:
        exports = runtime.instantiate(text).exports
        size = 400
        exports.start(size)
        model: list[tuple[int, list[object]] | None] = [None] * size
        for number in range(30_000):
            at, other = rng.randrange(size), rng.randrange(size)
            cell = model[at]
            if cell is None or rng.random() < 0.3:
                count = rng.choice((1, 2, 3, 5, 20, 100, 200, 3000)) if rng.random() < 0.2 else rng.randrange(1, 6)
                exports.new(at, number, count)
                model[at] = number, [None] * count
            elif rng.random() < 0.6:
                index = rng.randrange(len(cell[1]))
                exports.link(at, index, other)
                cell[1][index] = model[other]
            else:
                index = rng.randrange(len(cell[1]))
                exports.follow(other, at, index)
                model[other] = cell[1][index]  # type: ignore[call-overload]
            if number % 5000 == 0:
                runtime._engine.heap._collect_between()  # type: ignore[attr-defined]
        assert [exports.id(at) for at in range(size)] == [-1 if cell is None else cell[0] for cell in model]
