"""What happens when objects go, also where no Python function can be called."""

from __future__ import annotations

import gc
import sys
from functools import partial
from typing import TYPE_CHECKING

from purewasm import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = '(module (memory 1) (table 2 externref) (data (i32.const 0) "%s") (func (export "f") (result i32) (i32.const 1)))' % ("a" * 20_000)


class Thing:
    pass


def at_the_limit(work: Callable[[], object], tries: int = 60) -> list[object]:
    """Do `work` (no Python code) in the last depths before the limit of recursion; what could not be raised there."""
    unraised: list[object] = []
    left = list(range(tries))
    hook, sys.unraisablehook = sys.unraisablehook, partial(unraised.insert, 0)

    def deeper() -> None:
        try:
            deeper()
        finally:
            if left:
                work()
                del left[-1]

    try:
        deeper()
    except RecursionError:
        pass
    finally:
        sys.unraisablehook = hook
    return unraised


def test_work_is_done_once(runtime: Runtime) -> None:
    from purewasm.engine.native.endings import at_end_of

    done: list[int] = []
    for number in range(3):
        at_end_of(Thing(), partial(done.append, number))
    assert done == [0, 1, 2]


def test_work_that_has_no_room_is_left(runtime: Runtime) -> None:
    from purewasm.engine.native.endings import at_end_of, settle

    done: list[int] = []
    things = [Thing() for _ in range(200)]
    for number, thing in enumerate(things):
        at_end_of(thing, partial(done.append, number))
    del thing
    assert at_the_limit(things.pop) == []
    while things:
        things.pop()
    settle()
    assert sorted(done) == list(range(200))


def test_an_error_is_told_and_the_work_done_later(runtime: Runtime) -> None:
    from purewasm.engine.native import endings

    done: list[int] = []

    def work() -> None:
        done.append(1)
        if len(done) == 1:
            raise ValueError("boo")

    told: list[object] = []
    hook, sys.unraisablehook = sys.unraisablehook, told.append
    try:
        endings.at_end_of(Thing(), work)
    finally:
        sys.unraisablehook = hook
    assert len(told) == 1
    told.clear()
    endings.settle()
    endings.settle()
    assert done == [1, 1]


def test_instances_go_at_the_limit_of_recursion(runtime: Runtime) -> None:
    def make() -> list[object]:
        other = Runtime(engine="compiler")
        module = other.compile(TEXT)
        made = [other.instantiate(module) for _ in range(3)]
        for instance in made:
            assert instance.exports.f() == 1
        garbage: list[object] = [other, module, made]
        garbage.append(garbage)
        return garbage

    from purewasm.engine.native import code_memory, endings

    before = len(code_memory._regions)
    gc.disable()
    try:
        for _ in range(10):
            made = make()
            del made
            assert at_the_limit(gc.collect, 1) == []
    finally:
        gc.enable()
    endings.settle()
    assert len(code_memory._regions) <= before


def test_pages_of_a_heap_are_given_back_once() -> None:
    """Ctrl-C may come between the end of the work and the note that it is done: by then another heap can be at the address."""
    from purewasm.engine.native import heap, libc
    from purewasm.engine.native.libc import system

    flags, protection = system.MAP_PRIVATE | system.MAP_ANONYMOUS, system.PROT_READ | system.PROT_WRITE
    start = system.map_pages(4096, protection, flags)
    work = partial(heap._unmap, [(start, 4096)])
    work()
    assert system.map_pages(4096, protection, flags | system.MAP_FIXED, at=start) == start
    work()
    libc.view_at(start, 1)[0] = 7  # ends the process where the pages are gone
    system.unmap_pages(start, 4096)
