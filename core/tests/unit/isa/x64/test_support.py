"""Which modules the compiler takes, and what it says of the others."""

from __future__ import annotations

import pytest

from core.tests.unit.frontend.functions import module_of
from purewasm.frontend.build import SUPPORTED
from purewasm.isa.x64.cpu import BASELINE, X86_64_V3
from purewasm.isa.x64.support import unsupported
from purewasm.wasm import opcodes


def test_what_the_first_landing_covers_is_taken() -> None:
    module = module_of("""(module (memory 1) (memory i64 1) (table 1 funcref) (table 1 externref) (global v128 (v128.const i64x2 0 0))
      (tag) (global exnref (ref.null exn))
      (func (param externref) (result externref) (local i64) (local.get 0))
      (func (result i32) (i32.const -5)) (func (block $l (try_table (catch_all $l) (throw 0)))))""")
    assert unsupported(module, X86_64_V3) is None


@pytest.mark.parametrize(
    "text",
    [
        "(module (type (struct)) (type (array i8)) (global anyref (ref.null any)))",
        "(module (func (local i31ref) (drop (ref.i31 (i32.const 1)))))",
        "(module (func (param funcref) (drop (ref.test (ref nofunc) (local.get 0)))))",
        "(module (func (param externref) (drop (ref.cast nullexternref (local.get 0)))))",
        "(module (type $t (func)) (func (param funcref) (drop (ref.cast (ref $t) (local.get 0)))))",
        "(module (func (param externref) (drop (any.convert_extern (local.get 0)))))",
    ],
)
def test_references_of_every_hierarchy_are_taken(text: str) -> None:
    assert unsupported(module_of(text), X86_64_V3) is None


def test_a_processor_without_the_needed_features_is_told_which() -> None:
    assert "avx2" in (unsupported(module_of("(module)"), BASELINE) or "")


def test_a_function_that_could_take_all_memory_is_left_alone() -> None:
    ways = "(br_if 0 (i32.const 1))" * 4000
    module = module_of(f"(module (func {'(local i64) ' * 20000} (block {ways})))")
    assert "too large" in (unsupported(module, X86_64_V3) or "")


def test_a_large_function_with_many_locals_is_compiled() -> None:
    module = module_of(f"(module (func {'(local i64) ' * 20000} (block (br_if 0 (i32.const 1))) {'nop ' * 21000}))")
    assert unsupported(module, X86_64_V3) is None


def test_every_instruction_of_the_families_in_scope_is_supported() -> None:
    scope = ("calls", "parametric", "variable", "table", "memory", "numeric", "vector", "atomic")
    missing = [row[1] for family in scope for row in opcodes.FAMILIES[family] if row[0] not in SUPPORTED]
    assert missing == []


@pytest.mark.parametrize(
    "text",
    [
        "(module (memory 1 1 shared))",
        "(module (memory 1 (pagesize 1)))",
        "(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))",
        "(module (func (atomic.fence)))",
    ],
)
def test_threads_and_small_pages_are_compiled(text: str) -> None:
    assert unsupported(module_of(text), X86_64_V3) is None
