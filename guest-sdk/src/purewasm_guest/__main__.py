"""`python -m purewasm_guest`: print where the SDK's sources lie."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from purewasm_guest import __version__, include_path, zig_module
from purewasm_guest.build import RUST_TARGETS, BuildError, build

_COMMANDS: Final = {"gen": "write what ABI files ask for", "new": "make a project for a host module or a guest"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, 1 where something fails, 2 for a wrong command line."""
    parser = argparse.ArgumentParser(prog="python -m purewasm_guest", description="Where the sources of the guest SDK lie.")
    parser.add_argument("--version", action="version", version=f"purewasm-guest {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("include-path", help="the folder of the C headers, for the compiler's -I")
    zig = commands.add_parser("zig-module", help="the Zig file of a host module's SDK, for -Mpurewasm_NAME=")
    zig.add_argument("name", metavar="NAME", help="the host module, for example global")
    one = commands.add_parser("build", help="build a guest from one source: C, Zig, Go, AssemblyScript, Rust or Python, by its ending")
    one.add_argument("source", type=Path)
    one.add_argument("-o", "--output", type=Path, required=True)
    sdk_help = "a further host module: a distribution, or a folder with what `purewasm gen` wrote; may be given several times"
    one.add_argument("--sdk", metavar="NAME", action="append", default=[], help=sdk_help)
    one.add_argument("--target", help=f"for Rust: {', '.join(RUST_TARGETS)}; the first one installed by default")
    for name, what in _COMMANDS.items():
        commands.add_parser(name, help=what)
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in _COMMANDS:
        return _run(words[0], words[1:])
    parsed = parser.parse_args(words)
    if parsed.command == "build":
        try:
            build(parsed.source, parsed.output, sdk=parsed.sdk, target=parsed.target)
        except (BuildError, LookupError, OSError) as error:
            print(f"purewasm_guest build: {error}", file=sys.stderr)
            return 1
        return 0
    if parsed.command == "include-path":
        print(include_path())
        return 0
    try:
        print(zig_module(parsed.name))
    except LookupError as error:
        parser.error(str(error))
    return 0


def _run(command: str, words: list[str]) -> int:
    """A command that is `purewasm`'s too; each has options of its own."""
    module = import_module(f"purewasm_guest.{command}.command")
    status: int = module.main(words)
    return status


if __name__ == "__main__":
    sys.exit(main())
