"""Memories where address space, or the number of mappings, is at its end: smaller reservations, and code that checks addresses."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from purewasm import LinkError, Runtime, Trap

if TYPE_CHECKING:
    from collections.abc import Callable

MODULE = """(module (memory (export "memory") 1 100)
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "load_far") (param i32) (result i32) (i32.load offset=0x7fffffff (local.get 0)))
  (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"""

_USE = f"""
from purewasm import Runtime, Trap
import resource
runtime = Runtime(engine="compiler")
first = runtime.instantiate({MODULE!r})
first.exports.load(0)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30), used + (1 << 30)))
made = [runtime.instantiate({MODULE!r}) for _ in range(20)]
for number, instance in enumerate(made):
    exports, memory = instance.exports, instance.memory
    assert not memory.guarded
    exports.store(65532, number)
    for call, address in ((exports.load, 65533), (exports.load, -1), (exports.load_far, -1), (exports.load_far, 0)):
        try:
            call(address)
        except Trap as trap:
            assert trap.code == "out of bounds memory access" and trap.frames
        else:
            raise AssertionError(address)
    assert exports.grow(3) == 1 and memory.pages == 4
    exports.store(4 * 65536 - 4, -number)
    assert exports.grow(1000) == -1
for number, instance in enumerate(made):
    assert (instance.exports.load(65532), instance.exports.load(4 * 65536 - 4)) == (number, -number)
print("fine")
"""


_STRUCTURES = """
from purewasm import LinkError, Runtime
import resource
runtime = Runtime(engine="compiler")
number = runtime.instantiate('(module (func (export "f") (result i32) (i32.const 7)))').exports.f
module = runtime.compile('(module (type $s (struct (field i32))) (func (export "f") (result anyref) (struct.new $s (i32.const 1))))')
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (20 << 20), used + (20 << 20)))
try:
    runtime.instantiate(module)
except LinkError as error:
    print(str(error).partition(":")[0])
print(number())
"""


def test_instances_in_a_process_with_little_address_space() -> None:
    done = subprocess.run([sys.executable, "-c", _USE], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("fine\n", "")


@pytest.mark.parametrize("megabytes", [128, 1 << 10, 5 << 10, 9 << 10])
def test_a_process_with_little_address_space_has_the_compiler(megabytes: int) -> None:
    limit = f"import resource\nresource.setrlimit(resource.RLIMIT_AS, ({megabytes << 20}, {megabytes << 20}))\n"
    use = f"""from purewasm import Runtime
runtime = Runtime()
exports = [runtime.instantiate({MODULE!r}).exports for _ in range(5)]
print(runtime.engine_name, *[each.load(0) for each in exports])"""
    done = subprocess.run([sys.executable, "-c", limit + use], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("compiler 0 0 0 0 0\n", "")


def test_structures_in_a_process_without_address_space() -> None:
    done = subprocess.run([sys.executable, "-c", _STRUCTURES], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("no room for structures and arrays\n7\n", "")


def _limit_reservations(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """The system has no room for more than so many bytes in one piece."""
    from purewasm.engine.native import memory
    from purewasm.engine.native.libc import system

    real = memory.Mapping.commit

    def commit(self: memory.Mapping, start: int, end: int) -> None:
        if self.size > most:
            system.protect_pages(1, 1, 0)  # no such page: fails as the system does where there are too many mappings
        real(self, start, end)

    monkeypatch.setattr(memory.Mapping, "commit", commit)


def test_a_reservation_that_fails_is_tried_smaller(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    module = runtime.compile(MODULE)
    first = runtime.instantiate(module)
    _limit_reservations(monkeypatch, 40 << 16)
    instance = runtime.instantiate(module)
    assert [getattr(made.memory, "guarded", None) for made in (first, instance)] == [True, False]
    assert instance.exports.grow(20) == 1
    assert instance.exports.grow(20) == -1  # 100 pages were too many, 25 were not
    with pytest.raises(Trap, match="out of bounds memory access"):
        instance.exports.load(21 * 65536 - 3)
    with pytest.raises(Trap, match="out of bounds memory access"):
        first.exports.load(65533)


def test_no_room_at_all_is_an_error(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    module = runtime.compile(MODULE)
    runtime.instantiate(module)
    _limit_reservations(monkeypatch, 0)
    with pytest.raises(LinkError, match="no room for a memory of 1 pages"):
        runtime.instantiate(module)


def test_explicit_checks_on_request() -> None:
    with Runtime(engine="compiler", explicit_checks=True) as runtime:
        instance = runtime.instantiate(MODULE)
        assert getattr(instance.memory, "guarded", None) is False
        with pytest.raises(Trap, match="out of bounds memory access"):
            instance.exports.load(65533)


def test_memories_that_go_at_the_limit_of_recursion_are_unmapped(runtime: Runtime) -> None:
    def mappings() -> int:
        return Path("/proc/self/maps").read_text().count("\n")

    def deep(drop: Callable[[], object]) -> None:
        with suppress(RecursionError):
            deep(drop)
        drop()  # at every depth on the way back

    before = mappings()
    module = runtime.compile('(module (memory (export "m") 1))')
    memories = [runtime.instantiate(module).memory for _ in range(300)]
    assert mappings() >= before + 300
    deep(lambda: memories and memories.pop())
    memories.clear()
    assert mappings() < before + 100
