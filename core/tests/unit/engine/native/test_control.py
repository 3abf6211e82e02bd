"""Control blocks: each thread has its own, also when many begin at once; the engine's own code is never overwritten."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from purewasm.engine.native import control, libc
from purewasm.store import layout

if TYPE_CHECKING:
    import pytest

THREADS = 4


def test_threads_that_begin_at_once_get_blocks_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    real = libc.view_at

    def slow(address: int, size: int) -> memoryview:
        time.sleep(0.01)  # another thread runs in the middle
        return real(address, size)

    monkeypatch.setattr(libc, "view_at", slow)
    for _ in range(3):  # at first they are made, then those of threads that have ended are used again
        blocks: list[int] = []
        together = threading.Barrier(THREADS)

        def begin(together: threading.Barrier = together, blocks: list[int] = blocks) -> None:
            together.wait(20)
            blocks.append(control.own_block())
            together.wait(20)

        threads = [threading.Thread(target=begin) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(set(blocks)) == THREADS
        linked, block = set(), libc.read_word(control.FIRST_BLOCK)
        while block:
            linked.add(block)
            block = libc.read_word(block + layout.NEXT)
        assert linked.issuperset(blocks)


def test_code_that_is_added_while_code_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a destructor or a signal handler may do."""
    made, real = control.PermanentCode(), libc.view_at
    inner: list[int] = []

    def reentering(address: int, size: int) -> Any:
        if not inner:
            inner.append(0)
            inner[0] = made.add(b"inner")
        return real(address, size)

    monkeypatch.setattr(libc, "view_at", reentering)
    outer = made.add(b"outer")
    assert bytes(real(outer, 5)) == b"outer"
    assert bytes(real(inner[0], 5)) == b"inner"
