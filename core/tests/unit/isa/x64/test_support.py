"""Which modules the compiler takes, and what it says of the others."""

from __future__ import annotations

import pytest

from core.tests.unit.frontend.functions import module_of
from purewasm.binary.decoder import decode_module
from purewasm.frontend.build import SUPPORTED
from purewasm.isa.x64.cpu import BASELINE, X86_64_V3
from purewasm.isa.x64.support import unsupported
from purewasm.validate.module import validate_module
from purewasm.wasm import opcodes
from purewasm.wasm.features import Features


def test_what_the_first_landing_covers_is_taken() -> None:
    module = module_of("""(module (memory 1) (memory i64 1) (table 1 funcref) (table 1 externref) (global v128 (v128.const i64x2 0 0))
      (tag) (global exnref (ref.null exn))
      (func (param externref) (result externref) (local i64) (local.get 0))
      (func (result i32) (i32.const -5)) (func (block $l (try_table (catch_all $l) (throw 0)))))""")
    assert unsupported(module, X86_64_V3) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(module (type (struct)))", "structures"),
        ("(module (global anyref (ref.null any)))", "anyref"),
        ("(module (func (local i31ref)))", "i31ref"),
        ("(module (func (drop (ref.i31 (i32.const 1)))))", "ref.i31"),
        ("(module (func (param funcref) (drop (ref.test (ref func) (local.get 0)))))", "ref.test"),
        ("(module (func (param funcref) (drop (ref.test (ref nofunc) (local.get 0)))))", "ref.test"),
        ("(module (func (param externref) (drop (ref.cast externref (local.get 0)))))", "ref.cast"),
        ("(module (func (param externref) (drop (ref.cast nullexternref (local.get 0)))))", "ref.cast"),
        ("(module (func (param exnref) (drop (ref.cast (ref exn) (local.get 0)))))", "ref.cast"),
        ("(module (type $t (func)) (func (param funcref) (drop (ref.cast (ref $t) (local.get 0)))))", "ref.cast"),
        (
            f"(module {'(type (func))' * 100} (type $t (func)) (func (param funcref) (drop (ref.cast (ref $t) (local.get 0)))))",
            "ref.cast",
        ),
        ("(module (func (param funcref) (result funcref) (br_on_cast 0 funcref (ref func) (local.get 0))))", "br_on_cast"),
        ("(module (func (param funcref) (result funcref) (br_on_cast_fail 0 funcref (ref func) (local.get 0))))", "br_on_cast_fail"),
        ("(module (func (param externref) (drop (any.convert_extern (local.get 0)))))", "any.convert_extern"),
        ("(module (func (drop (extern.convert_any (ref.null any)))))", "extern.convert_any"),
        ("(module (func (drop (array.len (ref.null none)))))", "array.len"),
    ],
)
def test_what_is_not_compiled_is_named(text: str, said: str) -> None:
    assert said in (unsupported(module_of(text), X86_64_V3) or "")


@pytest.mark.parametrize("instruction", [b"\x41\0\xfb\x9c\0\x1a", b"\x41\0\xfb\x9c\x80\0\x1a"])
def test_numbers_of_instructions_may_be_longer_than_needed(instruction: bytes) -> None:
    body = b"\0" + instruction + b"\x0b"
    binary = b"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\x0a" + bytes((len(body) + 2, 1, len(body))) + body
    module = decode_module(binary, Features.all())
    validate_module(module, Features.all())
    assert "is not compiled yet" in (unsupported(module, X86_64_V3) or "")


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
