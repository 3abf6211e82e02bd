"""`purewasm version`: what is installed, for reports of bugs."""

from __future__ import annotations

import platform

from purewasm._version import __version__
from purewasm.cli import plugins
from purewasm.cli.arguments import Parsed
from purewasm.cli.parser import CommandParser
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.runtime.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Sequence

_SUMMARY: Final = "Print the versions of purewasm, its engine, Python and the installed host modules and commands."


def main(arguments: Sequence[str]) -> int:
    """Print them."""
    CommandParser("version", _SUMMARY).parse(arguments, Parsed())
    with Runtime() as runtime:
        engine = runtime.engine_name
    print(f"purewasm {__version__}, engine: {engine}")
    print(f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}")
    for group, word in ((plugins.HOST_MODULES, "host module"), (plugins.COMMANDS, "command")):
        for name, plugin in sorted(plugins.find(group).items()):
            print(f"{word} {name}: {plugin.distribution} {plugin.version}")
    return 0
