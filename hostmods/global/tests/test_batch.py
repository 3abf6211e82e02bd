"""Version 1: many values in one call."""

from __future__ import annotations

from pathlib import Path

import pytest

from purewasm import Runtime
from purewasm.hostmod import MailboxModule
from purewasm.testing import ConformanceCase, MailboxGuest, check_hostile, conformance_cases, fuzz
from purewasm_global import Globals


def _batch(values: dict[str, int] | None = None) -> MailboxModule:
    found = Globals(values).batch_module
    assert isinstance(found, MailboxModule)
    return found


@pytest.mark.parametrize("case", conformance_cases(Path(__file__).parent / "abi_cases.json"), ids=str)
def test_conformance(case: ConformanceCase) -> None:
    with Runtime() as runtime:
        case.run(runtime, _batch())


def test_hostile_guests() -> None:
    with Runtime() as runtime:
        check_hostile(runtime, _batch)
        assert fuzz(runtime, _batch, seed=2, rounds=200) > 0


def test_many_values() -> None:
    with Runtime() as runtime:
        guest = MailboxGuest(runtime, _batch({"B": 2**64 - 1, "AB": 0, "A": 7}))
        assert guest.call("get_many", ["A", "B", "C"], [1, 2, 3]) == [7, 2**64 - 1, 3]
        assert guest.call("list", "A", "") == ["A", "AB"]
        assert guest.call("list", "", "A") == ["AB", "B"]


def test_both_versions_see_the_same(runtime: Runtime) -> None:
    settings = Globals({"A": 1})
    settings.register(runtime)
    assert runtime.provides("pantopic/wazero-global")
    assert runtime.provides("purewasm/globals@1")
    guest = MailboxGuest(runtime, settings.batch_module)  # type: ignore[arg-type]
    settings["A"] = 5
    assert guest.call("get_many", ["A"], [0]) == [5]
