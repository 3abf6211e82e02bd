"""i64x2.mul where an operand's lanes are known to be 32-bit numbers, run."""

from __future__ import annotations

import random
import struct
from itertools import product
from typing import Final

import pytest

from core.tests.unit.isa.x64.loaded_code import CAN_RUN, LoadedCode

pytestmark = pytest.mark.skipif(not CAN_RUN, reason="needs Linux on an x86-64 processor with AVX2 and BMI2")

_OPERANDS: Final = (
    "(v128.load offset={at} (local.get 0))",
    "(i64x2.extend_low_i32x4_s (v128.load offset={at} (local.get 0)))",
    "(i64x2.extend_high_i32x4_u (v128.load offset={at} (local.get 0)))",
    "(v128.load32x2_s offset={at} (local.get 0))",
    "(v128.load32x2_u offset={at} (local.get 0))",
    "(v128.const i64x2 3 -7)",
    "(v128.const i64x2 5 0xfffffff0)",
    "(v128.const i64x2 5 0x100000000)",
)


def _lanes(number: int, data: bytes) -> tuple[int, ...]:
    """What the operand is, as unsigned numbers, where these bytes are loaded."""
    if number >= 5:
        return ((3, -7), (5, 0xFFFF_FFF0), (5, 1 << 32))[number - 5]
    if number == 0:
        return struct.unpack("<2Q", data)
    if number == 2:
        return struct.unpack("<2I", data[8:])
    return struct.unpack("<2i" if number in (1, 3) else "<2I", data[:8])


def test_products_are_exact_modulo_two_to_the_64(cpu: int) -> None:
    cases = list(product(range(len(_OPERANDS)), repeat=2))
    functions = [
        f'(func (export "f{x}_{y}") (param i32) (v128.store offset=32 (local.get 0)'
        f" (i64x2.mul {_OPERANDS[x].format(at=0)} {_OPERANDS[y].format(at=16)})))"
        for x, y in cases
    ]
    loaded = LoadedCode(f"(module (memory 1) {' '.join(functions)})", cpu)
    rng = random.Random(3)
    for (x, y), edge in product(cases, (b"\x00", b"\x80", b"\xff", b"\x7f", b"")):
        data = bytes(rng.choice(edge or bytes(range(256))) for _ in range(32))
        loaded.memory[:32] = data
        loaded.run(f"f{x}_{y}", 0)
        pairs = zip(_lanes(x, data[:16]), _lanes(y, data[16:]), strict=True)
        expected = struct.pack("<2Q", *(left * right % (1 << 64) for left, right in pairs))
        assert expected == loaded.memory[32:48], (x, y)
