"""`purewasm cache`: what compiled code takes up on disk, and how to get rid of it."""

from __future__ import annotations

import os
import sys
import time

from purewasm.cli.arguments import OPTIONAL, ArgumentError, Parsed
from purewasm.cli.cache_directory import default_directory
from purewasm.cli.failure import misuse
from purewasm.cli.parser import CommandParser
from purewasm.cli.sizes import parse_bytes
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.runtime.file_storage import choose_for_removal, remove_file, stored_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purewasm.runtime.file_storage import StoredFile

_SUMMARY: Final = "Show or remove code that was compiled for later. Removing it is always safe: it is made again when it is needed."
_EXAMPLES: Final = (
    "purewasm cache show",
    "purewasm cache prune --max-size 200MiB --max-age 30d",
    "purewasm cache clear --directory build/cache",
)
_ACTIONS: Final = ("show", "prune", "clear")
_AGES: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


class Options(Parsed):
    """What the command line says."""

    action: str
    directory: str | None
    max_size: int | None
    max_age: float | None


def main(arguments: Sequence[str]) -> int:
    """0, or 1 if files could not be removed."""
    options = _parse(arguments)
    directory = os.path.abspath(os.path.expanduser(options.directory or default_directory()))
    files = list(stored_files(directory))
    if options.action == "show":
        _show(directory, files)
        return 0
    chosen = files if options.action == "clear" else choose_for_removal(files, options.max_size, options.max_age)
    removed = [file for file in chosen if remove_file(file)]
    print(f"removed {_amount(removed)} from {directory}, {_amount([file for file in files if file not in removed])} left")
    if len(removed) < len(chosen):
        print(f"purewasm: {len(chosen) - len(removed)} files could not be removed; look at the permissions of {directory}", file=sys.stderr)
        return 1
    return 0


def _parse(arguments: Sequence[str]) -> Options:
    parser = CommandParser("cache", _SUMMARY, _EXAMPLES)
    rows = parser.rows
    rows.positional("action", f"{{{','.join(_ACTIONS)}}}", "what to do (default: show)", takes=OPTIONAL, default="show", choices=_ACTIONS)
    rows.option("--directory", metavar="DIR", help=f"default: {default_directory()}")
    rows.option("--max-size", metavar="SIZE", convert=parse_bytes, help="prune: keep at most so much, what was used last; 200MiB, 1GiB")
    rows.option("--max-age", metavar="AGE", convert=_age, help="prune: keep what was used within this time; 12h, 30d, 2w")
    options = parser.parse(arguments, Options())
    has_limit = options.max_size is not None or options.max_age is not None
    if options.action == "prune" and not has_limit:
        misuse("prune needs a limit: --max-size SIZE, --max-age AGE or both")
    if options.action != "prune" and has_limit:
        misuse(f"--max-size and --max-age are options of prune, not of {options.action}")
    return options


def _age(word: str) -> float:
    unit = _AGES.get(word[-1:])
    if unit is None or not word[:-1].isdecimal():
        raise ArgumentError(f"expected a time such as 12h, 30d or 2w, got {word!r}")
    return float(int(word[:-1]) * unit)


def _show(directory: str, files: list[StoredFile]) -> None:
    print(f"{directory}: {_amount(files)}")
    for version in sorted({file.version for file in files}):
        own = [file for file in files if file.version == version]
        days = (time.time() - max(file.used for file in own)) / 86400
        print(f"  {version}: {_amount(own)}, last used {'today' if days < 1 else f'{days:.0f} days ago'}")


def _amount(files: Sequence[StoredFile]) -> str:
    total = sum(file.size_bytes for file in files)
    size = f"{total:,} bytes" if total < 10_000 else f"{total / 1024:,.0f} KiB" if total < 10 << 20 else f"{total / (1 << 20):,.0f} MiB"
    return f"{len(files)} {'module' if len(files) == 1 else 'modules'}, {size}"
