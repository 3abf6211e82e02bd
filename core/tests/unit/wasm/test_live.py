"""Collections that keep nothing alive."""

from __future__ import annotations

import pytest

from purewasm.wasm.live import LiveSet, LiveValues


class Thing:
    pass


def test_a_set_has_what_is_alive() -> None:
    things: LiveSet[Thing] = LiveSet()
    kept = [Thing() for _ in range(3)]
    for thing in (*kept, kept[0]):
        things.add(thing)
    things.add(Thing())
    assert len(things) == 3
    assert list(things) == kept
    del kept[1], thing
    assert list(things) == kept


def test_a_dictionary_has_what_is_alive() -> None:
    things: LiveValues[str, Thing] = LiveValues()
    kept = Thing()
    things["a"], things["b"] = kept, Thing()
    assert things["a"] is things.get("a") is kept
    assert things.get("b") is None
    assert things.get("c") is None
    for key in ("b", "c"):
        with pytest.raises(KeyError):
            things[key]


def test_what_is_gone_is_forgotten() -> None:
    things: LiveSet[Thing] = LiveSet()
    values: LiveValues[int, Thing] = LiveValues()
    kept = Thing()
    things.add(kept)
    values[-1] = kept
    for number in range(10_000):
        values[number] = Thing()
        things.add(Thing())
    assert list(things) == [kept]
    assert values[-1] is kept
    assert len(things._references) < 200
    assert len(values._references) < 200
