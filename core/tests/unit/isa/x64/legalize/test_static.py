"""Code for a set of features has no instruction beyond it, whatever the set is."""

from __future__ import annotations

from random import Random

import pytest

from core.tests.differential.aggregates import Aggregates
from core.tests.differential.generator import generate
from core.tests.processors import PROCESSORS, random_processor
from core.tests.unit.frontend.functions import module_of
from core.tests.unit.isa.x64.random_programs import Generator
from core.tests.unit.isa.x64.static_check import check_flags, check_instructions, reachable
from purewasm.backend.machine_code import MachineCode, TargetOptions
from purewasm.isa.x64 import bmi, control, integer
from purewasm.isa.x64.compile import function_compiler
from purewasm.isa.x64.cpu import LZCNT, NEEDED_FEATURES, POPCNT, X86_64_V3


def compiled(text: str, cpu: int, **options: bool) -> list[MachineCode]:
    module = module_of(text)
    compile_function = function_compiler(module, TargetOptions(cpu, **options))
    return [compile_function(index) for index in range(module.imported_functions, len(module.func_types))]


@pytest.mark.parametrize("name", PROCESSORS)
@pytest.mark.parametrize("explicit_checks", [False, True])
def test_named_processors(name: str, explicit_checks: bool) -> None:
    cpu = PROCESSORS[name]
    texts = [text for seed in range(6) for text in (Generator(seed).module(), generate(Random(seed)), Aggregates(Random(seed)).text())]
    assert sum(check_instructions(made, cpu) for text in texts for made in compiled(text, cpu, explicit_checks=explicit_checks)) > 5000


@pytest.mark.parametrize("seed", range(12))
def test_random_sets(seed: int) -> None:
    rng = Random(seed)
    for _ in range(3):
        cpu = random_processor(rng)
        for made in compiled(generate(rng), cpu):
            check_instructions(made, cpu)


@pytest.mark.parametrize("seed", range(12))
def test_no_flags_are_live_over_a_shift(seed: int) -> None:
    for text in (Generator(seed).module(), generate(Random(seed)), Aggregates(Random(seed)).text()):
        for made in compiled(text, X86_64_V3):
            check_flags(made)


def test_the_check_sees_flags_over_a_shift() -> None:
    """`cmp`, a shift that keeps the flags, and a jump."""
    compare, shift, jump = integer.CMP_R32_RM32(1, 2), bmi.SHLX_R32_RM32_R32(1, 2, 3), control.JCC_REL8[4](0)
    with pytest.raises(AssertionError):
        check_flags(MachineCode(0, compare + shift + jump + control.RET()))
    check_flags(MachineCode(0, shift + compare + jump + control.RET()))


def test_the_check_sees_what_a_processor_lacks() -> None:
    count = "(module (func (param i64) (result i64) (i64.{} (local.get 0))))"
    for name, feature in (("clz", LZCNT), ("popcnt", POPCNT)):
        (made,) = compiled(count.format(name), X86_64_V3)
        with pytest.raises(AssertionError, match=f"{'lzcnt' if feature == LZCNT else 'popcnt'} r"):
            check_instructions(made, X86_64_V3 & ~feature)
        (made,) = compiled(count.format(name), X86_64_V3 & ~feature)
        assert check_instructions(made, X86_64_V3 & ~feature) > 3
    (made,) = compiled("(module (func (param f64) (result f64) (f64.add (local.get 0) (local.get 0))))", X86_64_V3)
    with pytest.raises(AssertionError, match="vaddsd"):
        check_instructions(made, NEEDED_FEATURES)


def test_the_check_sees_the_targets_of_jump_tables() -> None:
    cases = "".join(f"(block $b{i} " for i in range(6))
    rest = "".join(f") (return (i32.clz (i32.add (local.get 0) (i32.const {i}))))" for i in range(6))
    text = f"(module (func (param i32) (result i32) {cases} (br_table {' '.join(f'$b{i}' for i in range(6))} (local.get 0)) {rest}))"
    (made,) = compiled(text, X86_64_V3)
    assert [one.instruction.mnemonic for one in reachable(made).values()].count("lzcnt") >= 5
