"""Options of `Runtime` on the command line of a program that runs tests: `--option eager=True`."""

from __future__ import annotations

import argparse
from ast import literal_eval
from typing import TYPE_CHECKING

from purewasm.runtime.config import RuntimeConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

RuntimeOptions = dict[str, object]


def add_runtime_options(parser: argparse.ArgumentParser) -> None:
    """Understand `--option NAME=VALUE`, as often as it is given."""
    parser.add_argument(
        "--option", action="append", default=[], type=_parse, metavar="NAME=VALUE", help="pass an option on to Runtime(...): eager=True"
    )


def runtime_options(
    parser: argparse.ArgumentParser, arguments: argparse.Namespace, more: Mapping[str, object] | None = None
) -> RuntimeOptions:
    """What was given, after `more`; a runtime that would not take it ends the program."""
    options = {**(more or {}), **dict(arguments.option)}
    try:
        RuntimeConfig().with_(**options)
    except (TypeError, ValueError) as error:
        parser.error(f"argument --option: {error}")
    return options


def _parse(text: str) -> tuple[str, object]:
    """Name and value; a value that is no number, truth value or other literal of Python is a text."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    try:
        return name, literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value
