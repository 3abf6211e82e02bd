"""Arrays and structures against lists and tuples of Python: random sequences of operations, every storage type."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tests.conformance.conftest import AVAILABLE
from purewasm import Features, Runtime, Trap

_BITS = {"i8": 8, "i16": 16, "i32": 32, "i64": 64, "f32": 32, "f64": 64, "v128": 128}
_LOCALS = 3


def _constant(storage: str, value: int) -> str:
    """A value of so many bits, whatever its type."""
    value &= (1 << _BITS[storage]) - 1
    if storage in ("i8", "i16", "i32"):
        return f"(i32.const {value})"
    if storage == "i64":
        return f"(i64.const {value})"
    if storage == "v128":
        return f"(v128.const i64x2 {value & (1 << 64) - 1} {value >> 64})"
    integer = f"(i{storage[1:]}.const {value})"
    return f"({storage}.reinterpret_i{storage[1:]} {integer})"


def _low_bits(storage: str, read: str) -> str:
    """64 bits of what has been read."""
    if storage in ("i8", "i16", "i32"):
        return f"(i64.extend_i32_u {read})"
    if storage == "f32":
        return f"(i64.extend_i32_u (i32.reinterpret_f32 {read}))"
    if storage == "f64":
        return f"(i64.reinterpret_f64 {read})"
    return f"(i64.xor (i64x2.extract_lane 0 {read}) (i64x2.extract_lane 1 {read}))" if storage == "v128" else read


def _expected(storage: str, value: int) -> int:
    value &= (1 << _BITS[storage]) - 1
    return (value ^ value >> 64) & (1 << 64) - 1 if storage == "v128" else value


def _hash(total: int, value: int) -> int:
    return (total * 31 + value) & (1 << 64) - 1


_values = st.one_of(st.integers(0, 300), st.integers(0, (1 << 128) - 1)).map(lambda x: x & ~(0x7F80_0000 | 0x7FF0_0000 << 32))
_places = st.integers(0, 12)
_index = st.integers(0, _LOCALS - 1)
_operation = st.one_of(
    st.tuples(st.just("new"), _index, _values, st.integers(0, 40)),
    st.tuples(st.just("default"), _index, st.integers(0, 40)),
    st.tuples(st.just("fixed"), _index, st.lists(_values, max_size=9)),
    st.tuples(st.just("set"), _index, _places, _values),
    st.tuples(st.just("fill"), _index, _places, _values, st.integers(0, 30)),
    st.tuples(st.just("copy"), _index, _places, _index, _places, st.integers(0, 12)),
)


def _text(storage: str, operation: Any, arguments: bool) -> str:
    """An operation in text; positions and counts are parameters of the function, or constants."""
    name, local, *rest = operation
    array = f"(local.get $a{local})"

    def number(value: int) -> str:
        return f"(i32.sub (i32.const {value + 77}) (local.get $p))" if arguments else f"(i32.const {value})"

    if name == "new":
        return f"(local.set $a{local} (array.new $a {_constant(storage, rest[0])} {number(rest[1])}))"
    if name == "default":
        return f"(local.set $a{local} (array.new_default $a {number(rest[0])}))"
    if name == "fixed":
        return f"(local.set $a{local} (array.new_fixed $a {len(rest[0])} {' '.join(_constant(storage, value) for value in rest[0])}))"
    if name == "set":
        return f"(array.set $a {array} {number(rest[0])} {_constant(storage, rest[1])})"
    if name == "fill":
        return f"(array.fill $a {array} {number(rest[0])} {_constant(storage, rest[1])} {number(rest[2])})"
    return f"(array.copy $a $a {array} {number(rest[0])} (local.get $a{rest[1]}) {number(rest[2])} {number(rest[3])})"


def _apply(arrays: list[list[int]], operation: Any) -> bool:
    """The same on lists; False where it traps."""
    name, local, *rest = operation
    if name == "new":
        arrays[local] = [rest[0]] * rest[1]
    elif name == "default":
        arrays[local] = [0] * rest[0]
    elif name == "fixed":
        arrays[local] = list(rest[0])
    elif name == "set":
        if rest[0] >= len(arrays[local]):
            return False
        arrays[local][rest[0]] = rest[1]
    elif name == "fill":
        if rest[0] + rest[2] > len(arrays[local]):
            return False
        arrays[local][rest[0] : rest[0] + rest[2]] = [rest[1]] * rest[2]
    else:
        start, source, source_start, count = rest
        if start + count > len(arrays[local]) or source_start + count > len(arrays[source]):
            return False
        arrays[local][start : start + count] = arrays[source][source_start : source_start + count]
    return True


def _module(storage: str, operations: list[Any], arguments: bool) -> str:
    read = f"(array.get{'_u' if storage in ('i8', 'i16') else ''} $a (local.get 0) (local.get $i))"
    body = "\n".join(_text(storage, operation, arguments) for operation in operations)
    hashes = " ".join(f"(local.set $h (call $hash (local.get $a{i}) (local.get $h)))" for i in range(_LOCALS))
    return f"""(module (type $a (array (mut {storage})))
      (func $hash (param (ref null $a) i64) (result i64) (local $i i32)
        (block $end (loop $next
          (br_if $end (i32.ge_u (local.get $i) (array.len (local.get 0))))
          (local.set 1 (i64.add (i64.mul (local.get 1) (i64.const 31)) {_low_bits(storage, read)}))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))
        (local.get 1))
      (func (export "run") (param $p i32) (result i64) {' '.join(f'(local $a{i} (ref null $a))' for i in range(_LOCALS))} (local $h i64)
        {' '.join(f'(local.set $a{i} (array.new_default $a (i32.const 20)))' for i in range(_LOCALS))}
        {body}
        {hashes} (local.get $h)))"""


@pytest.mark.parametrize("storage", sorted(_BITS))
@settings(max_examples=25, deadline=None)
@given(operations=st.lists(_operation, max_size=8), arguments=st.booleans())
def test_arrays_are_like_lists(storage: str, operations: list[Any], arguments: bool) -> None:
    arrays = [[0] * 20 for _ in range(_LOCALS)]
    traps = not all(_apply(arrays, operation) for operation in operations)
    expected = 0
    for values in arrays:
        for value in values:
            expected = _hash(expected, _expected(storage, value))
    text = _module(storage, operations, arguments)
    for engine in AVAILABLE:
        with Runtime(engine=engine, features=Features.all()) as runtime:
            run = runtime.instantiate(text).exports.run
            if traps:
                with pytest.raises(Trap, match="out of bounds array access"):
                    run(77)
            else:
                assert run(77) & (1 << 64) - 1 == expected


_fields = st.lists(st.tuples(st.sampled_from(sorted(_BITS)), _values, _values), min_size=1, max_size=14)


@settings(max_examples=60, deadline=None)
@given(fields=_fields, inherited=st.integers(0, 14), writes=st.lists(st.integers(0, 13), max_size=6))
def test_fields_keep_what_was_written(fields: list[tuple[str, int, int]], inherited: int, writes: list[int]) -> None:
    """Through a type and its supertype, which has the first of the fields."""
    types = [f"(field (mut {storage}))" for storage, _, _ in fields]
    values = [first for _, first, _ in fields]
    body = [f"(local.set $o (struct.new $t {' '.join(_constant(storage, first) for storage, first, _ in fields)}))"]
    body.append("(if (local.get $p) (then (local.set $o (ref.null $t))))")
    for number in writes:
        if number < len(fields):
            storage, _, second = fields[number]
            values[number] = second
            owner = "$base" if number < inherited else "$t"
            body.append(f"(struct.set {owner} {number} (local.get $o) {_constant(storage, second)})")
    expected = 0
    for number, (storage, _, _) in enumerate(fields):
        owner = "$base" if number < inherited else "$t"
        read = f"(struct.get{'_u' if storage in ('i8', 'i16') else ''} {owner} {number} (local.get $o))"
        body.append(f"(local.set $h (i64.add (i64.mul (local.get $h) (i64.const 31)) {_low_bits(storage, read)}))")
        expected = _hash(expected, _expected(storage, values[number]))
    text = f"""(module (type $base (sub (struct {' '.join(types[:inherited])}))) (type $t (sub $base (struct {' '.join(types)})))
      (func (export "run") (param $p i32) (result i64) (local $o (ref null $t)) (local $h i64) {' '.join(body)} (local.get $h)))"""
    for engine in AVAILABLE:
        with Runtime(engine=engine, features=Features.all()) as runtime:
            run = runtime.instantiate(text).exports.run
            assert run(0) & (1 << 64) - 1 == expected
            with pytest.raises(Trap, match="null structure reference"):
                run(1)
