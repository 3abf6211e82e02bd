"""The conformance cases of an ABI file, run against any host module.

    from purewasm.testing import conformance_cases

    @pytest.mark.parametrize("case", conformance_cases(FOLDER / "abi_cases.json"), ids=str)
    def test_conformance(case: ConformanceCase, runtime: Runtime) -> None:
        case.run(runtime, Kv())

`purewasm gen` writes the file: JSON, with requests and answers as bytes in hexadecimal, so that hosts in any language can use it. A case
is a list of steps on one new instance; a step is what the guest writes into its mailbox and what the host has to answer.
"""

from __future__ import annotations

import json

from purewasm.hostmod import AbiError
from purewasm.hostmod.codec import decode
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, cast, final
from purewasm.testing.expectation import expect
from purewasm.testing.raw_guests import MailboxGuest

if TYPE_CHECKING:
    from pathlib import Path

    from purewasm.hostmod import MailboxModule
    from purewasm.runtime.runtime import Runtime

FORMAT: Final = 1


class Step(NamedTuple):
    """One call, and what has to come of it."""

    operation: int
    request: bytes
    mailbox: dict[str, int]
    """Fields that differ from those of an honest guest."""
    refused: bool
    """True where the guest breaks the ABI and has its call ended."""
    status: int
    reply: bytes | None
    """The answer's value, or None where any will do."""
    kept: bool
    """True where the answer must not fit, and wait to be fetched."""


@final
class ConformanceCase(NamedTuple):
    """A named list of steps on one instance."""

    module: str
    name: str
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return self.name

    def run(self, runtime: Runtime, host: MailboxModule) -> None:
        """`AssertionError` where the host module does not do as it should."""
        expect(host.name == self.module, f"these are cases of {self.module}, not of {host.name}")
        guest = MailboxGuest(runtime, host)
        for number, step in enumerate(self.steps, 1):
            _run_step(guest, step, f"{self.name}, step {number}")


def _run_step(guest: MailboxGuest, step: Step, where: str) -> None:
    try:
        answer = guest.send(step.operation, step.request, **step.mailbox)
    except AbiError as error:
        expect(step.refused, f"{where}: the call was ended: {error}")
        expect(error.module == guest.host.name, f"{where}: the error names {error.module}")
        return
    expect(not step.refused, f"{where}: the guest broke the ABI, and got status {answer.status}")
    expect(answer.status == step.status, f"{where}: status {answer.status} instead of {step.status}, {answer.body!r}")
    expect(bool(answer.flags) == step.kept, f"{where}: the answer {'fits' if step.kept else 'is kept'}")
    if step.reply is not None and not step.kept:
        expect(answer.value == decode(step.reply), f"{where}: the answer is {answer.value!r} instead of {decode(step.reply)!r}")


def conformance_cases(file: Path) -> list[ConformanceCase]:
    """The cases of a file that `purewasm gen` has written."""
    content = json.loads(file.read_text(encoding="utf-8"))
    if content.get("format") != FORMAT:
        raise ValueError(f"{file} is of format {content.get('format')!r}, and this version reads format {FORMAT}")
    return [
        ConformanceCase(content["module"], case["name"], tuple(_step(cast("dict[str, object]", step)) for step in case["steps"]))
        for case in content["cases"]
    ]


def _step(step: dict[str, object]) -> Step:
    request, reply = str(step["request"]), step.get("reply")
    return Step(
        cast("int", step["operation"]),
        bytes.fromhex(request),
        cast("dict[str, int]", step.get("mailbox", {})),
        bool(step.get("refused", False)),
        cast("int", step.get("status", 0)),
        bytes.fromhex(reply) if isinstance(reply, str) else None,
        bool(step.get("kept", False)),
    )
