"""Made-up distributions with entry points."""

from __future__ import annotations

from purewasm.cli.plugins import COMMANDS, HOST_MODULES, Plugin


class Plugins:
    """Stands for the installed distributions. Objects are named as entry points name them: `module:attribute`."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, Plugin]] = {COMMANDS: {}, HOST_MODULES: {}}

    def find(self, group: str) -> dict[str, Plugin]:
        return self._found[group]

    def find_host_module(self, name: str) -> Plugin | None:
        return self._found[HOST_MODULES].get(name)

    def add(self, group: str, name: str, value: str, distribution: str = "purewasm-made-up") -> None:
        self._found[group][name] = Plugin(name, value, distribution, "9.8")
