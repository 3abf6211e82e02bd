"""The command line of `purewasm run`."""

from __future__ import annotations

import os

from purewasm.cli import wasi
from purewasm.cli.arguments import ANY, ArgumentError, Parsed
from purewasm.cli.cache_directory import default_directory
from purewasm.cli.parser import CommandParser, FeatureOptions, add_features
from purewasm.cli.sizes import parse_bytes, parse_count
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.runtime.config import ENGINES

if TYPE_CHECKING:
    from collections.abc import Sequence

_SUMMARY: Final = "Run a program (the function _start of a WASI command), or call one function of a module."
_EXAMPLES: Final = (
    "purewasm run program.wasm -- --guest-option input.txt",
    "purewasm run program.wasm --dir . --dir /srv/data:/data:ro --env LANG=C",
    "purewasm run server.wasm --listen 8080 --max-output 1MiB --trace=wasi",
    "purewasm run add.wat --invoke add 2 3",
    "purewasm run loop.wasm --timeout 2 --max-memory 64MiB",
)
_PAGE_BYTES: Final = 1 << 16


class Options(FeatureOptions, wasi.WasiOptions):
    """What the command line of `run` says."""

    file: str
    arguments: list[str]
    invoke: str | None
    hostmod: list[str]
    fuel: int | None
    timeout: float | None
    engine: str
    max_memory: int | None
    no_cache: bool
    eager: bool


def parse_options(arguments: Sequence[str]) -> Options:
    """Options of `run`; what stands behind `--` goes to the guest as it is."""
    return _parser().parse(arguments, Options())


def _unknown(word: str, options: Parsed) -> str:
    assert isinstance(options, Options)
    return f"unknown option {word}: what is meant for the guest stands behind --, as in: purewasm run {options.file or 'FILE'} -- {word}"


def _parser() -> CommandParser:
    parser = CommandParser("run", _SUMMARY, _EXAMPLES, "purewasm run FILE [options] [arguments …] [-- arguments …]", _unknown)
    rows = parser.rows
    rows.positional("file", "FILE", "a .wasm, .wat or .pwasm file, or - for standard input")
    rows.positional("arguments", "arguments", "of the program, or of the --invoke function", takes=ANY)
    rows.option("--invoke", metavar="NAME", help="call this exported function, print its results one a line")
    rows.option("--hostmod", metavar="NAME", repeated=True, help="grant an installed host module")
    rows.option("--fuel", metavar="N", convert=parse_count, help="stop the guest after about so many instructions")
    rows.option("--timeout", metavar="SECONDS", convert=_seconds, help="stop the guest after so much time")
    rows.option("--max-memory", metavar="SIZE", convert=_memory_pages, help="most that a memory may grow to: pages, or 64MiB")
    rows.option("--engine", choices=ENGINES, default="auto", help="what runs the code (default: auto)")
    rows.flag("--eager", help="compile everything before it starts")
    rows.flag("--no-cache", help=f"do not keep compiled code in {default_directory()}")
    add_features(rows)
    wasi.add_options(rows)
    return parser


def processors() -> int:
    """Processors that this process may use."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return count or 1


def idle_processors() -> int:
    """This process's own, and those that others have left idle for the last minute: what is compiled ahead of a guest must not slow it."""
    try:
        busy = round(os.getloadavg()[0])
    except (AttributeError, OSError):  # no such figure on this system
        busy = 0
    return max(processors() - busy, 1)


def _seconds(word: str) -> float:
    try:
        seconds = float(word)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ArgumentError(f"expected a number of seconds, got {word!r}")
    return seconds


def _memory_pages(word: str) -> int:
    """`100` is pages of 64 KiB; `64MiB`, `64MB` and `64M` are bytes."""
    try:
        return int(word) if word.isdecimal() else parse_bytes(word) // _PAGE_BYTES
    except ArgumentError:
        raise ArgumentError(f"expected pages of 64 KiB or a size such as 64MiB, got {word!r}") from None
