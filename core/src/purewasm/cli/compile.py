"""`purewasm compile`: compile a module ahead of time, into a file that `purewasm run` and `Runtime.load` start at once."""

from __future__ import annotations

import os

from purewasm.cli.arguments import ArgumentError
from purewasm.cli.failure import describe_module_error, failed, misuse
from purewasm.cli.parser import CommandParser, FeatureOptions, add_features
from purewasm.cli.progress import ProgressLine
from purewasm.cli.run_options import processors
from purewasm.cli.sources import STDIN, read, to_binary
from purewasm.errors import ModuleError, WasmError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.runtime.file_storage import replace_file
from purewasm.runtime.precompiled import ENDING
from purewasm.runtime.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Sequence

_SUMMARY: Final = """\
Compile a module to machine code ahead of time. The file holds the module and its code: it is a program. Give it only to those who may
trust you, and run only what comes from somebody whom you would let run programs on your machine; checksums find damage, not malice."""
_EXAMPLES: Final = (
    "purewasm compile program.wasm",
    "purewasm compile program.wasm -o build/program.pwasm --target x86_64-linux",
    "purewasm run program.pwasm -- input.txt",
)
_NATIVE: Final = "native"


class Options(FeatureOptions):
    """What the command line says."""

    file: str
    output: str | None
    target: str
    workers: int
    fuel: bool
    quiet: bool


def main(arguments: Sequence[str]) -> int:
    """0 when the file is written."""
    options = _parse(arguments)
    if STDIN in (options.output or options.file, options.output):
        misuse("name the file that is to be written: -o FILE")
    output = options.output or os.path.splitext(options.file)[0] + ENDING
    source = read(options.file)
    data = to_binary(source, options.chosen_features)
    with ProgressLine(f"compiling {os.path.basename(source.name)}") as line:
        made = _compile(data, options, line, source.name, source.text)
    _write(output, made)
    if not options.quiet:
        print(f"{output}: {len(made):,} bytes for {len(data):,} of {source.name}")
    return 0


def _compile(data: bytes, options: Options, line: ProgressLine, name: str, text: str | None) -> bytes:
    target = None if options.target == _NATIVE else options.target
    try:
        with Runtime(
            engine="auto", features=options.chosen_features, fuel=options.fuel, workers=options.workers, progress=line.callback
        ) as runtime:
            return runtime.precompile(data, target=target)
    except ModuleError as error:
        line.clear()
        failed(describe_module_error(error, name, text))
    except (WasmError, ValueError) as error:
        line.clear()
        misuse(str(error))


def _write(output: str, data: bytes) -> None:
    """All of the file or nothing: a process that runs the old one keeps it whole. Nobody else may write to it, or it would be refused."""
    try:
        replace_file(os.path.realpath(output), data, 0o644)
    except OSError as error:
        misuse(f"{output}: cannot be written: {error.strerror or error}")


def _parse(arguments: Sequence[str]) -> Options:
    parser = CommandParser("compile", _SUMMARY, _EXAMPLES)
    rows = parser.rows
    rows.positional("file", "FILE", "a .wasm or .wat file, or - for standard input")
    rows.option("-o", "--output", metavar="FILE", help=f"default: the module's name with {ENDING}")
    targets = (
        "native (this machine's processor and all it has, the default), x86_64-linux (any that the compiler can be used with), "
        "x86_64-linux-v2 or x86_64-linux-v3 (those of that level: faster code)"
    )
    rows.option("--target", metavar="TARGET", default=_NATIVE, help=targets)
    default = processors()
    rows.option("--workers", metavar="N", convert=_workers, default=default, help=f"processes (default: {default}, one a core)")
    rows.flag("--fuel", help="for runtimes that count fuel")
    rows.flag("-q", "--quiet", help="print nothing")
    add_features(rows)
    return parser.parse(arguments, Options())


def _workers(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise ArgumentError(f"expected a number of processes, got {word!r}")
    return int(word)
