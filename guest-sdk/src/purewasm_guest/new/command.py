"""`purewasm new hostmod OWNER-NAME` and `purewasm new guest --lang LANGUAGE OWNER-NAME`. Works offline."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from purewasm_guest.new.project import LANGUAGES, ProjectError, new_guest, new_hostmod


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 2 for a name or place that cannot be."""
    parser = argparse.ArgumentParser(prog="purewasm new", description="Make a project that builds, tests and publishes as it stands.")
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    hostmod = kinds.add_parser("hostmod", help="a host module, with its ABI file, tests and guest SDKs")
    guest = kinds.add_parser("guest", help="a guest, with tests that use fake and real host modules")
    guest.add_argument("--lang", choices=LANGUAGES, required=True, help="the language")
    for kind in (hostmod, guest):
        kind.add_argument("name", metavar="OWNER-NAME", help="the distribution's name, such as acme-greeter")
        kind.add_argument("--in", dest="parent", type=Path, default=Path(), metavar="FOLDER", help="where to make it (default: here)")
    options = parser.parse_args(arguments)
    try:
        if options.kind == "hostmod":
            folder = new_hostmod(options.name, options.parent)
        else:
            folder = new_guest(options.name, options.lang, options.parent)
    except (ProjectError, OSError) as error:
        print(f"purewasm new: {error}", file=sys.stderr)
        return 2
    print(f"{folder} is ready; its README.md says how to build and test it")
    return 0
