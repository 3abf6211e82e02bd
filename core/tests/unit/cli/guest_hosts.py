"""Host modules and commands that tests plug in."""

from __future__ import annotations

from typing import ClassVar

from purewasm import HostModule, Runtime


class Greeter:
    """A host module as packages have them."""

    opened: ClassVar[list[str]] = []

    def register(self, runtime: Runtime) -> None:
        module = HostModule("acme/greeter")
        module.add_function("number", lambda: 42, [], ["i32"])
        module.register(runtime)
        self.opened.append("open")

    def close(self) -> None:
        self.opened.append("closed")


def command(arguments: list[str]) -> int | None:
    """A command that prints its arguments and fails if there are any."""
    print("command:", *arguments)
    return 5 if arguments else None
