"""Messages of guests in Python's logging, on both engines."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from purewasm import Runtime
from purewasm.hostmod import OperationError, Status
from purewasm.testing import ConformanceCase, MailboxGuest, check_hostile, conformance_cases, fuzz
from purewasm_log import Log


@pytest.mark.parametrize("case", conformance_cases(Path(__file__).parent / "abi_cases.json"), ids=str)
def test_conformance(case: ConformanceCase, runtime: Runtime) -> None:
    case.run(runtime, Log())


def test_hostile_guests(runtime: Runtime) -> None:
    check_hostile(runtime, Log)
    assert fuzz(runtime, Log, seed=3, rounds=200) > 0


def test_a_message(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "guests")
    guest = MailboxGuest(runtime, Log("guests"))
    guest.call("write", 20, "billing", "%s of 100 %d", ["who", "me", "n", "1"])
    (record,) = caplog.records
    assert (record.name, record.levelno, record.getMessage()) == ("guests.billing", 20, "%s of 100 %d")
    assert record.__dict__["fields"] == {"who": "me", "n": "1"}


def test_what_is_not_enabled_is_not_written(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "guests")
    caplog.set_level(logging.DEBUG, "guests.chatty")
    guest = MailboxGuest(runtime, Log("guests"))
    assert [guest.call("enabled", 20, ""), guest.call("enabled", 30, ""), guest.call("enabled", 10, "chatty")] == [False, True, True]
    guest.call("write", 20, "", "no", [])
    guest.call("write", 30, "", "yes", [])
    assert [record.getMessage() for record in caplog.records] == ["yes"]


def test_a_guest_cannot_forge_a_line(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    guest = MailboxGuest(runtime, Log("guests"))
    guest.call("write", 40, "a\nb", "text\n2026-01-01 CRITICAL root: forged\x1b[2J", [])
    (record,) = caplog.records
    assert record.getMessage() == r"text\n2026-01-01 CRITICAL root: forged\x1b[2J"
    assert record.name == r"guests.a\nb"


def test_limits(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    guest = MailboxGuest(runtime, Log("guests", max_message=10, rate_per_second=3))
    for arguments, status in (
        ((40, "", "x" * 11, []), Status.TOO_LARGE),
        ((40, "x" * 201, "", []), Status.INVALID),
        ((40, "", "", ["x"] * 130), Status.INVALID),
    ):
        with pytest.raises(OperationError) as caught:
            guest.call("write", *arguments)
        assert caught.value.status == status
    for number in range(5):
        guest.call("write", 40, "", str(number), [])
    state = guest.instance.host_state(guest.host)
    assert [record.getMessage() for record in caplog.records] == ["0", "1", "2"]
    state.own.second = 0.0  # type: ignore[attr-defined]  # a second later
    guest.call("write", 40, "", "next", [])
    assert [record.getMessage() for record in caplog.records][3:] == [
        "2 messages of this guest were lost: it writes more than 3 in a second",
        "next",
    ]


def test_the_instance_is_part_of_the_name(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    log = Log("guests")
    log.register(runtime)
    runtime.instantiate(
        r"""(module (import "purewasm/log@1" "__log_call" (func $call)) (memory (export "memory") 1)
          (data (i32.const 64) "HMB1\01\00\00\00\01\00\00\00\00\00\00\00\00\04\00\00\00\04\00\00\07\00\00\00")
          (data (i32.const 1024) "\94\28\a0\a2hi\90")
          (func (export "__log") (result i32) (i32.const 64))
          (func (export "run") (call $call)))""",
        name="billing",
    ).exports.run()
    assert [(record.name, record.getMessage()) for record in caplog.records] == [("guests.billing", "hi")]


def test_a_guest_has_a_bounded_number_of_loggers(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    guest = MailboxGuest(runtime, Log("bounded"))
    for number in range(150):
        guest.call("write", 40, f"n{number}", "", [])
    assert [record.name for record in caplog.records][99:101] == ["bounded.n99", "bounded"]
    assert sum(name.startswith("bounded.") for name in logging.Logger.manager.loggerDict) == 100


def test_a_guest_in_c(runtime: Runtime, guest: Callable[[str], Path], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "guests")
    Log("guests").register(runtime)
    exports = runtime.instantiate(guest("guests/greeter.c")).exports
    assert exports.level() == logging.INFO
    logging.disable(logging.WARNING)
    assert exports.level() == logging.WARNING + 1
    logging.disable(logging.CRITICAL)
    assert exports.level() == logging.CRITICAL + 1
    logging.disable(logging.NOTSET)
    assert [exports.greet(10), exports.greet(20), exports.greet(99)] == [0, 1, -Status.INVALID]
    assert [(record.name, record.getMessage(), record.__dict__["fields"]) for record in caplog.records] == [
        ("guests.greeter", "hello", {"who": "you"})
    ]
