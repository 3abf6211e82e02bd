"""Structures and arrays with several threads, forks, timeouts and waits."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import pytest

from core.tests.unit.engine.native.test_collections import LIST, TREES
from purewasm import Features, HostModule, Interrupted, LinkError, Runtime

MODULE = "(module" + TREES + LIST + """
  (func (export "work") (param $n i32) (result i64) (local $kept (ref null $node)) (local $total i64)
    (local.set $kept (call $tree (i32.const 8)))
    (loop $again
      (local.set $total (i64.add (local.get $total) (call $sum (call $tree (i32.const 6)))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.add (local.get $total) (call $sum (local.get $kept))))
  (func (export "forever") (loop $l (drop (call $tree (i32.const 5))) (br $l))))"""


def _expected(n: int) -> int:
    with Runtime(engine="interpreter") as runtime:
        exports = runtime.instantiate(MODULE).exports
        total = n * exports.sum(exports.tree(6)) + exports.sum(exports.tree(8))
        assert isinstance(total, int)
        return total


def _together(count: int, work: Callable[[int], object]) -> list[object]:
    results: list[object] = [None] * count

    def run(number: int) -> None:
        try:
            results[number] = work(number)
        except BaseException as error:  # noqa: BLE001 (the test shows it)
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return results


def _until_interrupted(call: Callable[[], object]) -> None:
    with pytest.raises(Interrupted):
        call()


def test_a_runtime_in_each_thread() -> None:
    expected = _expected(3000)

    def work(_: int) -> object:
        with Runtime(engine="compiler", heap_limit_bytes=32 << 20) as runtime:
            return runtime.instantiate(MODULE).exports.work(3000)

    assert _together(4, work) == [expected] * 4


def test_threads_share_a_runtime() -> None:
    """They take turns with the heap; values that Python makes meanwhile stay."""
    expected = _expected(1000)
    with Runtime(engine="compiler", heap_limit_bytes=64 << 20) as runtime:
        instances = [runtime.instantiate(MODULE) for _ in range(3)]
        heap = runtime._engine.heap  # type: ignore[attr-defined]
        table = runtime.instantiate('(module (table (export "t") 64 anyref))').exports.t

        def work(number: int) -> object:
            exports = instances[number % 3].exports
            total = 0
            for turn in range(6):
                trees = [exports.tree(3) for _ in range(5)]
                table[(7 * number + turn) % 64] = trees[0]
                total = exports.work(1000)
                left = [tree.fields[0] for tree in trees]
                table[(11 * number + turn) % 64] = left[1]
                assert all(exports.sum(tree) == exports.sum(trees[0]) for tree in trees)
                assert all(one is tree.fields[0] for one, tree in zip(left, trees, strict=True))
            return total

        assert _together(4, work) == [expected] * 4
        assert heap.collections > 3


def test_results_on_their_way_while_others_collect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else has the turn before Python has an object of its own for what a call gives."""
    from purewasm.engine.native import entry, heap, references

    monkeypatch.setattr(heap, "_stress", [True])
    make = references.reference_of
    monkeypatch.setattr(entry, "_reference_makers", [lambda word: threading.Event().wait(0.001) or make(word)])
    with Runtime(engine="compiler") as runtime:
        exports = runtime.instantiate(MODULE).exports

        def work(number: int) -> object:
            return [exports.length(exports.list(1 + (3 * turn + number) % 20)) for turn in range(50)]

        assert _together(3, work) == [[1 + (3 * turn + number) % 20 for turn in range(50)] for number in range(3)]


def test_a_timeout_and_a_closed_instance_in_the_middle() -> None:
    with Runtime(engine="compiler") as runtime:
        instance = runtime.instantiate(MODULE)
        for _ in range(3):
            with pytest.raises(Interrupted):
                instance.exports.forever.with_options(timeout=0.05)()
            assert instance.exports.work(100) == _expected(100)
        other = runtime.instantiate(MODULE)
        threading.Timer(0.1, instance.close).start()
        with pytest.raises(Interrupted):
            instance.exports.forever()
        assert other.exports.work(100) == _expected(100)


PLAIN = """(module (import "host" "pause" (func $pause (result i32)))
  (table (export "table") 4 funcref)
  (func (export "call") (result i32) (call_indirect (result i32) (i32.const 0)))
  (func (export "wait") (result i32) (call $pause))
  (func (export "later") (result i32) (drop (call $pause)) (call_indirect (result i32) (i32.const 0)))
  (func (export "number") (result i32) (i32.const 5)))"""
LINKED = """(module (import "plain" "table" (table 4 funcref)) (import "plain" "number" (func $number (result i32)))
  (type $box (struct (field i32)))
  (func $boxed (export "boxed") (result i32) (struct.get $box 0 (struct.new $box (call $number))))
  (elem (i32.const 0) $boxed))"""


def test_linked_instances_have_the_turn_of_the_heap() -> None:
    from purewasm.engine.native.turn import turn_of

    with Runtime(engine="compiler") as runtime:
        host = HostModule("host")
        host.add_function("pause", lambda: 1, [], ["i32"])
        host.register(runtime)
        plain = runtime.instantiate(PLAIN, name="plain")
        heap = runtime._engine.heap  # type: ignore[attr-defined]
        assert turn_of(plain.meter) is not heap.turn
        linked = runtime.instantiate(LINKED)
        assert turn_of(plain.meter) is turn_of(linked.meter) is heap.turn
        assert plain.exports.call() == 5
        third = runtime.instantiate('(module (import "plain" "number" (func (result i32))) (func (export "f")))')
        assert turn_of(third.meter) is heap.turn
        third.exports.f()


def test_an_instance_is_linked_while_another_one_of_its_group_runs() -> None:
    """The group's turn becomes that of the heap, which nobody has; the activation that runs can go on into the new instance."""
    with Runtime(engine="compiler") as runtime:
        host = HostModule("host")
        host.add_function("pause", lambda: len([runtime.instantiate(LINKED)]), [], ["i32"])
        host.register(runtime)
        plain = runtime.instantiate(PLAIN, name="plain")
        before = runtime.instantiate(MODULE)
        assert plain.exports.later() == 5
        assert before.exports.work(10) == _expected(10)


def test_instances_are_not_linked_while_both_run() -> None:
    with Runtime(engine="compiler") as runtime:
        running, done = threading.Event(), threading.Event()

        def pause() -> int:
            running.set()
            assert done.wait(30)
            return 1

        host = HostModule("host")
        host.add_function("pause", pause, [], ["i32"])
        host.register(runtime)
        plain = runtime.instantiate(PLAIN, name="plain")
        busy = runtime.instantiate(MODULE)
        first = threading.Thread(target=plain.exports.wait)
        first.start()
        assert running.wait(30)
        second = threading.Thread(target=_until_interrupted, args=(busy.exports.forever,))
        second.start()
        while not runtime._engine.heap.turn.is_taken:  # type: ignore[attr-defined]
            time.sleep(0.001)
        with pytest.raises(LinkError, match="while both are running"):
            runtime.instantiate(LINKED)
        done.set()
        first.join()
        busy.close()
        second.join()
        assert runtime.instantiate(LINKED).exports.boxed() == 5
        assert plain.exports.call() == 5


def test_functions_of_other_groups_go_through_python() -> None:
    """A function that uses the heap is called with the turn of the heap, though the caller is linked with nobody."""
    with Runtime(engine="compiler") as runtime:
        host = HostModule("host")
        host.add_function("pause", lambda: 1, [], ["i32"])
        host.register(runtime)
        plain = runtime.instantiate(PLAIN)
        own = runtime.instantiate("""(module (type $box (struct (field i32)))
          (func (export "f") (result i32) (struct.get $box 0 (struct.new $box (i32.const 8)))))""").exports.f
        plain.exports.table[0] = own
        assert plain.exports.table[0] is own
        assert plain.exports.call() == 8


def test_a_function_of_another_runtime_does_not_get_objects_of_this_one() -> None:
    from purewasm import Trap

    types = "(type $box (struct (field i32))) (type $f (func (param (ref null $box)) (result i32)))"
    text = f"""(module {types} (table $t (export "t") 1 funcref)
      (elem declare func $mine)
      (func $mine (export "f") (type $f) (struct.get $box 0 (local.get 0)))
      (func (export "call") (result i32) (call_indirect $t (type $f) (struct.new $box (i32.const 3)) (i32.const 0)))
      (func (export "cast") (result i32) (call_ref $f (struct.new $box (i32.const 3)) (ref.cast (ref $f) (table.get $t (i32.const 0)))))
      (func (export "typed") (param (ref $f)) (result i32) (call_ref $f (struct.new $box (i32.const 3)) (local.get 0))))"""
    with Runtime(engine="compiler") as one, Runtime(engine="compiler") as other:
        mine, theirs = one.instantiate(text).exports, other.instantiate(text).exports
        mine.t[0] = mine.f
        assert mine.call() == mine.cast() == mine.typed(mine.f) == 3
        mine.t[0] = theirs.f
        with pytest.raises(Trap, match="indirect call type mismatch"):
            mine.call()
        with pytest.raises(Trap, match="cast failure"):
            mine.cast()
        with pytest.raises(TypeError, match="another runtime"):
            mine.typed(theirs.f)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_goes_on() -> None:
    expected = _expected(500)
    with Runtime(engine="compiler", heap_limit_bytes=32 << 20) as runtime:
        instance, busy = runtime.instantiate(MODULE), runtime.instantiate(MODULE)
        kept = instance.exports.tree(7)
        value = instance.exports.sum(kept)
        with Runtime(engine="compiler", heap_limit_bytes=32 << 20) as second:
            other = second.instantiate(MODULE)
            threads = [
                threading.Thread(target=_until_interrupted, args=(busy.exports.forever,)),
                threading.Thread(target=_until_interrupted, args=(other.exports.forever,)),
            ]
            for thread in threads:
                thread.start()
            try:
                for _ in range(10):
                    time.sleep(0.01)
                    child = os.fork()
                    if not child:
                        status = 1
                        try:
                            status = instance.exports.sum(kept) != value or instance.exports.work(500) != expected
                            status = status or other.exports.work(500) != expected
                        finally:
                            os._exit(status)
                    assert os.waitpid(child, 0)[1] == 0
            finally:
                busy.close()
                other.close()
                for thread in threads:
                    thread.join()


def test_who_waits_keeps_what_its_frames_refer_to() -> None:
    text = "(module" + TREES + LIST + """
      (memory (export "memory") 1 1 shared)
      (func (export "wait") (result i64) (local $mine (ref null $node))
        (local.set $mine (call $tree (i32.const 6)))
        (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
        (call $sum (local.get $mine)))
      (func (export "wake") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 100))))"""
    with Runtime(engine="compiler", features=Features.all(), heap_limit_bytes=32 << 20) as runtime:
        exports = runtime.instantiate(text).exports
        results: list[object] = []
        threads = [threading.Thread(target=lambda: results.append(exports.wait())) for _ in range(3)]
        for thread in threads:
            thread.start()
        woken = 0
        while woken < 3:
            exports.waste(1_000_000)
            woken += exports.wake()
        for thread in threads:
            thread.join(30)
        assert results == [exports.sum(exports.tree(6))] * 3


def test_instances_come_while_it_is_collected() -> None:
    """Other threads make them whenever they get the interpreter: here wherever the collection looks at one."""
    from purewasm.engine.native.control import stack_pointer

    with Runtime(engine="compiler") as runtime:
        text = "(module (type $t (struct (field funcref))) (func (export " + '"f") (drop (struct.new_default $t))))'
        runtime.instantiate(text).exports.f()
        heap = runtime._engine.heap  # type: ignore[attr-defined]
        coming = list(range(1, 50))

        class Owner:
            holds_others = False

            @property
            def closed(self) -> bool:
                if coming:
                    heap._owners[coming.pop()] = Owner()
                return True

        heap._owners[0] = Owner()
        for _ in range(60):
            assert heap.collect(stack_pointer())
        assert not coming
        assert not any(isinstance(owner, Owner) for owner in heap._owners.values())
