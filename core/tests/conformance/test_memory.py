"""Memories: edges, alignment, growth, several of them, bits of numbers."""

from __future__ import annotations

import math
import struct

import pytest

from core.tests.conformance.externs import function_of, memory_of
from purewasm import Runtime, Trap, traps

LOADS = [
    ("i32.load", 4, "<i"), ("i32.load8_s", 1, "<b"), ("i32.load8_u", 1, "<B"), ("i32.load16_s", 2, "<h"), ("i32.load16_u", 2, "<H"),
    ("i64.load", 8, "<q"), ("i64.load8_s", 1, "<b"), ("i64.load16_u", 2, "<H"), ("i64.load32_s", 4, "<i"), ("i64.load32_u", 4, "<I"),
    ("f64.load", 8, "<d"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "size", "form"), LOADS)
def test_loads_at_every_alignment_and_at_the_end(runtime: Runtime, name: str, size: int, form: str) -> None:
    result = name[:3]
    instance = runtime.instantiate(
        f'(module (memory (export "memory") 1) (func (export "f") (param i32) (result {result}) ({name} (local.get 0)))'
        f'(func (export "g") (param i32) (result {result}) ({name} offset=65520 (local.get 0))))'
    )
    pattern = bytes(range(0x71, 0x91)) * 2048
    instance.memory.write(0, pattern)
    for address in (*range(17), *range(65536 - size - 9, 65536 - size + 1)):
        assert struct.unpack_from(form, pattern, address)[0] == instance.exports.f(address)
    assert struct.unpack_from(form, pattern, 65528 - size)[0] == instance.exports.g(8 - size & 0xFFFF_FFFF) if size == 8 else True
    for address in (65536 - size + 1, 65536, 65540, 2**31, 2**32 - 1):
        with pytest.raises(Trap, match=traps.OUT_OF_BOUNDS_MEMORY):
            instance.exports.f(address)
    with pytest.raises(Trap, match=traps.OUT_OF_BOUNDS_MEMORY):
        instance.exports.g(2**32 - 16)  # the sum does not wrap


STORES = [
    ("i32.store", 4),
    ("i32.store8", 1),
    ("i32.store16", 2),
    ("i64.store", 8),
    ("i64.store8", 1),
    ("i64.store16", 2),
    ("i64.store32", 4),
]


@pytest.mark.parametrize(("name", "size"), STORES)
def test_stores_write_the_low_bytes_only(runtime: Runtime, name: str, size: int) -> None:
    valtype = name[:3]
    instance = runtime.instantiate(
        f'(module (memory (export "memory") 1) (func (export "f") (param i32 {valtype}) ({name} (local.get 0) (local.get 1)))'
        f'(func (export "g") (param i32 {valtype}) ({name} (local.get 0) ({valtype}.sub (local.get 1) ({valtype}.const 1)))))'
    )
    for address in (0, 1, 2, 3, 5, 7, 65536 - size):
        for value in (-2, 0x1234_5678, -0x8000_0000):
            for function, expected in ((instance.exports.f, value), (instance.exports.g, value - 1)):
                instance.memory.write(max(address - 1, 0), b"\xaa" * min(size + 2, 65536 - max(address - 1, 0)))
                function(address, value)
                assert (expected & (1 << 8 * size) - 1).to_bytes(size, "little") == instance.memory.read(address, size)
                if address:
                    assert instance.memory.read_u8(address - 1) == 0xAA
    with pytest.raises(Trap, match=traps.OUT_OF_BOUNDS_MEMORY):
        instance.exports.f(65536 - size + 1, 0)


@pytest.mark.parametrize("bits", [0x7F80_0001, 0xFFA0_0000, 0x7FC0_0000, 0x7FFF_FFFF, 0x0000_0001, 0x8000_0000, 0x7F80_0000])
def test_f32_bits_survive_every_way(runtime: Runtime, bits: int) -> None:
    instance = runtime.instantiate(
        '(module (memory (export "memory") 1) (global $g (mut f32) (f32.const 0))'
        "(func $same (param f32) (result f32) (local f32) (local.set 1 (local.get 0)) (local.get 1))"
        '(func (export "f") (param i32) (global.set $g (call $same (f32.load (local.get 0))))'
        "  (f32.store (i32.const 8) (select (global.get $g) (f32.const 0) (i32.const 1)))"
        "  (f32.store (i32.const 13) (f32.reinterpret_i32 (i32.reinterpret_f32 (f32.load (local.get 0)))))"
        "  (f32.store (i32.const 20) (f32.neg (f32.load (local.get 0)))))"
        '(func (export "const") (f32.store (i32.const 0) (f32.const nan:0x200001))))'
    )
    for address in (0, 1):
        instance.memory.write_u32(address, bits)
        instance.exports.f(address)
        assert [bits, bits, bits ^ 0x8000_0000] == [instance.memory.read_u32(i) for i in (8, 13, 20)]
    function_of(instance, "const")()
    assert instance.memory.read_u32(0) == 0x7FA0_0001


def test_promotion_and_demotion_make_nans_quiet(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        '(module (func (export "p") (result i64) (i64.reinterpret_f64 (f64.promote_f32 (f32.const nan:0x200000))))'
        '(func (export "d") (result i32) (i32.reinterpret_f32 (f32.demote_f64 (f64.const nan:0x4000000000000)))))'
    )
    assert instance.exports.p() >> 51 & 1 == 1
    assert instance.exports.d() >> 22 & 1 == 1


def test_growth_is_seen_by_everyone(runtime: Runtime) -> None:
    owner = runtime.instantiate(
        '(module (memory (export "memory") 1 4) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))'
        '(func (export "peek") (param i32) (result i32) (i32.load (local.get 0))))',
        name="owner",
    )
    user = runtime.instantiate(
        '(module (import "owner" "memory" (memory 1)) (func (export "peek") (param i32) (result i32) (i32.load (local.get 0)))'
        '(func (export "size") (result i32) (memory.size)))'
    )
    owner.memory.write_u32(100, 7)
    assert user.exports.peek(100) == owner.exports.peek(100) == 7
    with pytest.raises(Trap):
        user.exports.peek(65536)
    assert owner.exports.grow(1) == 1
    owner.memory.write_u32(70_000, 8)
    assert user.exports.peek(70_000) == owner.exports.peek(70_000) == 8
    assert user.exports.peek(100) == 7
    assert owner.memory.grow(1) == 2
    assert user.exports.size() == 3
    assert user.exports.peek(3 * 65536 - 4) == 0
    assert [-1, 3, 4] == [owner.exports.grow(n) for n in (2, 1, 0)]


def test_memory_that_moves_while_an_address_is_computed(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        "(module (memory 1)"
        "(func $grow (result i32) (drop (memory.grow (i32.const 1))) (i32.store (i32.const 65536) (i32.const 42)) (i32.const 65536))"
        '(func (export "f") (result i32) (i32.load (i32.add (call $grow) (i32.const 0))))'
        '(func (export "g") (result i32) (i32.load (call $grow))))'
    )
    assert instance.exports.f() == 42
    assert instance.exports.g() == 42


def test_several_memories(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        '(module (memory $a (export "a") 1) (memory $b (export "b") 1) (data $d "xyz")'
        '(func (export "f") (i32.store $b (i32.const 4) (i32.add (i32.load $a (i32.const 0)) (i32.const 1)))'
        " (memory.copy $b $a (i32.const 8) (i32.const 0) (i32.const 4)) (memory.init $b $d (i32.const 12) (i32.const 1) (i32.const 2))"
        " (i64.store8 $a (i32.const 9) (i64.load $b (i32.const 4)))))"
    )
    first, second = memory_of(instance, "a"), memory_of(instance, "b")
    first.write_u32(0, 0x01020304)
    instance.exports.f()
    assert second.read(4, 10) == bytes.fromhex("05030201 04030201 797a")
    assert first.read_u8(9) == 5


@pytest.mark.parametrize("size", [0, 1, 3, 7, 8, 13])
def test_memory_of_odd_size(runtime: Runtime, size: int) -> None:
    instance = runtime.instantiate(
        f'(module (memory (export "memory") {size} (pagesize 1)) (func (export "b") (param i32) (result i32) (i32.load8_s (local.get 0)))'
        '(func (export "w") (param i32) (result i32) (i32.load (local.get 0)))'
        '(func (export "d") (param i32) (result i64) (i64.load (local.get 0))) (func (export "size") (result i32) (memory.size))'
        '(func (export "grow") (result i32) (memory.grow (i32.const 1))))'
    )
    for name, width in (("b", 1), ("w", 4), ("d", 8)):
        for address in range(size + 2):
            if address + width <= size:
                assert function_of(instance, name)(address) == 0
            else:
                with pytest.raises(Trap, match=traps.OUT_OF_BOUNDS_MEMORY):
                    function_of(instance, name)(address)
    assert instance.exports.size() == instance.exports.grow() == size
    assert instance.exports.b(size) == 0


def test_memory64_addresses(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        '(module (memory i64 1) (func (export "f") (param i64) (result i32) (i32.load offset=4 (local.get 0)))'
        '(func (export "s") (param i64 f64) (f64.store offset=0xfffffffffffffff0 (local.get 0) (local.get 1))))'
    )
    assert instance.exports.f(65528) == 0
    for address in (65529, -1, -4, -8, 2**63, 2**32):
        with pytest.raises(Trap, match=traps.OUT_OF_BOUNDS_MEMORY):
            instance.exports.f(address)
    for address in (0, 16, 24, -1):
        with pytest.raises(Trap, match=traps.OUT_OF_BOUNDS_MEMORY):
            instance.exports.s(address, math.pi)


def test_dropped_segments_are_empty(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        '(module (memory (export "memory") 1) (data $d "abc") (func (export "init") (param i32) '
        '(memory.init $d (i32.const 0) (i32.const 0) (local.get 0))) (func (export "drop") (data.drop $d)))'
    )
    instance.exports.init(3)
    assert instance.memory.read(0, 3) == b"abc"
    instance.exports.drop()
    instance.exports.init(0)
    with pytest.raises(Trap, match=traps.OUT_OF_BOUNDS_MEMORY):
        instance.exports.init(1)
