"""Random loops that change from baseline code to optimized code at every place where they can, against the interpreter."""

from __future__ import annotations

from random import Random

import pytest

from core.tests.unit.isa.x64.loaded_code import CAN_RUN
from core.tests.unit.isa.x64.random_entries import LOCALS_AT, NUMBER_OUT, OPERANDS_AT, OPERANDS_OUT, VALUE_BYTES, EntryGenerator
from core.tests.unit.isa.x64.random_loops import LoopGenerator
from purewasm import Runtime

pytestmark = pytest.mark.skipif(not CAN_RUN, reason="needs Linux on an x86-64 processor with AVX2 and BMI2")

_ARGUMENTS = ((0, 0, 0), (5, 9, 1 << 40), (0xFFFF_FFFD, 1000, (1 << 64) - 7))
_NEVER = 1 << 62


def _counts(random: Random) -> tuple[int, ...]:
    return 1, random.choice((2, 3, 5, 8, 20)), _NEVER


@pytest.mark.parametrize("seed", range(40))
def test_random_loops_do_what_the_interpreter_does(seed: int) -> None:
    text = LoopGenerator(seed, vectors=seed % 2 == 0).module()
    with Runtime(engine="interpreter") as runtime:
        instance = runtime.instantiate(text)
        expected = [instance.exports.run(*args) for args in _ARGUMENTS]
    for count in _counts(Random(seed)):
        with Runtime(engine="compiler", optimize_after=count, explicit_checks=seed % 5 == 1, fuel=seed % 7 == 2) as runtime:
            instance = runtime.instantiate(text, fuel=1 << 40) if seed % 7 == 2 else runtime.instantiate(text)
            assert [instance.exports.run(*args) for args in _ARGUMENTS] == expected


@pytest.mark.parametrize("seed", range(40))
def test_random_ways_out_of_loops_are_those_of_the_interpreter(seed: int) -> None:
    generator = EntryGenerator(seed, vectors=seed % 2 == 0)
    text, random = generator.module(), Random(seed)
    image = bytearray(OPERANDS_OUT)
    image[:1024] = random.randbytes(1024)
    for base, types in ((LOCALS_AT, generator.locals), (OPERANDS_AT, generator.operands)):
        for at, valtype in enumerate(types):
            image[base + VALUE_BYTES * at] = random.choice((0, 1) if valtype == "funcref" else (0, 1, 5, 255))
    with Runtime(engine="interpreter") as runtime:
        expected = _left_behind(runtime, generator, text, image)
    for count in _counts(random):
        with Runtime(engine="compiler", optimize_after=count, explicit_checks=seed % 5 == 1) as runtime:
            assert _left_behind(runtime, generator, text, image) == expected


def _left_behind(runtime: Runtime, generator: EntryGenerator, text: str, image: bytearray) -> list[bytes]:
    """What the loop has written, the way out that it took and the operands of it, but for floats, whose NaNs may differ."""
    found = []
    for _ in range(2):
        memory = (exports := runtime.instantiate(text).exports).memory
        memory.write(0, image)
        exports.run()
        number = memory.read_u32(NUMBER_OUT)
        whole = [at for at, valtype in enumerate(generator.carried(number)) if valtype in ("i32", "i64", "v128", "funcref")]
        found += [memory.read(0, 1024), memory.read(NUMBER_OUT, 4)]
        found += [memory.read(OPERANDS_OUT + VALUE_BYTES * at, VALUE_BYTES) for at in whole]
    return found
