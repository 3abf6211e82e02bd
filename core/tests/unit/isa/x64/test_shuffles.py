"""Shuffles that are one instruction, and their neighbours that are not, run."""

from __future__ import annotations

import random
from typing import Final

import pytest

from core.tests.unit.isa.x64.loaded_code import CAN_RUN, LoadedCode

pytestmark = pytest.mark.skipif(not CAN_RUN, reason="needs Linux on an x86-64 processor with AVX2 and BMI2")

_FIRST: Final = bytes(range(0x40, 0x50))
_SECOND: Final = bytes(range(0x80, 0x90))


def _patterns() -> list[tuple[int, ...]]:
    rng = random.Random(5)
    found = [tuple(range(first, first + 16)) for first in range(17)]
    for size in (1, 2, 4, 8):
        found += [
            tuple(side + lane + byte for lane in range(start, start + 8, size) for side in (0, 16) for byte in range(size))
            for start in (0, 8)
        ]
        wide = 16 // size
        for _ in range(12):
            found.append(tuple(lane * size + byte for lane in rng.choices(range(2 * wide), k=wide) for byte in range(size)))
            found.append(tuple(lane * size + byte for lane in rng.choices(range(wide), k=wide) for byte in range(size)))
            sides = rng.choices((0, 16), k=wide)
            found.append(tuple(place + sides[place // size] for place in range(16)))
    for low in (0, 4):
        for high in (0, 4):
            lanes = [low + rng.randrange(4) for _ in range(2)] + [high + rng.randrange(4) for _ in range(2)]
            found.append(tuple(4 * lane + byte for lane in lanes for byte in range(4)))
    near = [tuple(lane ^ (place == 5) for place, lane in enumerate(pattern)) for pattern in found]
    return sorted(set(found + near))


def test_every_shuffle_gives_the_bytes_it_names(cpu: int) -> None:
    patterns = _patterns()
    functions = []
    for number, pattern in enumerate(patterns):
        lanes = " ".join(map(str, pattern))
        for name, second in (("two", 16), ("same", 0)):
            operands = f"(v128.load (local.get 0)) (v128.load offset={second} (local.get 0))"
            if name == "same":
                operands = "(local.tee 1 (v128.load (local.get 0))) (local.get 1)"
            body = f"(v128.store offset=256 (local.get 0) (i8x16.shuffle {lanes} {operands}))"
            functions.append(f'(func (export "{name}{number}") (param i32) (local v128) {body})')
    loaded = LoadedCode(f"(module (memory 1) {' '.join(functions)})", cpu)
    for number, pattern in enumerate(patterns):
        for name, other in (("two", _SECOND), ("same", _FIRST)):
            loaded.memory[:32] = _FIRST + _SECOND
            loaded.run(f"{name}{number}", 0)
            assert bytes((_FIRST + other)[lane] for lane in pattern) == loaded.memory[256:272], (name, pattern)


def test_swizzles_by_constants(cpu: int) -> None:
    rng = random.Random(9)
    indices = [bytes(rng.randrange(limit) for _ in range(16)) for limit in (16, 20, 256) for _ in range(4)]
    functions = [
        f'(func (export "f{number}") (param i32) (v128.store offset=256 (local.get 0) (i8x16.swizzle (v128.load (local.get 0))'
        f" (v128.const i8x16 {' '.join(map(str, constant))}))))"
        for number, constant in enumerate(indices)
    ]
    loaded = LoadedCode(f"(module (memory 1) {' '.join(functions)})", cpu)
    for number, constant in enumerate(indices):
        loaded.memory[:16] = _FIRST
        loaded.run(f"f{number}", 0)
        assert bytes(_FIRST[index] if index < 16 else 0 for index in constant) == loaded.memory[256:272]


@pytest.mark.parametrize("condition", ["(v128.any_true (local.get 1))", "(i32.eqz (v128.any_true (local.get 1)))"])
def test_a_vector_decides_a_branch_and_a_select(condition: str, cpu: int) -> None:
    loaded = LoadedCode(f"""(module (memory 1)
      (func (export "branch") (param i32) (local v128) (local.set 1 (v128.load (local.get 0)))
        (if {condition} (then (i32.store offset=256 (local.get 0) (i32.const 7)))
          (else (i32.store offset=256 (local.get 0) (i32.const 9)))))
      (func (export "select") (param i32) (local v128) (local.set 1 (v128.load (local.get 0)))
        (i32.store offset=256 (local.get 0) (select (i32.const 7) (i32.const 9) {condition}))))""", cpu)
    for vector in (bytes(16), bytes(15) + b"\x80", b"\x01" + bytes(15), b"\xff" * 16):
        expected = 7 if any(vector) == condition.startswith("(v128") else 9
        for name in ("branch", "select"):
            loaded.memory[:16] = vector
            loaded.run(name, 0)
            assert int.from_bytes(loaded.memory[256:260], "little") == expected
