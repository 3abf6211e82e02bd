"""What is let go of the objects that guests hold, when several threads are at it."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest

from purewasm.engine.native import handles

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    with handles.CONVERTING:
        pass


def test_nothing_is_dropped_when_a_guest_began_at_the_last_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = object()
    with handles.CONVERTING:
        word = handles.word_of(kept)
    monkeypatch.setattr(handles, "active_words", lambda: iter([0, 1]))
    sweep()
    assert handles.HELD[word] is kept
    monkeypatch.setattr(handles, "active_words", lambda: iter([0, 0]))
    sweep()
    assert word not in handles.HELD


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
