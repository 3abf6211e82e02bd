"""Closing: in every order, at any time, and nothing stays alive."""

from __future__ import annotations

import gc
import itertools
import weakref
from collections.abc import Callable

import pytest

from purewasm import (
    CompilationCache,
    HostModule,
    Instance,
    Interrupted,
    LinkError,
    Memory,
    Module,
    Runtime,
    WasmError,
)

LIBRARY = """(module (memory (export "m") 1) (table (export "t") 2 funcref) (global (export "g") (mut i32) (i32.const 1))
  (func (export "f") (result i32) (i32.const 7)))"""
USER = """(module (import "lib" "f" (func $f (result i32))) (import "lib" "m" (memory 1)) (import "lib" "t" (table 2 funcref))
  (func $mine (export "mine") (result i32) (call $f)) (elem (i32.const 0) func $mine))"""


def test_a_closed_instance_refuses(runtime: Runtime) -> None:
    instance = runtime.instantiate(LIBRARY, name="lib")
    f, exports = instance.exports.f, instance.exports
    assert f() == 7
    instance.close()
    instance.close()
    assert instance.closed
    assert repr(instance) == "<Instance lib (closed)>"
    with pytest.raises(Interrupted, match="the instance is closed"):
        f()
    with pytest.raises(Interrupted, match="the instance is closed"):
        exports.f()
    for closed in (exports, instance.exports):
        with pytest.raises(WasmError, match="<Instance lib \\(closed\\)> is closed"):
            closed.g  # noqa: B018
    with pytest.raises(WasmError, match="<Instance lib \\(closed\\)> is closed"):
        instance.exports["f"]


def test_a_closed_instance_refuses_exports_with_the_name_of_a_method(runtime: Runtime) -> None:
    instance = runtime.instantiate('(module (func (export "keys") (result i32) (i32.const 1)))')
    instance.close()
    with pytest.raises(WasmError, match="is closed"):
        instance.exports.keys()


def test_a_closed_instance_goes_without_the_garbage_collector(runtime: Runtime) -> None:
    instance = runtime.instantiate(LIBRARY)
    assert instance.exports.f() == 7
    gone = weakref.ref(instance)
    gc.disable()
    try:
        instance.close()
        del instance
        assert gone() is None
    finally:
        gc.enable()


def test_a_function_that_was_never_called_is_closed_too(runtime: Runtime) -> None:
    instance = runtime.instantiate(LIBRARY)
    f = instance.exports.f
    instance.close()
    with pytest.raises(Interrupted, match="closed"):
        f()
    with pytest.raises(Interrupted, match="closed"):
        f.with_options(timeout=10)()


def test_a_closed_runtime_refuses(runtime: Runtime) -> None:
    module = runtime.compile(LIBRARY)
    instance = runtime.instantiate(module, name="lib")
    runtime.close()
    runtime.close()
    assert runtime.closed
    assert "(closed)" in repr(runtime)
    assert instance.closed
    for action in (
        lambda: runtime.compile(LIBRARY),
        lambda: runtime.instantiate(module),
        lambda: runtime.register_instance("x", instance),
        lambda: HostModule("x").register(runtime),
    ):
        with pytest.raises(WasmError, match="this runtime is closed"):
            action()
    with pytest.raises(LinkError, match="no instance named"):
        runtime.instance("lib")


def test_context_managers(engine: str) -> None:
    with Runtime(engine=engine) as runtime:
        with runtime.instantiate(LIBRARY) as instance:
            assert instance.exports.f() == 7
        assert instance.closed
        other = runtime.instantiate(LIBRARY)
    assert runtime.closed
    assert other.closed


def test_what_others_hold_outlives_the_instance(runtime: Runtime) -> None:
    library = runtime.instantiate(LIBRARY, name="lib")
    user = runtime.instantiate(USER)
    memory = library.exports.m
    memory.write(0, b"x")
    library.close()
    assert memory.read(0, 1) == b"x"
    assert user.memory is memory
    assert runtime.instance_names == []
    with pytest.raises(Interrupted, match="closed"):
        user.exports.mine()


def test_a_function_in_a_shared_table_is_refused_when_its_instance_is_closed(runtime: Runtime) -> None:
    call = '(type $r (func (result i32))) (func (export "call") (result i32) (call_indirect 0 (type $r) (i32.const 0)))'
    library = runtime.instantiate(f"{LIBRARY[:-1]} {call})", name="lib")
    user = runtime.instantiate(USER)
    assert library.exports.call() == 7
    user.close()
    with pytest.raises(Interrupted, match="closed"):
        library.exports.call()
    assert library.exports.f() == 7


@pytest.mark.parametrize("order", list(itertools.permutations(("user", "library", "runtime", "cache"))))
def test_closing_in_every_order(engine: str, order: tuple[str, ...]) -> None:
    cache = CompilationCache()
    runtime = Runtime(engine=engine, cache=cache)
    library = runtime.instantiate(LIBRARY, name="lib")
    user = runtime.instantiate(USER)
    assert user.exports.mine() == 7
    mine = user.exports.mine
    closers: dict[str, Callable[[], None]] = {
        "user": user.close, "library": library.close, "runtime": runtime.close, "cache": cache.close
    }  # fmt: skip
    for name in order:
        closers[name]()
    assert user.closed
    assert library.closed
    with pytest.raises(Interrupted, match="closed"):
        mine()


def test_closing_inside_a_host_function(runtime: Runtime) -> None:
    holder: list[Instance] = []
    source = '(module (import "env" "end" (func $end)) (func (export "f") (result i32) (call $end) (loop $l (br $l)) (i32.const 1)))'
    holder.append(runtime.instantiate(source, imports={"env": {"end": lambda: holder[0].close()}}))
    f = holder[0].exports.f
    with pytest.raises(Interrupted):
        f()
    with pytest.raises(Interrupted, match="closed"):
        f()


def test_a_name_is_free_again_when_its_instance_is_closed(runtime: Runtime) -> None:
    first = runtime.instantiate(LIBRARY, name="lib")
    with pytest.raises(LinkError, match="an instance named 'lib' exists already"):
        runtime.instantiate(LIBRARY, name="lib")
    first.close()
    second = runtime.instantiate(LIBRARY, name="lib")
    assert runtime.instance("lib") is second


def test_closing_an_instance_leaves_a_name_that_another_took(runtime: Runtime) -> None:
    first, second = runtime.instantiate(LIBRARY, name="lib"), runtime.instantiate(LIBRARY)
    runtime.register_instance("lib", second)
    first.close()
    assert runtime.instance("lib") is second


# ---- nothing stays alive


def living(kinds: tuple[type, ...]) -> dict[str, int]:
    gc.collect()
    counts = {kind.__name__: 0 for kind in kinds}
    for thing in gc.get_objects():
        for kind in kinds:
            counts[kind.__name__] += isinstance(thing, kind)
    return counts


KINDS = (Runtime, Instance, Module, Memory)


@pytest.mark.slow
@pytest.mark.parametrize("close", [True, False], ids=["closed", "dropped"])
def test_a_thousand_rounds_leave_nothing(engine: str, close: bool) -> None:
    host = HostModule("env", attach=lambda instance: [instance.name])
    host.add_function("f", abs, ["i32"], ["i32"])
    source = """(module (import "env" "f" (func $f (param i32) (result i32))) (import "lib" "f" (func $g (result i32)))
      (memory (export "memory") 1) (table 3 funcref) (elem (i32.const 0) func $f $g $run)
      (func $run (export "run") (param i32) (result i32) (i32.add (call $f (local.get 0)) (call $g))))"""
    with Runtime(engine=engine) as first:
        data, library = first.compile(source).source, first.compile(LIBRARY).source
    del first
    before = living(KINDS)
    references: list[weakref.ref[object]] = []

    def one_round() -> None:
        runtime = Runtime(engine=engine)
        host.register(runtime)
        runtime.instantiate(library, name="lib")
        instance = runtime.instantiate(data, name="user")
        assert instance.exports.run(-5) == 12
        references.extend(weakref.ref(thing) for thing in (runtime, instance, instance.module, instance.memory))
        if close:
            runtime.close()

    for _ in range(1000):
        one_round()
    assert living(KINDS) == before
    assert [reference for reference in references if reference() is not None] == []


def test_a_closed_instance_goes_at_once(engine: str) -> None:
    """Without waiting for the garbage collector: a program that opens and closes many instances needs no more memory than one."""
    with Runtime(engine=engine) as runtime:
        module = runtime.compile(LIBRARY)
        gc.collect()
        gc.disable()
        try:
            instance = runtime.instantiate(module)
            assert instance.exports.f() == 7
            memory = weakref.ref(instance.memory)
            instance.close()
            del instance
            assert memory() is None
        finally:
            gc.enable()


def test_exceptions_do_not_keep_an_instance_alive(engine: str) -> None:
    with Runtime(engine=engine) as runtime:
        instance = runtime.instantiate('(module (func (export "f") (unreachable)))')
        with pytest.raises(WasmError):
            instance.exports.f()
        reference = weakref.ref(instance)
        instance.close()
        del instance
        gc.collect()
        assert reference() is None


def test_an_instance_that_nobody_holds_goes(runtime: Runtime) -> None:
    reference = weakref.ref(runtime.instantiate(LIBRARY))
    gc.collect()
    assert reference() is None
    named = weakref.ref(runtime.instantiate(LIBRARY, name="lib"))
    gc.collect()
    assert named() is not None


def test_a_function_keeps_its_instance(runtime: Runtime) -> None:
    f = runtime.instantiate(LIBRARY).exports.f
    gc.collect()
    assert f() == 7


def test_a_failed_instantiation_leaves_nothing(runtime: Runtime) -> None:
    made: list[weakref.ref[Instance]] = []
    host = HostModule("env", attach=lambda instance: made.append(weakref.ref(instance)))
    host.add_function("f", abs, ["i32"], ["i32"])
    source = '(module (import "env" "f" (func (param i32) (result i32))) (func $s (unreachable)) (start $s))'
    with pytest.raises(WasmError, match="unreachable"):
        runtime.instantiate(source, imports=host, name="x")
    gc.collect()
    assert made[0]() is None
    assert runtime.instance_names == []


def test_compiled_code_goes_with_its_module(new_runtime: Callable[..., Runtime]) -> None:
    runtime = new_runtime(eager=True)
    module = runtime.compile(LIBRARY)
    reference = weakref.ref(module)
    del module
    gc.collect()
    assert reference() is None
