"""Threads: different instances at once, one module, one cache."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from purewasm import Caller, CompilationCache, HostModule, Module, Runtime, Trap, i32

WORK = """(module (import "env" "thread" (func $thread (result i64)))
  (memory (export "memory") 1)
  (func $fib (param i32) (result i32)
    (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func (export "work") (param i32) (result i32 i64)
    (i32.store (i32.const 0) (local.get 0)) (call $fib (local.get 0)) (call $thread))
  (func (export "trap") (unreachable))
  (func $deep (export "deep") (param i32) (result i32)
    (if (result i32) (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 1)))))"""


def together(count: int, work: Callable[[int], object]) -> list[object]:
    """Results of so many threads that start at the same time."""
    barrier = threading.Barrier(count)

    def run(number: int) -> object:
        barrier.wait(30)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_threads_call_different_instances_at_once(runtime: Runtime) -> None:
    module = runtime.compile(WORK)

    def work(number: int) -> object:
        with runtime.instantiate(module, imports={"env": {"thread": threading.get_ident}}) as instance:
            for _ in range(5):
                assert instance.exports.work(10 + number % 3) == ((55, 89, 144)[number % 3], threading.get_ident())
                with pytest.raises(Trap, match="unreachable"):
                    instance.exports.trap()
            assert instance.exports.deep(3000) == 1
            return instance.memory.read_i32(0)

    assert together(8, work) == [10 + number % 3 for number in range(8)]


def test_threads_compile_through_one_cache(engine: str) -> None:
    cache = CompilationCache()
    with Runtime(engine=engine) as first:
        data = first.compile(WORK).source

    def work(number: int) -> object:
        with Runtime(engine=engine, cache=cache) as runtime:
            instance = runtime.instantiate(data, imports={"env": {"thread": lambda: 0}})
            assert instance.exports.work(10) == (55, 0)
            return instance.module

    modules = together(8, work)
    assert len({id(module) for module in modules}) == 1
    assert len(cache) == 1


def test_threads_make_the_same_function_ready_at_once(runtime: Runtime) -> None:
    module = runtime.compile(WORK)
    for _ in range(5):
        instances = [runtime.instantiate(module, imports={"env": {"thread": lambda: 0}}) for _ in range(4)]
        assert together(4, lambda number, made=instances: made[number].exports.work(5)) == [(5, 0)] * 4  # type: ignore[misc]


def test_a_module_goes_between_threads_and_runtimes(new_runtime: Callable[..., Runtime]) -> None:
    module = new_runtime().compile(WORK)
    assert isinstance(module, Module)

    def work(number: int) -> object:
        return new_runtime().instantiate(module, imports={"env": {"thread": lambda: 0}}).exports.work(number)[0]

    assert together(6, work) == [0, 1, 1, 2, 3, 5]


def test_every_thread_has_the_state_of_its_instance(runtime: Runtime) -> None:
    host = HostModule("env", attach=lambda instance: {"sum": 0})

    @host.function
    def add(caller: Caller, value: i32) -> i32:
        state = caller.state
        assert isinstance(state, dict)
        state["sum"] += value
        return int(state["sum"])

    host.register(runtime)
    module = runtime.compile(
        """(module (import "env" "add" (func $add (param i32) (result i32)))
          (func (export "add") (param i32) (result i32) (call $add (local.get 0))))"""
    )

    def work(number: int) -> object:
        instance = runtime.instantiate(module)
        for _ in range(200):
            instance.exports.add(number)
        return instance.exports.add(0)

    assert together(6, work) == [200 * number for number in range(6)]


def test_names_are_registered_by_threads_at_once(runtime: Runtime) -> None:
    def work(number: int) -> object:
        return runtime.instantiate('(module (func (export "f")))', name=f"n{number}").name

    assert together(8, work) == [f"n{number}" for number in range(8)]
    assert sorted(runtime.instance_names) == [f"n{number}" for number in range(8)]


def test_first_imports_of_a_runtime_by_threads_at_once(new_runtime: Callable[..., Runtime]) -> None:
    """A runtime has nothing that finds imports until a module has some; and what a host module describes is made once."""
    source = '(module (import "env" "m" (memory 1)) (export "memory" (memory 0)))'
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(10):
            runtime = new_runtime()
            host = HostModule("env")
            host.add_memory("m", 1)
            host.register(runtime)
            module = runtime.compile(source)
            instances = together(8, lambda _, runtime=runtime, module=module: runtime.instantiate(module))  # type: ignore[misc]
            instances[0].memory.write(0, b"seen")  # type: ignore[attr-defined]
            assert [instance.memory.read(0, 4) for instance in instances] == [b"seen"] * 8  # type: ignore[attr-defined]
    finally:
        sys.setswitchinterval(interval)
