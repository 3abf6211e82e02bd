"""Names and values: what is accepted, and what the guest gets."""

from __future__ import annotations

from datetime import timedelta

import pytest

from purewasm_global import Globals
from purewasm_global.values import MAX_NAME_BYTES


@pytest.mark.parametrize("value", [0, 1, 43, 2**63, 2**64 - 1])
def test_a_value_is_64_unsigned_bits(value: int) -> None:
    settings = Globals()
    settings.set("X", value)
    assert settings["X"] == value


@pytest.mark.parametrize("value", [-1, 2**64, -(2**63)])
def test_a_value_outside_64_unsigned_bits_is_refused(value: int) -> None:
    settings = Globals({"X": 7})
    with pytest.raises(OverflowError, match=r"0 to 2\*\*64 - 1"):
        settings.set("X", value)
    assert settings["X"] == 7


@pytest.mark.parametrize("value", [1.0, "1", None, b"1"])
def test_a_value_is_an_integer(value: object) -> None:
    with pytest.raises(TypeError, match="the value of a global is an int"):
        Globals().set("X", value)  # type: ignore[arg-type]


def test_bools_are_one_and_zero() -> None:
    settings = Globals({"YES": True, "NO": False})
    assert dict(settings) == {"YES": 1, "NO": 0}
    assert type(settings["YES"]) is int
    settings.set_bool("YES", False)
    assert settings["YES"] == 0
    assert settings.get_bool("YES") is False


def test_a_bool_is_true_for_one_only_as_in_a_guest() -> None:
    settings = Globals({"TWO": 2, "ONE": 1})
    assert settings.get_bool("TWO") is False
    assert settings.get_bool("ONE") is True
    assert settings.get_bool("NONE") is None


@pytest.mark.parametrize(
    ("duration", "bits"),
    [
        (timedelta(seconds=1), 10**9),
        (timedelta(microseconds=1), 1_000),
        (timedelta(days=-1), 2**64 - 86_400 * 10**9),
        (timedelta(microseconds=-1), 2**64 - 1_000),
        (0, 0),
        (7, 7),
        (-1, 2**64 - 1),
        (-(2**63), 2**63),
        (2**63 - 1, 2**63 - 1),
    ],
)
def test_a_duration_is_signed_nanoseconds(duration: timedelta | int, bits: int) -> None:
    settings = Globals()
    settings.set_duration("T", duration)
    assert settings["T"] == bits


def test_a_timedelta_is_a_duration_in_the_mapping_too() -> None:
    settings = Globals({"T": timedelta(minutes=1)})
    assert settings["T"] == 60 * 10**9
    settings["T"] = timedelta(seconds=-1)
    assert settings.get_duration("T") == timedelta(seconds=-1)
    assert settings.get_duration("OTHER") is None


@pytest.mark.parametrize("duration", [timedelta(days=200_000), -(2**63) - 1, 2**63])
def test_a_duration_outside_64_signed_bits_is_refused(duration: timedelta | int) -> None:
    with pytest.raises(OverflowError, match="292 years"):
        Globals().set_duration("T", duration)


def test_a_duration_is_no_float() -> None:
    with pytest.raises(TypeError, match="timedelta, or int nanoseconds, not float"):
        Globals().set_duration("T", 0.5)  # type: ignore[arg-type]


def test_a_name_is_text_that_a_guest_can_ask_for() -> None:
    settings = Globals()
    with pytest.raises(TypeError, match="is a str, not bytes"):
        settings.set(b"X", 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="encodable as UTF-8"):
        settings.set("\ud800", 1)
    with pytest.raises(ValueError, match="at most 65536 bytes of UTF-8, this one 65538"):
        settings.set("é" * 32_769, 1)
    settings.set("x" * MAX_NAME_BYTES, 1)
    assert len(settings) == 1
