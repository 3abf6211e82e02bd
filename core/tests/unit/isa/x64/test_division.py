"""Division by constants, run, on dividends around the multiples where a reciprocal that is not exact would show."""

from __future__ import annotations

import random
from typing import Final

import pytest

from core.tests.unit.frontend.functions import build
from core.tests.unit.isa.x64.loaded_code import CAN_RUN, LoadedCode
from purewasm.wasm.numeric import NUMERIC
from purewasm.wasm.opcodes import CODE

_NAMES: Final = ("div_s", "div_u", "rem_s", "rem_u")


def _divisors(bits: int) -> list[int]:
    rng = random.Random(bits)
    top = 1 << bits
    small = [*range(1, 26), 60, 100, 125, 365, 641, 1000, 7777, 10_000, 65_535, 65_536, 65_537, 1_000_000, 86_400, 10**9]
    large = [top - 2, top - 3, top // 2, top // 2 - 1, top // 2 + 1, top // 3, top // 7, top - 7, top - 10, top - 1000, top - 4096]
    if bits == 64:
        large += [10**10, 10**18, (1 << 32) + 1, (1 << 33) - 1, 274177, 6700417]
    return sorted({*small, *large, *(rng.getrandbits(rng.randrange(2, bits)) | 1 for _ in range(25))})


def _dividends(divisor: int, bits: int) -> list[int]:
    rng = random.Random(divisor)
    top = 1 << bits
    factors = [1, 2, 3, (top - 1) // divisor, top // 2 // divisor, rng.randrange(1, max(2, top // divisor))]
    size = min(divisor, top - divisor)
    factors_signed = [rng.randrange(1, max(2, top // 2 // size)), top // 2 // size]
    near = [factor * divisor + by for factor in factors for by in (-1, 0, 1)]
    near += [sign * factor * size + by for factor in factors_signed for by in (-1, 0, 1) for sign in (-1, 1)]
    edges = [0, 1, 2, top - 1, top - 2, top // 2, top // 2 - 1, top // 2 + 1]
    return [x % top for x in (*near, *edges, *(rng.getrandbits(bits) for _ in range(4)))]


@pytest.mark.skipif(not CAN_RUN, reason="needs Linux on an x86-64 processor with AVX2 and BMI2")
@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("name", _NAMES)
def test_quotients_and_remainders_are_exact(bits: int, name: str, cpu: int) -> None:
    divisors = _divisors(bits)
    exact = NUMERIC[CODE[f"i{bits}.{name}"]]
    functions = [
        f'(func (export "f{divisor}") (param i32) (i{bits}.store offset=8 (local.get 0)'
        f" (i{bits}.{name} (i{bits}.load (local.get 0)) (i{bits}.const {divisor}))))"
        for divisor in divisors
    ]
    loaded = LoadedCode(f"(module (memory 1) {' '.join(functions)})", cpu)
    size = bits // 8
    for divisor in divisors:
        for dividend in _dividends(divisor, bits):
            loaded.memory[:size] = dividend.to_bytes(size, "little")
            loaded.run(f"f{divisor}", 0)
            assert exact(dividend, divisor) == int.from_bytes(loaded.memory[8 : 8 + size], "little"), (dividend, divisor)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("name", _NAMES)
def test_constants_by_constants_are_folded(bits: int, name: str) -> None:
    exact = NUMERIC[CODE[f"i{bits}.{name}"]]
    for dividend in (0, 7, 100, (1 << bits) - 7, 1 << bits - 1):
        for divisor in (1, 3, 8, (1 << bits) - 3, (1 << bits) - 8):
            function = build(f"(module (func (result i{bits}) (i{bits}.{name} (i{bits}.const {dividend}) (i{bits}.const {divisor}))))")
            assert len(function.insts) == 1
            assert exact(dividend, divisor) == function.constants[~function.insts[0][3][0]]
