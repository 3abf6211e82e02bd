"""Nothing is leaked, and nothing that is stale can be reached."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from purewasm import Interrupted, Runtime

ADD = """(module (memory (export "memory") 1) (table (export "t") 2 funcref) (elem (i32.const 0) $a)
    (func $a (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))"""


def mappings() -> int:
    return len(Path("/proc/self/maps").read_text().splitlines())


def resident_kib() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4


def test_instances_come_and_go(runtime: Runtime) -> None:
    module = runtime.compile(ADD)

    def once() -> None:
        with runtime.instantiate(module) as instance:
            assert instance.exports.add(1, 2) == 3

    for _ in range(200):
        once()
    gc.collect()
    before = mappings(), resident_kib()
    for _ in range(10_000):
        once()
    assert mappings() - before[0] < 40
    assert resident_kib() - before[1] < 4096


def test_modules_come_and_go() -> None:
    def once(i: int) -> None:
        with Runtime(engine="compiler") as runtime:
            assert runtime.instantiate(ADD.replace("i32.add", f"i32.add (i32.const {i}) i32.add")).exports.add(1, 2) == 3 + i

    for i in range(20):
        once(i)
    gc.collect()
    before = mappings(), resident_kib()
    for i in range(200):
        once(i)
    gc.collect()
    assert mappings() - before[0] < 40
    assert resident_kib() - before[1] < 4096


def test_dropped_without_close(runtime: Runtime) -> None:
    module = runtime.compile(ADD)
    before = mappings()
    for _ in range(100):
        assert runtime.instantiate(module).exports.add(1, 1) == 2
    gc.collect()
    assert mappings() - before < 40


def test_many_live_instances(runtime: Runtime) -> None:
    module = runtime.compile(ADD)
    live = [runtime.instantiate(module) for _ in range(2000)]
    assert all(instance.exports.add(i, 1) == i + 1 for i, instance in enumerate(live))


def test_a_view_outlives_its_instance(runtime: Runtime) -> None:
    instance = runtime.instantiate(ADD)
    view = instance.memory.view()
    part = view[100:200]
    instance.close()
    del instance, view
    gc.collect()
    part[:] = bytes(range(100))
    assert bytes(part) == bytes(range(100))


def test_no_page_is_writable_and_executable() -> None:
    # In a process of its own: other libraries that tests load do have such pages.
    program = f"""if True:
        from purewasm import Runtime
        instance = Runtime(engine="compiler").instantiate({ADD!r})
        assert instance.exports.add(1, 2) == 3
        print([line for line in open("/proc/self/maps") if "wx" in line.split()[1]])"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_stale_function_raises(runtime: Runtime) -> None:
    instance = runtime.instantiate(ADD)
    add, table = instance.exports.add, instance.exports.t
    instance.close()
    del instance
    gc.collect()
    for function in (add, table.get(0)):
        with pytest.raises(Interrupted, match="closed"):
            function(1, 2)


def test_close_inside_a_host_function(runtime: Runtime) -> None:
    def h() -> None:
        instance.close()
        gc.collect()

    text = """(module (import "e" "h" (func $h)) (memory 1)
        (func (export "f") (call $h) (loop $l (br_if $l (i32.load (i32.const 0))) (br $l))))"""
    instance = runtime.instantiate(text, imports={"e": {"h": h}})
    f = instance.exports.f
    for _ in range(2):
        with pytest.raises(Interrupted, match="closed"):
            f()


def test_close_from_another_thread(runtime: Runtime) -> None:
    instance = runtime.instantiate('(module (func (export "f") (loop $l (br $l))))')
    timer = threading.Timer(0.05, instance.close)
    timer.start()
    with pytest.raises(Interrupted, match="closed"):
        instance.exports.f()
    timer.join()


def test_functions_in_a_foreign_table(runtime: Runtime) -> None:
    user = runtime.instantiate(
        """(module (type $v (func (result i32))) (table (export "t") 1 funcref)
        (func (export "call") (result i32) (call_indirect (type $v) (i32.const 0))))"""
    )
    maker = runtime.instantiate('(module (memory 1) (func (export "f") (result i32) (i32.load8_u (i32.const 0))))')
    user.exports.t[0] = maker.exports.f
    del maker
    gc.collect()
    assert user.exports.call() == 0
    user.exports.t.get(0).instance.close()
    gc.collect()
    with pytest.raises(Interrupted, match="closed"):
        user.exports.call()


def test_an_import_keeps_its_instance(runtime: Runtime) -> None:
    maker = runtime.instantiate('(module (memory 1) (func (export "f") (result i32) (i32.load8_u (i32.const 0))))')
    text = '(module (import "m" "f" (func $f (result i32))) (func (export "g") (result i32) (call $f)))'
    user = runtime.instantiate(text, imports={"m": maker})
    del maker
    gc.collect()
    assert user.exports.g() == 0


def test_fork(runtime: Runtime) -> None:
    before = runtime.instantiate(ADD)
    before.exports.add(1, 2)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            text = '(module (func (export "f") (loop $l (br $l))) (func (export "g") (result i32) (i32.const 7)))'
            exports = runtime.instantiate(text).exports
            try:
                exports.f.with_options(timeout=0.05)()
            except Interrupted:
                status = 42 if exports.g() == 7 and before.exports.add(2, 2) == 4 else 2
        finally:
            os._exit(status)
    after = runtime.instantiate('(module (func (export "g") (result i32) (i32.const 8)))')
    assert after.exports.g() == 8
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    assert after.exports.g() == 8
