"""Structures and arrays of the guest: small ones made and dropped, trees, a walk over a list, a sum over an array.

All engines have to agree about every result. What is made is far more than what lives, so collections are in the figures.
"""

from __future__ import annotations

from typing import Final

from bench.context import Context
from bench.measure import best_seconds
from bench.results import Row, SuiteResult, Table
from purewasm import Runtime

_ENGINES: Final = ("compiler", "wasmtime")
_SOURCE: Final = """\
(module
  (type $box (struct (field i32)))
  (type $node (struct (field $left (ref null $node)) (field $right (ref null $node))))
  (type $link (struct (field $value i32) (field $next (ref null $link))))
  (type $shape (sub (struct (field $size i32))))
  (type $square (sub $shape (struct (field $size i32))))
  (type $circle (sub $shape (struct (field $size i32) (field $radius f64))))
  (type $numbers (array (mut i32)))
  (type $shapes (array (mut (ref null $shape))))
  (global $list (mut (ref null $link)) (ref.null $link))
  (global $numbers (mut (ref null $numbers)) (ref.null $numbers))
  (global $shapes (mut (ref null $shapes)) (ref.null $shapes))

  (func (export "drop") (param $n i32) (result i32) (local $box (ref null $box)) (local $sum i32)
    (loop $next
      (local.set $box (struct.new $box (local.get $n)))
      (local.set $sum (i32.add (local.get $sum) (struct.get $box 0 (local.get $box))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  (func $tree (param $depth i32) (result (ref null $node))
    (if (result (ref null $node)) (local.get $depth)
      (then (struct.new $node
        (call $tree (i32.sub (local.get $depth) (i32.const 1))) (call $tree (i32.sub (local.get $depth) (i32.const 1)))))
      (else (struct.new $node (ref.null $node) (ref.null $node)))))
  (func $count (param $tree (ref null $node)) (result i32)
    (if (result i32) (ref.is_null (struct.get $node $left (local.get $tree)))
      (then (i32.const 1))
      (else (i32.add (i32.const 1)
        (i32.add (call $count (struct.get $node $left (local.get $tree))) (call $count (struct.get $node $right (local.get $tree))))))))
  (func (export "trees") (param $depth i32) (result i32) (local $long (ref null $node)) (local $sum i32) (local $turns i32)
    (local.set $long (call $tree (local.get $depth)))
    (local.set $turns (i32.shl (i32.const 1) (i32.sub (local.get $depth) (i32.const 4))))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (call $count (call $tree (i32.const 6)))))
      (br_if $next (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
    (i32.add (local.get $sum) (call $count (local.get $long))))

  (func (export "make_list") (param $n i32) (local $list (ref null $link))
    (loop $next
      (local.set $list (struct.new $link (local.get $n) (local.get $list)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (global.set $list (local.get $list)))
  (func (export "walk") (result i32) (local $at (ref null $link)) (local $sum i32)
    (local.set $at (global.get $list))
    (block $end (loop $next
      (br_if $end (ref.is_null (local.get $at)))
      (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 3)) (struct.get $link $value (local.get $at))))
      (local.set $at (struct.get $link $next (local.get $at)))
      (br $next)))
    (local.get $sum))

  (func (export "make_numbers") (param $n i32) (global.set $numbers (array.new $numbers (i32.const 7) (local.get $n))))
  (func (export "sum") (result i32) (local $numbers (ref null $numbers)) (local $i i32) (local $sum i32)
    (local.set $numbers (global.get $numbers))
    (loop $next
      (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 3)) (array.get $numbers (local.get $numbers) (local.get $i))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (array.len (local.get $numbers)))))
    (local.get $sum))

  (func (export "make_shapes") (param $n i32) (local $shapes (ref null $shapes)) (local $i i32)
    (local.set $shapes (array.new_default $shapes (local.get $n)))
    (loop $next
      (array.set $shapes (local.get $shapes) (local.get $i)
        (if (result (ref $shape)) (i32.and (i32.mul (local.get $i) (i32.const 5)) (i32.const 4))
          (then (struct.new $circle (local.get $i) (f64.const 1)))
          (else (struct.new $square (local.get $i)))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (global.set $shapes (local.get $shapes)))
  (func (export "casts") (result i32) (local $shapes (ref null $shapes)) (local $i i32) (local $sum i32)
    (local.set $shapes (global.get $shapes))
    (loop $next
      (block $other
        (block $circle (result (ref $circle))
          (drop (br_on_cast $circle (ref null $shape) (ref $circle) (array.get $shapes (local.get $shapes) (local.get $i))))
          (br $other))
        (local.set $sum (i32.add (struct.get $circle $size) (local.get $sum))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (array.len (local.get $shapes)))))
    (local.get $sum)))
"""
# row → (what prepares it, what is timed, the number that one of them gets)
_ROWS: Final = {
    "small structures, made and dropped": (None, "drop", 3_000_000),
    "binary trees": (None, "trees", 16),
    "a walk over a list": ("make_list", "walk", 300_000),
    "a sum over an array": ("make_numbers", "sum", 1_000_000),
    "casts of the elements of an array": ("make_shapes", "casts", 300_000),
}


def measure(context: Context) -> SuiteResult:
    """Milliseconds of each program."""
    result = SuiteResult("objects")
    engines = context.engines(_ENGINES, result)
    with Runtime() as runtime:
        wasm = runtime.compile(_SOURCE).wasm.source
    rows = []
    for title, (prepare, export, number) in _ROWS.items():
        context.say(f"objects: {title}")
        calls, guests, answers = {}, [], {}
        for name, engine in engines.items():
            guest = engine.compile(wasm).instantiate()
            guests.append(guest)
            if prepare is not None:
                guest.function(prepare)(number)
            arguments = () if prepare is not None else (number,)
            function = guest.function(export)
            answers[name] = function(*arguments)
            calls[name] = lambda function=function, arguments=arguments: function(*arguments)
        if len(set(answers.values())) > 1:
            result.wrong.append(f"{title}: {answers}")
        seconds = best_seconds(calls, context.rounds)
        rows.append(Row(title, {name: value * 1e3 for name, value in seconds.items()}))
        for guest in guests:
            guest.close()
    result.tables.append(
        Table(
            key="objects",
            title="Structures and arrays",
            unit="ms",
            engines=tuple(engines),
            baseline="wasmtime" if "wasmtime" in engines else None,
            rows=tuple(rows),
        )
    )
    return result
