"""Data segments: what generated code takes out of a module's bytes, on both engines."""

from __future__ import annotations

import gc
import random
from typing import Final

import pytest

from purewasm import Instance, Runtime, Trap

TEXT: Final = """(module
  (memory (export "memory") 1 2) (memory $small (export "small") 1) (memory $wide (export "wide") i64 1)
  (type $bytes (array (mut i8))) (type $shorts (array (mut i16))) (type $longs (array (mut i64)))
  (data $first "0123456789abcdef") (data $active (i32.const 8) "active") (data $empty "") (data $last "the last one of them")
  (func (export "init0") (param i32 i32 i32) (memory.init $first (local.get 0) (local.get 1) (local.get 2)))
  (func (export "init3") (param i32 i32 i32) (memory.init $last (local.get 0) (local.get 1) (local.get 2)))
  (func (export "active") (param i32 i32 i32) (memory.init $active (local.get 0) (local.get 1) (local.get 2)))
  (func (export "empty") (param i32 i32 i32) (memory.init $empty (local.get 0) (local.get 1) (local.get 2)))
  (func (export "small0") (param i32 i32 i32) (memory.init $small $first (local.get 0) (local.get 1) (local.get 2)))
  (func (export "wide3") (param i64 i32 i32) (memory.init $wide $last (local.get 0) (local.get 1) (local.get 2)))
  (func (export "grow") (result i32) (memory.grow (i32.const 1)))
  (func (export "drop0") (data.drop $first)) (func (export "drop3") (data.drop $last))
  (global $held (mut (ref $bytes)) (array.new_default $bytes (i32.const 20)))
  (func (export "byte") (param i32) (result i32) (array.get_u $bytes (global.get $held) (local.get 0)))
  (func (export "fill") (param i32 i32 i32) (array.init_data $bytes $last (global.get $held) (local.get 0) (local.get 1) (local.get 2)))
  (func (export "bytes") (param i32 i32) (result i32) (array.len (array.new_data $bytes $last (local.get 0) (local.get 1))))
  (func (export "shorts") (param i32 i32) (result i32)
    (array.get_u $shorts (array.new_data $shorts $first (local.get 0) (local.get 1)) (i32.const 1)))
  (func (export "longs") (param i32 i32) (result i64)
    (array.get $longs (array.new_data $longs $first (local.get 0) (local.get 1)) (i32.const 0))))"""

NAMES: Final = ("init0", "init3", "active", "empty", "small0", "wide3", "fill", "bytes", "shorts", "longs")
NUMBERS: Final = (0, 1, 2, 4, 5, 8, 15, 16, 17, 19, 20, 21, 65_520, 65_535, 65_536, 131_072, -1, 1 << 31, -(1 << 31))


def outcome(instance: Instance, name: str, arguments: tuple[int, ...]) -> object:
    try:
        return getattr(instance.exports, name)(*arguments)
    except Trap as trap:
        return trap.code


def state(instance: Instance) -> list[object]:
    return [*(bytes(memory.read(0, len(memory))) for memory in instance.memories), *(instance.exports.byte(i) for i in range(20))]


@pytest.mark.parametrize("seed", range(8))
def test_both_engines_do_the_same(seed: int) -> None:
    chosen = random.Random(seed)
    with Runtime(engine="compiler") as compiled, Runtime(engine="interpreter") as interpreted:
        runtimes = (compiled, interpreted)
        module = compiled.compile(TEXT)
        instances = [runtime.instantiate(module) for runtime in runtimes]
        for step in range(150):
            name = chosen.choice(NAMES) if step % 50 else chosen.choice(("grow", "drop0", "drop3")) if step else "grow"
            count = {"grow": 0, "drop0": 0, "drop3": 0, "bytes": 2, "shorts": 2, "longs": 2}.get(name, 3)
            arguments = tuple(chosen.choice(NUMBERS) if chosen.random() < 0.5 else chosen.randrange(8) for _ in range(count))
            if name == "wide3" and chosen.random() < 0.3:
                arguments = (-chosen.randrange(1, 30), *arguments[1:])
            first, second = (outcome(instance, name, arguments) for instance in instances)
            assert first == second, (name, arguments)
        first, second = map(state, instances)
        assert first == second


def test_each_instance_drops_its_own() -> None:
    with Runtime(engine="compiler") as runtime:
        module = runtime.compile(TEXT)
        first, second = runtime.instantiate(module), runtime.instantiate(module)
        first.exports.drop0()
        first.exports.drop0()
        with pytest.raises(Trap, match="out of bounds memory access"):
            first.exports.init0(0, 0, 1)
        first.exports.init0(0, 0, 0)
        second.exports.init0(0, 10, 6)
        assert second.memory.read(0, 6) == b"abcdef"
        third = runtime.instantiate(module)
        third.exports.init0(0, 0, 16)
        assert third.memory.read(0, 16) == b"0123456789abcdef"


def test_the_bytes_outlive_whoever_named_the_module() -> None:
    with Runtime(engine="compiler") as runtime:
        function, memory = (lambda exports: (exports.init3, exports.memory))(runtime.instantiate(TEXT).exports)
        gc.collect()
        rubbish = [bytes(range(256)) * 40 for _ in range(500)]
        function(0, 0, 20)
        assert memory.read(0, 20) == b"the last one of them"
        assert rubbish
