"""Ways of the engine that other systems take, run on this one: a program that does a bit of everything."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from purewasm import Runtime

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
    "without the C API by name": "import ctypes; del ctypes.pythonapi",
    "without functions of the C API": "import ctypes; ctypes.pythonapi = object()",
}


@pytest.mark.skipif(sys.platform == "win32", reason="these are the ways of other systems")
@pytest.mark.parametrize("way", WAYS)
def test_a_program_that_does_a_bit_of_everything(way: str) -> None:
    program = _PROGRAM.format(prepare=WAYS[way])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    assert (done.stdout, done.stderr) == ("fine\n", "")


_THREADS = """
import sys
{prepare}
from threading import Thread
from purewasm import Runtime

sys.setswitchinterval(1e-6)  # another thread runs wherever it can, as on a machine with much to do
text = '(module (import "e" "h" (func $h (param i32))) (func (export "f") (param i32) (call $h (local.get 0))))'
wrong = []

def host(x):
    raise ValueError(x)

def work(number):
    call = runtime.instantiate(text, imports={{"e": {{"h": host}}}}).exports.f
    for x in range(number, 300_000, 1000):
        try:
            call(x)
        except ValueError as error:
            if error.args == (x,):
                continue
            wrong.append(error)
        except BaseException as error:
            wrong.append(error)
        else:
            wrong.append(None)

with Runtime(engine="compiler") as runtime:
    threads = [Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(wrong)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="these are the ways of other systems")
@pytest.mark.parametrize("way", WAYS)
def test_each_thread_has_its_own_exceptions(way: str) -> None:
    program = _THREADS.format(prepare=WAYS[way])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")


SUITE = """
import sys
sys.path[:0] = {paths!r}
{prepare}
import pytest
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning",
    "-k", "not hosts_nest", *{files!r}]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="these are the ways of other systems")
@pytest.mark.parametrize("way", list(WAYS)[1:])
def test_the_tests_of_the_boundary(way: str) -> None:
    # without `hosts_nest`: at the limit of recursion ctypes tells the user itself what it cannot hand on
    here = Path(__file__).parent
    files = [str(here / f"test_{name}.py") for name in ("entry", "host_calls", "references", "tail_calls", "landing", "traps")]
    program = SUITE.format(paths=sys.path, prepare=WAYS[way], files=files)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_what_windows_wants_preserved(runtime: Runtime) -> None:
    """A caller that puts marks into what a Windows function preserves, and code that overwrites all of it."""
    from purewasm.engine.native import conventions, libc
    from purewasm.engine.native.assembler import Assembler
    from purewasm.engine.native.control import STUBS
    from purewasm.isa.x64.abi import WIN64
    from purewasm.isa.x64.control import RET
    from purewasm.isa.x64.integer import ADD_R64_RM64, ADD_RM64_IMM32, IMUL_R64_RM64_IMM32, SUB_RM64_IMM32
    from purewasm.isa.x64.memory import POP_R64, PUSH_R64
    from purewasm.isa.x64.registers import R8, R9, RAX, RCX, RDI, RDX, RSI, RSP
    from purewasm.isa.x64.xmm_moves import MOVQ_RM64_XMM, MOVQ_XMM_RM64

    code = Assembler()  # as System V says: 1 * a + 10 * b + 100 * c + 1000 * d, and nothing is left of what it need not preserve
    code.move(RAX, RDI)
    for register, factor in ((RSI, 10), (RDX, 100), (RCX, 1000)):
        code.put(IMUL_R64_RM64_IMM32(register, register, factor), ADD_R64_RM64(RAX, register))
    for register in (RCX, RDX, RSI, RDI, R8, R9):
        code.constant(register, 77)
    for number in range(16):
        code.put(MOVQ_XMM_RM64(number, RCX))
    code.put(RET())
    target = conventions.incoming(STUBS.add(code.finish()))

    a = Assembler()  # as Windows: calls that with (rdi, 2, 3, 4) and adds up how far the marks are off, times a large number
    a.push_saved()
    a.put(SUB_RM64_IMM32(RSP, 40))
    a.move(RCX, RDI)
    marks = (RSI, *WIN64.callee_saved_xmm)
    for number, register in enumerate(WIN64.callee_saved_xmm, 1):
        a.constant(RAX, 100 + number)
        a.put(MOVQ_XMM_RM64(register, RAX))
    a.constant(RSI, 55)
    a.constant(RDI, 66)
    for register, value in ((RDX, 2), (R8, 3), (R9, 4)):
        a.constant(register, value)
    a.call(target)
    a.put(PUSH_R64(RAX))
    a.lea(RAX, RSI, -55)
    a.put(ADD_R64_RM64(RAX, RDI))
    a.lea(RAX, RAX, -66)
    for number, register in enumerate(WIN64.callee_saved_xmm, 1):
        a.put(MOVQ_RM64_XMM(RCX, register), ADD_R64_RM64(RAX, RCX), ADD_RM64_IMM32(RAX, -100 - number))
    a.put(IMUL_R64_RM64_IMM32(RAX, RAX, 1_000_000), POP_R64(RCX), ADD_R64_RM64(RAX, RCX))
    a.put(ADD_RM64_IMM32(RSP, 40))
    a.pop_saved()
    a.put(RET())
    assert len(marks) == 11
    assert libc.word_function(STUBS.add(a.finish()))(1, 0, 0) == 4321


def test_arguments_of_a_windows_function(runtime: Runtime) -> None:
    from purewasm.engine.native import conventions, libc
    from purewasm.engine.native.assembler import Assembler
    from purewasm.engine.native.control import STUBS
    from purewasm.isa.x64.abi import WIN64
    from purewasm.isa.x64.control import RET
    from purewasm.isa.x64.integer import ADD_R64_RM64, IMUL_R64_RM64_IMM32
    from purewasm.isa.x64.registers import R8, R9, RAX, RCX, RDI, RDX, RSI, RSP

    callee = Assembler()  # six arguments as Windows passes them; it may write to the 32 bytes above its return address
    callee.move(RAX, RCX)
    for factor, register in ((10, RDX), (100, R8), (1000, R9)):
        callee.put(IMUL_R64_RM64_IMM32(register, register, factor), ADD_R64_RM64(RAX, register))
    for position, factor in ((0, 10_000), (1, 100_000)):
        callee.load(RCX, RSP, 8 + WIN64.shadow_bytes + 8 * position)
        callee.put(IMUL_R64_RM64_IMM32(RCX, RCX, factor), ADD_R64_RM64(RAX, RCX))
    for position in range(4):
        callee.store(RSP, 8 + 8 * position, RAX)
    callee.put(RET())
    target = conventions.outgoing(STUBS.add(callee.finish()))
    a = Assembler()
    for register, value in ((RDI, 1), (RSI, 2), (RDX, 3), (RCX, 4), (R8, 5), (R9, 6)):
        a.constant(register, value)
    a.push_saved()
    a.lea(RSP, RSP, -8)
    a.call(target)
    a.lea(RSP, RSP, 8)
    a.pop_saved()
    a.put(RET())
    assert libc.word_function(STUBS.add(a.finish()))(0, 0, 0) == 654_321


def test_the_c_api_is_there(runtime: Runtime) -> None:
    from purewasm.engine.native import libc

    assert hasattr(ctypes, "pythonapi")
    assert libc.has_api()
    assert not libc.lacks_api()
