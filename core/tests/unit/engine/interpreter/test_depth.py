"""The process's recursion limit, which guests raise while they run, and what ends a recursion."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from purewasm import HostModule, Runtime, Trap
from purewasm.engine.interpreter import depth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

GUEST = """(module (import "host" "f" (func $f))
  (func $down (export "down") (param i32) (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "call") (call $f)))"""


class AlarmError(Exception):
    """What a signal handler raises, as that of Ctrl-C does."""


@pytest.fixture(autouse=True)
def limit() -> Iterator[int]:
    before = sys.getrecursionlimit()
    yield before
    sys.setrecursionlimit(before)


def test_the_limit_is_put_back(limit: int) -> None:
    host = HostModule("host")
    seen: list[int] = []
    host.add_function("f", lambda: seen.append(sys.getrecursionlimit()), (), ())
    with Runtime(engine="interpreter") as runtime:
        instance = runtime.instantiate(GUEST, imports=host)
        instance.exports.down(10_000)
        assert sys.getrecursionlimit() == limit
        instance.exports.call()
        assert sys.getrecursionlimit() == limit
        with pytest.raises(Trap, match="call stack exhausted"):
            instance.exports.down(1_000_000)
    assert sys.getrecursionlimit() == limit
    assert len(seen) == 1


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signals from a timer")
def test_a_signal_handler_that_raises_anywhere_leaves_the_limit_alone(limit: int) -> None:
    def ring(number: int, frame: FrameType | None) -> None:
        raise AlarmError

    host = HostModule("host")
    host.add_function("f", lambda: None, (), ())
    before = signal.signal(signal.SIGALRM, ring)
    try:
        with Runtime(engine="interpreter") as runtime:
            instance = runtime.instantiate(GUEST, imports=host)
            call, down = instance.exports.call, instance.exports.down
            for _ in range(60):
                with pytest.raises(AlarmError):  # noqa: PT012 (the signal may come at any of these)
                    signal.setitimer(signal.ITIMER_REAL, 0.002)
                    while True:
                        call()
                        down(3)
            down(10_000)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert sys.getrecursionlimit() == limit
    assert depth.host_limit() == limit


def test_an_interrupted_entry_is_undone(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    set_limit = sys.setrecursionlimit

    def interrupted(value: int) -> None:
        set_limit(value)
        monkeypatch.undo()
        raise AlarmError

    monkeypatch.setattr(sys, "setrecursionlimit", interrupted)
    with pytest.raises(AlarmError):
        depth.enter(1000)
    assert sys.getrecursionlimit() == limit
    assert depth.enter(1000) == 0
    assert sys.getrecursionlimit() == limit + 1000
    depth.leave(0)
    depth.leave(0)
    assert sys.getrecursionlimit() == limit


def test_a_limit_that_somebody_sets_stays(limit: int) -> None:
    host = HostModule("host")
    host.add_function("f", lambda: None, (), ())
    with Runtime(engine="interpreter") as runtime:
        instance = runtime.instantiate(GUEST, imports=host)
        instance.exports.call()
        for other in (limit // 2, limit * 3):
            sys.setrecursionlimit(other)
            instance.exports.call()
            assert sys.getrecursionlimit() == other


@pytest.mark.parametrize("text", [(), ("too deep",)])
def test_a_recursion_error_of_the_host_itself_is_no_trap(text: tuple[str, ...]) -> None:
    def give_up() -> None:
        raise RecursionError(*text)

    host = HostModule("host")
    host.add_function("f", give_up, (), ())
    with Runtime(engine="interpreter") as runtime, pytest.raises(RecursionError) as caught:
        runtime.instantiate(GUEST, imports=host).exports.call()
    assert caught.value.args == text


_IN_A_SMALL_THREAD = f"""
import sys, threading
sys.path[:0] = {sys.path!r}
from purewasm import HostModule, Runtime, Trap

host = HostModule("host")
host.add_function("f", lambda: sorted([1], key=lambda one: instance.exports.call())[0] and None, (), ())
instance = Runtime(engine="interpreter").instantiate('''{GUEST}''', imports=host)

def run():
    try:
        instance.exports.call()
    except Trap as trap:
        print(trap)

threading.stack_size(1 << 20)
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="others have stacks of their own")
def test_guests_inside_each_other_in_a_thread_with_a_megabyte_of_stack() -> None:
    done = subprocess.run([sys.executable, "-c", _IN_A_SMALL_THREAD], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("call stack exhausted\n", "")
