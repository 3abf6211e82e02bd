"""Code of loops, entered with what the interpreter has at their heads: it leaves the same behind, on the same way out."""

from __future__ import annotations

import ctypes
import math
import struct
from random import Random
from typing import Final

import pytest

from core.tests.processors import random_processor
from core.tests.unit.isa.x64.loaded_code import CAN_RUN, LoadedCode
from core.tests.unit.isa.x64.random_entries import (
    LOCALS_AT,
    LOCALS_OUT,
    NUMBER_OUT,
    OPERANDS_AT,
    OPERANDS_OUT,
    VALUE_BYTES,
    EntryGenerator,
)
from purewasm import Runtime
from purewasm.binary.body import decode_body
from purewasm.isa.x64.cpu import X86_64_V3

pytestmark = pytest.mark.skipif(not CAN_RUN, reason="needs Linux on an x86-64 processor with AVX2 and BMI2")

_FUNCTION: Final = 1
_BYTES: Final = {"i32": 4, "i64": 8, "f32": 4, "f64": 8, "v128": 16}


def _random_value(random: Random, valtype: str) -> bytes:
    if valtype == "funcref":
        return struct.pack("<I", random.randint(0, 1))
    if valtype in ("f32", "f64"):
        return struct.pack("<f" if valtype == "f32" else "<d", random.choice((0.0, -1.5, 2.0, 1e10, random.random())))
    size = _BYTES[valtype]
    small = random.choice((0, 1, 5, 255, (1 << 8 * size) - 1, random.getrandbits(8 * size)))
    return small.to_bytes(size, "little")


def _value(valtype: str, stored: bytes) -> object:
    """What is compared: any NaN is as good as any other, a reference is null or not."""
    if valtype in ("f32", "f64"):
        number = struct.unpack_from("<f" if valtype == "f32" else "<d", stored)[0]
        return "nan" if math.isnan(number) else stored[: _BYTES[valtype]]
    if valtype == "funcref":
        return any(stored[:8])
    return stored[: _BYTES[valtype]]


class _Slots:
    """Locals or operands as a frame of baseline code has them."""

    def __init__(self, types: list[str], stride: int, room: int) -> None:
        self.types, self.stride = types, stride
        self.buffer = ctypes.create_string_buffer(b"\xa5" * (stride * max(len(types), room) + 16))

    def fill(self, image: bytearray, function: int) -> None:
        for at, valtype in enumerate(self.types):
            value = bytes(image[VALUE_BYTES * at :][: _BYTES.get(valtype, 4)])
            if valtype == "funcref":
                value = struct.pack("<Q", function if any(value) else 0)
            elif valtype == "i32":
                value += bytes(4)
            ctypes.memmove(ctypes.addressof(self.buffer) + self.stride * at, value, len(value))

    def values(self, types: list[str]) -> list[object]:
        for at, valtype in enumerate(types):
            if valtype == "i32":
                assert not any(self.buffer.raw[self.stride * at + 4 :][:4]), "the upper half of an i32 is zero"
        return [_value(valtype, self.buffer.raw[self.stride * at :][:16]) for at, valtype in enumerate(types)]


@pytest.mark.parametrize("seed", range(120))
def test_random_loops_are_left_as_the_interpreter_leaves_them(seed: int) -> None:
    vectors = seed % 3 == 0
    generator = EntryGenerator(seed, vectors)
    text = generator.module()
    options = {"explicit_checks": seed % 5 == 1, "fuel": seed % 7 == 2}
    loaded = LoadedCode(text, random_processor(Random(seed)) if seed % 4 == 3 else X86_64_V3, **options)
    place = _loop_places(loaded, _FUNCTION)[generator.loops_around]
    stride = 16 if vectors else 8
    random = Random(seed)
    with Runtime(engine="interpreter") as runtime:
        for _ in range(4):
            image = bytearray(65536)
            for base, types in ((LOCALS_AT, generator.locals), (OPERANDS_AT, generator.operands)):
                for at, valtype in enumerate(types):
                    value = _random_value(random, valtype)
                    image[base + VALUE_BYTES * at : base + VALUE_BYTES * at + len(value)] = value
            image[:1024] = random.randbytes(1024)
            instance = runtime.instantiate(text)
            memory = instance.exports.memory
            memory.write(0, bytes(image))
            instance.exports.run()
            expected = memory.read(0, 65536)
            loaded.memory[:65536] = bytes(image)
            function = loaded.function_reference(0)
            locals_, operands = _Slots(generator.locals, stride, 0), _Slots(generator.operands, stride, 8)
            locals_.fill(image[LOCALS_AT:OPERANDS_AT], function)
            operands.fill(image[OPERANDS_AT:NUMBER_OUT], function)
            number = loaded.enter_loop(_FUNCTION, place, locals_.buffer, operands.buffer)
            assert number == int.from_bytes(expected[NUMBER_OUT : NUMBER_OUT + 4], "little")
            assert loaded.memory[:1024] == expected[:1024]
            assert operands.values(generator.carried(number)) == _values_at(expected, OPERANDS_OUT, generator.carried(number))
            found, wanted = locals_.values(generator.locals), _values_at(expected, LOCALS_OUT, generator.locals)
            assert [found[at] for at in generator.seen[number]] == [wanted[at] for at in generator.seen[number]]


def test_a_value_that_rested_during_two_loops_is_loaded_once_behind_them() -> None:
    """The branch out is right in front of both loops' ends, so it does not jump, and the slot gets a parameter of the label."""
    types = ["i32", "i32", "i32", "i32", "f64", "i32", "f64", "i32", "i64", "i64"]
    loaded = LoadedCode("""(module (func (local $e i32) (local $k i32) (local $d i32) (local $a i32) (local $x f64) (local $n i32)
      (local $z f64) (local $c i32) (local $o i64) (local $m i64)
      (loop
        (block $out (result f64 i32)
          (i64.const 0) (i64.const 0)
          (loop (param i64 i64) (result i64)
            (local.set $o) (local.set $m)
            (loop $again
              (if (local.get $d)
                (then (local.set $d (i32.const 0)) (local.set $o (i64.const 0)))
                (else (loop
                  (if (local.get $c) (then (return)))
                  (local.set $e (i32.const 0))
                  (if (local.get $d) (then (br $out (local.get $x) (local.get $a))))
                  (local.set $k (i32.const 0)))))
              (local.set $a (i32.const 0))
              (local.get $z) (i32.const 0) (br $out)
              (br_if $again (local.tee $n (i32.const 0))))
            (i64.const 0))
          (return))
        (drop) (drop))))""")
    place = _loop_places(loaded, 0)[1]
    locals_, operands = _Slots(types, 8, 0), _Slots(["i64", "i64"], 8, 2)
    struct.pack_into("<4QdQdQQQ", locals_.buffer, 0, 1, 2, 0, 4, 5.0, 6, 7.0, 0, 9, 10)
    struct.pack_into("<QQ", operands.buffer, 0, 11, 12)
    assert loaded.enter_loop(0, place, locals_.buffer, operands.buffer) == 2
    assert struct.unpack_from("<4QdQdQQQ", locals_.buffer) == (0, 0, 0, 0, 5.0, 6, 7.0, 0, 12, 11)
    assert struct.unpack_from("<dQ", operands.buffer) == (7.0, 0)


def _loop_places(loaded: LoadedCode, index: int) -> list[int]:
    body = decode_body(loaded.module, loaded.module.codes[index])
    return [place for op, place in zip(body.ops, body.offsets, strict=True) if op == 0x03]


def _values_at(memory: bytes, base: int, types: list[str]) -> list[object]:
    return [_value(valtype, memory[base + VALUE_BYTES * at :][:16]) for at, valtype in enumerate(types)]
