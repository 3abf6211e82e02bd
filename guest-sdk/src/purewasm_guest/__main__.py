"""`python -m purewasm_guest`: print where the SDK's sources lie."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from purewasm_guest import __version__, include_path, zig_module


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, or 2 for a wrong command line."""
    parser = argparse.ArgumentParser(prog="python -m purewasm_guest", description="Where the sources of the guest SDK lie.")
    parser.add_argument("--version", action="version", version=f"purewasm-guest {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("include-path", help="the folder of the C headers, for the compiler's -I")
    zig = commands.add_parser("zig-module", help="the Zig file of a host module's SDK, for -Mpurewasm_NAME=")
    zig.add_argument("name", metavar="NAME", help="the host module, for example global")
    parsed = parser.parse_args(arguments)
    if parsed.command == "include-path":
        print(include_path())
        return 0
    try:
        print(zig_module(parsed.name))
    except LookupError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
