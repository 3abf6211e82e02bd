"""Argument parsers of the subcommands: they look alike, and a wrong command line is one line that says what is wrong."""

from __future__ import annotations

import argparse
import os
from functools import cache

from purewasm.cli.failure import misuse
from purewasm.light_typing import TYPE_CHECKING, Final, NoReturn, final
from purewasm.wasm.features import NAMES, Features

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEFAULT_COLUMNS: Final = 80
_VERSIONS = {"wasm1": Features.WASM1, "wasm2": Features.WASM2, "wasm3": Features.WASM3, "all": Features.all()}


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Parsers make one for each option that they are given: this one does not import `shutil` to ask for the terminal's width."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


@cache
def _columns() -> int:
    chosen = os.environ.get("COLUMNS", "")
    if chosen.isdecimal() and int(chosen) > 2:
        return int(chosen)
    try:
        return os.get_terminal_size(1).columns or _DEFAULT_COLUMNS
    except OSError:
        return _DEFAULT_COLUMNS


@final
class CommandParser(argparse.ArgumentParser):
    """A parser whose errors are `Failure`s."""

    def __init__(self, command: str, summary: str, examples: Sequence[str] = (), usage: str | None = None) -> None:
        epilog = "\n  ".join(["examples:", *examples]) if examples else None
        super().__init__(
            prog=f"purewasm {command}",
            usage=usage,
            description=summary,
            epilog=epilog,
            formatter_class=_Formatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        misuse(f"{message}\nTry '{self.prog} --help'.")


def add_features(parser: argparse.ArgumentParser, default: str = "wasm3") -> None:
    """`--features` and `--disable`."""
    parser.set_defaults(default_features=default)
    parser.add_argument(
        "--features",
        metavar="LIST",
        default="",
        help=f"proposals to accept, with commas between: a version (wasm1, wasm2, wasm3, all; {default} where none is given) and names",
    )
    parser.add_argument("--disable", metavar="LIST", default="", help=f"proposals to refuse: {', '.join(NAMES)}")


def parse_features(enabled: str, disabled: str, default: str) -> Features:
    """The set that `--features` and `--disable` name."""
    words = _words(enabled)
    versions = [word for word in words if word in _VERSIONS]
    features = _VERSIONS[default] if not versions else Features.from_bits(0)
    try:
        for version in versions:
            features = features.with_(*_VERSIONS[version])
        return features.with_(*(word for word in words if word not in _VERSIONS)).without(*_words(disabled))
    except ValueError as error:
        misuse(str(error))


def _words(text: str) -> list[str]:
    return [word for part in text.split(",") if (word := part.strip())]


class FeatureOptions(argparse.Namespace):
    """What `add_features` adds to a parser's result."""

    features: str
    disable: str
    default_features: str

    @property
    def chosen_features(self) -> Features:
        """The proposals that the command accepts."""
        return parse_features(self.features, self.disable, self.default_features)
