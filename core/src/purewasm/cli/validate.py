"""`purewasm validate`: say of each file whether it is a valid module."""

from __future__ import annotations

import sys

from purewasm.cli.arguments import SOME
from purewasm.cli.failure import Failure
from purewasm.cli.parser import CommandParser, FeatureOptions, add_features
from purewasm.cli.sources import load
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_SUMMARY: Final = "Decode and validate modules. Nothing is run."
_EXAMPLES: Final = (
    "purewasm validate guest.wasm",
    "purewasm validate *.wasm --features wasm1,simd",
    "purewasm validate guest.wat --disable gc,exceptions",
)


class Options(FeatureOptions):
    """What the command line says."""

    files: list[str]
    quiet: bool


def main(arguments: Sequence[str]) -> int:
    """0 if all are valid; otherwise the worst status of any file."""
    parser = CommandParser("validate", _SUMMARY, _EXAMPLES)
    rows = parser.rows
    rows.positional("files", "FILE", "a .wasm or .wat file, or - for standard input", takes=SOME)
    rows.flag("-q", "--quiet", help="print nothing about valid ones")
    add_features(rows)
    options = parser.parse(arguments, Options())
    features = options.chosen_features
    worst = 0
    for file in options.files:
        try:
            module = load(file, features)
        except Failure as failure:
            sys.stdout.flush()
            print(f"purewasm: {failure.message}", file=sys.stderr)
            worst = max(worst, failure.status)
            continue
        if not options.quiet:
            print(f"{file}: valid, {len(module.wasm.functions):,} functions, {len(module.source):,} bytes")
    return worst
