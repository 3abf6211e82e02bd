"""Forks while other threads hold locks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from purewasm.store import waiting
from purewasm.store.memory import Memory
from purewasm.wasm.locks import process_lock
from purewasm.wasm.module import Limits, MemoryType

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.skipif(sys.version_info >= (3, 12), reason="a fork with threads is a warning from Python 3.12 on"),
]

LOCK = process_lock()


def in_child(work: Callable[[], bool]) -> bool:
    """What `work` says in a forked child; False where it takes more than ten seconds."""
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_fork_waits_for_who_holds_a_lock() -> None:
    held, steps = threading.Event(), [0]

    def change() -> None:
        with LOCK:
            steps[0] += 1
            held.set()
            time.sleep(0.05)
            steps[0] += 1

    def works() -> bool:
        with LOCK:
            return steps[0] == 2

    thread = threading.Thread(target=change)
    thread.start()
    assert held.wait(10)
    assert in_child(works)
    thread.join()


def test_who_forks_keeps_what_it_holds() -> None:
    with LOCK:
        assert in_child(lambda: LOCK._is_owned())  # type: ignore[attr-defined]
        assert LOCK._is_owned()  # type: ignore[attr-defined]


def test_memories_grow_in_a_child() -> None:
    memory = Memory(MemoryType(Limits(1, 1000), shared=True))
    stop = threading.Event()

    def grow() -> None:
        while not stop.is_set():
            memory.grow_pages(0 if memory.pages > 900 else 1)

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        assert all(in_child(lambda: memory.grow_pages(1) >= 0 and len(memory.data) == memory.size) for _ in range(5))
    finally:
        stop.set()
        thread.join()


def test_nobody_else_waits_in_a_child() -> None:
    memory = Memory(MemoryType(Limits(1, 1), shared=True))
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(waiting.wait(memory, 8, 4, 0, 30_000_000_000, lambda: None)))
    thread.start()
    end = time.monotonic() + 10
    while not memory.waiters and time.monotonic() < end:
        time.sleep(0.001)
    assert in_child(lambda: waiting.notify(memory, 8, 5) == 0 and waiting.wait(memory, 8, 4, 0, 1000, lambda: None) == waiting.TIMED_OUT)
    while not results and time.monotonic() < end:
        waiting.notify(memory, 8, 5)
        time.sleep(0.001)
    thread.join(10)
    assert results == [waiting.WOKEN]


_TWO_FORK = """
import os, signal, threading
from purewasm.wasm.locks import process_lock

locks = [process_lock() for _ in range(20)]
failures = []

def fork():
    for _ in range(150):
        if (child := os.fork()) == 0:
            signal.alarm(10)
            for lock in locks:
                with lock:
                    pass
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            failures.append(child)

threads = [threading.Thread(target=fork) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for lock in locks:
    with lock:
        pass
print(failures)
"""


def test_two_threads_fork_at_the_same_time() -> None:
    done = subprocess.run([sys.executable, "-c", _TWO_FORK], capture_output=True, text=True, check=False, timeout=120)
    assert (done.stdout, done.stderr) == ("[]\n", "")


_INTERRUPTED = """
import os, signal, sys
from purewasm.wasm.locks import process_lock

def interrupt(*_):
    raise KeyboardInterrupt

lock = process_lock()
sys.unraisablehook = lambda problem: None  # what is raised in the hooks of a fork goes there
signal.signal(signal.SIGALRM, interrupt)
interrupted = held = 0
for number in range(300):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.00002 * (number % 30 + 1))
        if (child := os.fork()) == 0:
            os._exit(0)
        os.waitpid(child, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        interrupted += 1
    held += lock._is_owned()  # at once: the next fork would give it back
signal.setitimer(signal.ITIMER_REAL, 0)
print(interrupted > 0, held)
"""


def test_a_handler_that_raises_while_somebody_forks_leaves_no_lock_behind() -> None:
    """In a process of its own: other libraries' hooks (those of `logging`, for one) do leave theirs behind, and whoever logs hangs."""
    done = subprocess.run([sys.executable, "-c", _INTERRUPTED], capture_output=True, text=True, check=False, timeout=120)
    assert (done.stdout, done.returncode) == ("True 0\n", 0), done.stderr
