"""Code memory: where code is found, and how it is written where the same page cannot be mapped twice."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from purewasm import Runtime

if TYPE_CHECKING:
    from purewasm.engine.native.code_memory import CodeRegion

RETURN = b"\xc3"


def test_a_region_that_goes_while_another_comes(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    from purewasm.engine.native import code_memory

    first, second = (code_memory.CodeRegion(1 << 16) for _ in range(2))
    real, left = code_memory._address, [first]

    def address(region: CodeRegion) -> int:
        if left:
            left.pop().free()  # as a collection of garbage does
        return real(region)

    monkeypatch.setattr(code_memory, "_address", address)
    third = code_memory.CodeRegion(1 << 16)
    monkeypatch.undo()
    assert first not in code_memory._regions
    assert second in code_memory._regions
    assert third in code_memory._regions
    for region in (second, third):
        region.free()


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs a system that has files in memory, to take them away")
def test_code_without_files_in_memory(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    from purewasm.engine.native import code_memory

    monkeypatch.delattr(os, "memfd_create")
    memory = code_memory.CodeMemory()
    addresses = [memory.add(RETURN * size) for size in (1, 5000, 1 << 17, 1)]
    addresses += memory.add_all(memoryview(RETURN * 5000), [0, 64], [])
    with open("/proc/self/maps") as maps:
        ranges = [line.split()[:2] for line in maps]
    for address in addresses:
        (mode,) = [mode for span, mode in ranges if int(span.partition("-")[0], 16) <= address < int(span.partition("-")[2], 16)]
        assert mode == "r-xp"
    assert not any("w" in mode and "x" in mode for _, mode in ranges)


_PROGRAM = """
import sys
{prepare}
from purewasm import Features, GuestException, Interrupted, Runtime, Trap
from threading import Thread

def host(x):
    if x < 0:
        raise ValueError(x)
    return x + 1

text = '''(module (import "e" "h" (func $h (param i32) (result i32))) (memory (export "m") 1) (tag $t (export "t") (param i32))
  (table 2 externref)
  (func (export "add") (param i64 f64 f32) (result i64 f64 f32) (i64.add (local.get 0) (i64.const 1)) (f64.neg (local.get 1)) (local.get 2))
  (func (export "host") (param i32) (result i32) (call $h (call $h (local.get 0))))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "divide") (param i32) (result i32) (i32.div_s (i32.const 7) (local.get 0)))
  (func (export "grow") (result i32) (memory.grow (i32.const 2)))
  (func (export "fill") (param i32) (memory.fill (i32.const 8) (i32.const 7) (local.get 0))
    (memory.copy (i32.const 0) (i32.const 8) (i32.const 4)))
  (func (export "throw") (param i32) (result i32)
    (block $x (result i32) (try_table (catch $t $x) (call $thrower (local.get 0))) (i32.const 0)))
  (func $thrower (param i32) (throw $t (local.get 0)))
  (func (export "uncaught") (throw $t (i32.const 9)))
  (func (export "keep") (param externref) (result externref) (table.set (i32.const 1) (local.get 0)) (table.get (i32.const 1)))
  (func $deep (export "deep") (param i32) (result i32) (local v128 v128) (call $deep (i32.add (local.get 0) (i32.const 1))))
  (func (export "spin") (loop $l (br $l)))
  (func (export "count") (param i32) (result i32)
    (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 0)))'''

def fails(kind, words, call, *args):
    try:
        call(*args)
    except kind as error:
        assert words in str(error), error
    else:
        raise AssertionError(words)

for checks in (False, True):
    with Runtime(engine="compiler", features=Features.all(), explicit_checks=checks) as runtime:
        e = runtime.instantiate(text, imports={{"e": {{"h": host}}}}).exports
        assert e.add(1 << 40, 2.5, 0.5) == ((1 << 40) + 1, -2.5, 0.5)
        assert e.host(3) == 5
        assert e.load(4) == 0
        assert e.grow() == 1
        e.fill(20)
        assert e.load(0) == 0x07070707
        assert e.throw(5) == 5
        thing = object()
        assert e.keep(thing) is thing
        for _ in range(3):
            fails(ValueError, "-1", e.host, -1)
            fails(Trap, "out of bounds", e.load, -1)
            fails(Trap, "out of bounds", e.fill, -1)
            fails(Trap, "divide by zero", e.divide, 0)
            fails(Trap, "stack exhausted", e.deep, 0)
            fails(GuestException, "", e.uncaught)
            fails(TypeError, "", e.load, "a")
        fails(Interrupted, "timeout", e.spin.with_options(timeout=0.05))
        def work():
            mine = runtime.instantiate(text, imports={{"e": {{"h": host}}}}).exports
            for _ in range(20):
                mine.count(10000)
                fails(Trap, "out of bounds", mine.load, -1)
        threads = [Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
print("fine")
"""
WAYS = {
    "as it is": "",
    "without files in memory": "import os; del os.memfd_create",
    "with the convention of Windows in between": "from purewasm.engine.native import conventions; conventions.rehearse()",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_program_that_does_a_bit_of_everything(way: str) -> None:
    program = _PROGRAM.format(prepare=WAYS[way])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=False)
    assert (done.stdout, done.stderr) == ("fine\n", "")
