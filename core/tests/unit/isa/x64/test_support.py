"""Which modules the compiler takes, and what it says of the others."""

from __future__ import annotations

import pytest

from core.tests.unit.frontend.functions import module_of
from purewasm.isa.x64.cpu import AVX2, BASELINE, BMI2, SSE3, SSE4_1, SSSE3, X86_64_V3
from purewasm.isa.x64.support import unsupported


@pytest.mark.parametrize(
    "text",
    [
        "(module (memory 1) (memory i64 1) (table 1 funcref) (global v128 (v128.const i64x2 0 0)) (tag) (global exnref (ref.null exn)))",
        "(module (memory 1 1 shared) (memory 1 (pagesize 1)) (func (drop (i32.atomic.load (i32.const 0))) (atomic.fence)))",
        "(module (type (struct (field i8 anyref))) (type (array (mut v128))) (global i31ref (ref.i31 (i32.const 1))))",
        "(module (func (param externref) (drop (ref.cast nullexternref (local.get 0))) (drop (any.convert_extern (local.get 0)))))",
        "(module (func (param funcref) (result funcref) (br_on_cast_fail 0 funcref (ref func) (local.get 0))))",
    ],
)
def test_every_proposal_is_compiled(text: str) -> None:
    assert unsupported(module_of(text), X86_64_V3) is None


def test_a_processor_without_the_needed_features_is_told_which() -> None:
    assert "the processor lacks sse3,ssse3,sse4.1" == unsupported(module_of("(module)"), BASELINE)
    assert "the processor lacks sse4.1" == unsupported(module_of("(module)"), SSE3 | SSSE3 | AVX2 | BMI2)
    assert unsupported(module_of("(module)"), SSE3 | SSSE3 | SSE4_1) is None


def test_a_function_that_could_take_all_memory_is_left_alone() -> None:
    ways = "(br_if 0 (i32.const 1))" * 4000
    module = module_of(f"(module (func {'(local i64) ' * 20000} (block {ways})))")
    assert "too large" in (unsupported(module, X86_64_V3) or "")


def test_a_large_function_with_many_locals_is_compiled() -> None:
    module = module_of(f"(module (func {'(local i64) ' * 20000} (block (br_if 0 (i32.const 1))) {'nop ' * 21000}))")
    assert unsupported(module, X86_64_V3) is None
