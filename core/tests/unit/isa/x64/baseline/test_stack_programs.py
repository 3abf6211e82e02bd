"""Random modules as baseline code against the interpreter, in every way that baseline code is made, and while better code replaces it."""

from __future__ import annotations

from contextlib import nullcontext
from random import Random

import pytest

from core.tests.processors import processor, random_processor
from core.tests.unit.isa.x64.baseline.stack_programs import StackPrograms
from core.tests.unit.isa.x64.loaded_code import CAN_RUN, FEATURES
from purewasm import GuestException, Runtime, Trap
from purewasm.isa.x64.baseline import body, compile

pytestmark = pytest.mark.skipif(not CAN_RUN, reason="needs Linux on an x86-64 processor with AVX2 and BMI2")

ONLY_BASELINE = 1 << 62
ARGUMENTS = ((0, 0), (1, -1), (0x7FFFFFFF, 1 << 40), (-5, 77))


def outcomes(runtime: Runtime, text: str) -> list[object]:
    """Of some calls: results or traps, what the host was given, memories, turns of loops, and fuel."""
    seen: list[object] = []

    def host(*values: object) -> int:
        seen.append(tuple(map(repr, values)))
        return sum(value for value in values if isinstance(value, int)) & 0xFFFF_FFFF_FFFF

    instance = runtime.instantiate(text, imports={"host": {"call": host}}, fuel=1 << 30 if runtime.config.fuel else None)
    for arguments in ARGUMENTS:
        try:
            seen.append(instance.exports.run(*arguments))
        except Trap as trap:
            seen.append(trap.code)
        except GuestException as exception:
            seen.append(repr(exception.values))
        seen += [bytes(instance.exports.memory[0:65536]), bytes(instance.exports.wide[0:65536]), instance.exports.turns.value]
        if runtime.config.fuel:
            seen.append(instance.meter.fuel)
    return seen


@pytest.mark.parametrize("seed", range(80))
def test_baseline_code_does_what_the_interpreter_does(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(seed)
    text = StackPrograms(seed, vectors=seed % 2 == 0, size=(20, 60, 200)[seed % 3], traps=seed % 3 == 0).module()
    fuel, explicit_checks = random.random() < 0.25, random.random() < 0.25
    after = random.choice((ONLY_BASELINE, ONLY_BASELINE, 1, 3))
    if seed % 5 == 0:  # what large functions have
        monkeypatch.setattr(body, "_MANY_INSTRUCTIONS", 0)
        monkeypatch.setattr(body, "LAZY", random.choice((1, 3, 6)))
        monkeypatch.setattr(compile, "_MANY_LOCALS", 3)
    with Runtime(engine="interpreter", features=FEATURES, fuel=fuel) as runtime:
        expected = outcomes(runtime, text)
    lacking = processor(random_processor(random)) if seed % 4 == 3 else nullcontext()
    options = {"fuel": fuel, "explicit_checks": explicit_checks, "optimize_after": after}
    with lacking, Runtime(engine="compiler", features=FEATURES, **options) as runtime:
        assert outcomes(runtime, text) == expected
