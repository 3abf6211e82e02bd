"""Instantiating where the system has no pages, files or threads left: a `LinkError`, after which nothing is left behind."""

from __future__ import annotations

import errno
import gc
import os
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from purewasm import Features, HostModule, LinkError, Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm import Instance

_PROVIDER = """(module (table (export "table") 4 funcref)
  (func (export "same") (param funcref) (result funcref) (local.get 0)))"""


def _module(kind: str, turn: int) -> str:
    """A bit of everything; `linked` with others, or `alone`, which lets data be mapped. Each turn has a type of functions that nobody
    had before, for which code is made."""
    linked = """(import "other" "same" (func $same (param funcref) (result funcref))) (import "other" "table" (table 4 funcref))
      (table $large 20000 funcref) (table $externs 4 externref) (memory $more 1)"""
    own = linked if kind == "linked" else "(table $large 9 funcref)"
    return f"""(module (import "h" "twice" (func $twice (param i32) (result i32))) {own}
      (type $s (struct (field (mut i32)))) (type $new (func (param {"i64 " * turn}) (result i32)))
      (memory (export "memory") 1 100) (tag (param i32))
      (global $g (mut i32) (i32.const 7)) (global $object (mut (ref null $s)) (struct.new $s (i32.const 30)))
      (data (memory {1 if kind == "linked" else 0}) (i32.const 0) "{"abcd" * 5000}") (elem (table $large) (i32.const 3) func $twice $new)
      (func $new (export "new") (type $new)
        (i32.add (global.get $g) (call_indirect $large (param i32) (result i32) (i32.const 5) (i32.const 3))))
      (func (export "objects") (result i32)
        (i32.add (struct.get $s 0 (global.get $object)) (struct.get $s 0 (struct.new $s (i32.const 4)))))
      (func $start (global.set $g (i32.const 9))) (start $start))"""


def _check(instance: Instance, turn: int) -> None:
    assert instance.exports.new(*range(turn)) == 19
    assert instance.exports.objects() == 34
    assert instance.memory.read(19_996, 8) == b"abcd\0\0\0\0"


class Failing:
    """Has one of the calls that ask the system for something fail; or that and all that follow."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        from purewasm.engine.native import memory
        from purewasm.engine.native.libc import system

        self.first, self.calls, self.all_behind, self.failed = 0, 0, False, list[str]()
        for owner, name in ((system, "map_pages"), (system, "protect_pages"), (system, "anonymous_file"), (memory, "mmap")):
            patch.setattr(owner, name, self._counting(name, getattr(owner, name)))

    def _counting(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            self.calls += 1
            if self.first and (self.calls == self.first or (self.all_behind and self.calls > self.first)):
                self.failed.append(name)
                raise OSError(errno.ENOMEM, "the test has no room")
            return real(*arguments, **options)

        return call

    def start(self, first: int, *, all_behind: bool) -> None:
        self.first, self.calls, self.all_behind = first, 0, all_behind
        self.failed.clear()

    def stop(self) -> None:
        self.first = 0


@pytest.fixture
def failing(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Failing:
    return Failing(monkeypatch)


def _held() -> tuple[int, ...]:
    """Files in memory that are mapped, large mappings, descriptors, and addresses for code that are free."""
    from purewasm.engine.native.code_memory import code_range

    gc.collect()
    mappings = Path("/proc/self/maps").read_text().splitlines()
    ranges = [[int(end, 16) for end in line.split(" ", 1)[0].split("-")] for line in mappings]
    large = sum(end - start >= 1 << 32 for start, end in ranges)
    free = sum(size for _, size in code_range()._free)
    return sum("memfd:purewasm" in line for line in mappings), large, len(os.listdir("/proc/self/fd")), free


def _runtime() -> Runtime:
    made = Runtime(engine="compiler", features=Features.all())
    host = HostModule("h")
    host.add_function("twice", lambda x: 2 * x, ("i32",), ("i32",))
    host.register(made)
    made.instantiate(_PROVIDER, name="other")
    return made


def _try(kind: str, turn: int, before: int, failing: Failing, *, all_behind: bool = False) -> bool:
    """Instantiate a module of which there are so many instances before, with a failure; False where that many calls are not made."""
    with _runtime() as runtime:
        module = runtime.compile(_module(kind, turn))
        others = [runtime.instantiate(module) for _ in range(before)]
        failing.start(turn, all_behind=all_behind)
        error = _error_of(lambda: runtime.instantiate(module, name="one"))
        failing.stop()
        if error is not None:
            assert error.startswith("no room for ")
            gc.collect()
            assert runtime.instance_names == ["other"]
            assert len(runtime._instances) == 1 + before
            provider = runtime.instance("other").engine_state
            assert len(provider._pins) == (before if kind == "linked" else 0)  # type: ignore[attr-defined]
            runtime.instantiate(module, name="one")
        for instance in (*others, runtime.instance("one")):
            _check(instance, turn)
        return bool(failing.failed)


def _error_of(attempt: Callable[[], object]) -> str | None:
    try:
        attempt()
    except LinkError as error:
        return str(error)
    return None


@pytest.mark.parametrize("all_behind", [False, True], ids=["one", "all behind"])
@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("kind", ["linked", "alone"])
def test_whatever_fails(kind: str, before: int, all_behind: bool, failing: Failing) -> None:
    from purewasm.engine.native import control

    calls = set()
    for turn in count(1):
        control.STUBS.forget_after_fork()  # the engine's own code needs new pages too
        control._data[1] = control.PAGE_BYTES
        if not _try(kind, turn, before, failing, all_behind=all_behind):
            break
        calls.update(failing.failed)
    assert calls >= {"mmap", "protect_pages"}
    if before == 0:
        assert calls >= {"map_pages", "anonymous_file"}  # for code
    if kind == "alone" and before == 1:
        assert calls >= {"map_pages", "anonymous_file"}  # for data


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("kind", ["linked", "alone"])
def test_nothing_is_left_behind(kind: str, before: int, failing: Failing) -> None:
    _try(kind, 99, before, failing)
    held = _held()
    for turn in count(1):
        goes_on = _try(kind, turn, before, failing)
        assert _held() == held, f"failure {turn}: {failing.failed}"
        if not goes_on:
            break
    assert turn > 3


def test_the_thread_that_interrupts_guests(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    from purewasm.engine.native import interrupts
    from purewasm.engine.native.libc import system

    def refuse(code: int) -> None:
        raise OSError("cannot start a thread")

    started: list[int] = []
    monkeypatch.setitem(interrupts._state, "started", False)
    monkeypatch.setattr(system, "start_thread", refuse)
    with pytest.raises(LinkError, match=r"^no room for an instance of .*: no room for the thread that interrupts guests: cannot start"):
        runtime.instantiate("(module)")
    monkeypatch.setattr(system, "start_thread", started.append)
    runtime.instantiate("(module)")
    runtime.instantiate("(module)")
    assert started == [interrupts._state["code"]]


def test_a_function_that_is_compiled_at_its_first_call(failing: Failing, monkeypatch: pytest.MonkeyPatch) -> None:
    from purewasm.engine.native import code_memory

    monkeypatch.setattr(code_memory, "FIRST_REGION_BYTES", 4096)
    monkeypatch.setattr(code_memory, "LARGER_REGION_BYTES", 4096)
    long = "(local.set 0 (i32.mul (i32.load (local.get 0)) (i32.load offset=4 (local.get 0))))" * 500
    with Runtime(engine="compiler") as runtime:
        exports = runtime.instantiate(f'(module (memory 1) (func (export "f") (param i32) (result i32) {long} (local.get 0)))').exports
        for all_behind in (False, True):
            failing.start(2, all_behind=all_behind)  # the first one makes a file, which is not needed
            with pytest.raises(MemoryError, match=r"^no pages for machine code: .*the test has no room"):
                exports.f(0)
            failing.stop()
        assert exports.f(0) == 0


def test_the_engines_own_code_stays_where_it_is(failing: Failing) -> None:
    """What is added after a failure does not come over what is there."""
    from purewasm.engine.native import libc
    from purewasm.engine.native.assembler import Assembler
    from purewasm.engine.native.control import PermanentCode
    from purewasm.isa.x64.control import RET
    from purewasm.isa.x64.registers import RAX

    def function(value: int) -> bytes:
        a = Assembler()
        a.constant(RAX, value)
        a.put(RET())
        return a.finish()

    code = PermanentCode()
    first = libc.word_function(code.add(function(1)))
    large = function(2) + bytes(1 << 16)
    for call in (2, 3):
        failing.start(call, all_behind=False)
        with pytest.raises(MemoryError, match="no pages for machine code"):
            code.add(large)
        failing.stop()
        assert libc.word_function(code.add(function(3)))(0, 0, 0) == 3
        assert first(0, 0, 0) == 1
    assert libc.word_function(code.add(large))(0, 0, 0) == 2


def test_addresses_of_code_that_others_may_have_are_not_used_again(failing: Failing) -> None:
    from purewasm.engine.native.code_memory import CodeRange

    codes = CodeRange()
    first = codes.take(1 << 16)
    failing.start(1, all_behind=False)
    codes.give_back(first, 1 << 16)  # it could not be reserved again, but it is still there
    failing.stop()
    assert codes.take(1 << 16) == first
    failing.start(1, all_behind=True)
    codes.give_back(first, 1 << 16)
    failing.stop()
    assert codes.take(1 << 16) != first
