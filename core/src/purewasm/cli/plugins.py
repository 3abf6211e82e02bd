"""What other distributions add: commands and host modules, found by their entry points.

The group `purewasm.commands` holds functions `main(arguments: list[str]) -> int | None` that get what stands behind the command's
name and return the exit status. The group `purewasm.hostmods` holds classes of host modules; an entry is named like the import
module. An entry that nobody asks for is listed, never loaded.
"""

from __future__ import annotations

from purewasm.cli.failure import FAILED, Failure
from purewasm.light_typing import Final, NamedTuple
from purewasm.runtime.discovery import HOST_MODULES, KNOWN_HOST_MODULES, Installed, installed, installed_host_module

__all__ = [
    "COMMANDS", "HOST_MODULES", "KNOWN_COMMANDS", "KNOWN_HOST_MODULES", "Plugin", "find", "find_host_module", "how_to_get",
    "how_to_get_distribution",
]  # fmt: skip

COMMANDS: Final = "purewasm.commands"

KNOWN_COMMANDS: Final = {"new": "purewasm-guest", "gen": "purewasm-guest"}
"""Commands of other distributions, by the distribution to install."""


class Plugin(NamedTuple):
    """An entry point and the distribution that it belongs to."""

    name: str
    value: str
    """`module:attribute`."""
    distribution: str
    version: str

    def load(self) -> object:
        """The object behind it. Any exception of its import is its distribution's failure."""
        try:
            return Installed(*self).load()
        except Exception as error:  # whatever a broken distribution raises
            message = f"{self.name} of {self.distribution} {self.version} cannot be loaded: {type(error).__name__}: {error}"
            raise Failure(message, FAILED) from error


def find(group: str) -> dict[str, Plugin]:
    """Installed entry points of a group by name; of several with one name the first."""
    return {name: Plugin(*found) for name, found in installed(group).items()}


def find_host_module(name: str) -> Plugin | None:
    """The installed host module of an import module name, or None."""
    found = installed_host_module(name)
    return None if found is None else Plugin(*found)


def how_to_get(import_module: str) -> str | None:
    """The command that installs what provides an import module, or None where nobody is known to."""
    distribution = KNOWN_HOST_MODULES.get(import_module)
    return None if distribution is None else f"pip install {distribution}"


def how_to_get_distribution(name: str) -> str | None:
    """The same for a distribution's name, with or without its `purewasm-`."""
    known = next((known for known in KNOWN_HOST_MODULES.values() if name in (known, known.removeprefix("purewasm-"))), None)
    return None if known is None else f"pip install {known}"
