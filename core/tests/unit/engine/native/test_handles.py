"""What is let go of the objects that guests hold, and when."""

from __future__ import annotations

import linecache
import sys
import threading
from typing import TYPE_CHECKING, Final

import pytest

from purewasm import HostModule, Runtime
from purewasm.engine.native import handles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from _typeshed import TraceFunction


class Holder:
    """Holds nothing."""

    def words(self) -> list[int]:
        return []


@pytest.fixture(autouse=True)
def always_sweeps() -> Iterator[None]:
    before = handles.LIMIT.words[0]
    handles.LIMIT.words[0] = 0
    yield
    handles.LIMIT.words[0] = before


def sweep() -> None:
    handles.LIMIT.words[0] = 0
    handles.Converting(())


def test_nothing_is_dropped_when_a_guest_began_at_the_last_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = object()
    word = handles.word_of(kept)
    answers = iter([iter([0, 0]), iter([0, 1])])
    with monkeypatch.context() as patch:
        patch.setattr(handles, "other_active_words", lambda: next(answers))
        sweep()
    assert handles.HELD[word] is kept
    sweep()
    assert word not in handles.HELD


def test_nothing_is_dropped_when_a_conversion_began_meanwhile() -> None:
    class Converts:
        def words(self) -> list[int]:
            handles.Converting(())
            return []

    kept = object()
    word = handles.word_of(kept)
    holder = Converts()
    handles.add_holder(holder)
    sweep()
    assert handles.HELD[word] is kept
    del holder
    sweep()
    assert word not in handles.HELD


def test_what_is_being_converted_stays() -> None:
    first, second = object(), object()
    converting = handles.Converting([first])
    words = [handles.word_of(first), handles.word_of(second)]
    sweep()
    assert [word in handles.HELD for word in words] == [True, False]
    del converting
    sweep()
    assert words[0] not in handles.HELD


def test_an_interruption_anywhere_in_a_conversion_holds_nothing_for_good() -> None:
    """Ctrl-C at each line of it."""
    for stop in range(1, 200):
        kept = object()
        seen = [0]

        def interrupt(frame: FrameType, event: str, argument: object, stop: int = stop, seen: list[int] = seen) -> TraceFunction | None:
            if frame.f_code.co_filename != handles.__file__:
                return None
            # on its way out a `with` does not look for signals before it has given the lock back
            if event == "line" and not linecache.getline(handles.__file__, frame.f_lineno).lstrip().startswith("with "):
                seen[0] += 1
                if seen[0] == stop:
                    raise KeyboardInterrupt
            return interrupt

        def convert(kept: object = kept) -> int:
            _converting = handles.Converting([kept])
            return handles.word_of(kept)

        handles.LIMIT.words[0] = 0
        before = sys.gettrace()
        sys.settrace(interrupt)
        try:
            convert()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        assert not list(handles._conversions)
        word = handles.word_of(kept)
        sweep()
        assert word not in handles.HELD
        if seen[0] < stop:
            return
    raise AssertionError("no end")


GUEST: Final = """(module
  (import "m" "fresh" (func $fresh (result externref))) (import "m" "pair" (func $pair (result externref externref)))
  (import "m" "check" (func $check (param externref i32)))
  (table $t 4 externref) (global $g (mut externref) (ref.null extern))
  (func (export "loop") (param $n i32) (local $kept externref)
    (local.set $kept (call $fresh))
    (table.set $t (i32.const 2) (call $fresh))
    (global.set $g (call $fresh))
    (loop $again
      (drop (call $fresh))
      (call $pair) (drop) (drop)
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $check (local.get $kept) (i32.const 0))
    (call $check (table.get $t (i32.const 2)) (i32.const 1))
    (call $check (global.get $g) (i32.const 2)))
  (func $deep (export "deep") (param $depth i32) (local $a externref) (local $b externref) (local $n i32)
    (call $pair) (local.set $a) (local.set $b)
    (local.set $n (i32.const 30))
    (loop $again
      (drop (call $fresh))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (if (local.get $depth) (then (call $deep (i32.sub (local.get $depth) (i32.const 1)))))
    (call $check (local.get $a) (i32.const -1)) (call $check (local.get $b) (i32.const -1))))"""


class Thing:
    """What guests hold."""

    alive = 0

    def __init__(self, number: int) -> None:
        self.number = number
        Thing.alive += 1

    def __del__(self) -> None:
        self.number = -1
        Thing.alive -= 1


class Host:
    """Makes things, and looks at them again."""

    def __init__(self) -> None:
        self.made = self.most = 0

    def fresh(self) -> Thing:
        self.made += 1
        self.most = max(self.most, Thing.alive)
        return Thing(self.made - 1)

    def pair(self) -> tuple[Thing, Thing]:
        return self.fresh(), self.fresh()

    def check(self, thing: object, number: int) -> None:
        assert isinstance(thing, Thing)
        assert thing.number >= 0
        assert number in (-1, thing.number)

    def imports(self) -> dict[str, dict[str, Callable[..., object]]]:
        return {"m": {"fresh": self.fresh, "pair": self.pair, "check": self.check}}


def test_a_guest_that_never_returns_holds_a_bounded_number_of_fresh_objects() -> None:
    host = Host()
    handles.LIMIT.words[0] = 1024
    with Runtime(engine="compiler") as runtime:
        runtime.instantiate(GUEST, imports=host.imports()).exports.loop(20_000)
    assert host.made == 60_003
    assert host.most < 5000


def test_what_frames_of_guests_hold_stays() -> None:
    host = Host()
    with Runtime(engine="compiler") as runtime:
        exports = runtime.instantiate(GUEST, imports=host.imports()).exports
        for limit in (0, 7, 100):
            handles.LIMIT.words[0] = limit
            exports.deep(100)


def test_what_outer_activations_hold_stays() -> None:
    host = Host()
    depth = [6]
    with Runtime(engine="compiler") as runtime:

        def nested(thing: object, number: int) -> None:
            host.check(thing, number)
            if depth[0]:
                depth[0] -= 1
                handles.LIMIT.words[0] = 0
                instance.exports.deep(3)

        imports = host.imports()
        imports["m"]["check"] = nested
        instance = runtime.instantiate(GUEST, imports=imports)
        instance.exports.deep(5)
    assert depth == [0]


def test_guests_of_other_threads_keep_what_they_hold() -> None:
    host, ends = Host(), threading.Event()
    failed: list[BaseException] = []
    with Runtime(engine="compiler") as runtime:

        def run() -> None:
            try:
                while not ends.is_set():
                    runtime.instantiate(GUEST, imports=host.imports()).exports.deep(4)
            except BaseException as error:  # noqa: BLE001 (it is looked at below)
                failed.append(error)

        threads = [threading.Thread(target=run) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(200):
            handles.LIMIT.words[0] = 0
            runtime.instantiate(GUEST, imports=host.imports()).exports.deep(4)
        ends.set()
        for thread in threads:
            thread.join(60)
    assert not failed


def test_tables_come_and_go_while_handles_are_swept() -> None:
    stays = [Holder() for _ in range(500)]
    for holder in stays:
        handles.add_holder(holder)
    ends = threading.Event()

    def make_tables() -> None:
        while not ends.is_set():
            handles.add_holder(Holder())

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=make_tables)
    thread.start()
    try:
        for _ in range(300):
            sweep()
    finally:
        sys.setswitchinterval(interval)
        ends.set()
        thread.join(20)


CATCHING: Final = """(module (import "env" "look" (func $look)) (tag $e (param i32))
  (table $t 64 exnref) (global $g (mut exnref) (ref.null exn))
  (func $throw (param i32) (throw $e (local.get 0)))
  (func $caught (param i32) (result exnref)
    (block $h (result i32 exnref) (try_table (catch_ref $e $h) (call $throw (local.get 0))) (unreachable)) (return) (unreachable))
  (func $value (param exnref) (result i32)
    (block $h (result i32) (try_table (catch $e $h) (throw_ref (local.get 0))) (unreachable)))
  (func (export "many") (param $n i32)
    (loop $again
      (drop (call $caught (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $look))
  (func $deep (export "deep") (param $n i32) (result i32) (local $mine exnref)
    (if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
    (local.set $mine (call $caught (local.get $n)))
    (i32.add (call $deep (i32.sub (local.get $n) (i32.const 1))) (call $value (local.get $mine))))
  (func (export "placed") (param $n i32) (result i32)
    (table.set $t (i32.const 9) (call $caught (i32.const 1000)))
    (global.set $g (call $caught (i32.const 337)))
    (loop $again
      (drop (call $caught (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.add (call $value (table.get $t (i32.const 9))) (call $value (global.get $g)))))"""


def test_exceptions_that_a_running_guest_lost_are_let_go(runtime: Runtime) -> None:
    held: list[int] = []
    env = HostModule("env")
    env.add_function("look", lambda: held.append(len(handles.HELD)), (), ())
    exports = runtime.instantiate(CATCHING, imports=[env]).exports
    exports.many(1)
    exports.many(20_000)
    assert held[1] < held[0] + 3000


def test_exceptions_that_a_running_guest_has_stay(runtime: Runtime) -> None:
    env = HostModule("env")
    env.add_function("look", lambda: None, (), ())
    exports = runtime.instantiate(CATCHING, imports=[env]).exports
    for count in (50, 3000):
        assert exports.deep(count) == count * (count + 1) // 2
    assert exports.placed(5000) == 1337


def test_exceptions_stay_while_another_thread_runs_a_guest(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    env = HostModule("env")
    env.add_function("look", lambda: held.append(len(handles.HELD)), (), ())
    exports = runtime.instantiate(CATCHING, imports=[env]).exports
    monkeypatch.setattr(handles, "other_active_words", lambda: iter([0, 1]))
    handles.LIMIT.words[0] = 1
    exports.many(5000)
    assert held[0] >= 5000
