"""Closing instances of the interpreter: what they held goes at once, not at the next garbage collection."""

from __future__ import annotations

import gc
import weakref

import pytest

from purewasm import Runtime

MEMORY = '(module (memory (export "memory") 1) (func (export "f") (result i32) (i32.const 1)))'
TABLE = """(module (memory (export "memory") 1) (table 3 funcref) (elem (i32.const 0) $g $g) (type $t (func (result i32)))
  (func $g (result i32) (i32.const 1))
  (func (export "f") (result i32) (call_indirect (type $t) (i32.const 0))))"""


@pytest.mark.parametrize("guest", [MEMORY, TABLE])
@pytest.mark.parametrize("called", [False, True])
def test_a_closed_instance_needs_no_garbage_collector(guest: str, called: bool) -> None:
    gc.collect()
    gc.disable()
    try:
        with Runtime(engine="interpreter") as runtime:
            instance = runtime.instantiate(guest)
            if called:
                assert instance.exports.f() == 1
            alive: list[weakref.ref[object]] = [weakref.ref(instance), weakref.ref(instance.memory)]
            instance.close()
            del instance
            assert [None, None] == [reference() for reference in alive]
    finally:
        gc.enable()


def test_closing_keeps_nothing_of_its_callers_alive() -> None:
    class Kept:
        pass

    def caller() -> weakref.ref[Kept]:
        kept = Kept()
        Runtime(engine="interpreter").instantiate(MEMORY).close()
        return weakref.ref(kept)

    gc.collect()
    gc.disable()
    try:
        assert caller()() is None
    finally:
        gc.enable()
