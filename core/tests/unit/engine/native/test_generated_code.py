"""The engine's own code runs on every x86-64 processor: it has no instruction of a later one."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

from purewasm import Runtime, WasmError
from purewasm.isa.x64.disassemble import decode, format_instruction

_FS: Final = 0x64
# What makes the engine write code: entries and host functions for every kind of value, exceptions, tables, fuel, polls.
_SCRIPT: Final = """
import sys
from purewasm.engine.native import control, lazy
pieces = []
def keep(add):
    def kept(self, code):
        pieces.append(bytes(code))
        return add(self, code)
    return kept
control.PermanentCode.add = keep(control.PermanentCode.add)

from purewasm import Features, GuestException, HostModule, Runtime, Trap, externref, f32, f64, i32, i64, v128
def f(a: i32, b: i64, c: f32, d: f64, e: v128, g: externref) -> tuple[i32, i64, f32, f64, v128, externref]:
    return a, b, c, d, e, g
def one(a: f32) -> f64:
    return a
host = HostModule("h")
host.function(f)
host.function(one)
TYPES = "i32 i64 f32 f64 v128 externref"
TEXT = f'''(module
  (import "h" "f" (func $f (param {TYPES}) (result {TYPES}))) (import "h" "one" (func $one (param f32) (result f64)))
  (memory 1) (table (export "t") 3 funcref) (global (export "g") (mut v128) (v128.const i64x2 1 2)) (tag $t (export "e") (param f64 v128))
  (elem declare func $one) (data "abc")
  (func (export "f") (param {TYPES}) (result {TYPES})
    (memory.fill (i32.const 0) (i32.const 1) (i32.const 5)) (memory.copy (i32.const 5) (i32.const 0) (i32.const 5))
    (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 3)) (table.fill 0 (i32.const 0) (ref.func $one) (i32.const 1))
    (drop (memory.grow (i32.const 1))) (drop (table.grow 0 (ref.null func) (i32.const 1)))
    (call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5)))
  (func (export "one") (param f32) (result f64) (call $one (local.get 0)))
  (func (export "throw") (throw $t (f64.const 1) (v128.const i64x2 1 2)))
  (func (export "loop") (loop $l (br $l)))
  (func (export "atomic") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 0))))'''
for options in ({}, {"fuel": True}, {"explicit_checks": True}):
    with Runtime(engine="compiler", features=Features.all(), **options) as runtime:
        instance = runtime.instantiate(TEXT, imports=[host], fuel=1_000_000 if "fuel" in options else None)
        exports = instance.exports
        given = (1, 2, 1.5, 2.5, bytes(range(16)), "text")
        assert exports.f(*given) == given
        assert exports.one(0.5) == 0.5
        for name in ("throw", "atomic"):
            try:
                getattr(exports, name)()
            except (GuestException, Trap):
                pass
        try:
            exports.loop.with_options(timeout=0.02)()
        except Exception:
            pass
pieces.append(lazy.make_stubs(0, 3))
print(*[piece.hex() for piece in pieces], sep="\\n")
"""


def _has_compiler() -> bool:
    try:
        Runtime(engine="compiler").close()
    except WasmError:
        return False
    return True


@pytest.mark.skipif(not _has_compiler(), reason="there is no compiler for this platform")
def test_all_of_it_is_made_of_what_every_processor_has() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pieces = [bytes.fromhex(line) for line in done.stdout.split()]
    assert len(pieces) > 40
    for piece in pieces:
        offset = 0
        while offset < len(piece):
            prefix = piece[offset] == _FS
            found = decode(piece, offset + prefix)
            assert found is not None, f"{offset:#x}: {piece[offset : offset + 16].hex(' ')} is no instruction"
            assert not found.instruction.cpu, format_instruction(found.instruction, found.arguments)
            offset += prefix + found.length
