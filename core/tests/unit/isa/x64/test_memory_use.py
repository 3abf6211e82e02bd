"""What a compiled function leaves behind."""

from __future__ import annotations

import gc
import threading

import pytest

from core.tests.unit.frontend.functions import module_of
from purewasm.backend.machine_code import TargetOptions
from purewasm.isa.x64.compile import function_compiler
from purewasm.isa.x64.cpu import X86_64_V3


def test_compiling_leaves_nothing_to_the_garbage_collector() -> None:
    module = module_of("""(module (memory 1) (table 1 funcref) (type $t (func (param i32)))
      (func (param i32) (loop (br_if 0 (local.get 0))) (call_indirect (type $t) (local.get 0) (i32.load (local.get 0))))
      (func (param f64) (result i64) (i64.trunc_sat_f64_u (local.get 0))))""")
    compiled = function_compiler(module, TargetOptions(X86_64_V3, explicit_checks=False, fuel=False, interruptible=True))
    for index in range(2):
        compiled(index)
    gc.collect()
    gc.disable()
    try:
        for index in range(2):
            compiled(index)
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(*, enabled: bool) -> None:
    compiled = function_compiler(module_of("(module (func))"), TargetOptions(X86_64_V3))
    set_enabled = gc.enable if enabled else gc.disable
    try:
        set_enabled()
        compiled(0)
        assert gc.isenabled() == enabled
        with pytest.raises(IndexError):
            compiled(1)  # there is none
        assert gc.isenabled() == enabled
    finally:
        gc.enable()


def test_the_garbage_collector_stops_while_a_function_is_compiled_unless_there_are_other_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = function_compiler(module_of("(module (func))"), TargetOptions(X86_64_V3))
    stops: list[bool] = []
    monkeypatch.setattr(gc, "disable", lambda: stops.append(True))
    before = threading.active_count()
    compiled(0)
    assert stops == [True] * (before == 1)
    thread_ends = threading.Event()
    thread = threading.Thread(target=thread_ends.wait)
    thread.start()
    try:
        compiled(0)
        assert len(stops) == (before == 1)
    finally:
        thread_ends.set()
        thread.join()
