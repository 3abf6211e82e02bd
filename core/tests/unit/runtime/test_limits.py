"""What stops a guest: time, fuel, memory, stack, another thread, Ctrl-C, itself."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from core.tests.unit.runtime.guests import call, function
from purewasm import FuelExhausted, GuestExit, HostModule, Interrupted, LinkError, MemoryAccessError, Runtime, Trap, WasmError, i32, traps

LOOPS = """(module
  (import "host" "started" (func $started))
  (func $loop (export "loop") (param i32) (result i32) (call $started) (loop $l (br_if $l (local.get 0))) (i32.const 1))
  (func (export "leaf") (param i32) (result i32) (loop $l (br_if $l (local.get 0))) (i32.const 2))
  (func $calls (export "calls") (param i32) (result i32)
    (call $started) (loop $l (drop (call $nothing)) (br_if $l (local.get 0))) (i32.const 3))
  (func $nothing (result i32) (i32.const 0))
)"""


@pytest.fixture
def host() -> tuple[HostModule, threading.Event]:
    """A host module whose function tells that the guest has started."""
    started = threading.Event()
    module = HostModule("host")
    module.add_function("started", started.set, (), ())
    return module, started


Host = tuple[HostModule, threading.Event]


@pytest.mark.parametrize("name", ["loop", "leaf", "calls"])
def test_a_timeout_of_one_call(runtime: Runtime, host: Host, name: str) -> None:
    limited = function(runtime.instantiate(LOOPS, imports=host[0]), name).with_options(timeout=0.05)
    for _ in range(2):
        with pytest.raises(Interrupted, match=r"the call ran longer than its timeout of 0\.05 s"):
            limited(1)
        assert limited(0) in (1, 2, 3)


@pytest.mark.parametrize("name", ["loop", "leaf", "calls"])
def test_a_timeout_of_every_call(new_runtime: Callable[..., Runtime], host: Host, name: str) -> None:
    limited = function(new_runtime(timeout=0.05).instantiate(LOOPS, imports=host[0]), name)
    for _ in range(3):
        assert limited(0) in (1, 2, 3)
        with pytest.raises(Interrupted, match="timeout"):
            limited(1)


def test_a_timeout_holds_for_the_start_function(new_runtime: Callable[..., Runtime]) -> None:
    with pytest.raises(Interrupted, match="timeout"):
        new_runtime(timeout=0.05).instantiate("(module (func $loop (loop $l (br $l))) (start $loop))")


_LONG_STEPS = {
    "memory.fill": "(memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216))",
    "memory.copy": "(memory.copy (i32.const 0) (i32.const 1) (i32.const 16777215))",
    "table.fill": "(table.fill $t (i32.const 0) (ref.null func) (i32.const 1000000))",
    "table.copy": "(table.copy (i32.const 0) (i32.const 1) (i32.const 999999))",
    "array.fill": "(array.fill $bytes (local.get $a) (i32.const 0) (i32.const 1) (i32.const 4000000))",
    "array.copy": "(array.copy $bytes $bytes (local.get $a) (i32.const 0) (local.get $a) (i32.const 1) (i32.const 3999999))",
    "array.new": "(drop (array.new_default $bytes (i32.const 4000000)))",
    "leaf": "(drop (call $leaf (i32.const 1)))",
}


@pytest.mark.parametrize("name", _LONG_STEPS)
def test_a_timeout_of_what_takes_long_without_a_loop(runtime: Runtime, name: str) -> None:
    guest = f"""(module
      (type $bytes (array (mut i8)))
      (memory 256) (table $t 1000000 funcref)
      (func $leaf (param i32) (result i32) local.get 0 {"i32.const 3 i32.mul i32.const 5 i32.xor " * 4000})
      (func (export "long") (local $a (ref null $bytes))
        (local.set $a (array.new_default $bytes (i32.const 4000000)))
        {_LONG_STEPS[name] * (40000 if name == "leaf" else 3000)}))"""
    with pytest.raises(Interrupted, match="timeout"):
        function(runtime.instantiate(guest), "long").with_options(timeout=0.05)()


def test_structures_of_many_fields_in_a_row(runtime: Runtime) -> None:
    guest = f"""(module (type $wide (struct {"(field (mut i32)) (field (mut f32))" * 5000}))
      (func (export "long") {"(drop (struct.new_default $wide))" * 3000})
      (func (export "last") (result f32) (struct.get $wide 9999 (struct.new_default $wide))))"""
    instance = runtime.instantiate(guest)
    assert function(instance, "last")() == 0.0
    with suppress(Interrupted):  # in time, or before it is over
        function(instance, "long").with_options(timeout=0.2)()


def test_the_tables_of_a_module_together(runtime: Runtime) -> None:
    with pytest.raises(LinkError, match="tables of 10000001 elements together are larger than the limit of 10000000 elements"):
        runtime.instantiate("(module (table 10000000 funcref) (table 1 funcref))")
    grow = "(func (export \"grow\") (result i32) (table.grow $t (ref.null func) (i32.const 9000000)))"
    assert call(runtime.instantiate(f"(module (table $t 0 funcref) {grow})"), "grow") == 0
    many = runtime.instantiate(f"(module (table $t 0 funcref) {'(table 7 9 funcref)' * 99} {grow})")
    assert call(many, "grow") == -1
    assert many.tables[0].limit == 800_000
    assert many.tables[1].limit == 9


def test_the_shorter_of_two_timeouts_counts(new_runtime: Callable[..., Runtime], host: Host) -> None:
    exports = new_runtime(timeout=3600).instantiate(LOOPS, imports=host[0]).exports
    with pytest.raises(Interrupted, match=r"0\.05"):
        exports.loop.with_options(timeout=0.05)(1)
    exports = new_runtime(timeout=0.05).instantiate(LOOPS, imports=host[0]).exports
    with pytest.raises(Interrupted, match=r"0\.05"):
        exports.loop.with_options(timeout=3600)(1)


def test_an_inner_call_does_not_take_an_outer_deadline_back(runtime: Runtime) -> None:
    module = HostModule("host")

    @module.function
    def inner() -> None:
        with pytest.raises(Interrupted, match=r"0\.05"):
            instance.exports.leaf.with_options(timeout=3600)(1)

    instance = runtime.instantiate(
        """(module (import "host" "inner" (func $inner))
          (func (export "leaf") (param i32) (loop $l (br_if $l (local.get 0))))
          (func (export "outer") (call $inner) (loop $l (br $l))))""",
        imports=module,
    )
    with pytest.raises(Interrupted, match=r"0\.05"):
        instance.exports.outer.with_options(timeout=0.05)()


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_a_timeout_that_makes_no_sense(runtime: Runtime, host: Host, timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout"):
        runtime.instantiate(LOOPS, imports=host[0]).exports.loop.with_options(timeout=timeout)


def test_limits_need_a_runtime_that_keeps_them(new_runtime: Callable[..., Runtime], host: Host) -> None:
    exports = new_runtime(interruptible=False).instantiate(LOOPS, imports=host[0]).exports
    with pytest.raises(ValueError, match="interruptible=True"):
        exports.leaf.with_options(timeout=1)(0)
    exports = new_runtime().instantiate(LOOPS, imports=host[0]).exports
    with pytest.raises(ValueError, match="fuel=True"):
        exports.leaf.with_options(fuel=100)(0)
    with pytest.raises(ValueError, match="fuel=True"):
        new_runtime().instantiate("(module)", fuel=1)
    with pytest.raises(ValueError, match="fuel is not negative"):
        exports.leaf.with_options(fuel=-1)


# ---- fuel

COUNT = """(module (func (export "count") (param i32) (result i32)
  (loop $l (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if $l (local.get 0))) (local.get 0)))"""


def test_fuel_of_one_call(new_runtime: Callable[..., Runtime]) -> None:
    count = new_runtime(fuel=True).instantiate(COUNT).exports.count
    assert count(1000) == 0
    assert count.with_options(fuel=10_000)(1000) == 0
    with pytest.raises(FuelExhausted, match="all fuel consumed") as caught:
        count.with_options(fuel=100)(1000)
    assert isinstance(caught.value, Trap)
    assert caught.value.code == traps.FUEL_EXHAUSTED
    assert count(1000) == 0


def test_fuel_of_an_instance(new_runtime: Callable[..., Runtime]) -> None:
    instance = new_runtime(fuel=True).instantiate(COUNT, fuel=2000)
    for _ in range(10):
        instance.exports.count(10)
    with pytest.raises(FuelExhausted):
        instance.exports.count(500)
    assert instance.meter.fuel == 0
    with pytest.raises(FuelExhausted):
        instance.exports.count(1)


def test_fuel_of_a_call_is_taken_from_the_instances(new_runtime: Callable[..., Runtime]) -> None:
    instance = new_runtime(fuel=True).instantiate(COUNT, fuel=1000)
    with pytest.raises(FuelExhausted):
        instance.exports.count.with_options(fuel=300)(10_000)
    assert instance.meter.fuel == 700
    with pytest.raises(FuelExhausted):
        instance.exports.count.with_options(fuel=3000)(10_000)
    assert instance.meter.fuel == 0


def test_fuel_of_every_call(new_runtime: Callable[..., Runtime]) -> None:
    count = new_runtime(fuel=True, call_fuel=100).instantiate(COUNT).exports.count
    for _ in range(3):
        assert count(5) == 0
        with pytest.raises(FuelExhausted):
            count(1000)


def test_fuel_holds_across_instances(new_runtime: Callable[..., Runtime]) -> None:
    runtime = new_runtime(fuel=True)
    runtime.instantiate(COUNT, name="lib")
    user = runtime.instantiate(
        '(module (import "lib" "count" (func $c (param i32) (result i32))) (func (export "f") (result i32) (call $c (i32.const 1000))))'
    )
    with pytest.raises(FuelExhausted):
        user.exports.f.with_options(fuel=100)()
    assert user.exports.f() == 0


def test_the_same_work_costs_the_same_fuel(new_runtime: Callable[..., Runtime]) -> None:
    left = []
    for _ in range(2):
        instance = new_runtime(fuel=True).instantiate(COUNT, fuel=10_000)
        instance.exports.count(100)
        left.append(instance.meter.fuel)
    assert left[0] == left[1]
    assert left[0] is not None
    assert 0 < left[0] < 10_000


# ---- memory and stack


def test_a_memory_cannot_pass_the_runtimes_limit(new_runtime: Callable[..., Runtime]) -> None:
    runtime = new_runtime(memory_limit_pages=3)
    instance = runtime.instantiate(
        '(module (memory (export "m") 1 10) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))'
    )
    assert instance.exports.grow(2) == 1
    assert instance.exports.grow(1) == -1
    with pytest.raises(MemoryAccessError, match="the limit is 3"):
        instance.memory.grow(1)
    with pytest.raises(LinkError, match="memory of 4 pages is larger than the runtime's limit of 3 pages"):
        runtime.instantiate("(module (memory 4))")


def test_a_host_modules_memory_has_the_limit_too(new_runtime: Callable[..., Runtime]) -> None:
    runtime = new_runtime(memory_limit_pages=3)
    host = HostModule("host")
    host.add_memory("small", 1)
    host.add_memory("large", 4)
    host.register(runtime)
    instance = runtime.instantiate('(module (import "host" "small" (memory 1)))')
    assert instance.memory.limit_pages == 3
    with pytest.raises(LinkError, match="limit of 3 pages"):
        runtime.instantiate('(module (import "host" "large" (memory 1)))')


def test_a_memory_that_there_is_no_room_for(runtime: Runtime) -> None:
    with pytest.raises(LinkError, match=r"no room for a memory|larger than"):
        runtime.instantiate("(module (memory i64 0x1000000000))")


def test_a_small_stack_ends_earlier(new_runtime: Callable[..., Runtime]) -> None:
    source = """(module (func $f (export "f") (param i32) (result i32)
      (if (result i32) (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 7)))))"""
    small, large = new_runtime(max_stack_bytes=16384), new_runtime()
    assert large.instantiate(source).exports.f(5000) == 7
    with pytest.raises(Trap, match="call stack exhausted") as caught:
        small.instantiate(source).exports.f(5000)
    assert caught.value.code == traps.CALL_STACK_EXHAUSTED


# ---- from outside


def after(started: threading.Event, action: Callable[[], None]) -> threading.Thread:
    """A running thread that does something once the guest has started."""

    def work() -> None:
        assert started.wait(10)
        action()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize("name", ["loop", "calls"])
@pytest.mark.parametrize("what", ["instance", "runtime"])
def test_closing_in_another_thread_interrupts(runtime: Runtime, host: Host, name: str, what: str) -> None:
    module, started = host
    instance = runtime.instantiate(LOOPS, imports=module)
    running = function(instance, name)
    closer = after(started, instance.close if what == "instance" else runtime.close)
    with pytest.raises(Interrupted):
        running(1)
    closer.join()
    assert instance.closed
    with pytest.raises(Interrupted, match="closed"):
        running(0)


def test_closing_with_an_exit_code_ends_the_guest_with_it(runtime: Runtime, host: Host) -> None:
    module, started = host
    instance = runtime.instantiate(LOOPS, imports=module)
    closer = after(started, lambda: runtime.close(3))
    with pytest.raises(GuestExit) as caught:
        instance.exports.loop(1)
    closer.join()
    assert caught.value.status == 3


@pytest.mark.parametrize("name", ["loop", "calls"])
def test_ctrl_c_stops_a_guest(runtime: Runtime, host: Host, name: str) -> None:
    module, started = host
    instance = runtime.instantiate(LOOPS, imports=module)
    killer = after(started, _thread.interrupt_main)
    with pytest.raises(KeyboardInterrupt):
        call(instance, name, 1)
    killer.join()
    assert call(instance, name, 0) in (1, 3)


# ---- by itself


def test_a_guest_ends_itself(runtime: Runtime) -> None:
    host = HostModule("host")

    @host.function
    def leave(status: i32) -> None:
        raise GuestExit(status)

    instance = runtime.instantiate(
        """(module (import "host" "leave" (func $leave (param i32)))
          (func $inner (param i32) (call $leave (local.get 0)))
          (func (export "f") (param i32) (result i32) (call $inner (local.get 0)) (i32.const 1)))""",
        imports=host,
    )
    for status in (0, 7):
        with pytest.raises(GuestExit, match=f"guest exited with status {status}") as caught:
            instance.exports.f(status)
        assert caught.value.status == status
        assert isinstance(caught.value, WasmError)


def test_no_handler_of_the_guest_catches_an_end(runtime: Runtime) -> None:
    host = HostModule("host")

    @host.function
    def leave() -> None:
        raise GuestExit(5)

    instance = runtime.instantiate(
        """(module (import "host" "leave" (func $leave))
          (func (export "f") (block $h (try_table (catch_all $h) (call $leave)))))""",
        imports=host,
    )
    with pytest.raises(GuestExit):
        instance.exports.f()


@pytest.mark.parametrize("table", ["(table 0xffffffff funcref)", "(table i64 0x2000000000000000 externref)", "(table 10000001 funcref)"])
def test_a_table_that_is_too_large(runtime: Runtime, table: str) -> None:
    with pytest.raises(LinkError, match=r"table of .* elements is larger than the limit of 10000000 elements"):
        runtime.instantiate(f"(module {table})")


def test_a_table_of_a_host_module_that_is_too_large(runtime: Runtime) -> None:
    host = HostModule("host")
    host.add_table("t", "funcref", 20_000_000)
    with pytest.raises(LinkError, match="table of 20000000 elements is larger than"):
        runtime.instantiate('(module (import "host" "t" (table 0 funcref)))', imports=host)


def test_a_fuel_limit_is_that_of_its_call_and_not_of_other_threads(new_runtime: Callable[..., Runtime]) -> None:
    source = """(module
      (func (export "spin") (param i32) (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
      (func (export "one") (result i32) (i32.const 1)))"""
    instance = new_runtime(fuel=True).instantiate(source)
    limited, wrong = instance.exports.spin.with_options(fuel=500), list[str]()
    end = threading.Event()

    def with_limit() -> None:
        while not end.is_set():
            try:
                limited(5000)
                wrong.append("the limit did not hold")
            except FuelExhausted:
                pass

    def without() -> None:
        while not end.is_set():
            try:
                instance.exports.one()
                instance.exports.spin(50)
            except FuelExhausted:
                wrong.append("a call without a limit ran out of fuel")

    threads = [threading.Thread(target=target) for target in (with_limit, with_limit, without, without)]
    for thread in threads:
        thread.start()
    end.wait(0.5)
    end.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert instance.meter.fuel is None


def test_a_fuel_limit_within_another_one(new_runtime: Callable[..., Runtime]) -> None:
    host = HostModule("host")
    left: list[int | None] = []

    def inner(fuel: int) -> None:
        try:
            instance.exports.spin.with_options(fuel=fuel)(100)
        except FuelExhausted:
            left.append(-1)
        left.append(instance.meter.fuel)

    host.add_function("inner", inner, ("i32",), ())
    source = """(module (import "host" "inner" (func $inner (param i32)))
      (func (export "spin") (param i32) (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
      (func (export "outer") (param i32) (call $inner (local.get 0))))"""
    instance = new_runtime(fuel=True).instantiate(source, imports=host, fuel=10_000)
    outer = instance.exports.outer.with_options(fuel=2000)
    outer(1000)
    spent = 10_000 - (instance.meter.fuel or 0)
    assert left == [2000 - spent]
    outer.function.with_options(fuel=100)(90_000)
    assert left[1:] == [-1, 0]
    outer(10)  # it has its own limit again
    assert left[3] == -1
    assert instance.meter.fuel == 10_000 - spent - 100 - (2000 - (left[4] or 0))
