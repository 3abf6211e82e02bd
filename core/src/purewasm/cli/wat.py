"""`purewasm wat`: a binary module as text."""

from __future__ import annotations

from purewasm.binary.decoder import decode_module
from purewasm.cli.failure import describe_module_error, failed
from purewasm.cli.parser import CommandParser, FeatureOptions, add_features
from purewasm.cli.sources import read, to_binary, write
from purewasm.errors import ModuleError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.text.printer import format_module

if TYPE_CHECKING:
    from collections.abc import Sequence

_SUMMARY: Final = "Print a module in the text format. It need not be valid."
_EXAMPLES: Final = ("purewasm wat guest.wasm", "purewasm wat guest.wasm -o guest.wat")


class Options(FeatureOptions):
    """What the command line says."""

    file: str
    output: str | None


def main(arguments: Sequence[str]) -> int:
    """Print the text."""
    parser = CommandParser("wat", _SUMMARY, _EXAMPLES)
    rows = parser.rows
    rows.positional("file", "FILE", "a .wasm file (a .wat file is printed anew), or - for standard input")
    rows.option("-o", "--output", metavar="FILE", help="write it there, not to standard output")
    add_features(rows, default="all")
    options = parser.parse(arguments, Options())
    features = options.chosen_features
    source = read(options.file)
    data = to_binary(source, features)
    try:
        text = format_module(decode_module(data, features))
    except ModuleError as error:
        failed(describe_module_error(error, source.name, source.text))
    write(options.output, text.encode())
    return 0
