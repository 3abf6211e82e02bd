"""Errors: their tree, their texts, and that they travel between processes."""

from __future__ import annotations

import copy
import pickle

import pytest

import purewasm
from purewasm import (
    FuelExhausted,
    GuestException,
    GuestExit,
    InternalError,
    Interrupted,
    InvalidError,
    LinkError,
    MalformedError,
    MemoryAccessError,
    ModuleError,
    Trap,
    UnsupportedError,
    WasmError,
    traps,
)


def test_the_tree() -> None:
    assert {kind.__name__ for kind in ModuleError.__subclasses__()} == {"MalformedError", "InvalidError", "UnsupportedError"}
    assert Trap.__subclasses__() == [FuelExhausted]
    direct = {"ModuleError", "LinkError", "Trap", "GuestException", "GuestExit", "Interrupted", "MemoryAccessError", "InternalError"}
    assert {kind.__name__ for kind in WasmError.__subclasses__() if kind.__module__ == "purewasm.errors"} == direct
    assert issubclass(MemoryAccessError, IndexError)
    assert not issubclass(GuestExit, SystemExit)
    public = [thing for name in purewasm.__all__ if isinstance(thing := getattr(purewasm, name), type)]
    assert all(issubclass(thing, WasmError) for thing in public if issubclass(thing, Exception))


@pytest.mark.parametrize("kind", [MalformedError, InvalidError, UnsupportedError])
def test_places_in_a_module(kind: type[ModuleError]) -> None:
    assert str(kind("wrong")) == "wrong"
    assert str(kind("wrong", offset=31)) == "wrong (at offset 0x1f)"
    assert str(kind("wrong", line=2, column=5)) == "wrong (line 2, column 5)"
    assert repr(kind("wrong", offset=31)) == f"{kind.__name__}('wrong (at offset 0x1f)')"


ERRORS = [
    MalformedError("a", offset=5),
    InvalidError("a", line=1, column=2),
    UnsupportedError("a", feature="simd"),
    LinkError("a"),
    Trap("a: more", code="a", frames=[purewasm.Frame("m", 1, "f", 2)]),
    FuelExhausted("a"),
    GuestExit(3),
    Interrupted("a"),
    MemoryAccessError("a"),
    InternalError("a"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_can_be_copied_and_pickled(error: WasmError) -> None:
    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(other) is type(error)
        assert (str(other), vars(other)) == (str(error), vars(error))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_the_text_is_in_the_repr(error: WasmError) -> None:
    assert repr(error) == f"{type(error).__name__}({str(error)!r})"


def test_a_trap_without_a_code_has_its_message_for_one() -> None:
    assert Trap(traps.UNREACHABLE).code == traps.UNREACHABLE
    assert Trap("out of bounds memory access: 5", code=traps.OUT_OF_BOUNDS_MEMORY).code in traps.ALL_CODES


def test_an_exit_says_its_status() -> None:
    assert str(GuestExit(0)) == "guest exited with status 0"


def test_a_guests_exception_holds_tag_and_values() -> None:
    tag = purewasm.HostModule("x").add_tag("oops", ["i64"])
    error = GuestException(tag, (2**64 - 1,), [purewasm.Frame(None, 3, None, 9)])
    assert error.values == (-1,)
    assert str(error) == "uncaught exception: <Tag oops[i64]> with values (-1,)"
    assert str(error.frames[0]) == "func[3] at 0x9"
