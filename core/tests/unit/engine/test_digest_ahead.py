"""SHA-256 that another thread works out meanwhile."""

from __future__ import annotations

import _thread
import hashlib
import os
import signal

import pytest

from purewasm.engine.digest import DigestAhead, sha256

LONG = bytes(range(256)) * (1 << 13)


@pytest.mark.parametrize("content", [b"", b"short", LONG, memoryview(LONG)[1:]])
def test_each_way_gives_the_same(content: bytes | memoryview) -> None:
    expected = hashlib.sha256(content).digest()
    ahead = DigestAhead(content)
    assert (sha256(content), ahead.digest(), ahead.digest()) == (expected, expected, expected)


def test_where_there_is_no_thread_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    assert DigestAhead(LONG).digest() == hashlib.sha256(LONG).digest()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_the_child_of_a_fork_has_no_such_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_thread, "start_new_thread", lambda *_: 0)  # as if the fork came before the thread had done anything
    ahead = DigestAhead(LONG)
    child = os.fork()
    if not child:
        signal.alarm(20)
        os._exit(0 if ahead.digest() == hashlib.sha256(LONG).digest() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
