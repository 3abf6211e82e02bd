"""Stages of the compiler: every one is seen, and the compiler is left as it was."""

from __future__ import annotations

from bench.suites.stages import STAGES, stage_seconds
from purewasm.isa.x64 import compile as compiler
from purewasm.text.assembler import assemble
from purewasm.wasm.features import Features

MODULE = """(module (func (param i32) (result i32) (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 0))
  (func (result f64) (f64.const 1)))"""


def test_every_stage_takes_time_and_the_functions_are_put_back() -> None:
    before = {name: getattr(compiler, name) for name in ("build_function", "run_passes", "allocate")}
    seconds = stage_seconds(assemble(MODULE, Features.WASM3))
    assert tuple(seconds) == STAGES
    assert all(value > 0 for value in seconds.values())
    assert {name: getattr(compiler, name) for name in before} == before
