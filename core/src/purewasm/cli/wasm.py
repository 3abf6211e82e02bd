"""`purewasm wasm`: a module's text as a binary module."""

from __future__ import annotations

import sys

from purewasm.cli.failure import describe_module_error, failed, misuse
from purewasm.cli.parser import CommandParser, FeatureOptions, add_features
from purewasm.cli.sources import STDIN, read, to_binary, write
from purewasm.errors import ModuleError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.runtime.module import Module

if TYPE_CHECKING:
    from collections.abc import Sequence

_SUMMARY: Final = "Translate a module from the text format to the binary one, and validate it."
_EXAMPLES: Final = ("purewasm wasm guest.wat -o guest.wasm", "purewasm wasm - < guest.wat > guest.wasm")


class Options(FeatureOptions):
    """What the command line says."""

    file: str
    output: str | None
    no_check: bool


def main(arguments: Sequence[str]) -> int:
    """Write the bytes."""
    parser = CommandParser("wasm", _SUMMARY, _EXAMPLES)
    rows = parser.rows
    rows.positional("file", "FILE", "a .wat file, or - for standard input")
    rows.option("-o", "--output", metavar="FILE", help="write it there, not to standard output")
    rows.flag("--no-check", help="do not validate it")
    add_features(rows, default="all")
    options = parser.parse(arguments, Options())
    if options.output in (None, STDIN) and sys.stdout.isatty():
        misuse("a binary module is nothing for a terminal: give -o FILE")
    source = read(options.file)
    data = to_binary(source, options.chosen_features)
    if not options.no_check:
        try:
            Module(data, options.chosen_features)
        except ModuleError as error:
            failed(describe_module_error(error, source.name, source.text))
    write(options.output, data)
    return 0
