"""Arguments and environment: what the guest gets, and what is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from hostmods.wasi.tests.guest import PAGE, Guest
from purewasm import MemoryAccessError
from purewasm_wasi import INHERIT, Wasi

MakeGuest = Callable[..., Guest]


def test_none_unless_given(make_guest: MakeGuest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "of the host")
    guest = make_guest()
    assert [] == guest.strings("args") == guest.strings("environ")


@pytest.mark.parametrize("args", [["prog"], ["prog", "", "a b", "ü", "\U0001f600"], (b"prog", b"\xff"), (word for word in ("a", "b"))])
def test_arguments(args: Any, make_guest: MakeGuest) -> None:
    args = list(args)
    expected = [arg if isinstance(arg, bytes) else arg.encode() for arg in args]
    assert expected == make_guest(args=args).strings("args")


@pytest.mark.parametrize("env", [{"A": "1", "B": "", "C": "x=y", "Ü": "ü"}, ["A=1", "B=", "C=x=y", "Ü=ü"]])
def test_environment(env: Any, make_guest: MakeGuest) -> None:
    assert [b"A=1", b"B=", b"C=x=y", "Ü=ü".encode()] == make_guest(env=env).strings("environ")


def test_names_of_files_that_are_not_unicode_come_through(make_guest: MakeGuest) -> None:
    assert [b"\xff"] == make_guest(args=["\udcff"]).strings("args")


def test_inherited(make_guest: MakeGuest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["host", "arg"])
    monkeypatch.setenv("GIVEN", "on purpose")
    guest = make_guest(args=INHERIT, env=INHERIT)
    assert [b"host", b"arg"] == guest.strings("args")
    assert b"GIVEN=on purpose" in guest.strings("environ")


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ({"args": ["a\0b"]}, ValueError),
        ({"args": "prog arg"}, TypeError),
        ({"args": [1]}, TypeError),
        ({"env": {"A\0": "x"}}, ValueError),
        ({"env": {"A": "x\0"}}, ValueError),
        ({"env": {"A=B": "x"}}, ValueError),
        ({"env": {"": "x"}}, ValueError),
        ({"env": ["no sign"]}, ValueError),
        ({"env": ["=x"]}, ValueError),
        ({"env": "A=1"}, TypeError),
    ],
)
def test_what_no_guest_could_read_is_refused(option: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Wasi(**option)


@pytest.mark.parametrize("pointers", [(4 * PAGE - 4, 0), (0, 4 * PAGE - 4), (0xFFFF_FFFC, 0), (0, 0xFFFF_FFFF)])
def test_nothing_is_written_unless_all_fits(pointers: tuple[int, int], make_guest: MakeGuest) -> None:
    guest = make_guest(args=["program", "argument"])
    with pytest.raises(MemoryAccessError):
        guest.call("args_get", *pointers)
    assert guest.memory.read(0, 4 * PAGE) == bytes(4 * PAGE)
